"""First reach: a feature is learnt only if some neuron starts within its reach (see :mod:`theory.first_reach`)."""

from toy.first_reach.model import Reached, predict, simulate

__all__ = ["Reached", "predict", "simulate"]
