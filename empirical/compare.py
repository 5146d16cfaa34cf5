"""One wide network against many narrow ones with as many features (S0): the measures, from stored moments alone.

For a reference width alpha_ref and a narrow width alpha, the copies 1 .. alpha_ref/alpha of the narrow network are
concatenated, so that both sides have the same number of features at every site. FSE is the span error
(:func:`theory.measures.span_error`), fitted on one part of the probe rows with the ridge chosen on another, refitted on
both, scored on a third. What the numbers mean is told by what they are for other blocks:

* baseline: a second, independently trained wide network in place of the copies;
* untrained: that network at its start;
* null: the wide network's features against the wrong inputs (``features.SHUFFLED``).

Copies of which no unit varies (a narrow network can die) span nothing: their span error is 1, and what has them as its
target, the reverse error and the similarities, does not exist (NaN). Measures that need rows are in ``compare_rows``.
"""

import math
import warnings
from collections.abc import Sequence

from empirical.features import PARTS, SHUFFLED, TARGET, Features
from lab.errors import InputError
from lab.streams import generator
from theory.measures import (
    FewRows,
    choose_ridge,
    compared,
    probe_error,
    span_error,
    with_noise,
    with_residual,
)
from theory.moments import Moments

SHOWN_RIDGES = (1e-6, 1e-4, 1e-2)  # beside the chosen one, to show how much hangs on it


class Site:
    """Moments of one site in three parts, with the regression protocol."""

    def __init__(self, fit: Moments, tune: Moments, score: Moments):
        self.fit, self.tune, self.score = fit, tune, score
        self.both = fit.merge(tune)

    def span(self, source, target) -> tuple[float, float]:
        """Span error at the chosen ridge, and that ridge.

        Parameters
        ----------
        source, target : block, or several; target is explained by source.
        """
        ridge = choose_ridge(self.fit, self.tune, source=source, target=target).ridge
        return float(span_error(self.both, source=source, target=target, ridge=ridge, score=self.score)), ridge

    def probe(self, features) -> float:
        """Share of the one-hot labels' variance that a linear probe leaves unexplained."""
        ridge = choose_ridge(self.fit, self.tune, source=features, target=TARGET).ridge
        return float(probe_error(self.both, features=features, target=TARGET, ridge=ridge, score=self.score))


def similarities(site: Site, a, b, prefix: str = "") -> dict[str, float]:
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
        warnings.simplefilter("ignore", FewRows)  # told by the null, and by ``rows_per_feature``
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


def compare_site(site: Site, wide: str, other: str, narrow: Sequence[str], *, untrained: str | None = None,
                 equal: int | None = None, seed: int = 0) -> list[dict]:
    """All measures at one site, a row for each number of copies concatenated.

    Parameters
    ----------
    site : the moments.
    wide, other : blocks of the wide network and of the independent second one.
    narrow : blocks of the copies, in order.
    untrained : block of an untrained wide network, for the nulls and controls; they are left out without it.
    equal : the number of copies with as many features as the wide network (default: all).
    seed : of the noise that is appended as a control.

    Returns
    -------
    list of dict, one for each number of ``copies``. Shares of the target's variance: ``span_error`` (narrow to wide),
    ``reverse_span_error``, ``baseline_span_error`` (other wide to wide), ``gap`` and ``reverse_gap`` (minus the
    baseline), ``probe_narrow``, ``probe_wide``, ``probe_error_gap`` (narrow minus wide); ``ridge`` and the span error at
    fixed ones, ``span_error_ridge_*``; ``features_narrow``, ``features_wide``, ``rows_per_feature``; ``dead_narrow``,
    ``dead_wide``: units that do not vary. The row of ``equal`` copies has besides what :func:`similarities` names, for
    the copies and with the prefixes ``baseline_``, ``untrained_`` and ``null_``; and what :func:`appended` returns.
    """
    baseline, _ = site.span(other, wide)
    probe_wide = site.probe(wide)
    equal = equal or len(narrow)
    rows = []
    for count in doublings(len(narrow), equal):
        used = list(narrow[:count])
        error, ridge = site.span(used, wide)
        alive = not (site.fit.constant(used).all() or site.score.constant(used).all())
        reverse = site.span(wide, used)[0] if alive else math.nan
        fixed = span_error(site.both, source=used, target=wide, ridge=list(SHOWN_RIDGES), score=site.score)
        probe = site.probe(used)
        features = site.both.units(used)
        rows.append({
            "copies": count,
            "span_error": error,
            "reverse_span_error": reverse,
            "baseline_span_error": baseline,
            "gap": error - baseline,
            "reverse_gap": reverse - baseline,
            "probe_narrow": probe,
            "probe_wide": probe_wide,
            "probe_error_gap": probe - probe_wide,
            **{f"span_error_ridge_{r:.0e}": float(e) for r, e in zip(SHOWN_RIDGES, fixed)},
            "ridge": ridge,
            "features_narrow": features,
            "features_wide": site.both.units(wide),
            "rows_per_feature": site.both.count / max(features, site.both.units(wide)),
            "dead_narrow": int(site.both.constant(used).sum()),
            "dead_wide": int(site.both.constant(wide).sum()),
        })
        if count == equal:
            rows[-1].update(similarities(site, used, wide))
            rows[-1].update(similarities(site, other, wide, "baseline_"))
            if untrained is not None:
                rows[-1].update(nulls(site, wide, used, untrained, alive))
                rows[-1].update(appended(site, wide, used, untrained, ridge, seed))
    return rows


def nulls(site: Site, wide: str, used: Sequence[str], untrained: str, alive: bool) -> dict[str, float]:
    """What span errors and similarities are without training and without any tie between the two sides.

    Parameters
    ----------
    site : moments of the parts.
    wide : block of the wide network.
    used : blocks of the copies.
    untrained : block of an untrained network.
    alive : whether any unit of the copies varies; where none does, what is said of them as a target is NaN.
    """
    return {
        "null_span_error": site.span(used, SHUFFLED)[0],
        "null_reverse_span_error": site.span(SHUFFLED, used)[0] if alive else math.nan,
        "untrained_span_error": site.span(untrained, wide)[0],
        "probe_untrained": site.probe(untrained),
        **similarities(site, used, SHUFFLED, "null_"),
        **similarities(site, untrained, wide, "untrained_"),
    }


def appended(site: Site, wide: str, used: Sequence[str], untrained: str, ridge: float, seed: int) -> dict[str, float]:
    """Feature performance of the copies with other features appended (S0's feature residuals, and controls of their size).

    Parameters
    ----------
    site : moments of the parts.
    wide : block of the wide network.
    used : blocks of the copies.
    untrained : block of an untrained network as wide as the wide one.
    ridge : of the regression whose residual is appended.
    seed : of the noise.

    Returns
    -------
    ``probe_residual``: what ridge leaves over of the wide network's features, alone; ``probe_with_residual``: appended to
    the copies'; ``probe_with_untrained``: an untrained network's features appended (random features of the input);
    ``probe_with_noise``: noise appended; ``residual_gain``: ``probe_with_untrained`` minus ``probe_with_residual``. Each
    appends as many features as the wide network has.
    """
    rng = generator(seed, "comparison", "appended noise", len(used))
    units, parts = site.both.units(wide), (site.fit, site.tune, site.score)
    # of the blocks that each needs alone: the joint law of noise and all blocks would cost most of a comparison
    left = Site(*(with_residual(part.select(*used, wide, TARGET), source=used, target=wide,
                                fit=site.both.select(*used, wide), ridge=ridge) for part in parts))
    noisy = Site(*(with_noise(part.select(*used, TARGET), units=units, rng=rng) for part in parts))
    found = {
        "probe_residual": left.probe("residual"),
        "probe_with_residual": left.probe([*used, "residual"]),
        "probe_with_untrained": site.probe([*used, untrained]),
        "probe_with_noise": noisy.probe([*used, "noise"]),
    }
    return {**found, "residual_gain": found["probe_with_untrained"] - found["probe_with_residual"]}


def compare(features: Features, wide: str, other: str, narrow: Sequence[str], *, untrained: str | None = None,
            equal: int | None = None, seed: int = 0) -> list[dict]:
    """:func:`compare_site` at every site; rows carry ``site``.

    Parameters
    ----------
    features : of one pass.
    wide, other, narrow, untrained, equal, seed : see there.
    """
    rows = []
    for name in features.moments["fit"]:
        site = Site(*(features.moments[part][name] for part in PARTS))
        rows += [{"site": name, **row} for row in compare_site(site, wide, other, narrow, untrained=untrained, equal=equal,
                                                               seed=seed)]
    return rows
