"""Memorise or generalise: decision regions on a low-dimensional manifold along training (S2's discussion)."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("structured labels, random labels, or inputs replaced by noise: decision regions along training",
              no_theory="decision regions along training have no closed form")
TASKS = ("structured", "random-labels", "noise-inputs")

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".model": ["Data", "History", "make_data", "simulate"],
    "theory.regions": ["Regions", "follow", "regions"],
})
