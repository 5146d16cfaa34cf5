"""Initial weights and the parametrisation: how scale and learning rate follow width.

Weights are drawn with variance gain / fan, layer by layer, from each network's own stream: He has gain 2 over fan-in, LeCun 1
over fan-in, Glorot 1 over the mean of fan-in and fan-out; normal or uniform. The readout always has gain 1. Biases start at 0,
norm gains at 1, and embeddings with standard deviation 0.1 at every width. "own" keeps the initialisation of a user's own
network; the other rules initialise its linear layers, convolutions and embeddings like the built-in ones.

*Standard* parametrisation uses one learning rate for all layers and widths. *Maximal-update* parametrisation (muP; Yang
& Hu 2021, Yang et al. 2022, arXiv 2203.03466, table 3), relative to alpha = 1 where both are the same network:

    role                         initial variance    SGD rate    AdamW rate
    input weights, vectors       same                x alpha     x 1
    hidden weights               ~ 1 / fan-in        x 1         x 1 / alpha
    output weights               x 1 / alpha more    x 1/alpha   x 1 / alpha
"""

import math
from fractions import Fraction

import torch
from torch import nn

from empirical.models.layers import Conv, Embedding, LayerNorm, Linear, Stack
from lab.errors import ArgumentError

ARCHITECTURE = None
_PLAIN = nn.Linear | nn.modules.conv._ConvNd | nn.Embedding  # layers of PyTorch itself, in a user's own network
EMBEDDING_STD = 0.1
_RATES = {  # exponent of alpha in the learning rate under muP
    "sgd": {"input": 1, "vector": 1, "hidden": 0, "output": -1},
    "adamw": {"input": 0, "vector": 0, "hidden": -1, "output": -1},
}


def initialise(model: nn.Module, streams: list[torch.Generator], scheme: str = "he-normal", alpha: Fraction = Fraction(1),
               parametrisation: str = "standard") -> nn.Module:
    """Set the weights of a stack, those of member i from ``streams[i]``; a stream gives the same network in any stack.

    Parameters
    ----------
    model : nn.Module
        A stack on the CPU, with biases and norms as built.
    streams : list of torch.Generator
        One generator per copy.
    scheme : str
        One of :data:`empirical.settings.SCHEMES`; Glorot cannot be combined with muP, whose input layers keep their scale. "own"
        keeps the network's own initialisation.
    alpha : Fraction
        Width multiplier.
    parametrisation : {"standard", "mup"}
        See the table above.

    Returns
    -------
    nn.Module
        The model itself.
    """
    if scheme == "own":
        return model
    rule, shape = scheme.split("-")
    for name, module in model.named_modules():
        if not isinstance(module, Conv | Linear | Embedding | _PLAIN):
            continue
        role = getattr(module, "role", "output" if name == f"network.{getattr(model, 'readout', '')}" else "hidden")
        embedding = isinstance(module, Embedding | nn.Embedding)
        bias = getattr(module, "bias", None)
        if isinstance(module, _PLAIN) and not isinstance(module, Conv) and bias is not None:
            nn.init.zeros_(bias)
        for piece, generator in zip(module.weight.data.chunk(len(streams)), streams):
            if embedding:
                std = EMBEDDING_STD
            else:
                std = _std(rule, role, *_fans(module, piece))
                if role == "output" and parametrisation == "mup":
                    std /= math.sqrt(alpha)
            if shape == "normal" or embedding:
                piece.copy_(torch.randn(piece.shape, generator=generator) * std)
            else:
                piece.copy_((torch.rand(piece.shape, generator=generator) * 2 - 1) * (std * math.sqrt(3)))
    return model


def take_slices(model: Stack, wide: Stack, first: int, slices: int) -> Stack:
    """Start the members of a stack as slices of one wide network: member i takes slice ``first + i`` of ``slices``.

    A slice consists of the i-th part of every axis that grows with width; an axis of fixed size (input channels, classes, token
    ids) is taken in full. Weights are scaled by the square root of the ratio of their fan-ins, so that they have the variance
    that the initialisation gives to a network of the narrow width. Norms and biases start the same at every width.

    Parameters
    ----------
    model : Stack
        The narrow networks; changed in place.
    wide : Stack
        A stack of one, initialised.
    first : int
        Slice of the stack's first member, from 0.
    slices : int
        Number of slices: the width of the wide network over that of a narrow one.

    Returns
    -------
    Stack
        The narrow networks themselves.

    Raises
    ------
    ArgumentError
        If there are more networks than slices, or a layer cannot be divided into slices.
    """
    if first + model.copies > slices:
        raise ArgumentError(f"a wide network has {slices} slices of this width, not {first + model.copies}: copies that start "
                            "as slices cannot have more features than the wide network")
    layers = [m for m in wide.modules() if isinstance(m, Conv | Linear | Embedding)]
    if not layers:
        raise ArgumentError("copies can start as slices only in networks made of the laboratory's layers: leave start at own",
                            "start")
    for source, module in zip(layers, (m for m in model.modules() if isinstance(m, Conv | Linear | Embedding))):
        whole = source.weight.data
        whole = whole[0] if isinstance(module, Linear) else whole
        for i, piece in enumerate(module.weight.data.chunk(model.copies)):
            taken, target = whole, piece[0] if isinstance(module, Linear) else piece
            for axis in (0, 1):
                size = target.shape[axis]
                if taken.shape[axis] != size:
                    if taken.shape[axis] != size * slices:
                        raise ArgumentError(f"a layer of {taken.shape[axis]} channels cannot be divided into {slices} slices "
                                            f"of {size}")
                    taken = taken.narrow(axis, (first + i) * size, size)
            scale = 1.0
            if not isinstance(module, Embedding):
                scale = math.sqrt(whole[0].numel() / target[0].numel())
            target.copy_(taken * scale)
    return model


def _fans(module: nn.Module, piece: torch.Tensor) -> tuple[int, int]:
    """Fan-in and fan-out of one network's weights."""
    if isinstance(module, nn.modules.conv._ConvNd):
        return piece[0].numel(), piece.shape[0] * piece[0, 0].numel()
    return piece.shape[-1], piece.shape[-2]


def _std(rule: str, role: str, fan_in: int, fan_out: int) -> float:
    if role == "output":
        return math.sqrt(1 / fan_in)
    variance = {"he": 2 / fan_in, "lecun": 1 / fan_in, "glorot": 2 / (fan_in + fan_out)}[rule]
    return math.sqrt(variance)


def parameter_groups(model: nn.Module, *, learning_rate: float, weight_decay: float, optimizer: str, alpha: Fraction,
                     parametrisation: str) -> list[dict]:
    """Groups for a torch optimizer: learning rates by role and parametrisation, weight decay only on weights (not on biases and
    norms; in a user's own layers, on parameters with at least two axes). Each group has its own ``initial_lr`` for the schedule.

    Parameters
    ----------
    model : nn.Module
        An initialised stack.
    learning_rate : float
        Learning rate at alpha = 1.
    weight_decay : float
        Weight decay of weights.
    optimizer : {"sgd", "adamw"}
        Optimizer that the rates are for.
    alpha : Fraction
        Width multiplier.
    parametrisation : {"standard", "mup"}
        See the table above.

    Returns
    -------
    list of dict
        Parameter groups for :mod:`torch.optim`.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    seen: set[nn.Parameter] = set()
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter in seen:  # weights that two layers share
                continue
            seen.add(parameter)
            if isinstance(module, Conv | Linear | Embedding):
                weight, role = name == "weight", module.role if name == "weight" else "vector"
            else:
                weight, role = parameter.dim() > 1 and not isinstance(module, LayerNorm), "vector"
            exponent = _RATES[optimizer][role] if parametrisation == "mup" else 0
            rate, decay = learning_rate * float(alpha) ** exponent, weight_decay if weight else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()]
