"""Architectures as functions of width.

Every model is a *stack* (:class:`Stack`): ``copies`` independent networks of one width (often just one) evaluated together. Its
layers keep the copies separate (grouped convolutions, batched matrix products; see ``layers``), so that a stack computes the same
as its members one by one, up to rounding.

A model takes inputs (copies or 1, batch, ...) and returns logits (copies, batch, classes). Given a dict as ``taps``, it also
records its features at named *sites*, (copies, batch, features): the output of each block, averaged over space or over the tokens
of a pair, and the ``penultimate`` features that enter the readout.

Width: layers count their channels at alpha = 1 in multiples of ``base_width``; alpha multiplies each of them exactly. The input
and the number of classes do not scale.

Every file of this folder declares ``ARCHITECTURE = Architecture(...)`` (see :mod:`empirical.declared`).
"""

from contextlib import nullcontext
from fractions import Fraction
from importlib import import_module

import torch
from torch import nn

from empirical.data import Dataset
from empirical.declared import architecture, architectures, is_own, refuse_misfit
from empirical.models.layers import Stack
from empirical.settings import Setting, refuse_single_rows
from empirical.widths import Widths
from lab.errors import ArgumentError

__all__ = ["Stack", "build", "build_for", "outline", "parameters"]
MOST_PARAMETERS = 10**9
BUILDERS = {name: f"{module}:{declared.build}" for name, (module, declared) in architectures().items()}


def build(arch: str, *, alpha: Fraction | int | str, base_width: int, data: Dataset, copies: int = 1, mup: bool = False,
          depth: int = 0, dropout: float = 0.0) -> Stack:
    """A stack of networks whose weights are not yet set (see :mod:`empirical.models.initialise`).

    Parameters
    ----------
    arch : str
        Name of an architecture, one of :data:`BUILDERS`.
    alpha : Fraction or int or str
        Width multiplier, exact: ``Fraction(1, 8)`` or ``"1/8"``.
    base_width : int
        Channels that stand for one unit of width at alpha = 1.
    data : Dataset
        Data set, whose shape, classes and vocabulary fix the first and last layer.
    copies : int
        Networks in the stack.
    mup : bool
        Maximal-update parametrisation, which changes the scale of attention.
    depth : int
        Number of layers, for architectures of variable depth; 0 for the architecture's default.
    dropout : float
        Probability in [0, 1), for architectures with dropout (mlp, alexnet).

    Returns
    -------
    Stack
        Stack on the current default device.

    Raises
    ------
    ArgumentError
        For an unknown architecture, one that does not fit the data, or an alpha that leaves a layer without channels.

    Examples
    --------
    >>> from empirical.tiny import noise
    >>> build("mlp", alpha="1/2", base_width=4, data=noise(), copies=3).sites
    {'layer1': 2, 'layer2': 2, 'penultimate': 2}
    """
    network = architecture(arch)
    refuse_misfit(arch, data.is_text, data.name, depth, dropout)
    if not (network.any_shape or data.is_text or data.inputs.dim() == 4):
        raise ArgumentError(f"{arch} needs images (channels, size, size), but an input of {data.name} has the shape "
                            f"{tuple(data.inputs.shape[1:])}", "data")
    given = {"depth": depth, "dropout": dropout, "mup": mup}
    options = {name: given[name] for name in network.options if given[name]}
    module, _, name = BUILDERS[arch].partition(":")
    return getattr(import_module(module), name)(Widths(alpha, base_width), data, copies, **options)


def build_for(setting: Setting, data: Dataset, *, alpha: Fraction | int | str | None = None, copies: int = 1,
              seed: int = 0) -> Stack:
    """The stack of a setting, for a built-in or a user's own architecture.

    Parameters
    ----------
    setting : Setting
        Setting: architecture, width, base width, depth, dropout and parametrisation.
    data : Dataset
        Data set of the network.
    alpha : Fraction or int or str, optional
        Width multiplier, if not that of the setting.
    copies : int
        Networks in the stack; a user's own architecture has no stacks.
    seed : int
        Seed of the initialisation of a user's own network; the weights of other networks are not set yet.

    Returns
    -------
    Stack
        Stack on the current default device.

    Raises
    ------
    ArgumentError
        As for :func:`build`, or :func:`empirical.own.network.build_own`.

    Examples
    --------
    >>> from empirical.tiny import noise, perceptron
    >>> build_for(perceptron(width=4), noise(), alpha=2, copies=3).sites
    {'penultimate': 8}
    """
    alpha = Fraction(setting.alpha if alpha is None else alpha)
    if is_own(setting.arch):
        from empirical.own.network import build_own

        return build_own(setting, alpha, data, seed)
    return build(setting.arch, alpha=alpha, base_width=setting.base_width, data=data, copies=copies,
                 mup=setting.parametrisation == "mup", depth=setting.depth, dropout=setting.dropout)


def outline(setting: Setting, alpha: Fraction | int | str, data: Dataset) -> Stack:
    """One network of a setting, to count its parameters and look up its sites before training.

    Built-in networks hold no numbers (they are on PyTorch's meta device).

    Parameters
    ----------
    setting : Setting
        Setting: architecture, base width, depth and dropout.
    alpha : Fraction or int or str
        Width multiplier.
    data : Dataset
        Data set of the network.

    Returns
    -------
    Stack
        A stack of one.

    Raises
    ------
    ArgumentError
        As for :func:`build_for`; or for more than ``MOST_PARAMETERS`` parameters, or batch norm with batches of one row.

    Examples
    --------
    >>> from empirical.tiny import noise, perceptron
    >>> parameters(outline(perceptron(width=4), 1, noise()))  # 3 x 4 weights and 4 biases, 4 x 2 and 2
    26
    """
    with nullcontext() if is_own(setting.arch) else torch.device("meta"):
        model = build_for(setting, data, alpha=alpha)
    if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules()):
        refuse_single_rows(setting)
    if (count := parameters(model)) > MOST_PARAMETERS:
        raise ArgumentError(f"{setting.arch} with alpha {alpha} and base width {setting.base_width} has {count:,} parameters, "
                            f"but at most {MOST_PARAMETERS:,} are possible")
    return model


def parameters(model: nn.Module) -> int:
    """Number of parameters of a network, or of all networks of a stack.

    Parameters
    ----------
    model : nn.Module
        Any network.

    Returns
    -------
    int
        Number of weights and biases.

    Examples
    --------
    >>> parameters(nn.Linear(3, 2))
    8
    """
    return sum(p.numel() for p in model.parameters())
