"""The places of a network at which its units are read or changed, as its model marks them (``layers.Units``)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch

from empirical.models.layers import Units
from lab.errors import ArgumentError, InputError

Hook = Callable[[Units, torch.Tensor], torch.Tensor | None]  # a place and its activations -> new activations


def places(model: torch.nn.Module) -> dict[str, Units]:
    """The model's places with units, in the order in which they are computed.

    Parameters
    ----------
    model : nn.Module
        A stack of one.

    Returns
    -------
    dict of str to Units
        Name of the place -> the module that marks it.

    Raises
    ------
    InputError
        If the model is a stack of several networks, or marks no place.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> net = start(noise(), depth=2)
    >>> {name: place.count for name, place in places(net).items()}
    {'layer1': 4, 'layer2': 4}
    """
    if getattr(model, "copies", 1) != 1:
        raise InputError("units are measured one network at a time: load a single member of the stack")
    marked = {name.removeprefix("units."): module for name, module in model.named_modules() if isinstance(module, Units)}
    if not marked:
        raise InputError("this model marks no units to ablate: in your own network, units are its activation modules (nn.ReLU "
                         "and the like), or the modules named by its attribute units")
    return marked


def chosen_places(model: torch.nn.Module, names: Iterable[str] | None = None) -> dict[str, Units]:
    """The places with these names.

    Parameters
    ----------
    model : nn.Module
        Model with units that can be ablated.
    names : iterable of str, optional
        Names of places; by default all.

    Returns
    -------
    dict of str to Units
        Places in the order of the names.

    Raises
    ------
    ArgumentError
        For a name that the model does not have.
    """
    names = None if names is None else list(names)
    known = places(model)
    for name in names or ():
        if name not in known:
            raise ArgumentError(f"no units at {name!r}: choose among {', '.join(known)}")
    return {name: known[name] for name in (names or known)}


@contextmanager
def hooked(model: torch.nn.Module, functions: Mapping[str, Hook]) -> Iterator[None]:
    """Context in which the output of each place passes through its function; None leaves the output unchanged."""
    handles = [place.register_forward_hook(lambda module, inputs, output, f=functions[name]: f(module, output))
               for name, place in chosen_places(model, list(functions)).items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
