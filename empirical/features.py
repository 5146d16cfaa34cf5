"""Features of several networks at every site, in one pass over the probe splits, straight into Moments.

The probe rows come in three parts: ``fit`` and ``tune`` (three quarters and one quarter of the probe-fit split:
regressions are fitted on the first, their ridge is chosen on the second, then both are merged) and ``score``. Features
are float32 whatever the training used. One more block, ``shuffled``, is a network's features against the wrong inputs
(each row takes those of the row before it, the first one those of the last; the order of the rows is random): it has the same
units, spectrum and number of rows but no relation to the other blocks, so every measure of moments has its
permutation null in the same moments. Besides the moments a bounded number of rows of the ``penultimate`` site is kept,
for what is no function of second moments (logistic and nonlinear probes).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from empirical.data import Dataset
from empirical.models import Stack
from empirical.steps import full_precision
from lab.cli import jsonable
from lab.errors import InputError
from lab.files import read_npz
from lab.store import write_arrays, write_atomically
from theory.compare.sites import PARTS, SHUFFLED, TARGET
from theory.moments import Moments

__all__ = ["Features", "extract", "probe_parts", "read_facts", "read_features"]
ROWS_KEPT = {"fit": 2000, "score": 1000}
_TUNE_SHARE = 4  # one row in so many of the probe-fit split


@dataclass(frozen=True)
class Features:
    """What one pass over the probe rows yields.

    Attributes
    ----------
    moments : mapping
        Part ("fit", "tune", "score") -> site -> moments of the blocks: one for each network, and ``target``.
    rows : mapping
        Part ("fit", "score") -> block -> float32 (rows, units) of the penultimate site, the first rows of the part.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> data = noise()
    >>> net = start(data, width=2)
    >>> found = extract({"a": net, "b": net}, data).select({"wide": "a"})
    >>> found.moments["score"]["penultimate"].covariance("wide").shape, found.rows["fit"]["wide"].shape
    ((2, 2), (6, 2))
    """

    moments: Mapping[str, Mapping[str, Moments]]
    rows: Mapping[str, Mapping[str, np.ndarray]]

    def settled(self) -> "Features":
        """The features themselves, once all sums have been fetched from the device."""
        for sites in self.moments.values():
            for moments in sites.values():
                moments.variance(TARGET)
        return self

    def select(self, blocks: Mapping[str, str]) -> "Features":
        """Some of the blocks under other names, ``blocks``: new name -> name here."""
        rows = {part: {new: kept[old] for new, old in blocks.items() if old in kept} for part, kept in self.rows.items()}
        return Features({part: {site: moments.concatenate(blocks) for site, moments in sites.items()}
                         for part, sites in self.moments.items()}, rows)

    def save(self, folder: Path, facts: Mapping | None = None) -> None:
        """Write ``moments/<part>-<site>.npz``, ``moments/rows.npz`` and, as the mark of completion, ``moments/facts.json``."""
        folder = Path(folder) / "moments"
        folder.mkdir(exist_ok=True)
        for part, sites in self.moments.items():
            for site, moments in sites.items():
                moments.save(folder / f"{part}-{site}.npz")
        write_arrays(folder / "rows.npz", {f"{p}/{block}": x for p, kept in self.rows.items() for block, x in kept.items()})
        write_atomically(folder / "facts.json", json.dumps(jsonable(dict(facts or {})), indent=1) + "\n")


def read_facts(folder: Path) -> dict | None:
    """The facts that were written with features; None where none are stored completely, or the file is damaged.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict or None
        What :meth:`Features.save` was given.

    Examples
    --------
    >>> print(read_facts(Path("nowhere")))
    None
    """
    try:
        facts = json.loads((Path(folder) / "moments" / "facts.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def read_features(folder: Path) -> Features:
    """What :meth:`Features.save` wrote.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    Features
        As they were saved.

    Raises
    ------
    InputError
        If files are missing or damaged.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from empirical.tiny import noise, start
    >>> data = noise()
    >>> net = start(data, width=2)
    >>> folder = Path(mkdtemp())
    >>> extract({"a": net}, data).save(folder)
    >>> list(read_features(folder).moments["fit"])
    ['penultimate']
    """
    folder = Path(folder) / "moments"
    moments: dict[str, dict[str, Moments]] = {part: {} for part in PARTS}
    for path in sorted(folder.glob("*-*.npz")):
        part, _, site = path.stem.partition("-")
        moments[part][site] = Moments.load(path)
    if not all(moments.values()):
        raise InputError(f"{folder} holds no moments; delete it and run again")
    found = read_npz(folder / "rows.npz", "a file of kept rows", f"delete {folder} and run again")
    rows = {part: {key.split("/", 1)[1]: found[key] for key in found if key.startswith(f"{part}/")} for part in ROWS_KEPT}
    if not all(rows.values()):
        raise InputError(f"{folder}/rows.npz lacks rows; delete {folder} and run again")
    return Features(moments, rows)


def probe_parts(data: Dataset) -> dict[str, torch.Tensor]:
    """Row numbers of the three parts of the probe splits.

    Parameters
    ----------
    data : Dataset
        Data set with its splits.

    Returns
    -------
    dict of str to torch.Tensor
        "fit", "tune" and "score" -> int64 row numbers.

    Examples
    --------
    >>> from empirical.tiny import noise
    >>> data = noise()
    >>> {part: len(rows) for part, rows in probe_parts(data).items()}
    {'fit': 6, 'tune': 2, 'score': 8}
    """
    fit, score = data.splits["probe_fit"], data.splits["probe_score"]
    cut = len(fit) - len(fit) // _TUNE_SHARE
    return {"fit": fit[:cut], "tune": fit[cut:], "score": score}


@full_precision()
@torch.inference_mode()
def extract(networks: Mapping[str, Stack], data: Dataset, sites: tuple[str, ...] | None = None,
            batch: int = 512, shuffle: str | None = None) -> Features:
    """Run all networks over the probe rows once.

    Parameters
    ----------
    networks : mapping of str to Stack
        Name of a block -> stack in evaluation mode; a stack of several gives the blocks ``name.0``, ``name.1``, ...
    data : Dataset
        Data on the networks' device.
    sites : tuple of str, optional
        Sites to keep; by default all.
    batch : int
        Rows at a time.
    shuffle : str, optional
        Block whose features are also kept against the wrong inputs, as the block ``shuffled``; by default none.

    Returns
    -------
    Features
        Moments at every site, and the first rows at the penultimate one.

    Raises
    ------
    InputError
        If a network's features are not finite.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> data = noise()
    >>> found = extract({"narrow": start(data, width=2, depth=2, stack=3)}, data)
    >>> list(found.moments["fit"]), found.moments["fit"]["layer1"].names
    (['layer1', 'penultimate'], ('narrow.0', 'narrow.1', 'narrow.2', 'target'))
    """
    eye = torch.eye(data.classes, device=data.labels.device)
    moments: dict[str, dict[str, Moments]] = {part: {} for part in PARTS}
    rows: dict[str, dict[str, list[np.ndarray]]] = {part: {} for part in ROWS_KEPT}
    for part, numbers in probe_parts(data).items():
        seen = 0
        shifted: dict[str, _Shifted] = {}
        for chosen in numbers.split(batch):
            inputs = data.batch(chosen).unsqueeze(0)
            by_site: dict[str, dict[str, torch.Tensor]] = {}
            for name, model in networks.items():
                taps: dict[str, torch.Tensor] = {}
                model(inputs, taps)
                for site in sites or model.sites:
                    blocks = by_site.setdefault(site, {})
                    for i, block in enumerate(taps[site].float()):
                        blocks[name if model.copies == 1 else f"{name}.{i}"] = block
            for site, blocks in by_site.items():
                blocks = {**blocks, TARGET: eye[data.labels[chosen]]}
                if shuffle is not None:
                    blocks = shifted.setdefault(site, _Shifted(shuffle)).add(blocks)
                _update(moments[part], site, blocks)
            if part in rows and seen < ROWS_KEPT[part]:
                kept = {**by_site["penultimate"], TARGET: eye[data.labels[chosen]]}
                for block, x in kept.items():
                    rows[part].setdefault(block, []).append(x[:ROWS_KEPT[part] - seen].cpu().numpy())
            seen += len(chosen)
        for site, pairs in shifted.items():
            _update(moments[part], site, pairs.last())
    return Features(moments, {part: {b: np.concatenate(x) for b, x in kept.items()} for part, kept in rows.items()})


def _update(moments: dict[str, Moments], site: str, blocks: Mapping[str, torch.Tensor]) -> None:
    try:
        if len(blocks[TARGET]):
            moments.setdefault(site, Moments()).update(blocks)
    except InputError as error:
        raise InputError(f"features at {site}: {error}") from None


class _Shifted:
    """Batches with one more block, in which each row has another block's features of the row before it.

    The shift runs over all batches, so that no row keeps its own, however the rows are cut: the first row waits until the
    last has been seen.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.first: dict[str, torch.Tensor] = {}  # all blocks of the first row, once it has been seen
        self.before: torch.Tensor  # features of the row before the next one

    def add(self, blocks: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The rows that can be paired now; none of a first batch of one row."""
        features = blocks[self.name]
        if self.first:
            before = torch.cat([self.before, features[:-1]])
        else:
            self.first, before = {name: block[:1].clone() for name, block in blocks.items()}, features[:-1]
            blocks = {name: block[1:] for name, block in blocks.items()}
        self.before = features[-1:].clone()
        return {**blocks, SHUFFLED: before}

    def last(self) -> dict[str, torch.Tensor]:
        """The first row, paired with the last."""
        return {**self.first, SHUFFLED: self.before}
