"""Finite networks: many at once, as batched tensors."""
