"""Commands of ``python -m empirical``."""
