"""One-hidden-layer networks on finite data, many replicas at once: the engine of several toy models."""

from toy.mlp.kernels import ADAM, CROSS_ENTROPY, MOMENTUM, SQUARED
from toy.mlp.train import Networks, initialise, train

__all__ = ["ADAM", "CROSS_ENTROPY", "MOMENTUM", "SQUARED", "Networks", "initialise", "train"]
