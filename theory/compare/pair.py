"""The numbers of one pair of blocks.

They are those of :func:`theory.compare.sites.compare_site` and :func:`theory.compare.on_rows.compare_rows`, through which width
sweeps go too, and a few that one pair allows besides; intervals come from :mod:`theory.compare.rowwise`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from lab.errors import InputError
from lab.estimate import Estimate, exact
from lab.streams import generator
from theory.compare.blocks import CHUNK, Block
from theory.compare.resample import Resampling
from theory.compare.rowwise import Fitted, Scored, Subset
from theory.compare.sites import PARTS, SHUFFLED, TARGET, Site, compare_site
from theory.compare.splits import Split, mispaired
from theory.measures.fitted import ROWS_PER_UNIT
from theory.moments import Moments

WIDE, OTHER = "b", "c"  # blocks of the target and of the baseline; those of the source are a0, a1, ...
EXACT = ("rows_per_feature", "features_narrow", "features_wide", "dead_narrow", "dead_wide", "null_neighbours")


@dataclass(frozen=True)
class Labels:
    """What probes are to predict: ``values`` (rows, units), one-hot where they are ``classes``."""

    values: np.ndarray
    classes: bool


@dataclass(frozen=True)
class Pair:
    """Blocks of the same rows: those of the source, side by side, against the target."""

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
    chosen : the ridges that were chosen, by direction.
    rows : how many rows what was measured on.
    notes : lines that a reader of the numbers should know.
    """

    values: dict[str, float] = field(default_factory=dict)
    estimates: dict[str, Estimate] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    chosen: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Work:
    """One comparison under way: the blocks, and their moments in three parts.

    Parameters
    ----------
    pair, split, labels : what is compared, on which rows, with what to probe for.
    ridges : grid to choose from.
    seed : of what is drawn.
    """

    wide = WIDE

    def __init__(self, pair: Pair, split: Split, labels: Labels | None, ridges: Sequence[float], seed: int):
        self.pair, self.split, self.labels, self.seed = pair, split, labels, seed
        self.blocks = pair.named()
        self.used = [name for name in self.blocks if name.startswith("a")]
        self.other = None if pair.baseline is None else OTHER
        rng = generator(seed, "feature comparison", "null")
        self._others = {part: mispaired(split, getattr(split, part), rng) for part in PARTS}
        self.site = Site(*(self._moments(part) for part in PARTS), ridges=ridges)

    def _moments(self, part: str) -> Moments:
        moments = Moments(precision="float64")  # a small ridge would show the rounding of float32
        for pieces in self.chunks(part):
            moments.update(pieces)
        return moments

    def chunks(self, *parts: str, dtype=np.float64) -> Iterator[dict[str, np.ndarray]]:
        """Rows of parts, a bounded number at a time: every block, the mispaired target (``SHUFFLED``) and the labels."""
        for part in parts:
            rows, others = getattr(self.split, part), self._others[part]
            for start in range(0, len(rows), CHUNK):
                found = self.pieces(rows[start:start + CHUNK], dtype)
                found[SHUFFLED] = np.asarray(self.pair.target.rows[others[start:start + CHUNK]], dtype)
                yield found

    def pieces(self, rows: np.ndarray, dtype=np.float64) -> dict[str, np.ndarray]:
        """These rows of every block, and of the labels."""
        found = {name: np.asarray(block.rows[rows], dtype) for name, block in self.blocks.items()}
        return found if self.labels is None else {**found, TARGET: self.labels.values[rows]}

    def groups(self, *parts: str) -> np.ndarray:
        """Group of each row of parts, in the order of :meth:`chunks`."""
        return self.split.groups[np.concatenate([getattr(self.split, part) for part in parts])]


def measure(pair: Pair, split: Split, *, labels: Labels | None, ridges: Sequence[float], subset: int, seed: int,
            few_rows: bool = False, intervals: bool = True) -> Measured:
    """Every number of one pair.

    Parameters
    ----------
    pair, split, labels, ridges, seed : see :class:`Work`.
    subset : rows that nonlinear measures are fitted on; half as many are scored on, and have neighbours. 0 for neither.
    few_rows : whether to go on where the rows that are fitted on do not outnumber the units.
    intervals : whether to resample rows.
    """
    work = Work(pair, split, labels, ridges, seed)
    found = Measured(notes=_looked_at(work, few_rows))
    (found.values,) = compare_site(work.site, WIDE, work.other, work.used, counts=[len(work.used)], seed=seed)
    for name, (source, target) in {"span_error": (work.used, WIDE), "reverse_span_error": (WIDE, work.used)}.items():
        found.curves[name], choice = work.site.over_ridges(source, target), work.site.choice(source, target)
        found.chosen[name] = choice.ridge
        if choice.at_edge:
            found.notes.append(f"the ridge of {name}, {choice.ridge:g}, is an end of the grid: the best may lie outside")
    sources = [Scored(work, found.values), Fitted(work, found.values), *([Subset(work, subset)] if subset else [])]
    rng = generator(seed, "feature comparison", "bootstrap")
    for source in sources:
        found.values |= source.values
        found.rows |= source.rows
        if intervals:
            found.estimates |= source.estimates(Resampling(source.groups, rng), found.values)
    if intervals:
        known = {name: exact(value) if name in EXACT else Estimate(value, None, None, 1)
                 for name, value in found.values.items() if math.isfinite(value)}
        found.estimates = known | {name: e for name, e in found.estimates.items() if name in known}
    found.rows |= {part: len(getattr(split, part)) for part in PARTS}
    return found


def _looked_at(work: Work, few_rows: bool) -> list[str]:
    """Refuse what cannot be compared; lines on what can, but should be known."""
    site, notes = work.site, []
    sides = [("source" if len(work.used) > 1 else work.pair.sources[0].name, work.used), (work.pair.target.name, WIDE)]
    sides += [] if work.other is None else [(work.pair.baseline.name, OTHER)]
    for name, blocks in sides:
        for part, words in ((site.fit, "fitted on"), (site.tune, "the ridge is chosen on"), (site.score, "scored on")):
            if part.constant(blocks).all():
                raise InputError(f"{name} does not vary on the rows {words}: there is nothing to compare")
        still = site.both.constant(blocks)
        units, count = int((~still).sum()), site.both.count
        if still.any():
            notes.append(f"{name} has {int(still.sum()):,} of {len(still):,} units that do not vary (dead or constant)")
        if count <= units and not few_rows:
            raise InputError(f"{count:,} rows to fit on for {units:,} units of {name}: so few are fitted whatever the features "
                             "are; give more rows, or few_rows for the held-out measures alone", "few_rows")
        if count < ROWS_PER_UNIT * units:
            notes.append(f"{count / units:.1f} rows to fit on for each unit of {name}: in-sample similarities lie high; hold them "
                         "against their nulls, or take the held-out ones")
    if work.labels is not None and site.fit.constant(TARGET).all():
        raise InputError("labels are all the same on the rows fitted on: there is nothing to probe for")
    return notes + _copied(work)


def _copied(work: Work) -> list[str]:
    """Whether rows are scored on that were fitted on, too, by another number."""
    rng, seen = generator(work.seed, "feature comparison", "copied rows"), {}
    directions = {name: rng.standard_normal(block.units) for name, block in work.blocks.items()}
    for part in PARTS:
        marks = [sum(pieces[name] @ way for name, way in directions.items()) for pieces in work.chunks(part)]
        seen[part] = np.concatenate(marks)
    common = int(np.isin(seen["score"], np.concatenate([seen["fit"], seen["tune"]])).sum())
    return [f"{common:,} rows that are scored on equal rows that are fitted on: give groups, so that copies stay together"
            ] if common else []
