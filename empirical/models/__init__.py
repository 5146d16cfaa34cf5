"""Architectures as functions of width.

Every model is a *stack*: ``copies`` independent networks of one width evaluated together, one being the ordinary case.
Its layers keep the copies apart (grouped convolutions, batched matrix products; see ``layers``), so that a stack is
the same as its members one by one, up to rounding.

A model takes inputs (copies or 1, batch, ...) and returns logits (copies, batch, classes). Given a dict as ``taps`` it
also records its features at named *sites*, (copies, batch, features): each block's output, averaged over space or
over the tokens of a pair, and the ``penultimate`` features that the readout sees.

Width: layers count their channels at alpha = 1 in multiples of ``base_width``; alpha multiplies every one of them
exactly. Input and number of classes do not scale.

Every file of this folder says what it holds, ``ARCHITECTURE = Architecture(...)`` (see :mod:`empirical.declared`).
"""

from fractions import Fraction
from importlib import import_module

from torch import nn

from empirical.declared import architecture, architectures
from lab.errors import UsageError

BUILDERS = {name: f"{module}:{found.build}" for name, (module, found) in architectures().items()}


class Widths:
    """Channel counts of an architecture at one alpha.

    Parameters
    ----------
    alpha : width multiplier.
    base_width : channels that stand for one unit at alpha = 1 (64 in the standard ResNet-18 and VGG-16).
    """

    def __init__(self, alpha: Fraction, base_width: int):
        self.alpha, self.base_width = Fraction(alpha), base_width

    def __call__(self, units: int, layer: str) -> int:
        """Channels of a layer that has ``units * base_width`` at alpha = 1.

        Raises
        ------
        UsageError
            If alpha leaves the layer without channels, or with a fraction of one.
        """
        exact = self.alpha * self.base_width * units
        if exact < 1:
            raise UsageError(f"alpha {self.alpha} leaves {layer} without channels: at --base-width {self.base_width} "
                             f"the smallest alpha is 1/{self.base_width}")
        if exact.denominator != 1:
            raise UsageError(f"alpha {self.alpha} gives {layer} {float(exact):g} channels: at --base-width "
                             f"{self.base_width} alpha must be a multiple of 1/{self.base_width}")
        return int(exact)


def build(arch: str, *, alpha: Fraction | str, base_width: int, data, copies: int = 1, mup: bool = False,
          depth: int = 0, dropout: float = 0.0) -> nn.Module:
    """A stack of networks with weights not yet set (see ``initialise``).

    Parameters
    ----------
    arch : one of :data:`BUILDERS`.
    alpha : width multiplier, exact.
    base_width : see :class:`Widths`.
    data : the data set: its shape, classes and vocabulary fix the ends of the network.
    copies : networks in the stack.
    depth : layers, for architectures that come in several depths; 0 for their own.
    dropout : probability, for architectures that have it (mlp, alexnet).
    mup : maximal-update parametrisation (changes the attention's scale; see ``initialise``).

    Raises
    ------
    UsageError
        Unknown architecture, one that does not fit the data, or an alpha that leaves a layer without channels.
    """
    network = architecture(arch)
    if (network.takes == "images") == data.is_text:
        raise UsageError(f"{arch} needs {network.takes} (--data {network.default_data}), not {data.name}")
    if depth and "depth" not in network.options:
        raise UsageError(f"{arch} has a fixed depth: leave --depth out")
    if dropout and "dropout" not in network.options:
        raise UsageError(f"{arch} has no dropout: leave it at 0")
    given = {"depth": depth, "dropout": dropout, "mup": mup}
    options = {name: given[name] for name in network.options if given[name]}
    module, _, name = BUILDERS[arch].partition(":")
    return getattr(import_module(module), name)(Widths(alpha, base_width), data, copies, **options)
