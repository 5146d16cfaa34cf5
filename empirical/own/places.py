"""The places of features in a module: submodules by their names, their outputs, and features from these.

A *site* is a submodule whose output is used. If the output holds several tensors (tuples, dicts, dataclasses such as those of
``transformers``), each of them is a site, ``name.0`` or ``name.key``; a single tensor has the submodule's name. A tensor of shape

    (batch, features)                   is used unchanged
    (batch, channels, height, width)    is a map: its mean over space, or one row per location; likewise in 1 and 3 dimensions
    (batch, tokens, features)           is a sequence: its mean over tokens, or one row per token, without padding

Three axes are a sequence unless the submodule contains, or follows, a one-dimensional convolution.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase

import torch
from torch import nn

from empirical.models import layers
from lab.errors import ArgumentError, InputError

CONVOLUTIONS = nn.modules.conv._ConvNd
WEIGHTED = (nn.Linear, CONVOLUTIONS, layers.Linear)  # layers that can be a readout
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish,
               nn.Hardswish, nn.Hardtanh, nn.Hardsigmoid, nn.Softplus, nn.Softsign, nn.Tanh, nn.Sigmoid)
_ONE_DIMENSIONAL = (nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d, nn.MaxPool1d, nn.AvgPool1d, nn.AdaptiveAvgPool1d)


def matching(model: nn.Module, patterns: Iterable[str]) -> list[str]:
    """Names of a model's modules that match one of the patterns, in the model's order.

    Parameters
    ----------
    model : torch.nn.Module
        Any module.
    patterns : iterable of str
        Names as in ``named_modules``, or globs: ``"layer4"``, ``"encoder.*.mlp"``; ``*`` also matches dots.

    Raises
    ------
    ArgumentError
        If a pattern matches no module.
    """
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    names = [name for name, _ in model.named_modules() if name]
    for pattern in patterns:
        if not isinstance(pattern, str) or not any(fnmatchcase(name, pattern) for name in names):
            from difflib import get_close_matches

            close = get_close_matches(str(pattern), names, n=3, cutoff=0.3) or names[:8]
            there = f"there are {', '.join(close)}{', …' * (len(names) > len(close))}" if names else "it has none"
            raise ArgumentError(f"no module of this network is called {pattern!r}: {there}", "sites")
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def tensors(name: str, output) -> dict[str, torch.Tensor]:
    """The floating-point tensors of a module's output, by the names of sites."""
    leaves = {key: x for key, x in _leaves(name, output) if x.is_floating_point()}
    return {name: next(iter(leaves.values()))} if len(leaves) == 1 else leaves


def _leaves(name: str, output) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(output, torch.Tensor):
        yield name, output
    elif isinstance(output, Mapping):
        for key, value in output.items():
            yield from _leaves(f"{name}.{key}", value)
    elif isinstance(output, tuple) and hasattr(output, "_fields"):
        yield from _leaves(name, dict(zip(output._fields, output)))
    elif isinstance(output, list | tuple):
        for i, value in enumerate(output):
            yield from _leaves(f"{name}.{i}", value)
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        yield from _leaves(name, {f.name: getattr(output, f.name) for f in dataclasses.fields(output)})


def channels_first(model: nn.Module, name: str) -> bool:
    """Whether outputs with three axes have their features on the second, like those of one-dimensional convolutions.

    For a module without weights, the layer before it decides.
    """
    modules = dict(model.named_modules())
    if any(isinstance(m, _ONE_DIMENSIONAL) for m in modules[name].modules()):
        return True
    if any(True for _ in modules[name].parameters()):
        return False
    before = [m for key, m in list(modules.items())[:list(modules).index(name)] if m._parameters]
    return bool(before) and isinstance(before[-1], _ONE_DIMENSIONAL)


def by_row(x: torch.Tensor, first: bool) -> tuple[torch.Tensor, bool]:
    """An output as (batch, places, features), with a single place if it has none, and whether its places are tokens.

    Parameters
    ----------
    x : torch.Tensor
        Shape (batch, features), or with places as in the module's docstring; (batch,) is a single feature.
    first : bool
        See :func:`channels_first`.
    """
    if x.dim() < 3:
        return x.reshape(len(x), 1, -1), False
    if x.dim() == 3 and not first:
        return x, True
    return x.flatten(2).transpose(1, 2), False


def pooled(x: torch.Tensor, first: bool, mask: torch.Tensor | None = None) -> torch.Tensor:
    """An output averaged over space or tokens, (batch, features).

    Parameters
    ----------
    x, first
        See :func:`by_row`.
    mask : torch.Tensor of shape (batch, tokens), optional
        True for tokens that are not padding; by default all count.
    """
    rows, tokens = by_row(x, first)
    if tokens and mask is not None and mask.shape == rows.shape[:2]:
        weight = mask.to(rows.dtype).unsqueeze(-1)
        return (rows * weight).sum(1) / weight.sum(1).clamp_min(1)
    return rows.mean(1) if rows.shape[1] > 1 else rows[:, 0]


@contextmanager
def evaluating(network: nn.Module):
    """Context in which a network is in evaluation mode; on exit, the mode of each of its modules is restored."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        network.eval()
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def recorded(model: nn.Module, names: Iterable[str], *, inputs: bool = False):
    """Context in which the outputs of named modules are recorded; the hooks are always removed on exit.

    Parameters
    ----------
    model : torch.nn.Module
        Any module.
    names : iterable of str
        Names of its submodules.
    inputs : bool, default False
        Whether to record the first argument instead of the output.

    Yields
    ------
    dict of str to list
        Name → outputs of all calls since it was last cleared, in order.
    """
    calls: dict[str, list] = {}
    modules, handles = dict(model.named_modules()), []

    def keep_output(name):
        return lambda module, args, output: calls.setdefault(name, []).append(output)

    def keep_input(name):
        return lambda module, args: calls.setdefault(name, []).append(args[0] if args else None)

    try:
        for name in names:
            if inputs:
                handles.append(modules[name].register_forward_pre_hook(keep_input(name)))
            else:
                handles.append(modules[name].register_forward_hook(keep_output(name)))
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def once(name: str, outputs: list):
    """The output of a module that must be called exactly once per pass.

    Raises
    ------
    InputError
        If it is called more often, or not at all.
    """
    if len(outputs) != 1:
        raise InputError(f"{name} is computed {len(outputs)} times in one pass, so its features are not unique: name a module "
                         "that is computed once")
    return outputs[0]
