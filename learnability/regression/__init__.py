"""Exact kernel regression, and what a training set alone tells of its generalization."""
