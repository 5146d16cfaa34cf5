"""Exact and simulated toy models (NumPy and Numba). Never loads torch."""
