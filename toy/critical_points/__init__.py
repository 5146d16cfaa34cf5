"""Critical points of two toy landscapes, found from many heights: which share of their curvatures is negative?

:func:`theory.critical_points.search` finds points where the gradient vanishes, :mod:`~toy.critical_points.landscapes` has the
landscapes, :mod:`~toy.critical_points.model` ``simulate`` and ``predict``. Theory: :mod:`theory.random_landscape`.
"""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("critical points found from many heights: index against loss, and are curvatures' signs coin flips?")
LANDSCAPES = ("relu", "field")  # a teacher-student loss; a Gaussian random field

__getattr__, __dir__, __all__ = lazy(__name__, {".model": ["CriticalPoints", "Prediction", "predict", "simulate"]})
