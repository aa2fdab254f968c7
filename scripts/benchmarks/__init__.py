"""What `scripts/benchmark.py` measures: the machine and the pipeline's overhead (`make benchmark`), or a GPU (`--gpu`)."""
