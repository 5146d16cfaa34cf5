"""The numbers of one pair of blocks.

Most are those of width sweeps, from :func:`theory.compare.sites.compare_site` and :func:`theory.compare.on_rows.compare_rows`;
some exist for single pairs only. Intervals come from :mod:`theory.compare.rowwise`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from lab.checks import MOST_BYTES
from lab.errors import InputError
from lab.estimate import Estimate
from lab.streams import generator
from lab.team import Team
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
LEAST_ROWS = 20  # smallest subset that a small network can be fitted on


@dataclass(frozen=True)
class Labels:
    """Targets of probes: ``values`` of shape (rows, units), in one-hot form if they are ``classes``."""

    values: np.ndarray
    classes: bool


@dataclass(frozen=True)
class Pair:
    """Blocks with the same rows: those of the source, side by side, against the target."""

    sources: tuple[Block, ...]
    target: Block
    baseline: Block | None = None

    @property
    def blocks(self) -> list[Block]:
        """All blocks."""
        return [*self.sources, self.target, *([] if self.baseline is None else [self.baseline])]

    def named(self) -> dict[str, Block]:
        """All blocks by the names that they have in moments."""
        baseline = {} if self.baseline is None else {OTHER: self.baseline}
        return {**{f"a{i}": block for i, block in enumerate(self.sources)}, WIDE: self.target, **baseline}


@dataclass
class Measured:
    """Numbers of one pair.

    Attributes
    ----------
    values : dict of str to float
        Numbers by the names of :mod:`theory.compare.sites` and :mod:`theory.compare.on_rows`.
    estimates : dict of str to Estimate
        The same with their intervals over rows; empty if none were requested.
    curves : dict of str to ndarray of shape (ridges,)
        Span error at each ridge of the grid, by direction.
    copies : dict of int to float
        Span error of the first blocks of the source, by their number, if there are several.
    chosen : dict of str to float
        The chosen ridge, by direction.
    rows : dict of str to int
        Number of rows of each part of the split, and of the subset.
    notes : list of str
        Caveats for a reader of the numbers.
    """

    values: dict[str, float] = field(default_factory=dict)
    estimates: dict[str, Estimate] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    copies: dict[int, float] = field(default_factory=dict)
    chosen: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Work:
    """A comparison in progress: the blocks, and their moments in three parts.

    Parameters
    ----------
    pair : Pair
        The blocks.
    split : Split
        The rows of each part.
    labels : Labels or None
        Targets of probes.
    ridges : sequence of float
        Grid of ridges.
    seed : int
        Seed of the null.
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
                             f"{8 * units**2 / 2**30:.0f} GB: keep fewer, for example their leading principal components")
        rng = generator(seed, "feature comparison", "null")
        self._others = {part: mispaired(split, getattr(split, part), rng) for part in PARTS}
        with Team(2) as team:
            self.site = Site(*team.run(self._moments, PARTS), ridges=ridges)

    def _moments(self, part: str) -> Moments:
        moments = Moments(precision="float64")  # with a small ridge, the rounding of float32 would show
        for pieces in self.chunks(part):
            moments.update(pieces)
        moments.variance(WIDE)  # reading completes the products, here in the worker thread
        return moments

    def chunks(self, *parts: str, dtype=np.float64) -> Iterator[dict[str, np.ndarray]]:
        """Rows of parts, a bounded number at a time: every block, the mispaired target (``SHUFFLED``) and the labels."""
        for part in parts:
            rows, others = getattr(self.split, part), self._others[part]
            for start in range(0, len(rows), CHUNK):
                pieces = self.pieces(rows[start:start + CHUNK], dtype)
                pieces[SHUFFLED] = np.asarray(self.pair.target.rows[others[start:start + CHUNK]], dtype)
                yield pieces

    def pieces(self, rows: np.ndarray, dtype=np.float64) -> dict[str, np.ndarray]:
        """The given rows of every block and of the labels."""
        pieces = {name: np.asarray(block.rows[rows], dtype) for name, block in self.blocks.items()}
        return pieces if self.labels is None else {**pieces, TARGET: self.labels.values[rows]}

    def groups(self, *parts: str) -> np.ndarray:
        """Group of each row of parts, in the order of :meth:`chunks`."""
        return self.split.groups[np.concatenate([getattr(self.split, part) for part in parts])]


def numbers(site: Site, wide: str, other: str | None, used: Sequence[str], *, seed: int = 0) -> Measured:
    """All numbers of one pair that follow from moments.

    Parameters
    ----------
    site : Site
        Moments of the three parts.
    wide, other, used : str, or sequence of str for ``used``
        Blocks of the target, of the baseline (or None) and of the source.
    seed : int, default 0
        Seed of the random controls.
    """
    result = Measured()
    rows = compare_site(site, wide, other, used, seed=seed)
    result.values = rows[-1]
    result.copies = {row["copies"]: row["span_error"] for row in rows} if len(used) > 1 else {}
    for name, (source, target) in {"span_error": (used, wide), "reverse_span_error": (wide, used)}.items():
        result.curves[name], choice = site.over_ridges(source, target), site.choice(source, target)
        result.chosen[name] = choice.ridge
        if choice.at_edge:
            result.notes.append(f"the ridge of {name}, {choice.ridge:g}, is at the edge of the grid: the best may lie outside")
    if other is not None:
        result.values |= {"features_other": site.both.units(other), "dead_other": int(site.both.constant(other).sum())}
        result.values |= {"probe_other": site.probe(other)} if site.labelled else {}
    residual = site.with_residual(wide, used).score
    for name, moments, side in (("rank_narrow", site.both, used), ("rank_wide", site.both, wide),
                                ("rank_other", site.both, other), ("residual_rank", residual, "residual")):
        if side is not None and not moments.constant(side).all():
            result.values[name] = effective_rank(moments, side)
    for name, (function, _) in HELD_OUT.items():
        with suppress(InputError):  # no more rows than directions
            result.values[name] = function(site.both, used, wide, score=site.score)
    return result


def measure(pair: Pair, split: Split, *, labels: Labels | None, ridges: Sequence[float], subset: int, seed: int,
            few_rows: bool = False, intervals: bool = True) -> Measured:
    """All numbers of one pair of blocks.

    Parameters
    ----------
    pair, split, labels, ridges, seed : see :class:`Work`.
    subset : int
        Number of rows on which nonlinear measures are fitted; they are scored, and neighbours determined, on half as many. With
        0 there are neither.
    few_rows : bool, default False
        Whether to continue if the rows of the fit do not outnumber the units.
    intervals : bool, default True
        Whether to resample rows.
    """
    work = Work(pair, split, labels, ridges, seed)
    notes = _check_blocks(work, few_rows)
    _decompose(work)
    result = numbers(work.site, WIDE, work.other, work.used, seed=seed)
    result.notes = notes + result.notes
    result.rows = {part: len(getattr(split, part)) for part in PARTS}
    kinds: list[Callable[[], Rowwise | None]] = [partial(_on_subset, work, subset, result)] if subset else []
    if intervals:
        kinds += [partial(Scored, work, dict(result.values)), partial(Fitted, work, dict(result.values))]
    with Team(2) as team:
        sources = [source for source in team.run(lambda kind: kind(), kinds) if source is not None]
    for source in sources:
        result.values |= source.values
        if intervals:
            rng = generator(seed, "feature comparison", "bootstrap", type(source).__name__)
            result.estimates |= source.estimates(Resampling(source.groups, rng), result.values)
    return result


def _decompose(work: Work) -> None:
    """Compute the decompositions that several numbers share, two at a time; sites and moments cache them."""
    site, used = work.site, work.used
    regressions = [(used, WIDE), (WIDE, used), (used, SHUFFLED), (SHUFFLED, used)]
    regressions += [] if work.other is None else [(OTHER, WIDE)]
    tasks = [partial(site.choice, *regression) for regression in regressions]
    if site.both.sample_size > site.both.units(used) + site.both.units(WIDE):
        tasks += [partial(rotation, site.both, used, WIDE), *(partial(canonical_directions, site.both, used, WIDE, keep)
                                                              for keep in (1.0, KEPT))]
    with Team(2) as team:
        team.run(lambda task: task(), tasks)


def _on_subset(work: Work, size: int, result: Measured) -> Subset | None:
    """Measures on a subset of the rows; None, and a note, if there are too few."""
    rng = generator(work.seed, "feature comparison", "subset")
    fit, score = (np.sort(rng.choice(part, min(most, len(part)), replace=False))
                  for part, most in ((work.split.fit, size), (work.split.score, size // 2)))
    if min(len(fit), len(score)) < LEAST_ROWS:
        result.notes.append(f"{len(fit)} and {len(score)} rows are too few for nonlinear and neighbour measures, which need "
                            f"{LEAST_ROWS} on both sides")
        return None
    result.rows |= {"subset_fit": len(fit), "subset_score": len(score)}
    fit_rows, score_rows = work.pieces(fit), work.pieces(score)
    if work.labels is not None and not work.labels.classes:  # logistic probes are for classes
        del fit_rows[TARGET], score_rows[TARGET]
    return Subset(fit_rows, score_rows, WIDE, work.other, work.used, ridge=result.values["ridge"], seed=work.seed,
                  groups=work.split.groups[score])


def _check_blocks(work: Work, few_rows: bool) -> list[str]:
    """Notes on the blocks, after refusing those that cannot be compared."""
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
            raise InputError(f"{count:,.0f} rows to fit on for {units:,} units of {name}: so few rows can be fitted with any "
                             "features; give more rows, or few_rows for the held-out measures only", "few_rows")
        if count < ROWS_PER_UNIT * units:
            notes.append(f"{count / units:.1f} rows to fit on for each unit of {name}: in-sample similarities are biased "
                         "upwards; compare them with their nulls, or use the held-out ones")
    if work.labels is not None and site.fit.constant(TARGET).all():
        raise InputError("labels are all the same on the rows fitted on: there is nothing to probe for")
    return notes + _duplicated(work)


def _duplicated(work: Work) -> list[str]:
    """A note if rows of the score part equal rows of the fit."""
    rng, seen = generator(work.seed, "feature comparison", "copied rows"), {}
    directions = {name: rng.standard_normal(block.units) / work.site.both.scale(name) for name, block in work.blocks.items()}
    for part in PARTS:
        marks = [sum(np.einsum("ij,j->i", pieces[name], way) for name, way in directions.items())  # each row by itself
                 for pieces in work.chunks(part)]
        seen[part] = np.concatenate(marks)
    common = int(np.isin(seen["score"], np.concatenate([seen["fit"], seen["tune"]])).sum())
    return [f"{common:,} rows of the score part equal rows of the fit: give groups, so that copies stay together"
            ] if common else []
