"""Features of any module on any loader, in one pass, for :func:`theory.compare.compare`.

Modes, hooks and gradients of the modules, and the process's random generators, are restored afterwards. Loader and modules draw
their random numbers from the given seed, so that two passes over one loader see the same rows in the same order.

Second moments are accumulated over all rows, in three parts; a sample belongs to the same part at every site. Measures are
fitted on ``fit``, their ridges chosen on ``tune``, and scored on ``score``. A bounded number of rows is kept as well, drawn at
random by row number, so that every pass keeps the same ones.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

    from theory.compare import FeatureComparison

MAPS, TOKENS = ("pooled", "locations"), ("positions", "pooled")
LABELS, MASK = ("labels", "label", "y", "targets", "target"), "attention_mask"


@dataclass(frozen=True, repr=False)
class ModuleFeatures:
    """The result of :func:`from_module`: rows and moments of every block of features.

    A block is a site, "layer4"; with several modules "module/site". ``features[block]`` is a data frame of its rows, with their
    ids as its index.

    Attributes
    ----------
    rows : mapping of str to ndarray of shape (rows kept, units)
        Rows of each block.
    ids : mapping of str to ndarray of shape (rows kept,)
        Ids of these rows: the sample's id, or "sample:place" where rows are locations or positions.
    groups : mapping of str to ndarray of int, shape (rows kept,)
        Number of each row's sample: rows of one sample belong together.
    labels_of : mapping of str to ndarray of shape (rows kept,)
        Label of each row's sample; empty where the loader has none.
    parts : mapping of str to mapping of str to Moments
        "fit", "tune" and "score" → block → moments of all rows; blocks with the same rows share theirs.
    samples : int
        Samples that the loader yielded.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> from_module(network, torch.randn(10, 6, 3), sites=["1", "2"])
    ModuleFeatures(60 samples; rows kept {1: 60 × 4, 2: 60 × 2})
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
            If blocks differ in what their rows are (samples, locations, positions): call :meth:`moments_of` for one of them.
        """
        first = next(iter(self.rows))
        if set(self.moments_of(first).names) != set(self.rows):
            raise InputError("the blocks do not all have the same rows (samples, locations, positions): call moments_of for "
                             "one of them")
        return self.moments_of(first)

    def moments_of(self, block: str) -> Moments:
        """Moments of all rows of a block, together with the blocks that have the same rows."""
        self._known(block)
        return reduce(Moments.merge, (blocks[block] for blocks in self.parts.values() if block in blocks))

    def _known(self, block: str) -> None:
        if block not in self.rows:
            raise InputError(f"no block {block!r}; there are {', '.join(self.rows)}")

    @property
    def labels(self) -> np.ndarray | None:
        """Labels of the rows kept, if all blocks have the same; None if they differ or the loader has none."""
        labels = list(self.labels_of.values())
        return labels[0] if labels and all(np.array_equal(labels[0], other) for other in labels[1:]) else None

    def __getitem__(self, block: str) -> "pandas.DataFrame":
        import pandas

        self._known(block)
        return pandas.DataFrame(self.rows[block], index=pandas.Index(self.ids[block], name="id"), copy=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def to_frame(self) -> "pandas.DataFrame":
        """One row per block: its units, the number of rows in its moments, and the number of rows kept."""
        import pandas

        counts = {name: self.moments_of(name).count for name in self.rows}
        return pandas.DataFrame([{"block": name, "units": x.shape[1], "rows": counts[name], "kept": len(x)}
                                 for name, x in self.rows.items()])

    def compare(self, source: str | Sequence[str], target: str, *, baseline: str | None = None,
                **options: Any) -> "FeatureComparison":
        """Compare blocks, with the labels and the groups of their rows; see :func:`theory.compare.compare`.

        Parameters
        ----------
        source : str or sequence of str
            A block, or several side by side.
        target : str
            A block.
        baseline : str, optional
            A block of a second network like the target.
        **options
            Further arguments of :func:`theory.compare.compare`.

        Returns
        -------
        theory.compare.FeatureComparison
        """
        from theory.compare import compare

        options = {"labels": self.labels_of.get(target), "groups": self.groups[target], **options}
        return compare(self[source] if isinstance(source, str) else {name: self[name] for name in source}, self[target],
                       baseline=None if baseline is None else self[baseline], **options)

    def parts_of(self, block: str) -> dict[str, Moments]:
        """Moments of all rows of a block and of the blocks with the same rows, by part, for
        :func:`theory.compare.compare_moments`."""
        self._known(block)
        return {part: blocks[block] for part, blocks in self.parts.items()}

    def save(self, folder: str | Path) -> None:
        """Write the rows kept as ``BLOCK.npz`` (``features``, ``ids``, ``groups``, ``labels``), for the command ``compare``."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, x in self.rows.items():
            labels = {"labels": self.labels_of[name]} if name in self.labels_of else {}
            write_arrays(Path(folder) / f"{name.replace('/', '-')}.npz",
                         {"features": x, "ids": self.ids[name], "groups": self.groups[name], **labels})

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
    model : torch.nn.Module or mapping of str to torch.nn.Module
        Any module; or several by name, each of which is run on every batch.
    loader : iterable
        Yields batches: a tensor or array of inputs; a tuple of inputs, labels, ...; or a dict, whose entries, but for labels and
        ids, the module takes as keyword arguments. Its ``attention_mask`` marks tokens that are not padding.
    sites : iterable of str, or mapping of str to iterable of str
        Names or globs of the submodules whose outputs are the features, see :mod:`empirical.own.places`; or those of each module.
    maps : {"pooled", "locations"}, default "pooled"
        Whether feature maps are averaged over space, or every location is a row.
    tokens : {"positions", "pooled"}, default "positions"
        Whether every token is a row (without padding), or tokens are averaged.
    rows : int ≥ 0, default 50000
        Largest number of rows of each block that are kept, drawn at random.
    ids : str or int, optional
        Key or position in the batch of the samples' ids; by default samples are numbered.
    checkpoints : sequence of path or mapping of str to path, optional
        Files of weights for a single ``model``: each makes one module, named by its file or by its key.
    call : callable, optional
        ``(module, batch) -> anything`` runs a module that takes batches in another form.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Seed of the choice of rows and parts, and of whatever loader and modules draw.

    Returns
    -------
    ModuleFeatures

    Raises
    ------
    ArgumentError
        Sites that do not exist, or choices that are impossible.
    InputError
        A loader without batches, sites that are computed more than once per pass or whose outputs have no batch axis, features
        that are not finite, or rows that do not fit the memory.

    Examples
    --------
    A loader yields batches; here they are slices of a tensor:

    >>> network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> features = from_module({"old": network, "new": network}, torch.randn(10, 6, 3), sites=["1"])
    >>> features.samples, features.rows["old/1"].shape, features.parts_of("new/1")["fit"].widths
    (60, (60, 4), {'old/1': 4, 'new/1': 4})

    ``features.compare("old/1", "new/1")`` then compares them, with an interval for every number.
    """
    checks.choice("maps", maps, MAPS)
    checks.choice("tokens", tokens, TOKENS)
    checks.whole_number("rows", rows, 0)
    checks.seed(seed)
    models = _models(model, checkpoints)
    patterns = sites if isinstance(sites, Mapping) else dict.fromkeys(models, sites)
    if strange := set(patterns) ^ set(models):
        raise ArgumentError(f"sites and modules do not match in {min(strange)!r}; the modules are {', '.join(models)}", "sites")
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
    """The kept rows and moments, with ids and labels for every row."""
    ids, labels = np.concatenate(kept.ids), np.concatenate(kept.labels) if kept.labels else None
    names, groups, labels_of = {}, {}, {}
    for name, kind in kept.kinds.items():
        sample, place = kept.about[kind][0]
        names[name] = np.array([f"{i}:{p}" for i, p in zip(ids[sample], place)]) if place.any() else ids[sample]
        groups[name] = sample
        if labels is not None:
            labels_of[name] = labels[sample]
    parts = {part: {name: moments[kind] for name, kind in kept.kinds.items() if kind in moments}
             for part, moments in kept.moments.items()}
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
    """Context that restores the random generators of the modules' devices on exit."""
    devices = {device.index for device in map(_device, models.values()) if device.type == "cuda"}
    with torch.random.fork_rng(list(devices)) if devices else nullcontext():
        yield


def _device(module: nn.Module) -> torch.device:
    return next((x.device for x in [*module.parameters(), *module.buffers()]), torch.device("cpu"))


def _to(value, device: torch.device):
    """A batch with all its tensors and arrays as tensors on the device."""
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    if isinstance(value, Mapping):
        return {key: _to(part, device) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_to(part, device) for part in value]
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _about(batch, ids) -> tuple[object, object]:
    """Labels and ids of a batch; None if it has none."""
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
        ids_of = batch[ids] if isinstance(batch, Mapping | list | tuple) else {}[ids]
    except (KeyError, IndexError, TypeError):
        raise ArgumentError(f"ids: the batches have no {ids!r}", "ids") from None
    return labels, np.asarray(ids_of.cpu() if isinstance(ids_of, torch.Tensor) else ids_of)


@dataclass
class _Reader:
    """Runs the modules on batches, and turns their outputs into rows of features, each with its sample and its place."""

    models: Mapping[str, nn.Module]
    sites: Mapping[str, Sequence[str]]
    by_location: bool
    by_position: bool
    call: Callable | None
    not_inputs: set  # keys of a batch that the module does not take
    samples: int = 0

    def __post_init__(self):
        self.first = {(name, site): channels_first(self.models[name], site)
                      for name, sites in self.sites.items() for site in sites}

    def blocks(self, batch) -> dict[str, tuple[torch.Tensor, np.ndarray, np.ndarray]]:
        """Block → rows (rows, units), each row's sample in the batch, and its place (location or position) in the sample."""
        blocks, counts = {}, set()
        for name, module in self.models.items():
            moved = _to(batch, _device(module))
            with recorded(module, self.sites[name]) as outputs:
                self._run(module, moved)
            mask = moved.get(MASK) if isinstance(moved, Mapping) else None
            for site in self.sites[name]:
                values = tensors(site, once(site, outputs.get(site, [])))
                if not values:
                    raise InputError(f"the output of {site} has no floating-point numbers")
                for key, x in values.items():
                    counts.add(len(x) if x.dim() else 0)
                    blocks[f"{name}/{key}" if name else key] = self._rows(x, self.first[name, site], mask)
        if len(counts) > 1:
            raise InputError(f"outputs of one batch have {' and '.join(map(str, sorted(counts)))} samples: the first axis of "
                             "every site's output must be the batch")
        self.samples = counts.pop()
        return blocks

    def _run(self, module: nn.Module, batch) -> None:
        if self.call is not None:
            self.call(module, batch)
        elif isinstance(batch, Mapping):
            module(**{key: value for key, value in batch.items()
                      if key not in self.not_inputs and isinstance(value, torch.Tensor)})
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
