"""The numbers of one pair of blocks, and what each row adds to them.

Numbers are those of :func:`theory.compare.sites.compare_site` and :func:`theory.compare.on_rows.compare_rows`, through which
width sweeps go too. Their intervals come from the rows: one pass over the rows that were scored on, one over those that were
fitted on, and :class:`theory.compare.resample.Resampling`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from lab.errors import InputError
from lab.estimate import Estimate, bounded, exact
from lab.streams import generator
from theory.compare.blocks import CHUNK, Block
from theory.compare.on_rows import OnRows, compare_rows
from theory.compare.resample import Resampling
from theory.compare.sites import PARTS, SHUFFLED, TARGET, Site, compare_site, with_residuals
from theory.compare.splits import Split, mispaired
from theory.measures import (
    compared,
    debiased_cka_of,
    effective_rank,
    effective_rank_influence,
    mean_squared_cca,
    procrustes_similarity,
    ridge_map,
    shared_neighbours,
    svcca,
)
from theory.measures.similarity import KEPT, cca_influence, cka_influence, procrustes_influence
from theory.moments import Moments

WIDE, OTHER = "b", "c"  # blocks of the target and of the baseline; those of the source are a0, a1, ...
HELD_OUT = {  # fitted directions, scored on other rows
    "cca": (mean_squared_cca, cca_influence),
    "svcca": (svcca, partial(cca_influence, keep=KEPT, squared=False)),
    "procrustes": (procrustes_similarity, procrustes_influence),
}
NEIGHBOURS = 10
ROWS = {"fit": 2000, "score": 1000}  # of the subset that nonlinear and neighbour measures work on

Pieces = dict[str, np.ndarray]


@dataclass(frozen=True)
class Labels:
    """What probes are to predict: ``values`` (rows, units), one-hot where they are ``classes``."""

    values: np.ndarray
    classes: bool


@dataclass(frozen=True)
class Pair:
    """Blocks of the same rows: those of the source side by side against the target."""

    sources: tuple[Block, ...]
    target: Block
    baseline: Block | None = None

    @property
    def blocks(self) -> list[Block]:
        """All of them."""
        return [*self.sources, self.target, *([] if self.baseline is None else [self.baseline])]

    def named(self) -> dict[str, Block]:
        """By the names that moments give them."""
        rest = {} if self.baseline is None else {OTHER: self.baseline}
        return {**{f"a{i}": block for i, block in enumerate(self.sources)}, WIDE: self.target, **rest}


@dataclass
class Measured:
    """Numbers of one pair.

    Attributes
    ----------
    values : by the names of :mod:`theory.compare.sites` and :mod:`theory.compare.on_rows`.
    estimates : the same with their intervals by rows; empty where none were asked for.
    curves : span errors over the ridges, by direction.
    chosen : the ridges that were chosen, and whether one is the grid's first or last.
    notes : lines that a reader of the numbers should know.
    """

    values: dict[str, float] = field(default_factory=dict)
    estimates: dict[str, Estimate] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    chosen: dict[str, tuple[float, bool]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class _Work:
    """One comparison under way."""

    def __init__(self, pair: Pair, split: Split, labels: Labels | None, ridges: Sequence[float], seed: int):
        self.pair, self.split, self.seed = pair, split, seed
        self.labels, self.blocks = labels, pair.named()
        self.used = [name for name in self.blocks if name.startswith("a")]
        rng = generator(seed, "feature comparison", "null")
        self.others = {part: mispaired(split, getattr(split, part), rng) for part in PARTS}
        self.site = Site(*(self._moments(part) for part in PARTS), ridges=ridges)

    def _moments(self, part: str) -> Moments:
        moments = Moments(precision="float64")
        for pieces in self.chunks(part):
            moments.update(pieces)
        return moments

    def chunks(self, part: str, scored: bool = True) -> Iterator[Pieces]:
        """Rows of a part, a bounded number at a time: every block, the mispaired target and the labels."""
        rows, others = getattr(self.split, part), self.others[part]
        for start in range(0, len(rows), CHUNK):
            yield self.pieces(rows[start:start + CHUNK], others[start:start + CHUNK])

    def pieces(self, rows: np.ndarray, others: np.ndarray | None = None) -> Pieces:
        """These rows of every block."""
        found = {name: np.asarray(block.rows[rows], np.float64) for name, block in self.blocks.items()}
        if others is not None:
            found[SHUFFLED] = np.asarray(self.pair.target.rows[others], np.float64)
        if self.labels is not None:
            found[TARGET] = self.labels.values[rows]
        return found


def measure(pair: Pair, split: Split, *, labels: Labels | None, ridges: Sequence[float], subset: int, seed: int,
            few_rows: bool = False, intervals: bool = True) -> Measured:
    """Every number of one pair.

    Parameters
    ----------
    pair, split, labels : what is compared, on which rows, with what to probe for.
    ridges : grid.
    subset : rows that nonlinear and neighbour measures are fitted on; half as many are scored on. 0 for neither.
    seed : of what is drawn.
    few_rows : whether to go on where the rows that are fitted on do not outnumber the units.
    intervals : whether to resample rows.
    """
    work = _Work(pair, split, labels, ridges, seed)
    found = Measured(notes=_refusals(work, few_rows))
    (found.values,) = compare_site(work.site, WIDE, OTHER if pair.baseline is not None else None, work.used,
                                   counts=[len(work.used)], seed=seed)
    directions = {"span_error": (work.used, WIDE), "reverse_span_error": (WIDE, work.used)}
    for name, (source, target) in directions.items():
        found.curves[name] = work.site.over_ridges(source, target)
        choice = work.site.choices[_key(source), _key(target)]
        found.chosen[name] = choice.ridge, choice.at_edge
    held = _held_out(work)
    found.values |= {f"held_out_{name}": value for name, value in held.items()}
    scored = _Scored(work, found.values["ridge"])
    found.values |= scored.values
    fitted = _Fitted(work, {name: value for name, value in found.values.items() if math.isfinite(value)})
    found.values |= fitted.values
    rows = _on_subset(work, found, subset)
    if intervals:
        rng = generator(seed, "feature comparison", "bootstrap")
        found.estimates = {name: exact(value) for name, value in found.values.items() if name in EXACT}
        found.estimates |= fitted.estimates(Resampling(split.groups[split.both], rng), found.values)
        found.estimates |= scored.estimates(Resampling(split.groups[split.score], rng), found.values)
        found.estimates |= rows.estimates(rng, found.values)
    return found
