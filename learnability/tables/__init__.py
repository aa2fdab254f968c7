"""Tables: predictions, joined studies, means of experiments, and the agreement of theory and experiment."""
