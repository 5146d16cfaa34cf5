"""One wide network against many narrow ones with as many features (S0): the measures, from stored moments alone.

For a reference width alpha_ref and a narrow width alpha, the copies 1 .. alpha_ref/alpha of the narrow network are
concatenated, so that both sides have the same number of features at every site. FSE is the span error
(:func:`theory.measures.span_error`), fitted on one part of the probe rows with the ridge chosen on another, refitted on
both, scored on a third. The baseline is a second, independently trained wide network.

Copies of which no unit varies (a narrow network can die) span nothing: their span error is 1, and what has them as its
target, the reverse error and CKA, does not exist (NaN).
"""

import math
from collections.abc import Sequence

from empirical.features import PARTS, TARGET, Features
from theory.measures import choose_ridge, linear_cka, probe_error, span_error
from theory.moments import Moments

SHOWN_RIDGES = (1e-6, 1e-4, 1e-2)  # beside the chosen one, to show how much hangs on it


class Site:
    """Moments of one site in three parts, with the regression protocol."""

    def __init__(self, fit: Moments, tune: Moments, score: Moments):
        self.fit, self.tune, self.score = fit, tune, score
        self.both = fit.merge(tune)

    def span(self, source, target) -> tuple[float, float]:
        """Span error at the chosen ridge, and that ridge."""
        ridge = choose_ridge(self.fit, self.tune, source=source, target=target).ridge
        return float(span_error(self.both, source=source, target=target, ridge=ridge, score=self.score)), ridge

    def probe(self, features) -> float:
        """Share of the one-hot labels' variance that a linear probe leaves unexplained."""
        ridge = choose_ridge(self.fit, self.tune, source=features, target=TARGET).ridge
        return float(probe_error(self.both, features=features, target=TARGET, ridge=ridge, score=self.score))


def doublings(copies: int) -> list[int]:
    """1, 2, 4, ... and ``copies`` itself."""
    counts = [1]
    while counts[-1] * 2 < copies:
        counts.append(counts[-1] * 2)
    return sorted({*counts, copies})


def compare_site(site: Site, wide: str, other: str, narrow: Sequence[str]) -> list[dict]:
    """All measures at one site, a row for each number of copies concatenated.

    Parameters
    ----------
    site : the moments.
    wide, other : blocks of the wide network and of the independent second one.
    narrow : blocks of the copies, in order.

    Returns
    -------
    list of dict, one for each number of ``copies``. Shares of the target's variance: ``span_error`` (narrow to wide),
    ``reverse_span_error``, ``baseline_span_error`` (other wide to wide), ``gap`` and ``reverse_gap`` (minus the
    baseline), ``probe_narrow``, ``probe_wide``, ``probe_error_gap`` (narrow minus wide); ``cka``, ``baseline_cka``;
    ``ridge`` and the span error at fixed ones, ``span_error_ridge_*``; ``features_narrow``, ``features_wide``,
    ``rows_per_feature``; ``dead_narrow``, ``dead_wide``: units that do not vary.
    """
    baseline, _ = site.span(other, wide)
    probe_wide, baseline_cka = site.probe(wide), linear_cka(site.score, other, wide)
    rows = []
    for count in doublings(len(narrow)):
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
            "cka": linear_cka(site.score, used, wide) if alive else math.nan,
            "baseline_cka": baseline_cka,
            **{f"span_error_ridge_{r:.0e}": float(e) for r, e in zip(SHOWN_RIDGES, fixed)},
            "ridge": ridge,
            "features_narrow": features,
            "features_wide": site.both.units(wide),
            "rows_per_feature": site.both.count / max(features, site.both.units(wide)),
            "dead_narrow": int(site.both.constant(used).sum()),
            "dead_wide": int(site.both.constant(wide).sum()),
        })
    return rows


def compare(features: Features, wide: str, other: str, narrow: Sequence[str]) -> list[dict]:
    """:func:`compare_site` at every site; rows carry ``site``."""
    rows = []
    for name in features.moments["fit"]:
        site = Site(*(features.moments[part][name] for part in PARTS))
        rows += [{"site": name, **row} for row in compare_site(site, wide, other, narrow)]
    return rows


