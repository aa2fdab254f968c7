"""What serves every other package: error messages, random streams, result files, progress, provenance, GPUs of jobs."""
