"""Features of several networks at every site, accumulated as Moments in one pass over the probe splits.

The probe rows come in three parts: ``fit`` and ``tune`` (three quarters and one quarter of the probe-fit split: regressions are
fitted on the first and their ridge is chosen on the second, then both are merged), and ``score``. Features are float32, whatever
the precision of training. An additional block, ``shuffled``, pairs a network's features with the wrong inputs (each row has the
features of the row before it, and the first those of the last; the order of rows is random). It has the same units, spectrum and
number of rows but no relation to the other blocks, so the same moments also give the permutation null of every measure. Besides
the moments, a limited number of rows of the ``penultimate`` site is kept for measures that are not functions of second moments
(logistic and nonlinear probes).
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
_TUNE_SHARE = 4  # one in this many rows of the probe-fit split is for tuning


@dataclass(frozen=True)
class Features:
    """The result of one pass over the probe rows.

    Attributes
    ----------
    moments : mapping
        Part ("fit", "tune", "score") -> site -> moments of the blocks: one per network, and ``target``.
    rows : mapping
        Part ("fit", "score") -> block -> float32 (rows, units) of the penultimate site, the first rows of the part.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> data = noise()
    >>> net = start(data, width=2)
    >>> features = extract({"a": net, "b": net}, data).select({"wide": "a"})
    >>> features.moments["score"]["penultimate"].covariance("wide").shape, features.rows["fit"]["wide"].shape
    ((2, 2), (6, 2))
    """

    moments: Mapping[str, Mapping[str, Moments]]
    rows: Mapping[str, Mapping[str, np.ndarray]]

    def settled(self) -> "Features":
        """The features themselves, after all sums have been transferred from the device."""
        for sites in self.moments.values():
            for moments in sites.values():
                moments.variance(TARGET)
        return self

    def select(self, blocks: Mapping[str, str]) -> "Features":
        """Some of the blocks under new names, ``blocks``: new name -> present name."""
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
    """The facts that were written with features; None if they are not stored completely, or the file is damaged.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    dict or None
        The facts given to :meth:`Features.save`.

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
    """The features written by :meth:`Features.save`.

    Parameters
    ----------
    folder : Path
        Folder of the run.

    Returns
    -------
    Features
        The stored features.

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
        raise InputError(f"{folder} contains no moments; delete it and run again")
    kept = read_npz(folder / "rows.npz", "a file of kept rows", f"delete {folder} and run again")
    rows = {part: {key.split("/", 1)[1]: kept[key] for key in kept if key.startswith(f"{part}/")} for part in ROWS_KEPT}
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
        Name of a block -> stack in evaluation mode; a stack of several networks gives the blocks ``name.0``, ``name.1``, ...
    data : Dataset
        Data on the networks' device.
    sites : tuple of str, optional
        Sites to keep; by default all.
    batch : int
        Rows per forward pass.
    shuffle : str, optional
        Block whose features are also paired with the wrong inputs, as the block ``shuffled``; by default none.

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
    >>> features = extract({"narrow": start(data, width=2, depth=2, stack=3)}, data)
    >>> list(features.moments["fit"]), features.moments["fit"]["layer1"].names
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
    """Adds a block to batches in which each row has another block's features of the previous row.

    The shift runs over all batches, so that no row keeps its own features, however the rows are divided into batches. The first
    row is held back until the last has been seen.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.first: dict[str, torch.Tensor] = {}  # all blocks of the first row, once it has been seen
        self.before: torch.Tensor  # features of the last row seen

    def add(self, blocks: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The rows that can be paired now; none for a first batch of one row."""
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
