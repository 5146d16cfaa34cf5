"""Removable and repeated units of one-hidden-layer networks on synthetic data (S1), in closed form."""

from lab.discover import lazy
from toy.models import Model

MODEL = Model("removable and repeated hidden units of networks on synthetic data, against width",
              theory_only=("threshold",))

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".closed_form": ["ablate", "curves", "smaller_network"],
    ".measure": ["Report", "report"],
    ".model": ["Data", "Prediction", "Trained", "make_data", "predict", "simulate"],
})
