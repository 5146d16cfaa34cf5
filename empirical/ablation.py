"""Reading, ablating and merging the units of a trained network, at the places that its model marks (``layers.Units``).

Ablation sets activations to 0 after the nonlinearity, at every spatial position or token, and changes nothing else. Many
masks run as one batch on the device: the batch is repeated once for each mask at the first place that is ablated, so that
what comes before it is computed once. In a network where something leads around that place (the Transformer) the inputs
are repeated. The masks' own cost is one product a place.

All functions take stacks of one network (``copies == 1``).
"""

from collections.abc import Callable, Mapping
from contextlib import contextmanager

import numpy as np
import torch

from empirical.data import Dataset
from empirical.models.layers import Units
from empirical.streams import stream
from lab.errors import ArgumentError, InputError
from theory.measures.ablation import GRID, keep_masks, removed_counts
from theory.measures.merging import Merging
from theory.moments import Moments

ROWS = 1024  # images times masks in one forward pass
SAMPLES = 50_000  # rows of activations a layer


def places(model: torch.nn.Module) -> dict[str, Units]:
    """The model's places with units, in the order in which they are computed.

    Raises
    ------
    InputError
        If the model is a stack of several networks, or marks no place.
    """
    if getattr(model, "copies", 1) != 1:
        raise InputError("units are measured one network at a time: load a stack's member by itself")
    found = {name.removeprefix("units."): module for name, module in model.named_modules() if isinstance(module, Units)}
    if not found:
        raise InputError("this model marks no units that could be ablated: those of your own network are its "
                         "activation modules (nn.ReLU and the like), or the modules that its attribute units names")
    return found


def chosen_places(model: torch.nn.Module, names=None) -> dict[str, Units]:
    """The places of that name (default: all).

    Parameters
    ----------
    model : with units that can be ablated.
    names : of places; None for all.

    Raises
    ------
    ArgumentError
        For a name that the model does not have.
    """
    found = places(model)
    for name in names or ():
        if name not in found:
            raise ArgumentError(f"no units at {name!r}: choose among {', '.join(found)}")
    return {name: found[name] for name in (names or found)}


@contextmanager
def _hooks(model, functions: Mapping[str, Callable]):
    handles = [place.register_forward_hook(lambda module, inputs, output, f=functions[name]: f(module, output))
               for name, place in chosen_places(model, list(functions)).items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _along(place: Units, values: torch.Tensor, repeat: int) -> torch.Tensor:
    """Values (masks, units) shaped to multiply activations whose batch is (masks, batch / masks)."""
    values = values.repeat_interleave(place.size, 1)
    return values[:, None, :, None, None] if place.maps else values[None, :, None, *[None] * repeat, :]


class _Masks:
    """The hook that repeats and masks; ``expanded`` says whether this forward pass's batch is repeated already."""

    def __init__(self, keep: Mapping[str, torch.Tensor]):
        self.keep, self.masks, self.expanded = keep, len(next(iter(keep.values()))), False

    def __call__(self, name: str):
        def hook(place, x):
            axis = 0 if place.maps else 1
            if self.expanded:
                x = x.unflatten(axis, (self.masks, -1))
            else:
                x, self.expanded = x.unsqueeze(axis), True
            extra = 0 if place.maps else x.dim() - 4  # token axes between batch and features
            x = x * _along(place, self.keep[name].to(x.dtype), extra)
            return x.flatten(axis, axis + 1)

        return hook


@torch.inference_mode()
def ablated_logits(model: torch.nn.Module, inputs: torch.Tensor, keep: Mapping[str, np.ndarray]) -> torch.Tensor:
    """Logits of many ablated networks on one batch.

    Parameters
    ----------
    inputs : a batch as the model takes it, without the axis of copies.
    keep : place -> keep masks (masks, units), as many masks at every place; mask i is applied at all places together.

    Returns
    -------
    (masks, batch, classes), float32.

    Raises
    ------
    InputError
        If masks do not fit the units.
    """
    found = chosen_places(model, list(keep))
    masks = {name: torch.as_tensor(np.ascontiguousarray(keep[name], dtype=np.float32), device=inputs.device) for name in found}
    counts = {len(m) for m in masks.values()}
    if len(counts) != 1 or any(m.dim() != 2 or m.shape[1] != found[name].count for name, m in masks.items()):
        raise InputError("keep masks must be (masks, units) with as many masks at every place, got "
                         + ", ".join(f"{name} {tuple(m.shape)} for {found[name].count} units" for name, m in masks.items()))
    hook = _Masks(masks)
    if not getattr(model, "chain", True):
        inputs, hook.expanded = inputs.repeat(hook.masks, *[1] * (inputs.dim() - 1)), True
    with _hooks(model, {name: hook(name) for name in found}):
        return model(inputs.unsqueeze(0))[0].float().unflatten(0, (hook.masks, -1))


@torch.inference_mode()
def ablated_classes(model: torch.nn.Module, data: Dataset, rows: torch.Tensor, keep: Mapping[str, np.ndarray],
                    batch: int = 256) -> np.ndarray:
    """Predicted classes (masks, rows) under each mask, in passes of about ``ROWS`` images times masks.

    Parameters
    ----------
    model : on the data's device, in evaluation mode.
    data : data set.
    rows : int64 (rows,), numbers of the inputs.
    keep : place -> (masks, units), 1 where a unit is kept; places that are not named stay whole.
    batch : rows at a time.
    """
    total = len(next(iter(keep.values())))
    at_once = max(1, ROWS // min(batch, len(rows)))
    out = np.empty((total, len(rows)), dtype=np.int64)
    for start in range(0, len(rows), batch):
        inputs = data.batch(rows[start:start + batch])
        for i in range(0, total, at_once):
            part = {name: masks[i:i + at_once] for name, masks in keep.items()}
            out[i:i + at_once, start:start + batch] = ablated_logits(model, inputs, part).argmax(-1).cpu().numpy()
    return out


@torch.inference_mode()
def classes(model: torch.nn.Module, data: Dataset, rows: torch.Tensor, batch: int = 1024) -> np.ndarray:
    """Predicted classes (rows,) of the intact network.

    Parameters
    ----------
    model, data, rows, batch : see :func:`ablated_classes`.
    """
    return np.concatenate([model(data.batch(part).unsqueeze(0))[0].argmax(-1).cpu().numpy() for part in rows.split(batch)])


def curves(model: torch.nn.Module, data: Dataset, rows: torch.Tensor, orders: Mapping[str, np.ndarray],
           fractions=GRID) -> tuple[np.ndarray, np.ndarray]:
    """Ablation curves, the same fraction of units ablated at all the places of ``orders`` together.

    Parameters
    ----------
    orders : place -> (orders, units), as many orders at every place.

    Returns
    -------
    unchanged, accuracy : (orders, fractions).
    """
    found = chosen_places(model, list(orders))
    counts = {name: removed_counts(place.count, fractions) for name, place in found.items()}
    masks = {name: keep_masks(orders[name], counts[name]) for name in found}
    shape = next(iter(masks.values())).shape[:2]
    some = np.any([c > 0 for c in counts.values()], axis=0)  # where nothing is ablated nothing need be computed
    keep = {name: m[:, some].reshape(-1, m.shape[2]) for name, m in masks.items()}
    intact, labels = classes(model, data, rows), data.labels[rows].cpu().numpy()
    unchanged, accuracy = np.ones(shape), np.full(shape, np.mean(intact == labels))
    if some.any():
        ablated = ablated_classes(model, data, rows, keep).reshape(shape[0], int(some.sum()), -1)
        unchanged[:, some], accuracy[:, some] = (ablated == intact).mean(2), (ablated == labels).mean(2)
    return unchanged, accuracy


@torch.inference_mode()
def unit_moments(model: torch.nn.Module, data: Dataset, rows: torch.Tensor, *, samples: int = SAMPLES, names=None,
                 batch: int = 256) -> dict[str, Moments]:
    """Moments of the activations at each place (block ``units``), spatial positions and tokens as samples.

    Parameters
    ----------
    rows : of the data; padding tokens are left out.
    samples : rows of activations a place at most, spread evenly over the inputs and drawn at random within each batch.
    """
    found = chosen_places(model, names)
    moments = {name: Moments() for name in found}
    seen: dict[str, torch.Tensor] = {}

    def reader(name):
        def hook(place, x):
            seen[name] = x.permute(0, 2, 3, 1).flatten(0, 2) if place.maps else x.flatten(0, -2)

        return hook

    with _hooks(model, {name: reader(name) for name in found}):
        for number, part in enumerate(rows.split(batch)):
            inputs = data.batch(part)
            model(inputs.unsqueeze(0))
            quota = max(1, samples * len(part) // len(rows))
            for name, x in seen.items():
                if data.is_text and len(x) == inputs.numel():
                    x = x[(inputs != 0).flatten()]
                if len(x) > quota:
                    x = x[torch.randperm(len(x), generator=stream(0, "unit rows", name, number))[:quota].to(x.device)]
                moments[name].update({"units": x.float()})
            seen.clear()
    return moments


@contextmanager
def merged(model: torch.nn.Module, plans: Mapping[str, Merging]):
    """The network as its smaller version computes it: at each place the units that are kept stand for all.

    Where the next operation is linear this is the network with those weights folded; elsewhere a copy in between.
    """
    def hook_of(name, place):
        if place.size != 1 or len(plans[name].slope) != place.count:
            raise InputError(f"the merging at {name} is of {len(plans[name].slope)} units, the place has {place.count}")

        def hook(place, x):
            index, slope, offset = (torch.as_tensor(v, device=x.device) for v in (
                plans[name].representative, plans[name].slope, plans[name].offset))
            shape = (1, -1, 1, 1) if place.maps else (-1,)
            picked = x[:, index] if place.maps else x[..., index]
            return picked * slope.to(x.dtype).view(shape) + offset.to(x.dtype).view(shape)

        return hook

    with _hooks(model, {name: hook_of(name, place) for name, place in chosen_places(model, list(plans)).items()}):
        yield model
