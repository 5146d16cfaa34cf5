"""Teacher and student: online SGD of two-layer networks, with all weights, or exactly in law in their span (see ``model``)."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("online SGD of two-layer students of a two-layer teacher, beside the order-parameter equations",
              theory_only=("small_rate",))

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".model": ["Result", "final_error_both_layers", "final_error_first_layer", "predict", "simulate"],
    ".overlaps": ["Units", "classify"],
})
