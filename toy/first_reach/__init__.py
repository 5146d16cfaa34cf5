"""First reach: a feature is learnt only if some neuron starts within its reach (see :mod:`theory.first_reach`)."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("a feature is learnt only if some neuron starts within its reach (a reconstruction of S0's toy)")

__getattr__, __dir__, __all__ = lazy(__name__, {".model": ["Prediction", "Reached", "predict", "simulate"]})
