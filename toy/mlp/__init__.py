"""One-hidden-layer networks on finite data, many replicas at once: the engine of several toy models."""

from lab.discover import lazy

MODEL = None

__getattr__, __dir__, __all__ = lazy(__name__, {
    ".kernels": ["ADAM", "CROSS_ENTROPY", "MOMENTUM", "SQUARED"],
    ".train": ["Networks", "initialise", "train"],
})
