"""Width sweeps of real networks: the measures of one pass. What they are stands in :mod:`theory.compare`."""

from collections.abc import Sequence

from empirical.features import Features
from theory.compare.on_rows import compare_rows
from theory.compare.sites import PARTS, Site, compare_site


def compare(features: Features, wide: str, other: str, narrow: Sequence[str], *, untrained: str | None = None,
            equal: int | None = None, seed: int = 0) -> list[dict]:
    """:func:`theory.compare.sites.compare_site` at every site; rows carry ``site``.

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


def on_kept_rows(features: Features, wide: str, other: str, narrow: Sequence[str], *, untrained: str, ridge: float,
                 seed: int = 0) -> dict[str, float]:
    """:func:`theory.compare.on_rows.compare_rows` at the penultimate site, on the rows kept there.

    Parameters
    ----------
    features : of one pass, with rows.
    wide, other, narrow, untrained, ridge, seed : see there.
    """
    return compare_rows(features.rows["fit"], features.rows["score"], wide, other, narrow, untrained=untrained, ridge=ridge,
                        seed=seed).values
