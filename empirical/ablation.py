"""Read, ablate and merge the units of a trained network, at the places that its model marks (:mod:`empirical.unit_places`).

Ablation sets activations to 0 after the nonlinearity, at every spatial position or token, and changes nothing else. Many masks
run as one batch on the device: the batch is repeated once per mask at the first ablated place, so that everything before it is
computed only once. In networks with a path around that place (the Transformer), the inputs are repeated instead. The masks
themselves cost one product at each place.

All functions take stacks of one network (``copies == 1``). ``curves`` measures how ablation changes the predictions,
``unit_moments`` gives the moments of activations, and ``merged`` the network with its repeated units merged.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch

from empirical.data import Dataset
from empirical.models.layers import Units
from empirical.streams import stream
from empirical.unit_places import Hook, chosen_places, hooked, places
from lab.errors import InputError
from theory.measures.ablation import GRID, keep_masks, removed_counts
from theory.measures.merging import Merging
from theory.moments import Moments

__all__ = ["ablated_classes", "ablated_logits", "classes", "curves", "merged", "places", "unit_moments"]
ROWS = 1024  # images times masks per forward pass
SAMPLES = 50_000  # maximum number of rows of activations at each place


def _along(place: Units, values: torch.Tensor, repeat: int) -> torch.Tensor:
    """Values (masks, units) shaped to multiply activations whose batch is (masks, batch / masks)."""
    values = values.repeat_interleave(place.size, 1)
    return values[:, None, :, None, None] if place.maps else values[None, :, None, *[None] * repeat, :]


class _Masks:
    """The hook that repeats and masks; ``expanded`` says whether the batch of this forward pass has been repeated already."""

    def __init__(self, keep: Mapping[str, torch.Tensor]) -> None:
        self.keep, self.masks, self.expanded = keep, len(next(iter(keep.values()))), False

    def __call__(self, name: str) -> Hook:
        def hook(place: Units, x: torch.Tensor) -> torch.Tensor:
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
    model : nn.Module
        A stack of one, in evaluation mode.
    inputs : torch.Tensor
        A batch of inputs, without the axis of copies.
    keep : mapping of str to ndarray
        Place -> (masks, units), 1 where a unit is kept and 0 where it is ablated, with equally many masks at every place; mask i
        is applied at all places at once.

    Returns
    -------
    torch.Tensor
        float32 (masks, batch, classes).

    Raises
    ------
    InputError
        If masks do not fit the units.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> net = start(data := noise())
    >>> nothing, everything = ablated_logits(net, torch.ones(1, 3), {"layer1": np.array([[0, 0, 0, 0], [1, 1, 1, 1]])})
    >>> nothing.tolist(), bool((everything == net(torch.ones(1, 1, 3))[0]).all())  # without units only biases remain
    ([[0.0, 0.0]], True)
    """
    chosen = chosen_places(model, list(keep))
    masks = {name: torch.as_tensor(np.ascontiguousarray(keep[name], dtype=np.float32), device=inputs.device) for name in chosen}
    counts = {len(m) for m in masks.values()}
    if len(counts) != 1 or any(m.dim() != 2 or m.shape[1] != chosen[name].count for name, m in masks.items()):
        raise InputError("keep masks must be (masks, units) with equally many masks at every place, got "
                         + ", ".join(f"{name} {tuple(m.shape)} for {chosen[name].count} units" for name, m in masks.items()))
    hook = _Masks(masks)
    if not getattr(model, "chain", True):
        inputs, hook.expanded = inputs.repeat(hook.masks, *[1] * (inputs.dim() - 1)), True
    with hooked(model, {name: hook(name) for name in chosen}):
        return model(inputs.unsqueeze(0))[0].float().unflatten(0, (hook.masks, -1))


@torch.inference_mode()
def ablated_classes(model: torch.nn.Module, data: Dataset, rows: torch.Tensor, keep: Mapping[str, np.ndarray],
                    batch: int = 256) -> np.ndarray:
    """Predicted classes under each mask, in passes of about ``ROWS`` images times masks.

    Parameters
    ----------
    model : nn.Module
        A stack of one on the data's device, in evaluation mode.
    data : Dataset
        Data set of the network.
    rows : torch.Tensor
        int64 (rows,), numbers of the inputs.
    keep : mapping of str to ndarray
        Place -> (masks, units), 1 where a unit is kept; other places stay intact.
    batch : int
        Rows per forward pass.

    Returns
    -------
    ndarray
        int64 (masks, rows).

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> net = start(data := noise())
    >>> ablated_classes(net, data, data.splits["test"], {"layer1": np.eye(4)}).shape  # each unit alone
    (4, 8)
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
    """Predicted classes of the intact network.

    Parameters
    ----------
    model : nn.Module
        A stack of one on the data's device, in evaluation mode.
    data : Dataset
        Data set of the network.
    rows : torch.Tensor
        int64 (rows,), numbers of the inputs.
    batch : int
        Rows per forward pass.

    Returns
    -------
    ndarray
        int64 (rows,).

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> net = start(data := noise())
    >>> classes(net, data, data.splits["test"]).shape
    (8,)
    """
    return np.concatenate([model(data.batch(part).unsqueeze(0))[0].argmax(-1).cpu().numpy() for part in rows.split(batch)])


def curves(model: torch.nn.Module, data: Dataset, rows: torch.Tensor, orders: Mapping[str, np.ndarray],
           fractions: npt.ArrayLike = GRID) -> tuple[np.ndarray, np.ndarray]:
    """Ablation curves, with the same fraction of units ablated at all the places of ``orders`` at once.

    Parameters
    ----------
    model : nn.Module
        A stack of one on the data's device, in evaluation mode.
    data : Dataset
        Data set of the network.
    rows : torch.Tensor
        int64 (rows,), numbers of the inputs.
    orders : mapping of str to ndarray
        Place -> (orders, units), numbers of the units in the order of ablation; equally many orders at every place.
    fractions : array_like
        Shares of the units to ablate, in [0, 1], (fractions,).

    Returns
    -------
    unchanged : ndarray
        Share of the rows whose predicted class is that of the intact network, (orders, fractions).
    accuracy : ndarray
        Share of the rows whose predicted class is correct, (orders, fractions).

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> net = start(data := noise())
    >>> unchanged, _ = curves(net, data, data.splits["test"], {"layer1": np.array([[0, 1, 2, 3]])}, [0.0, 0.5, 1.0])
    >>> unchanged.shape, float(unchanged[0, 0])
    ((1, 3), 1.0)
    """
    fractions = np.asarray(fractions, dtype=float)
    counts = {name: removed_counts(place.count, fractions) for name, place in chosen_places(model, list(orders)).items()}
    masks = {name: keep_masks(orders[name], counts[name]) for name in counts}
    shape = next(iter(masks.values())).shape[:2]
    some = np.any([c > 0 for c in counts.values()], axis=0)  # nothing to compute where nothing is ablated
    keep = {name: m[:, some].reshape(-1, m.shape[2]) for name, m in masks.items()}
    intact, labels = classes(model, data, rows), data.labels[rows].cpu().numpy()
    unchanged, accuracy = np.ones(shape), np.full(shape, np.mean(intact == labels))
    if some.any():
        ablated = ablated_classes(model, data, rows, keep).reshape(shape[0], int(some.sum()), -1)
        unchanged[:, some], accuracy[:, some] = (ablated == intact).mean(2), (ablated == labels).mean(2)
    return unchanged, accuracy


@torch.inference_mode()
def unit_moments(model: torch.nn.Module, data: Dataset, rows: torch.Tensor, *, samples: int = SAMPLES,
                 names: Iterable[str] | None = None, batch: int = 256) -> dict[str, Moments]:
    """Moments of the activations at each place (block ``units``), with spatial positions and tokens as samples.

    Parameters
    ----------
    model : nn.Module
        A stack of one on the data's device, in evaluation mode.
    data : Dataset
        Data set of the network.
    rows : torch.Tensor
        int64 (rows,), numbers of the inputs; padding tokens are left out.
    samples : int
        Maximum number of rows of activations at each place, spread evenly over the inputs and drawn at random in each batch.
    names : iterable of str, optional
        Places; by default all.
    batch : int
        Rows per forward pass.

    Returns
    -------
    dict of str to Moments
        Moments at each place.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> net = start(data := noise())
    >>> unit_moments(net, data, data.splits["probe_fit"])["layer1"].covariance("units").shape
    (4, 4)
    """
    moments = {name: Moments() for name in chosen_places(model, names)}
    seen: dict[str, torch.Tensor] = {}

    def reader(name: str) -> Hook:
        def hook(place: Units, x: torch.Tensor) -> None:
            seen[name] = x.permute(0, 2, 3, 1).flatten(0, 2) if place.maps else x.flatten(0, -2)

        return hook

    with hooked(model, {name: reader(name) for name in moments}):
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
def merged(model: torch.nn.Module, plans: Mapping[str, Merging]) -> Iterator[torch.nn.Module]:
    """Context in which the network computes the same as the smaller network with merged units.

    At each place, the kept units stand for all. If the next operation is linear, this equals adding up the weights of merged
    units.

    Parameters
    ----------
    model : nn.Module
        A stack of one, in evaluation mode.
    plans : mapping of str to Merging
        Place -> merging of its units, see :func:`theory.measures.merging.merge_repeated`.

    Yields
    ------
    nn.Module
        The model itself.

    Raises
    ------
    InputError
        If a merging has another number of units.

    Examples
    --------
    >>> from theory.measures.merging import merge_repeated
    >>> from empirical.tiny import noise, start
    >>> net = start(data := noise())
    >>> plan = merge_repeated(unit_moments(net, data, data.splits["probe_fit"])["layer1"], "units", threshold=0.9)
    >>> with merged(net, {"layer1": plan}):
    ...     print(classes(net, data, data.splits["test"]).shape)
    (8,)
    """
    def hook_of(name: str, place: Units) -> Hook:
        if place.size != 1 or len(plans[name].slope) != place.count:
            raise InputError(f"the merging at {name} has {len(plans[name].slope)} units, but the place has {place.count}")

        def hook(place: Units, x: torch.Tensor) -> torch.Tensor:
            index, slope, offset = (torch.as_tensor(v, device=x.device) for v in (
                plans[name].representative, plans[name].slope, plans[name].offset))
            shape = (1, -1, 1, 1) if place.maps else (-1,)
            picked = x[:, index] if place.maps else x[..., index]
            return picked * slope.to(x.dtype).view(shape) + offset.to(x.dtype).view(shape)

        return hook

    with hooked(model, {name: hook_of(name, place) for name, place in chosen_places(model, list(plans)).items()}):
        yield model
