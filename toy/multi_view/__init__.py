"""Multi-view data: when width ignores a feature (see :mod:`theory.multi_view`)."""

from toy.multi_view.model import Views, predict, simulate

__all__ = ["Views", "predict", "simulate"]
