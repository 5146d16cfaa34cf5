"""The numbers of one pair of blocks.

They are those of :func:`theory.compare.sites.compare_site` and :func:`theory.compare.on_rows.compare_rows`, through which width
sweeps go too, and a few that one pair allows besides; intervals come from :mod:`theory.compare.rowwise`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from lab.checks import MOST_BYTES
from lab.errors import InputError
from lab.estimate import Estimate
from lab.streams import generator
from theory.compare.blocks import CHUNK, Block
from theory.compare.resample import Resampling
from theory.compare.rowwise import HELD_OUT, Fitted, Rowwise, Scored, Subset
from theory.compare.sites import PARTS, SHUFFLED, TARGET, Site, compare_site
from theory.compare.splits import Split, mispaired
from theory.measures import effective_rank
from theory.measures.fitted import ROWS_PER_UNIT
from theory.measures.similarity import KEPT, canonical_directions, rotation
from theory.moments import Moments
from theory.moments.layout import Names

WIDE, OTHER = "b", "c"  # blocks of the target and of the baseline; those of the source are a0, a1, ...
LEAST_ROWS = 20  # of a subset that a small network can be fitted on


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
    copies : span error of the first blocks of the source, by their number, where there are several.
    chosen : the ridges that were chosen, by direction.
    rows : how many rows what was measured on.
    notes : lines that a reader of the numbers should know.
    """

    values: dict[str, float] = field(default_factory=dict)
    estimates: dict[str, Estimate] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    copies: dict[int, float] = field(default_factory=dict)
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
        units = sum(block.units for block in pair.blocks) + pair.target.units + (labels.values.shape[1] if labels else 0)
        if 8 * units**2 > MOST_BYTES:
            raise InputError(f"{units:,} units of all blocks together (the target counts twice, for its null) make matrices of "
                             f"{8 * units**2 / 2**30:.0f} GB: keep fewer, their leading principal components for example")
        rng = generator(seed, "feature comparison", "null")
        self._others = {part: mispaired(split, getattr(split, part), rng) for part in PARTS}
        with ThreadPoolExecutor(2) as pool:
            self.site = Site(*pool.map(self._moments, PARTS), ridges=ridges)

    def _moments(self, part: str) -> Moments:
        moments = Moments(precision="float64")  # a small ridge would show the rounding of float32
        for pieces in self.chunks(part):
            moments.update(pieces)
        moments.variance(WIDE)  # products wait until they are asked for
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


def numbers(site: Site, wide: str, other: str | None, used: Sequence[str], *, seed: int = 0) -> Measured:
    """Every number that the moments of one pair give.

    Parameters
    ----------
    site : moments of the three parts.
    wide, other, used : blocks of the target, of the baseline (or None) and of the source.
    seed : of what is drawn.
    """
    found = Measured()
    rows = compare_site(site, wide, other, used, seed=seed)
    found.values = rows[-1]
    found.copies = {row["copies"]: row["span_error"] for row in rows} if len(used) > 1 else {}
    for name, (source, target) in {"span_error": (used, wide), "reverse_span_error": (wide, used)}.items():
        found.curves[name], choice = site.over_ridges(source, target), site.choice(source, target)
        found.chosen[name] = choice.ridge
        if choice.at_edge:
            found.notes.append(f"the ridge of {name}, {choice.ridge:g}, is an end of the grid: the best may lie outside")
    if other is not None:
        found.values |= {"features_other": site.both.units(other), "dead_other": int(site.both.constant(other).sum())}
        found.values |= {"probe_other": site.probe(other)} if site.labelled else {}
    left = site.with_residual(wide, used).score
    for name, moments, side in (("rank_narrow", site.both, used), ("rank_wide", site.both, wide),
                                ("rank_other", site.both, other), ("residual_rank", left, "residual")):
        if side is not None and not moments.constant(side).all():
            found.values[name] = effective_rank(moments, side)
    for name, (function, _) in HELD_OUT.items():
        with suppress(InputError):  # no more rows than directions
            found.values[name] = function(site.both, used, wide, score=site.score)
    return found


def measure(pair: Pair, split: Split, *, labels: Labels | None, ridges: Sequence[float], subset: int, seed: int,
            few_rows: bool = False, intervals: bool = True) -> Measured:
    """Every number of one pair of blocks.

    Parameters
    ----------
    pair, split, labels, ridges, seed : see :class:`Work`.
    subset : rows that nonlinear measures are fitted on; half as many are scored on, and have neighbours. 0 for neither.
    few_rows : whether to go on where the rows that are fitted on do not outnumber the units.
    intervals : whether to resample rows.
    """
    work = Work(pair, split, labels, ridges, seed)
    notes = _looked_at(work, few_rows)
    _decompose(work)
    found = numbers(work.site, WIDE, work.other, work.used, seed=seed)
    found.notes = notes + found.notes
    found.rows = {part: len(getattr(split, part)) for part in PARTS}
    kinds: list[Callable[[], Rowwise | None]] = [partial(_on_subset, work, subset, found)] if subset else []
    if intervals:
        kinds += [partial(Scored, work, dict(found.values)), partial(Fitted, work, dict(found.values))]
    with ThreadPoolExecutor(2) as pool:
        sources = [source for source in pool.map(lambda kind: kind(), kinds) if source is not None]
    for source in sources:
        found.values |= source.values
        if intervals:
            rng = generator(seed, "feature comparison", "bootstrap", type(source).__name__)
            found.estimates |= source.estimates(Resampling(source.groups, rng), found.values)
    return found


def _decompose(work: Work) -> None:
    """Do the decompositions that several numbers share, two at a time; sites and moments remember them."""
    site, used = work.site, work.used
    regressions = [(used, WIDE), (WIDE, used), (used, SHUFFLED), (SHUFFLED, used)]
    regressions += [] if work.other is None else [(OTHER, WIDE)]
    tasks = [partial(site.choice, *regression) for regression in regressions]
    if site.both.sample_size > site.both.units(used) + site.both.units(WIDE):
        tasks += [partial(rotation, site.both, used, WIDE), *(partial(canonical_directions, site.both, used, WIDE, keep)
                                                              for keep in (1.0, KEPT))]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda task: task(), tasks))


def _on_subset(work: Work, size: int, found: Measured) -> Subset | None:
    """What takes a subset of the rows; None, and a note, where there are too few."""
    rng = generator(work.seed, "feature comparison", "subset")
    fit, score = (np.sort(rng.choice(part, min(most, len(part)), replace=False))
                  for part, most in ((work.split.fit, size), (work.split.score, size // 2)))
    if min(len(fit), len(score)) < LEAST_ROWS:
        found.notes.append(f"{len(fit)} and {len(score)} rows are too few for nonlinear and neighbour measures: they take "
                           f"{LEAST_ROWS} on both sides")
        return None
    found.rows |= {"subset_fit": len(fit), "subset_score": len(score)}
    fit_rows, score_rows = work.pieces(fit), work.pieces(score)
    if work.labels is not None and not work.labels.classes:  # logistic probes are for classes
        del fit_rows[TARGET], score_rows[TARGET]
    return Subset(fit_rows, score_rows, WIDE, work.other, work.used, ridge=found.values["ridge"], seed=work.seed,
                  groups=work.split.groups[score])


def _looked_at(work: Work, few_rows: bool) -> list[str]:
    """Refuse what cannot be compared; lines on what can, but should be known."""
    site, notes = work.site, []
    sides: list[tuple[str, Names]] = [("source" if len(work.used) > 1 else work.pair.sources[0].name, work.used),
                                      (work.pair.target.name, WIDE)]
    sides += [] if work.pair.baseline is None else [(work.pair.baseline.name, OTHER)]
    for name, blocks in sides:
        for part, words in ((site.fit, "fitted on"), (site.tune, "the ridge is chosen on"), (site.score, "scored on")):
            if part.constant(blocks).all():
                raise InputError(f"{name} does not vary on the rows {words}: there is nothing to compare")
        still = site.both.constant(blocks)
        units, count = int((~still).sum()), site.both.sample_size
        if still.any():
            notes.append(f"{name} has {int(still.sum()):,} of {len(still):,} units that do not vary (dead or constant)")
        if count <= units and not few_rows:
            raise InputError(f"{count:,.0f} rows to fit on for {units:,} units of {name}: so few are fitted whatever the "
                             "features are; give more rows, or few_rows for the held-out measures alone", "few_rows")
        if count < ROWS_PER_UNIT * units:
            notes.append(f"{count / units:.1f} rows to fit on for each unit of {name}: in-sample similarities lie high; hold "
                         "them against their nulls, or take the held-out ones")
    if work.labels is not None and site.fit.constant(TARGET).all():
        raise InputError("labels are all the same on the rows fitted on: there is nothing to probe for")
    return notes + _copied(work)


def _copied(work: Work) -> list[str]:
    """Whether rows are scored on that were fitted on, too, by another number."""
    rng, seen = generator(work.seed, "feature comparison", "copied rows"), {}
    directions = {name: rng.standard_normal(block.units) / work.site.both.scale(name) for name, block in work.blocks.items()}
    for part in PARTS:
        marks = [sum(np.einsum("ij,j->i", pieces[name], way) for name, way in directions.items())  # each row by itself
                 for pieces in work.chunks(part)]
        seen[part] = np.concatenate(marks)
    common = int(np.isin(seen["score"], np.concatenate([seen["fit"], seen["tune"]])).sum())
    return [f"{common:,} rows that are scored on equal rows that are fitted on: give groups, so that copies stay together"
            ] if common else []
