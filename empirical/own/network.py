"""A user's own network behind the interface of a stack of one (see :mod:`empirical.models`).

The architecture is a function ``make(alpha, ...)`` that returns a module of that width, where alpha is an exact fraction. It may
take arguments named ``classes``, ``input_shape`` (of one input), ``vocabulary``, ``data`` (the
:class:`empirical.data.Dataset`), ``base_width``, ``depth`` and ``dropout``. The module takes a batch of inputs and returns
logits (batch, classes), or an object with the attribute ``logits``. A module with the laboratory's own interface is used
unchanged.

The places of features in it are found by a forward pass of two inputs, or named by attributes of the module:

``sites``  names or globs of modules whose outputs are compared; by default its blocks and activations at the top level. There is
           always one more, ``penultimate``: the input of the readout, which is the last layer with weights.
``units``  names or globs of modules whose outputs are hidden units, for ablation and counts; by default its activation modules.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import torch
from torch import nn

from empirical.data import Dataset
from empirical.models.layers import Stack, Units
from empirical.own import names
from empirical.own.places import (
    ACTIVATIONS,
    CONVOLUTIONS,
    WEIGHTED,
    channels_first,
    evaluating,
    matching,
    once,
    pooled,
    recorded,
    tensors,
)
from empirical.settings import Setting
from empirical.streams import seeded
from lab.errors import ArgumentError, InputError

PENULTIMATE = "penultimate"
EXAMPLES = 2  # inputs of the forward pass that looks for places


@dataclass(frozen=True)
class _Place:
    """A module that is computed once per pass, with its single output."""

    name: str
    module: nn.Module
    output: torch.Tensor


def build_own(setting: Setting, alpha: Fraction, data: Dataset, seed: int = 0) -> Stack:
    """The network of a user's own architecture, with its own initialisation.

    Parameters
    ----------
    setting : Setting
        Architecture (``package.module:function``), its checksum, base width, depth, dropout.
    alpha : Fraction
        Width multiplier.
    data : Dataset
        The data for which it is built.
    seed : int, default 0
        Seed of its initialisation.

    Raises
    ------
    ArgumentError
        If the function fails, or the network does not fit the data.
    InputError
        If its source has changed since the setting's checksum.
    """
    make = names.load(setting.arch, "model")
    if setting.model_checksum and names.checksum(setting.arch) != setting.model_checksum:
        raise InputError(f"the source of {setting.arch} has changed since this was planned (checksum "
                         f"{names.checksum(setting.arch)}, not {setting.model_checksum}); start it again")
    offered = {"classes": data.classes, "input_shape": tuple(data.inputs.shape[1:]), "vocabulary": data.vocabulary, "data": data}
    known, what = names.takes(make), f"{setting.arch}(alpha={alpha})"
    for name in ("base_width", "depth", "dropout"):
        if value := getattr(setting, name):
            if name not in known:
                raise ArgumentError(f"{setting.arch} has no argument {name}", name)
            offered[name] = value
    with seeded(seed):
        network = _called(what, make, alpha, **{k: v for k, v in offered.items() if k in known})
        if not isinstance(network, nn.Module):
            raise ArgumentError(f"{what} returns a {type(network).__name__}, not a torch.nn.Module", "model")
        if getattr(network, "copies", None) == 1 and isinstance(getattr(network, "sites", None), dict):
            return cast(Stack, network)  # it already has the interface of a stack
        return Own(network, data.batch(data.splits["probe_fit"][:EXAMPLES]).cpu(), data.classes, what)


def _called(what: str, function: Callable, *arguments, **keywords):
    """Call a user's function; a failure becomes a one-line ArgumentError."""
    try:
        return function(*arguments, **keywords)
    except Exception as error:
        raise ArgumentError(f"{what} fails: {names.in_a_line(error)}", "model") from error


class Own(Stack):
    """A network behind the interface of a stack of one.

    Parameters
    ----------
    network : torch.nn.Module
        Any module that maps a batch to logits.
    example : torch.Tensor
        A batch of inputs, on the network's device.
    classes : int
        Number of logits.
    name : str
        Name in messages.

    Attributes
    ----------
    sites : dict of str to int
        Site → number of features.
    readout : str
        Name of the last layer with weights.

    Raises
    ------
    ArgumentError
        If it fails on the example, returns no logits, or has no readout.
    """

    copies = 1
    chain = False  # there may be paths that bypass any of its units

    def __init__(self, network: nn.Module, example: torch.Tensor, classes: int, name: str = "the network"):
        super().__init__()
        self.network = network
        with evaluating(network), torch.no_grad():
            places, logits = _survey(network, example, name)
            if logits.shape != (len(example), classes):
                raise ArgumentError(f"{name}: for {len(example)} inputs of {classes} classes its output has the shape "
                                    f"{tuple(logits.shape)}, not {(len(example), classes)}", "model")
            self.readout = _readout(places, logits, name)
            self._first = {p.name: channels_first(network, p.name) for p in _sites(network, places, self.readout)}
            self.units = nn.ModuleDict()
            self._mark(_units(network, places))
            taps: dict[str, torch.Tensor] = {}
            self(example.unsqueeze(0), taps)
        self.sites = {site: x.shape[-1] for site, x in taps.items()}

    def _mark(self, places: list[_Place]) -> None:
        """Route the outputs of modules through :class:`~empirical.models.layers.Units`, which can ablate them."""
        for place in places:
            maps = place.output.dim() == 4
            units = Units(place.output.shape[1 if maps else -1], maps=maps)
            self.units[place.name.replace(".", "/")] = units
            place.module.register_forward_hook(_through(units))

    def forward(self, x, taps=None):
        if taps is None:
            return _logits(self.network(x[0])).unsqueeze(0)
        mask = (x[0] != 0) if x.dim() == 3 and not x.is_floating_point() else None
        with recorded(self.network, self._first) as outputs, recorded(self.network, [self.readout], inputs=True) as before:
            logits = _logits(self.network(x[0]))
        fill(taps, self._first, outputs, mask)
        taps[PENULTIMATE] = pooled(once(self.readout, before.get(self.readout, [])), False, mask).unsqueeze(0)
        return logits.unsqueeze(0)


def fill(taps: dict[str, torch.Tensor], first: dict[str, bool], outputs: dict[str, list], mask: torch.Tensor | None) -> None:
    """Put the recorded outputs of sites into taps, in the form of the interface of a stack.

    Parameters
    ----------
    taps : dict of str to torch.Tensor of shape (1, batch, features)
        Filled here, by site.
    first : dict of str to bool
        Result of :func:`empirical.own.places.channels_first` for each site.
    outputs : dict of str to list
        Result of :func:`empirical.own.places.recorded`.
    mask : torch.Tensor of shape (batch, tokens), or None
        True for tokens that are not padding; None if all count.
    """
    for name, channels in first.items():
        for site, output in tensors(name, once(name, outputs.get(name, []))).items():
            taps[site] = pooled(output, channels, mask).unsqueeze(0)


def _through(units: Units):
    if units.maps:
        return lambda module, inputs, output: units(output)
    return lambda module, inputs, output: units(output.unsqueeze(0))[0]


def _logits(output) -> torch.Tensor:
    if isinstance(output, torch.Tensor):
        return output
    logits = output.get("logits") if isinstance(output, dict) else getattr(output, "logits", None)
    if not isinstance(logits, torch.Tensor):
        raise ArgumentError(f"a network returns logits, or an object with the attribute logits; this one returns a "
                            f"{type(output).__name__}", "model")
    return logits


def _survey(network: nn.Module, example: torch.Tensor, name: str) -> tuple[list[_Place], torch.Tensor]:
    """The modules that are computed once and return one tensor, in the order in which they finish; and the logits."""
    every = [key for key, _ in network.named_modules() if key]
    with recorded(network, every) as outputs:
        logits = _called(f"{name} on inputs of shape {tuple(example.shape)} ({example.dtype})", lambda: _logits(network(example)))
    modules, places = dict(network.named_modules()), []
    for key, calls in outputs.items():
        if len(calls) == 1 and len(one := tensors(key, calls[0])) == 1 and key in one:
            places.append(_Place(key, modules[key], one[key]))
    return places, logits


def _readout(places: list[_Place], logits: torch.Tensor, name: str) -> str:
    """The last layer with weights, which must have one output per class."""
    layers = [p for p in places if isinstance(p.module, WEIGHTED)]
    if layers:
        last = layers[-1]
        axis = 1 if isinstance(last.module, CONVOLUTIONS) else -1
        if last.output.dim() > 1 and last.output.shape[axis] == logits.shape[-1]:
            return last.name
    raise ArgumentError(f"{name} has no readout that could be found: its last layer with weights (nn.Linear or a convolution) "
                        f"must compute the {logits.shape[-1]} logits, and be called once", "model")


def _batched(places: list[_Place]) -> list[_Place]:
    return [p for p in places if p.output.dim() > 1 and len(p.output) == EXAMPLES]


def _sites(network: nn.Module, places: list[_Place], readout: str) -> list[_Place]:
    """The places that are compared, except the penultimate one."""
    if (wanted := _listed(network, "sites")) is not None:
        return _named(network, wanted, _batched(places), "sites")
    outer = [p for p in _batched(places) if "." not in p.name and not f"{readout}.".startswith(f"{p.name}.")]
    return [p for p in outer if isinstance(p.module, ACTIVATIONS) or _holds_weights(p.module)]


def _holds_weights(module: nn.Module) -> bool:
    """Whether it consists of other modules and has parameters."""
    return next(module.children(), None) is not None and next(module.parameters(), None) is not None


def _units(network: nn.Module, places: list[_Place]) -> list[_Place]:
    """The places whose outputs are hidden units."""
    possible = [p for p in _batched(places) if p.output.dim() in (2, 4)
                or (p.output.dim() == 3 and not channels_first(network, p.name))]
    if (wanted := _listed(network, "units")) is not None:
        return _named(network, wanted, possible, "units")
    return [p for p in possible if isinstance(p.module, ACTIVATIONS)]


def _listed(network: nn.Module, attribute: str) -> list[str] | None:
    """Names listed by an attribute of a user's network; None if it has no such attribute, or one of another kind."""
    value = getattr(network, attribute, None)
    value = [value] if isinstance(value, str) else value
    return list(value) if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value) else None


def _named(network: nn.Module, patterns, possible: list[_Place], what: str) -> list[_Place]:
    wanted, places = matching(network, patterns), {p.name: p for p in possible}
    for name in wanted:
        if name not in places:
            raise ArgumentError(f"{what}: {name} is not computed exactly once per pass, with one output (batch, …)", "model")
    return [places[name] for name in wanted]
