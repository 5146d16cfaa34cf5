"""Measures of width sweeps of real networks, from one pass over the probe rows, as defined in :mod:`theory.compare`."""

from collections.abc import Sequence

from empirical.features import Features
from theory.compare.on_rows import compare_rows
from theory.compare.sites import PARTS, Site, compare_site

__all__ = ["compare", "on_kept_rows"]


def compare(features: Features, wide: str, other: str, narrow: Sequence[str], *, untrained: str | None = None,
            equal: int | None = None, seed: int = 0) -> list[dict]:
    """The measures of copies against a wide network at every site, see :func:`theory.compare.sites.compare_site`.

    Parameters
    ----------
    features : Features
        Features from one pass over the probe rows.
    wide : str
        Block of the wide network.
    other : str
        Block of the second wide network, the baseline.
    narrow : sequence of str
        Blocks of the copies.
    untrained : str, optional
        Block of an untrained wide network.
    equal : int, optional
        Number of copies that together have as many features as the wide network; by default all.
    seed : int
        Seed of the permutations.

    Returns
    -------
    list of dict
        One row for each site and number of copies: ``site`` and every measure.

    Examples
    --------
    >>> from empirical.features import extract
    >>> from empirical.tiny import noise, start
    >>> data = noise(rows=100)
    >>> networks = {name: start(data, width=2, seed=seed) for seed, name in enumerate(("wide", "other", "narrow"))}
    >>> rows = compare(extract(networks, data, shuffle="wide"), "wide", "other", ["narrow"])
    >>> [(row["site"], row["copies"]) for row in rows], "span_error" in rows[0]
    ([('penultimate', 1)], True)
    """
    rows = []
    for name in features.moments["fit"]:
        site = Site(*(features.moments[part][name] for part in PARTS))
        rows += [{"site": name, **row} for row in compare_site(site, wide, other, narrow, untrained=untrained, equal=equal,
                                                               seed=seed)]
    return rows


def on_kept_rows(features: Features, wide: str, other: str, narrow: Sequence[str], *, untrained: str, ridge: float,
                 seed: int = 0) -> dict[str, float]:
    """The measures that need rows at the penultimate site, see :func:`theory.compare.on_rows.compare_rows`.

    Parameters
    ----------
    features : Features
        Features from one pass over the probe rows, with the rows kept at that site.
    wide : str
        Block of the wide network.
    other : str
        Block of the second wide network, the baseline.
    narrow : sequence of str
        Blocks of the copies.
    untrained : str
        Block of an untrained wide network.
    ridge : float
        Ridge of the linear regression, as a share of the mean variance.
    seed : int
        Seed of everything that is drawn.

    Returns
    -------
    dict of str to float
        Measure -> value: span errors by kernel ridge and by an MLP, accuracies of logistic probes.

    Examples
    --------
    >>> from inspect import signature  # running the probes takes a second; every width sweep does it
    >>> list(signature(on_kept_rows).parameters)[:4]
    ['features', 'wide', 'other', 'narrow']
    """
    return compare_rows(features.rows["fit"], features.rows["score"], wide, other, narrow, untrained=untrained, ridge=ridge,
                        seed=seed).values
