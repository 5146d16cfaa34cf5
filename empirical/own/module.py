"""Features of any module on any loader, in one pass, for :func:`theory.compare.compare`.

    >>> found = from_module({"old": old, "new": new}, loader, sites=["layer4"])       # doctest: +SKIP
    >>> found.compare("old/layer4", "new/layer4").table()                              # doctest: +SKIP

Every module is left as it was: mode, hooks, gradients, and the process's random generators. What loader and modules draw at
random they draw from the seed, so that two passes over one loader meet the same rows in the same order.

Second moments are accumulated of all rows, in three parts (a sample is in one of them, whatever is looked at): measures are
fitted on ``fit``, their ridges chosen on ``tune``, and scored on ``score``. A bounded number of rows is kept besides, drawn at
random by their numbers, so the same rows in every pass.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from empirical.own.checkpoints import load_weights
from empirical.own.kept import Kept
from empirical.own.places import by_row, channels_first, evaluating, matching, once, pooled, recorded, tensors
from empirical.steps import full_precision
from empirical.streams import seeded
from lab import checks
from lab.errors import ArgumentError, InputError
from lab.store import write_arrays
from theory.moments import Moments

if TYPE_CHECKING:
    import pandas

MAPS, TOKENS = ("pooled", "locations"), ("positions", "pooled")
LABELS, MASK = ("labels", "label", "y", "targets", "target"), "attention_mask"


@dataclass(frozen=True, repr=False)
class ModuleFeatures:
    """What one pass leaves. ``found[block]`` is a data frame of the rows of a block, with the ids as its index.

    Attributes
    ----------
    rows : block -> (rows kept, units). A block is a site, "layer4"; with several modules "module/site".
    ids : block -> ids of these rows: the sample's; "sample:place" where rows are locations or positions.
    groups : block -> the sample of each row, as a number: rows of one sample belong together.
    labels_of : block -> label of each row's sample; empty where the loader has none.
    parts : "fit", "tune", "score" -> block -> moments of all rows; blocks that have the same rows share theirs.
    samples : that the loader had.
    """

    rows: Mapping[str, np.ndarray]
    ids: Mapping[str, np.ndarray]
    groups: Mapping[str, np.ndarray]
    labels_of: Mapping[str, np.ndarray]
    parts: Mapping[str, Mapping[str, Moments]]
    samples: int

    @property
    def moments(self) -> Moments:
        """Moments of all rows.

        Raises
        ------
        InputError
            If some blocks have rows of their own, locations or positions: ask for :meth:`moments_of` one.
        """
        first = next(iter(self.rows))
        if set(self.moments_of(first).names) != set(self.rows):
            raise InputError("the blocks do not all have the same rows (samples, locations, positions): ask for moments_of one")
        return self.moments_of(first)

    def moments_of(self, block: str) -> Moments:
        """Moments of all rows of a block and of those that have the same rows."""
        self._known(block)
        return reduce(Moments.merge, (blocks[block] for blocks in self.parts.values() if block in blocks))

    def _known(self, block: str) -> None:
        if block not in self.rows:
            raise InputError(f"no block {block!r}; there are {', '.join(self.rows)}")

    @property
    def labels(self) -> np.ndarray | None:
        """Labels of the rows kept, where all blocks have the same; None where the loader has none."""
        found = list(self.labels_of.values())
        return found[0] if found and all(np.array_equal(found[0], other) for other in found[1:]) else None

    def __getitem__(self, block: str) -> "pandas.DataFrame":
        import pandas

        self._known(block)
        return pandas.DataFrame(self.rows[block], index=pandas.Index(self.ids[block], name="id"), copy=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def to_frame(self) -> "pandas.DataFrame":
        """A row a block: its units, the rows that moments are of, and the rows kept."""
        import pandas

        counts = {name: self.moments_of(name).count for name in self.rows}
        return pandas.DataFrame([{"block": name, "units": x.shape[1], "rows": counts[name], "kept": len(x)}
                                 for name, x in self.rows.items()])

    def compare(self, source: str | Sequence[str], target: str, *, baseline: str | None = None, **options):
        """Compare blocks, with the labels and the groups of their rows; see :func:`theory.compare.compare`.

        Parameters
        ----------
        source, target, baseline : blocks; several for the source.
        options : as there.

        Returns
        -------
        theory.compare.FeatureComparison
        """
        from theory.compare import compare

        found = {"labels": self.labels_of.get(target), "groups": self.groups[target], **options}
        return compare(self[source] if isinstance(source, str) else {name: self[name] for name in source}, self[target],
                       baseline=None if baseline is None else self[baseline], **found)

    def parts_of(self, block: str) -> dict[str, Moments]:
        """Moments of all rows of a block, and of those that have the same rows, by part: for
        :func:`theory.compare.compare_moments`."""
        self._known(block)
        return {part: blocks[block] for part, blocks in self.parts.items()}

    def save(self, folder: str | Path) -> None:
        """Write the rows kept as ``BLOCK.npz`` (``features``, ``ids``, ``groups``, ``labels``), for the command ``compare``."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, x in self.rows.items():
            beside = {"labels": self.labels_of[name]} if name in self.labels_of else {}
            write_arrays(Path(folder) / f"{name.replace('/', '-')}.npz",
                         {"features": x, "ids": self.ids[name], "groups": self.groups[name], **beside})

    def __repr__(self) -> str:
        blocks = ", ".join(f"{name}: {len(x):,} × {x.shape[1]:,}" for name, x in self.rows.items())
        return f"ModuleFeatures({self.samples:,} samples; rows kept {{{blocks}}})"


def from_module(model: nn.Module | Mapping[str, nn.Module], loader: Iterable,
                sites: Iterable[str] | Mapping[str, Iterable[str]], *, maps: str = "pooled", tokens: str = "positions",
                rows: int = 50_000, ids: str | int | None = None, checkpoints: Sequence | Mapping | None = None,
                call: Callable | None = None, seed: int = 0) -> ModuleFeatures:
    """Features of a module, or of several on the same inputs, at named sites.

    Parameters
    ----------
    model : any module; or name -> module, all of them run on every batch.
    loader : yields batches: a tensor or array of inputs; a tuple with the inputs first (and labels second); or a dict, which is
        given to the module by its names, but for labels and ids. An ``attention_mask`` in it says which tokens are padding.
    sites : names or globs of modules whose outputs are looked at, see :mod:`empirical.own.places`; or module -> sites.
    maps : "pooled", feature maps are averaged over space, or "locations", every location is a row.
    tokens : "positions", every token is a row (padding left out), or "pooled", their mean.
    rows : how many rows of each block are kept, at most; they are drawn at random.
    ids : key or place in the batch of the samples' ids; None numbers them.
    checkpoints : files of weights of one ``model``, or name -> file: each of them is a module.
    call : ``(module, batch) -> anything``, where a batch cannot be handed over as above.
    seed : of what is drawn: which rows are kept, parts, shuffled loaders.

    Returns
    -------
    ModuleFeatures

    Raises
    ------
    ArgumentError
        Sites that there are not, impossible choices.
    InputError
        A loader without batches, sites that are computed more than once a pass or whose outputs have no rows of samples, features
        that are not finite, rows beyond the memory.
    """
    checks.choice("maps", maps, MAPS)
    checks.choice("tokens", tokens, TOKENS)
    checks.whole_number("rows", rows, 0)
    checks.seed(seed)
    models = _models(model, checkpoints)
    patterns = sites if isinstance(sites, Mapping) else dict.fromkeys(models, sites)
    if strange := set(patterns) ^ set(models):
        raise ArgumentError(f"sites are asked of {min(strange)!r}, and the modules are {', '.join(models)}", "sites")
    sites_of = {name: matching(module, patterns[name]) for name, module in models.items()}
    if not all(sites_of.values()):
        raise ArgumentError("sites: name at least one module", "sites")
    reader = _Reader(models, sites_of, maps == "locations", tokens == "positions", call, {*LABELS, ids})
    kept = Kept(rows, seed)
    with ExitStack() as stack:
        contexts: list[AbstractContextManager] = [seeded(seed), torch.no_grad(), full_precision(), _devices(models)]
        for context in [*contexts, *map(evaluating, models.values())]:
            stack.enter_context(context)
        for batch in loader:
            kept.add(reader.blocks(batch), *_about(batch, ids), reader.samples)
    return _features(kept.settle())


def _features(kept: Kept) -> ModuleFeatures:
    """What was kept, with ids and labels for every row."""
    ids, labels = np.concatenate(kept.ids), np.concatenate(kept.labels) if kept.labels else None
    names, groups, labels_of = {}, {}, {}
    for name, kind in kept.kinds.items():
        sample, place = kept.about[kind][0]
        names[name] = np.array([f"{i}:{p}" for i, p in zip(ids[sample], place)]) if place.any() else ids[sample]
        groups[name] = sample
        if labels is not None:
            labels_of[name] = labels[sample]
    parts = {part: {name: found[kind] for name, kind in kept.kinds.items() if kind in found}
             for part, found in kept.moments.items()}
    return ModuleFeatures({name: kept.rows[name][0] for name in kept.kinds}, names, groups, labels_of, parts, kept.samples)


def _models(model, checkpoints) -> dict[str, nn.Module]:
    """The modules by name; the name is "" for one alone."""
    models = dict(model) if isinstance(model, Mapping) else {"": model}
    if checkpoints is not None:
        if isinstance(model, Mapping):
            raise ArgumentError("checkpoints are of one architecture: give one module as model", "checkpoints")
        files = checkpoints if isinstance(checkpoints, Mapping) else {Path(path).stem: path for path in checkpoints}
        if not isinstance(checkpoints, Mapping) and len(files) < len(checkpoints):
            raise ArgumentError("checkpoints have the same names: give them as name -> file", "checkpoints")
        models = {name: load_weights(copy.deepcopy(model), path) for name, path in files.items()}
    for name, module in models.items():
        if not isinstance(module, nn.Module):
            raise ArgumentError(f"model {name or ''} is a {type(module).__name__}, not a torch.nn.Module", "model")
    if not models:
        raise ArgumentError("model: give at least one module", "model")
    return models


@contextmanager
def _devices(models: Mapping[str, nn.Module]):
    """Context in which the generators of the modules' devices may be drawn from; afterwards they go on where they were."""
    devices = {device.index for device in map(_device, models.values()) if device.type == "cuda"}
    with torch.random.fork_rng(list(devices)) if devices else nullcontext():
        yield


def _device(module: nn.Module) -> torch.device:
    return next((x.device for x in [*module.parameters(), *module.buffers()]), torch.device("cpu"))


def _to(value, device: torch.device):
    """What can be moved, on the device; arrays as tensors."""
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if isinstance(value, Mapping):
        return {key: _to(part, device) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_to(part, device) for part in value]
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _about(batch, ids) -> tuple[object, object]:
    """Labels and ids of a batch, None where it has none."""
    labels = None
    if isinstance(batch, Mapping):
        labels = next((batch[key] for key in LABELS if key in batch), None)
    elif isinstance(batch, list | tuple) and len(batch) > 1:
        labels = batch[1]
    labels = np.asarray(labels.cpu() if isinstance(labels, torch.Tensor) else labels) if labels is not None else None
    if labels is not None and (labels.ndim != 1 or labels.dtype.kind not in "biufUS"):
        labels = None
    if ids is None:
        return labels, None
    try:
        found = batch[ids] if isinstance(batch, Mapping | list | tuple) else {}[ids]
    except (KeyError, IndexError, TypeError):
        raise ArgumentError(f"ids: the batches have no {ids!r}", "ids") from None
    return labels, np.asarray(found.cpu() if isinstance(found, torch.Tensor) else found)


@dataclass
class _Reader:
    """Batches through the modules: block -> (rows, units), and which place of which sample each row is."""

    models: Mapping[str, nn.Module]
    sites: Mapping[str, Sequence[str]]
    by_location: bool
    by_position: bool
    call: Callable | None
    beside: set  # keys of a batch that are no inputs
    samples: int = 0

    def __post_init__(self):
        self.first = {(name, site): channels_first(self.models[name], site)
                      for name, sites in self.sites.items() for site in sites}

    def blocks(self, batch) -> dict[str, tuple[torch.Tensor, np.ndarray, np.ndarray]]:
        """block -> rows, the sample of each in the batch, its place."""
        found, counts = {}, set()
        for name, module in self.models.items():
            moved = _to(batch, _device(module))
            with recorded(module, self.sites[name]) as outputs:
                self._run(module, moved)
            mask = moved.get(MASK) if isinstance(moved, Mapping) else None
            for site in self.sites[name]:
                values = tensors(site, once(site, outputs.get(site, [])))
                if not values:
                    raise InputError(f"{site} puts out no floating-point numbers")
                for key, x in values.items():
                    counts.add(len(x) if x.dim() else 0)
                    found[f"{name}/{key}" if name else key] = self._rows(x, self.first[name, site], mask)
        if len(counts) > 1:
            raise InputError(f"outputs of one batch are of {' and '.join(map(str, sorted(counts)))} samples: the first axis of "
                             "every site's output must be the batch")
        self.samples = counts.pop()
        return found

    def _run(self, module: nn.Module, batch) -> None:
        if self.call is not None:
            self.call(module, batch)
        elif isinstance(batch, Mapping):
            module(**{key: value for key, value in batch.items() if key not in self.beside and isinstance(value, torch.Tensor)})
        else:
            module(batch[0] if isinstance(batch, list | tuple) else batch)

    def _rows(self, x: torch.Tensor, first: bool, mask) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
        places, tokens = by_row(x, first)
        x = places if places.dtype == torch.float64 else places.float()
        count, number = x.shape[:2]
        if number == 1 or not (self.by_position if tokens else self.by_location):
            return pooled(x, False, mask) if tokens else x.mean(1), np.arange(count), np.zeros(count, int)
        sample, place = (part.ravel() for part in np.indices((count, number)))
        if tokens and mask is not None and mask.shape == x.shape[:2]:
            there = mask.bool()
            chosen = there.flatten().cpu().numpy()
            return x[there], sample[chosen], place[chosen]
        return x.flatten(0, 1), sample, place
