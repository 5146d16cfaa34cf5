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

from contextlib import nullcontext
from fractions import Fraction
from importlib import import_module

import torch
from torch import nn

from empirical.declared import architecture, architectures, is_own
from empirical.settings import Widths, refuse_misfit, refuse_single_rows
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
    if not (network.any_shape or data.is_text or data.inputs.dim() == 4):
        raise ArgumentError(f"{arch} takes pictures (channels, size, size), and an input of {data.name} has the shape "
                            f"{tuple(data.inputs.shape[1:])}", "data")
    given = {"depth": depth, "dropout": dropout, "mup": mup}
    options = {name: given[name] for name in network.options if given[name]}
    module, _, name = BUILDERS[arch].partition(":")
    return getattr(import_module(module), name)(Widths(alpha, base_width), data, copies, **options)


def build_for(setting, data, *, alpha: Fraction | str | None = None, copies: int = 1, seed: int = 0) -> nn.Module:
    """The stack of a setting, one of the laboratory's or of a user's own architecture.

    Parameters
    ----------
    setting : architecture, width, base width, depth, dropout, parametrisation.
    data : that it takes.
    alpha : width multiplier, in place of the setting's.
    copies : networks in the stack; a user's own architecture has no stacks.
    seed : of what a user's own network draws for its start; weights of the others are not yet set.

    Raises
    ------
    ArgumentError
        As :func:`build`, or :func:`empirical.own.network.build_own`.
    """
    alpha = Fraction(setting.alpha if alpha is None else alpha)
    if is_own(setting.arch):
        from empirical.own.network import build_own

        return build_own(setting, alpha, data, seed)
    return build(setting.arch, alpha=alpha, base_width=setting.base_width, data=data, copies=copies,
                 mup=setting.parametrisation == "mup", depth=setting.depth, dropout=setting.dropout)


def outline(setting, alpha: Fraction | str, data) -> nn.Module:
    """One network of a setting, without its numbers if it is the laboratory's: to count parameters, and to ask for sites, before
    anything is trained.

    Parameters
    ----------
    setting : architecture, base width, depth and dropout.
    alpha : width multiplier.
    data : that it takes.

    Raises
    ------
    ArgumentError
        As :func:`build_for`; or where it has more than ``MOST_PARAMETERS`` parameters, or batch norm and batches of one row.
    """
    with nullcontext() if is_own(setting.arch) else torch.device("meta"):
        model = build_for(setting, data, alpha=alpha)
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules()):
        refuse_single_rows(setting)
    if (count := parameters(model)) > MOST_PARAMETERS:
        raise ArgumentError(f"{setting.arch} of alpha {alpha} and base width {setting.base_width} has {count:,} parameters: more "
                            f"than {MOST_PARAMETERS:,} are not trained here")
    return model


def parameters(model: nn.Module) -> int:
    """Number of parameters of a network."""
    return sum(p.numel() for p in model.parameters())
