"""Learning curves: which theory answers a question is decided here, and nowhere else."""
