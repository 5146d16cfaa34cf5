"""Double descent: risk by the number of parameters for least squares, random ReLU features and a small trained network."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("risk against the number of features: least squares, random ReLU features, or a small trained network")
FAMILIES = ("least-squares", "random-features", "network")  # what is fitted

__getattr__, __dir__, __all__ = lazy(__name__, {".model": ["Prediction", "Risks", "predict", "simulate"]})
