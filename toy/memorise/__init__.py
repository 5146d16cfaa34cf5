"""Memorise or generalise: decision regions on a low-dimensional manifold along training (S2's discussion)."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("structured labels, random labels, or inputs replaced by noise: decision regions along training")
TASKS = ("structured", "random-labels", "noise-inputs")

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".model": ["Data", "History", "Prediction", "make_data", "predict", "simulate"],
    "theory.regions": ["Regions", "follow", "regions"],
})
