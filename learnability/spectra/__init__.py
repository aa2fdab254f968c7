"""Spectra of kernels, targets in their eigenbases, and spectral measures."""
