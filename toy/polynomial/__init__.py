"""Polynomial boundary in the plane: what training determines inside and outside the hull of the data (S3)."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("two classes in the plane with a polynomial boundary: agreement inside and outside the hull of the data")

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".model": ["REGIMES", "Boundaries", "Boundary", "Data", "make_data", "simulate", "simulate_networks"],
    ".starts": ["predict"],
})
