"""Measures of two sets of features that follow from stored moments alone.

``narrow`` is one block or several (the copies of a narrow network, concatenated), ``wide`` another. FSE is the span error
(:func:`theory.measures.span_error`), fitted on one part of the rows with the ridge chosen on another, refitted on both, scored
on a third. Interpret each number against these references:

* baseline: a second, independently trained wide network in place of the copies;
* untrained: that network at its start;
* null: the wide network's features against the wrong inputs (``SHUFFLED``).

Copies without a varying unit (a narrow network can die) span nothing: their span error is 1, and the reverse error and the
similarities, for which they would be the target, do not exist (NaN). Measures that need rows are in ``on_rows``.

Both width sweeps of real networks and :func:`theory.compare.compare` of a user's features use this module.
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
TARGET = "target"  # block of the labels, in one-hot form
SHUFFLED = "shuffled"  # block of the wide network's features on mispaired inputs
SHOWN_RIDGES = (1e-6, 1e-4, 1e-2)  # reported with the chosen one, to show how much depends on it


class Site:
    """Moments of one site in three parts, with the regression protocol.

    Parameters
    ----------
    fit : Moments
        Moments of the rows on which regressions are fitted with each ridge.
    tune : Moments
        Moments of the rows on which the ridge is chosen; the regression is then refitted on ``both``.
    score : Moments
        Moments of the rows on which regressions are scored.
    ridges : sequence of float
        Grid of ridges.

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
        """The chosen ridge of the regression from source to target, each a block or several."""
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
        source, target : str or sequence of str
            A block, or several side by side; the target is explained by the source.
        """
        ridge = self.choice(source, target).ridge
        return float(span_error(self.both, source=source, target=target, ridge=ridge, score=self.score)), ridge

    def probe(self, features: Names) -> float:
        """Share of the labels' variance (classes in one-hot form) that a linear probe leaves unexplained."""
        ridge = self.choice(features, TARGET).ridge
        return float(probe_error(self.both, features=features, target=TARGET, ridge=ridge, score=self.score))

    def with_residual(self, wide: str, used: Sequence[str]) -> "Site":
        """The site with one more block, ``residual``: what regression from ``used`` at the chosen ridge leaves of ``wide``."""
        key = listed(wide), listed(used)
        if key not in self._residuals:
            names = [*used, wide, *([TARGET] if self.labelled else [])]  # only these blocks, since all would cost more
            regression = ridge_map(self.both, source=used, target=wide, ridge=self.choice(used, wide).ridge)
            self._residuals[key] = Site(*(with_residual(part.select(*names), source=used, target=wide, regression=regression)
                                          for part in (self.fit, self.tune, self.score)), ridges=self.ridges)
        return self._residuals[key]

    @property
    def labelled(self) -> bool:
        """Whether there are labels for probes."""
        return TARGET in self.fit.names


def similarities(site: Site, a: Names, b: Names, prefix: str = "") -> dict[str, float]:
    """Every declared measure of two sets of features (:func:`theory.measures.compared`), on all rows of fit and tune; NaN if
    it does not exist.

    Parameters
    ----------
    site : Site
        Moments of the parts.
    a, b : str or sequence of str
        A block, or several side by side.
    prefix : str, default ""
        Prefix of the measures' names.
    """
    values = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewRows)  # the null and ``rows_per_feature`` show it
        for name, measure in compared().items():
            try:
                values[prefix + name] = measure.function(site.both, a, b)
            except InputError:  # features that do not vary, or no more rows than directions
                values[prefix + name] = math.nan
    return values


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
        The moments; with the block ``SHUFFLED`` there are nulls, with labels (``TARGET``) there are probes.
    wide : str
        Block of the wide network.
    other : str or None
        Block of an independent second wide network, if there is one.
    narrow : sequence of str
        Blocks of the copies, in order.
    untrained : str, optional
        Block of an untrained wide network, for controls; without it they are left out.
    equal : int, optional
        The number of copies with as many features as the wide network (default: all).
    counts : sequence of int, optional
        Numbers of copies (default: doublings up to all, and ``equal``).
    seed : int, default 0
        Seed of the noise that is appended as a control.

    Returns
    -------
    list of dict
        One row for each number of ``copies``. Shares of the target's variance: ``span_error`` (narrow to wide),
        ``reverse_span_error``, ``baseline_span_error`` (other wide to wide), ``gap`` and ``reverse_gap`` (minus the
        baseline), ``probe_narrow``, ``probe_wide``, ``probe_error_gap`` (narrow minus wide); ``ridge`` and the span error at
        fixed ridges, ``span_error_ridge_*``; ``features_narrow``, ``features_wide``, ``rows_per_feature``; ``dead_narrow``,
        ``dead_wide``: units that do not vary. The row of ``equal`` copies also has the measures of :func:`similarities`, for
        the copies and with the prefixes ``baseline_``, ``untrained_`` and ``null_``, and the results of :func:`nulls` and
        :func:`appended`. Numbers that need a missing block are left out.

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
    """Span errors of the copies in both directions, and their differences from the baseline."""
    error = site.span(used, wide)[0]
    reverse = site.span(wide, used)[0] if alive else math.nan
    row = {"span_error": error, "reverse_span_error": reverse, **baseline}
    for level in baseline.values():
        row |= {"gap": error - level, "reverse_gap": reverse - level}
    return row


def _sizes(site: Site, used: Sequence[str], wide: str) -> dict[str, float]:
    """The chosen ridge, span errors at fixed ridges, and numbers of features, of rows per feature and of dead units."""
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
    """Span errors and similarities without training, and without any dependence between the two sides.

    Parameters
    ----------
    site : Site
        Moments of the parts.
    wide : str
        Block of the wide network.
    used : sequence of str
        Blocks of the copies.
    untrained : str or None
        Block of an untrained network.
    alive : bool
        Whether any unit of the copies varies; if none does, numbers that have them as the target are NaN.
    """
    values: dict[str, float] = {}
    shuffled = SHUFFLED in site.fit.names
    if shuffled:
        values |= {"null_span_error": site.span(used, SHUFFLED)[0],
                   "null_reverse_span_error": site.span(SHUFFLED, used)[0] if alive else math.nan}
    if untrained is not None:
        values["untrained_span_error"] = site.span(untrained, wide)[0]
        values |= {"probe_untrained": site.probe(untrained)} if site.labelled else {}
    values |= similarities(site, used, SHUFFLED, "null_") if shuffled else {}
    return values | (similarities(site, untrained, wide, "untrained_") if untrained is not None else {})


def appended(site: Site, wide: str, used: Sequence[str], untrained: str | None, seed: int) -> dict[str, float]:
    """Feature performance of the copies with other features appended (S0's feature residuals, and controls of their size).

    Parameters
    ----------
    site : Site
        Moments of the parts, with labels.
    wide : str
        Block of the wide network.
    used : sequence of str
        Blocks of the copies.
    untrained : str or None
        Block of an untrained network of the wide network's width.
    seed : int
        Seed of the noise.

    Returns
    -------
    dict of str to float
        ``probe_residual``: the residual of the wide network's features alone; ``probe_with_residual``: appended to the copies;
        ``probe_with_untrained``: an untrained network's features appended (random features of the input);
        ``probe_with_noise``: noise appended; ``residual_gain``: ``probe_with_untrained`` minus ``probe_with_residual``. As many
        features are appended as the wide network has. Without an untrained network, the two numbers that need it are left out.
    """
    rng = generator(seed, "comparison", "appended noise", len(used))
    units = site.both.units(wide)
    extended = site.with_residual(wide, used)
    noisy = Site(*(with_noise(part.select(*used, TARGET), units=units, rng=rng)
                   for part in (site.fit, site.tune, site.score)), ridges=site.ridges)
    random = {} if untrained is None else {"probe_with_untrained": site.probe([*used, untrained])}
    probes = {
        "probe_residual": extended.probe("residual"),
        "probe_with_residual": extended.probe([*used, "residual"]),
        **random,
        "probe_with_noise": noisy.probe([*used, "noise"]),
    }
    if random:
        probes["residual_gain"] = random["probe_with_untrained"] - probes["probe_with_residual"]
    return probes
