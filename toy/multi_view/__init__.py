"""Multi-view data: when width ignores a feature (see :mod:`theory.multi_view`)."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("one class with two views: does a network learn both? (a counter-example: width can ignore a feature)")

__getattr__, __dir__, __all__ = lazy(__name__, {".model": ["Prediction", "Views", "predict", "simulate"]})
