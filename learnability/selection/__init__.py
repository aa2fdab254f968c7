"""Which architecture will learn the data: kernels ranked by predicted error, before any network is trained."""
