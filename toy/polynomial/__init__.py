"""Polynomial boundary in the plane: what training decides inside and outside the hull of the data (S3)."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("two classes in the plane with a polynomial boundary: agreement inside and outside the hull of the data",
              no_theory="what a classifier says away from its data has no closed form")

__getattr__, __dir__, __all__ = lazy(__name__, {".model": ["REGIMES", "Boundaries", "Boundary", "simulate", "simulate_networks"]})
