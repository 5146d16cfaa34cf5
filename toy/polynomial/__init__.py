"""Polynomial boundary in the plane: what training decides inside and outside the hull of the data (S3)."""

from toy.polynomial.model import REGIMES, Boundary, simulate, simulate_networks

__all__ = ["REGIMES", "Boundary", "simulate", "simulate_networks"]
