"""Bumps on the line: slide one into place, or spawn many (see :mod:`theory.bumps`)."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("a target bump on the line: slide bumps to it, or cover the line with them")
MODES = ("slide", "cover", "both")  # what moves: centres, heights, or both

__getattr__, __dir__, __all__ = lazy(__name__, {".model": ["Bumps", "Prediction", "predict", "simulate"]})
