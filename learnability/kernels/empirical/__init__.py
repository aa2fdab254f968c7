"""Empirical tangent kernels of PyTorch modules: their initialisation, gradients sample by sample or layer by layer, tiles."""
