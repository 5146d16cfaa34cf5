"""Features of several networks at every site, in one pass over the probe splits, straight into Moments.

The probe rows come in three parts: ``fit`` and ``tune`` (three quarters and one quarter of the probe-fit split:
regressions are fitted on the first, their ridge is chosen on the second, then both are merged) and ``score``. Features
are float32 whatever the training used. One more block, ``shuffled``, is a network's features against the wrong inputs
(each row takes those of the row before it, the first one those of the last; the order of the rows is random): the same
units, spectrum and number of rows without any tie to the other blocks, so every measure that moments give has its
permutation null in the same moments. Besides the moments a bounded number of rows of the ``penultimate`` site is kept,
for what second moments cannot tell (logistic and nonlinear probes).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from empirical.data import Dataset
from empirical.steps import full_precision
from lab.cli import jsonable
from lab.errors import InputError
from lab.files import read_npz
from lab.store import write_arrays, write_atomically
from theory.compare.sites import PARTS, SHUFFLED, TARGET
from theory.moments import Moments

ROWS_KEPT = {"fit": 2000, "score": 1000}
_TUNE_SHARE = 4  # one row in so many of the probe-fit split


@dataclass(frozen=True)
class Features:
    """What one pass leaves.

    Attributes
    ----------
    moments : part -> site -> moments of the blocks (one a network, and ``target``).
    rows : part -> block -> float32 (rows, units) of the penultimate site, the first rows of the part.
    """

    moments: Mapping[str, Mapping[str, Moments]]
    rows: Mapping[str, Mapping[str, np.ndarray]]

    def settled(self) -> "Features":
        """Itself, with all sums fetched from the device."""
        for sites in self.moments.values():
            for moments in sites.values():
                moments.variance(TARGET)
        return self

    def select(self, blocks: Mapping[str, str]) -> "Features":
        """Some of the blocks, under other names: new name -> name here. ``shuffled`` and ``target`` keep theirs."""
        rows = {part: {new: kept[old] for new, old in blocks.items() if old in kept} for part, kept in self.rows.items()}
        return Features({part: {site: moments.concatenate(blocks) for site, moments in sites.items()}
                         for part, sites in self.moments.items()}, rows)

    def save(self, folder: Path, facts: Mapping | None = None) -> None:
        """Write ``moments/<part>-<site>.npz``, ``moments/rows.npz`` and, last, what is to be known of them,
        ``moments/facts.json``: with it they are whole."""
        folder = Path(folder) / "moments"
        folder.mkdir(exist_ok=True)
        for part, sites in self.moments.items():
            for site, moments in sites.items():
                moments.save(folder / f"{part}-{site}.npz")
        write_arrays(folder / "rows.npz", {f"{p}/{block}": x for p, kept in self.rows.items() for block, x in kept.items()})
        write_atomically(folder / "facts.json", json.dumps(jsonable(dict(facts or {})), indent=1) + "\n")


def read_facts(folder: Path) -> dict | None:
    """What was written with features that are stored whole; None where they are not, or where it is damaged."""
    try:
        facts = json.loads((Path(folder) / "moments" / "facts.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def read_features(folder: Path) -> Features:
    """What :meth:`Features.save` wrote.

    Raises
    ------
    InputError
        If files are missing or damaged.
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
    """Row numbers of the three parts of the probe splits."""
    fit, score = data.splits["probe_fit"], data.splits["probe_score"]
    cut = len(fit) - len(fit) // _TUNE_SHARE
    return {"fit": fit[:cut], "tune": fit[cut:], "score": score}


@full_precision()
@torch.inference_mode()
def extract(networks: Mapping[str, torch.nn.Module], data: Dataset, sites: tuple[str, ...] | None = None,
            batch: int = 512, shuffle: str | None = None) -> Features:
    """Run all networks over the probe rows once.

    Parameters
    ----------
    networks : block name -> stack in evaluation mode; a stack of several gives the blocks ``name.0``, ``name.1``, ...
    data : on the networks' device.
    sites : which sites to keep; None for all.
    batch : rows at a time.
    shuffle : block whose features are also kept against the wrong inputs, as the block ``shuffled``; None for none.

    Raises
    ------
    InputError
        If a network's features are not finite.
    """
    eye = torch.eye(data.classes, device=data.labels.device)
    moments = {part: {} for part in PARTS}
    rows = {part: {} for part in ROWS_KEPT}
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

    def __init__(self, name: str):
        self.name = name
        self.first: dict[str, torch.Tensor] | None = None

    def add(self, blocks: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The rows that can be paired now; none of a first batch of one row."""
        features = blocks[self.name]
        if self.first is None:
            self.first, before = {name: block[:1].clone() for name, block in blocks.items()}, features[:-1]
            blocks = {name: block[1:] for name, block in blocks.items()}
        else:
            before = torch.cat([self.before, features[:-1]])
        self.before = features[-1:].clone()
        return {**blocks, SHUFFLED: before}

    def last(self) -> dict[str, torch.Tensor]:
        """The first row, paired with the last."""
        return {**self.first, SHUFFLED: self.before}
