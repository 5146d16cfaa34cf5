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

import torch
from torch import nn

from empirical.declared import architecture, architectures
from empirical.settings import Widths, refuse_misfit
from lab.errors import ArgumentError

MOST_PARAMETERS = 10**9
BUILDERS = {name: f"{module}:{found.build}" for name, (module, found) in architectures().items()}


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
    ArgumentError
        Unknown architecture, one that does not fit the data, or an alpha that leaves a layer without channels.
    """
    network = architecture(arch)
    refuse_misfit(arch, data.is_text, data.name, depth, dropout)
    given = {"depth": depth, "dropout": dropout, "mup": mup}
    options = {name: given[name] for name in network.options if given[name]}
    module, _, name = BUILDERS[arch].partition(":")
    return getattr(import_module(module), name)(Widths(alpha, base_width), data, copies, **options)


def outline(setting, alpha: Fraction | str, data) -> nn.Module:
    """One network of a setting without its numbers: to count parameters, and to ask for sites, before anything is trained.

    Parameters
    ----------
    setting : architecture, base width, depth and dropout.
    alpha : width multiplier.
    data : that it takes.

    Raises
    ------
    ArgumentError
        As :func:`build`; or where it has more than ``MOST_PARAMETERS`` parameters.
    """
    with torch.device("meta"):
        model = build(setting.arch, alpha=alpha, base_width=setting.base_width, data=data, depth=setting.depth,
                      mup=setting.parametrisation == "mup", dropout=setting.dropout)
    if (count := parameters(model)) > MOST_PARAMETERS:
        raise ArgumentError(f"{setting.arch} of alpha {alpha} and base width {setting.base_width} has {count:,} parameters: more "
                            f"than {MOST_PARAMETERS:,} are not trained here")
    return model


def parameters(model: nn.Module) -> int:
    """Number of parameters of a network."""
    return sum(p.numel() for p in model.parameters())
