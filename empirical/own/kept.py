"""Streamed features: second moments of all rows, and a bounded number of stored rows.

Which rows are stored, and to which part of the moments a sample belongs, depends only on the numbers of sample and place. So
every pass over the same samples keeps the same rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from empirical.features import PARTS
from lab.errors import InputError
from theory.moments import Moments

MOST_BYTES = 8 * 2**30  # memory of the stored rows
MOST_UNITS = 24_000  # units of one object of moments, whose matrix has the square of this many entries
_AT_ONCE = 4096  # surplus rows that are collected before they are thinned out
_SHARES = np.array([3, 4, 5]) / 5  # cumulative shares of the samples in fit, tune and score


class Kept:
    """Moments of the batches so far, by part, and rows of them.

    Parameters
    ----------
    most : int
        Largest number of rows of each block to store.
    seed : int
        Seed of the choice of rows and parts.

    Attributes
    ----------
    kinds : dict of str to int
        Block → number of its kind of rows (samples, locations, positions).
    moments : dict of str to dict of int to Moments
        Part → kind → moments of its blocks.
    rows : dict of str to list of ndarray
        Block → its rows, in pieces until :meth:`settle`.
    about : dict of int to list of ndarray of shape (2, rows)
        Kind → sample and place of each row, in pieces until :meth:`settle`.
    samples : int
        Number of samples so far.
    ids, labels : list of ndarray
        Ids and labels so far; ``labels`` is None if a batch had none.
    """

    def __init__(self, most: int, seed: int):
        self.most, self.seed, self.samples = most, seed, 0
        self.kinds: dict[str, int] = {}
        self.moments: dict[str, dict[int, Moments]] = {part: {} for part in PARTS}
        self.rows: dict[str, list[np.ndarray]] = {}
        self.about: dict[int, list[np.ndarray]] = {}
        self.ids: list[np.ndarray] = []
        self.labels: list[np.ndarray] | None = []

    def add(self, blocks, labels, ids, samples: int) -> None:
        """Add the rows of one batch."""
        if ids is not None and len(ids) != samples:
            raise InputError(f"a batch of {samples} samples has {len(ids)} ids")
        self.ids.append(np.arange(self.samples, self.samples + samples) if ids is None else ids)
        self.labels = None if self.labels is None or labels is None or len(labels) != samples else [*self.labels, labels]
        groups: dict[tuple, list[str]] = {}
        for name, (_, sample, place) in blocks.items():
            groups.setdefault((len(sample), bool(place.any()), sample.tobytes()), []).append(name)
        for names in groups.values():
            _, sample, place = blocks[names[0]]
            kind = self._kind(names)
            sample = sample + self.samples
            self._into_moments(kind, {name: blocks[name][0] for name in names}, sample)
            self._into_rows(kind, {name: blocks[name][0] for name in names}, sample, place)
        self.samples += samples

    def _kind(self, names: Sequence[str]) -> int:
        """Number of the kind of rows that these blocks have."""
        if not any(name in self.kinds for name in names):
            kind = len(set(self.kinds.values()))
            self.kinds |= dict.fromkeys(names, kind)
        kind = next(self.kinds[name] for name in names if name in self.kinds)
        same = [name for name, other in self.kinds.items() if other == kind]
        if same != list(names):
            raise InputError(f"{', '.join(names)} have the same number of rows in some batches and not in others: compare them "
                             "one at a time, or pooled")
        return kind

    def _into_moments(self, kind: int, blocks: Mapping[str, torch.Tensor], sample: np.ndarray) -> None:
        units = sum(x.shape[1] for x in blocks.values())
        if units > MOST_UNITS:
            raise InputError(f"the sites have {units:,} units together, but moments can have {MOST_UNITS:,}: name fewer sites")
        part_of = np.searchsorted(_SHARES, _uniform(self.seed, sample, 1), side="right")
        for number, part in enumerate(PARTS):
            chosen = np.flatnonzero(part_of == number)
            if len(chosen):
                self.moments[part].setdefault(kind, Moments()).update(
                    {name: x[torch.from_numpy(chosen).to(x.device)] for name, x in blocks.items()})

    def _into_rows(self, kind: int, blocks: Mapping[str, torch.Tensor], sample: np.ndarray, place: np.ndarray) -> None:
        self.about.setdefault(kind, []).append(np.stack([sample, place]))
        for name, x in blocks.items():
            self.rows.setdefault(name, []).append(x.cpu().numpy())
        if sum(part.shape[1] for part in self.about[kind]) > 2 * self.most + _AT_ONCE:
            self._thin(kind)

    def _thin(self, kind: int) -> None:
        """Keep the rows with the smallest random numbers."""
        about = np.concatenate(self.about[kind], axis=1)
        chosen = np.arange(about.shape[1])
        if len(chosen) > self.most:
            drawn = _uniform(self.seed, about[0] * 2**20 + about[1], 0)
            chosen = np.sort(np.argpartition(drawn, self.most)[:self.most])
        self.about[kind] = [about[:, chosen]]
        for name, own in self.kinds.items():
            if own == kind:
                self.rows[name] = [np.concatenate(self.rows[name])[chosen]]
        if sum(x.nbytes for parts in self.rows.values() for x in parts) > MOST_BYTES:
            raise InputError(f"the stored rows take over {MOST_BYTES >> 30} GB: lower rows ({self.most:,})", "rows")

    def settle(self) -> "Kept":
        """Finish after the last batch, and return the object.

        Raises
        ------
        InputError
            If the loader was empty.
        """
        if not self.samples:
            raise InputError("the loader yields no batch; an iterator can be read only once")
        for kind in set(self.kinds.values()):
            self._thin(kind)
        return self


def _uniform(seed: int, number: np.ndarray, what: int) -> np.ndarray:
    """Pseudorandom numbers in [0, 1) that depend on the row's number and the seed only (SplitMix64)."""
    with np.errstate(over="ignore"):
        x = number.astype(np.uint64) * np.uint64(2) + np.uint64(what) + np.uint64(seed) * np.uint64(0xD1B54A32D192ED03)
        x = (x + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) / 2**53
