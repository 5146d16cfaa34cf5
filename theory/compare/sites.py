"""One set of features against another: the measures, from stored moments alone.

``narrow`` is one block or several (the copies of a narrow network, concatenated), ``wide`` another. FSE is the span error
(:func:`theory.measures.span_error`), fitted on one part of the rows with the ridge chosen on another, refitted on both, scored
on a third. Interpret each number against these references:

* baseline: a second, independently trained wide network in place of the copies;
* untrained: that network at its start;
* null: the wide network's features against the wrong inputs (``SHUFFLED``).

Copies of which no unit varies (a narrow network can die) span nothing: their span error is 1, and what has them as its
target, the reverse error and the similarities, does not exist (NaN). Measures that need rows are in ``on_rows``.

Width sweeps of real networks and :func:`theory.compare.compare` of a user's features both come through here.
"""

import math
import warnings
from collections.abc import Sequence

import numpy as np

from lab.errors import InputError
from lab.streams import generator
from theory.measures import (
    RIDGES,
    FewRows,
    RidgeChoice,
    choose_ridge,
    compared,
    probe_error,
    ridge_map,
    span_error,
    with_noise,
    with_residual,
)
from theory.moments import Moments
from theory.moments.layout import Names, listed

PARTS = ("fit", "tune", "score")
TARGET = "target"  # the labels' block, one-hot
SHUFFLED = "shuffled"
SHOWN_RIDGES = (1e-6, 1e-4, 1e-2)  # beside the chosen one, to show how much hangs on it


class Site:
    """Moments of one site in three parts, with the regression protocol.

    Parameters
    ----------
    fit : Moments
        Regressions are fitted on these rows with each ridge.
    tune : Moments
        The ridge is chosen on these, and the regression refitted on ``both``.
    score : Moments
        Regressions are scored on these.
    ridges : sequence of float
        Grid to choose from.

    Raises
    ------
    InputError
        Parts with different blocks.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(300, 4))
    >>> site = Site(*(Moments.from_samples({"a": x[i::3, :2], "b": x[i::3]}) for i in range(3)))
    >>> error, ridge = site.span("a", "b")
    >>> 0.3 < error < 0.7
    True
    """

    def __init__(self, fit: Moments, tune: Moments, score: Moments, *, ridges: Sequence[float] = RIDGES):
        self.fit, self.tune, self.score = fit, tune, score
        self.both = fit.merge(tune)
        self.ridges = tuple(ridges)
        self._choices: dict[tuple, RidgeChoice] = {}
        self._residuals: dict[tuple, Site] = {}

    def choice(self, source: Names, target: Names) -> RidgeChoice:
        """The ridge of the regression from one block, or several, to another."""
        key = listed(source), listed(target)
        if key not in self._choices:
            self._choices[key] = choose_ridge(self.fit, self.tune, source=source, target=target, ridges=self.ridges)
        return self._choices[key]

    def over_ridges(self, source: Names, target: Names) -> np.ndarray:
        """Span error at each ridge of the grid, shape (ridges,)."""
        return span_error(self.both, source=source, target=target, ridge=list(self.ridges), score=self.score)

    def span(self, source: Names, target: Names) -> tuple[float, float]:
        """Span error at the chosen ridge, and that ridge.

        Parameters
        ----------
        source, target : block, or several; target is explained by source.
        """
        ridge = self.choice(source, target).ridge
        return float(span_error(self.both, source=source, target=target, ridge=ridge, score=self.score)), ridge

    def probe(self, features: Names) -> float:
        """Share of the labels' variance (one-hot where they are classes) that a linear probe leaves unexplained."""
        ridge = self.choice(features, TARGET).ridge
        return float(probe_error(self.both, features=features, target=TARGET, ridge=ridge, score=self.score))

    def with_residual(self, wide: str, used: Sequence[str]) -> "Site":
        """With one more block, ``residual``: what ridge from some blocks, at the chosen ridge, leaves over of another."""
        key = listed(wide), listed(used)
        if key not in self._residuals:
            names = [*used, wide, *([TARGET] if self.labelled else [])]  # those needed alone: the law of all blocks costs more
            regression = ridge_map(self.both, source=used, target=wide, ridge=self.choice(used, wide).ridge)
            self._residuals[key] = Site(*(with_residual(part.select(*names), source=used, target=wide, regression=regression)
                                          for part in (self.fit, self.tune, self.score)), ridges=self.ridges)
        return self._residuals[key]

    @property
    def labelled(self) -> bool:
        """Whether there are labels to probe for."""
        return TARGET in self.fit.names


def similarities(site: Site, a: Names, b: Names, prefix: str = "") -> dict[str, float]:
    """Every declared measure of two sets of features (:func:`theory.measures.compared`), on all rows that regressions are
    fitted on; NaN where it does not exist.

    Parameters
    ----------
    site : moments of the parts.
    a, b : block, or several.
    prefix : before each name.
    """
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewRows)  # shown by the null, and by ``rows_per_feature``
        for name, measure in compared().items():
            try:
                found[prefix + name] = measure.function(site.both, a, b)
            except InputError:  # features that do not vary, or no more rows than directions
                found[prefix + name] = math.nan
    return found


def doublings(copies: int, *more: int) -> list[int]:
    """1, 2, 4, ..., ``copies`` itself, and other counts up to it."""
    counts = [1]
    while counts[-1] * 2 < copies:
        counts.append(counts[-1] * 2)
    return sorted({*counts, copies, *(n for n in more if n <= copies)})


def compare_site(site: Site, wide: str, other: str | None, narrow: Sequence[str], *, untrained: str | None = None,
                 equal: int | None = None, counts: Sequence[int] | None = None, seed: int = 0) -> list[dict]:
    """All measures at one site, one row for each number of concatenated copies.

    Parameters
    ----------
    site : Site
        The moments; nulls are made where they have the block ``SHUFFLED``, probes where they have labels (``TARGET``).
    wide : str
        Block of the wide network.
    other : str or None
        Block of the independent second one; None where there is none.
    narrow : sequence of str
        Blocks of the copies, in order.
    untrained : str, optional
        Block of an untrained wide network, for controls; they are left out without it.
    equal : int, optional
        The number of copies with as many features as the wide network (default: all).
    counts : sequence of int, optional
        Numbers of copies (default: doublings up to all, and ``equal``).
    seed : int, default 0
        Of the noise that is appended as a control.

    Returns
    -------
    list of dict
        One for each number of ``copies``. Shares of the target's variance: ``span_error`` (narrow to wide),
        ``reverse_span_error``, ``baseline_span_error`` (other wide to wide), ``gap`` and ``reverse_gap`` (minus the
        baseline), ``probe_narrow``, ``probe_wide``, ``probe_error_gap`` (narrow minus wide); ``ridge`` and the span error at
        fixed ones, ``span_error_ridge_*``; ``features_narrow``, ``features_wide``, ``rows_per_feature``; ``dead_narrow``,
        ``dead_wide``: units that do not vary. The row of ``equal`` copies has besides what :func:`similarities` names, for
        the copies and with the prefixes ``baseline_``, ``untrained_`` and ``null_``; and what :func:`nulls` and
        :func:`appended` return. What lacks a block is left out.

    Raises
    ------
    InputError
        Blocks that do not exist, or a target that does not vary.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(300, 4))
    >>> site = Site(*(Moments.from_samples({"a": x[i::3, :2], "b": x[i::3]}) for i in range(3)))
    >>> (row,) = compare_site(site, "b", None, ["a"])
    >>> row["copies"], row["features_narrow"], 0.3 < row["span_error"] < 0.7
    (1, 2, True)
    """
    baseline = {} if other is None else {"baseline_span_error": site.span(other, wide)[0]}
    probe_wide = site.probe(wide) if site.labelled else math.nan
    equal = equal or len(narrow)
    rows = []
    for count in counts or doublings(len(narrow), equal):
        used = list(narrow[:count])
        alive = not (site.fit.constant(used).all() or site.score.constant(used).all())
        row = _spans(site, used, wide, alive, baseline)
        if site.labelled:
            probe = site.probe(used)
            row |= {"probe_narrow": probe, "probe_wide": probe_wide, "probe_error_gap": probe - probe_wide}
        row |= _sizes(site, used, wide)
        if count == equal:
            row |= similarities(site, used, wide)
            row |= {} if other is None else similarities(site, other, wide, "baseline_")
            row |= nulls(site, wide, used, untrained, alive)
            row |= appended(site, wide, used, untrained, seed) if site.labelled else {}
        rows.append({"copies": count, **row})
    return rows


def _spans(site: Site, used: Sequence[str], wide: str, alive: bool, baseline: dict[str, float]) -> dict[str, float]:
    """Span errors of the copies, both ways and less the baseline."""
    error = site.span(used, wide)[0]
    reverse = site.span(wide, used)[0] if alive else math.nan
    row = {"span_error": error, "reverse_span_error": reverse, **baseline}
    for level in baseline.values():
        row |= {"gap": error - level, "reverse_gap": reverse - level}
    return row


def _sizes(site: Site, used: Sequence[str], wide: str) -> dict[str, float]:
    """The chosen ridge, span errors at fixed ones, numbers of features, of rows for each, and of dead units."""
    fixed = span_error(site.both, source=used, target=wide, ridge=list(SHOWN_RIDGES), score=site.score)
    features = site.both.units(used)
    return {
        **{f"span_error_ridge_{r:.0e}": float(e) for r, e in zip(SHOWN_RIDGES, fixed)},
        "ridge": site.choice(used, wide).ridge,
        "features_narrow": features,
        "features_wide": site.both.units(wide),
        "rows_per_feature": site.both.sample_size / max(features, site.both.units(wide)),
        "dead_narrow": int(site.both.constant(used).sum()),
        "dead_wide": int(site.both.constant(wide).sum()),
    }


def nulls(site: Site, wide: str, used: Sequence[str], untrained: str | None, alive: bool) -> dict[str, float]:
    """What span errors and similarities are without training and without any tie between the two sides.

    Parameters
    ----------
    site : moments of the parts.
    wide : block of the wide network.
    used : blocks of the copies.
    untrained : block of an untrained network, or None.
    alive : whether any unit of the copies varies; where none does, what is said of them as a target is NaN.
    """
    found: dict[str, float] = {}
    shuffled = SHUFFLED in site.fit.names
    if shuffled:
        found |= {"null_span_error": site.span(used, SHUFFLED)[0],
                  "null_reverse_span_error": site.span(SHUFFLED, used)[0] if alive else math.nan}
    if untrained is not None:
        found["untrained_span_error"] = site.span(untrained, wide)[0]
        found |= {"probe_untrained": site.probe(untrained)} if site.labelled else {}
    found |= similarities(site, used, SHUFFLED, "null_") if shuffled else {}
    return found | (similarities(site, untrained, wide, "untrained_") if untrained is not None else {})


def appended(site: Site, wide: str, used: Sequence[str], untrained: str | None, seed: int) -> dict[str, float]:
    """Feature performance of the copies with other features appended (S0's feature residuals, and controls of their size).

    Parameters
    ----------
    site : moments of the parts, with labels.
    wide : block of the wide network.
    used : blocks of the copies.
    untrained : block of an untrained network as wide as the wide one, or None.
    seed : of the noise.

    Returns
    -------
    ``probe_residual``: what ridge leaves over of the wide network's features, alone; ``probe_with_residual``: appended to
    the copies'; ``probe_with_untrained``: an untrained network's features appended (random features of the input);
    ``probe_with_noise``: noise appended; ``residual_gain``: ``probe_with_untrained`` minus ``probe_with_residual``. Each
    appends as many features as the wide network has. Without an untrained network its two are left out.
    """
    rng = generator(seed, "comparison", "appended noise", len(used))
    units = site.both.units(wide)
    left = site.with_residual(wide, used)
    noisy = Site(*(with_noise(part.select(*used, TARGET), units=units, rng=rng)
                   for part in (site.fit, site.tune, site.score)), ridges=site.ridges)
    random = {} if untrained is None else {"probe_with_untrained": site.probe([*used, untrained])}
    found = {
        "probe_residual": left.probe("residual"),
        "probe_with_residual": left.probe([*used, "residual"]),
        **random,
        "probe_with_noise": noisy.probe([*used, "noise"]),
    }
    if random:
        found["residual_gain"] = random["probe_with_untrained"] - found["probe_with_residual"]
    return found
