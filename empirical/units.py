"""Removable and repeated units of one trained network, compared with the same network before training.

Correlations, spectra and the choice of units to remove use the probe-fit split; predictability is scored on the probe-score
split; ablation curves and the agreement of the smaller network are measured on test inputs. For all places together ("all"),
curves ablate the same fraction of units at every place at once, shares of pairs are over pairs within places, and all other
numbers are means over units.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from empirical.ablation import ablated_logits, classes, curves, merged, unit_moments
from empirical.data import Dataset
from empirical.unit_places import chosen_places
from lab.errors import InputError
from lab.streams import generator
from theory.measures import compressibility, correlations, effective_rank, predictability, repeated_units
from theory.measures.ablation import (
    GRID,
    area,
    crossing,
    cumulative_best_order,
    random_orders,
    removed_counts,
    targeted_order,
)
from theory.measures.merging import merge_repeated
from theory.moments import Moments

__all__ = ["best_order", "measure", "similarity"]
THRESHOLD, MERGE_AT, GOOD = 0.5, 0.9, 0.9  # correlation of similar and of merged units; minimum agreement after removal
CHOICE_IMAGES, ROUNDS = 64, 2  # for the best order: number of images that it uses, and of rounds in which it chooses
AVERAGED = ("twin_share", "similar_per_unit", "compressibility", "effective_rank_share", "predictable", "dead", "constant")


def similarity(fit: Moments, score: Moments) -> dict[str, float]:
    """Repeated units and spectrum at one place; NaN unless at least two units vary.

    Parameters
    ----------
    fit : Moments
        Moments of the block ``units`` on the rows on which regressions are fitted.
    score : Moments
        Moments of the same block on the rows on which they are scored.

    Returns
    -------
    dict of str to float
        Counts ``units`` and ``varying``; ``pair_share``, ``twin_share``, ``similar_per_unit`` of repeated units; spectrum
        (``compressibility``, ``effective_rank_share``); ``predictable``, the mean R^2 of each unit from the others; shares of
        units that are ``dead``, ``constant``, ``duplicated``, ``scaled`` or ``negated``.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> twins = Moments.from_samples({"units": np.column_stack([x, x[:, 0]])})  # the third unit repeats the first
    >>> numbers = similarity(twins, twins)
    >>> numbers["units"], round(numbers["pair_share"], 2), round(numbers["duplicated"], 2)
    (3, 0.33, 0.67)
    """
    repeated = repeated_units(fit, "units", threshold=THRESHOLD)
    predicted = predictability(fit, "units", ridge=1e-4, score=score)
    alive = repeated.varying > 0
    return {
        "units": repeated.units, "varying": repeated.varying,
        "pair_share": repeated.pair_share, "twin_share": repeated.twin_share, "similar_per_unit": repeated.similar_per_unit,
        "compressibility": compressibility(fit, "units") if alive else np.nan,
        "effective_rank_share": effective_rank(fit, "units") / repeated.units if alive else np.nan,
        "predictable": float(np.nanmean(predicted)) if np.isfinite(predicted).any() else np.nan,
        **{kind: float(getattr(repeated, kind).mean()) for kind in ("dead", "constant", "duplicated", "scaled", "negated")},
    }


def together(rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The numbers of several places (place -> result of :func:`similarity`) combined."""
    units = np.array([r["units"] for r in rows.values()], dtype=float)
    varying = np.array([r["varying"] for r in rows.values()], dtype=float)
    pairs = varying * (varying - 1)
    share = np.nan_to_num([r["pair_share"] for r in rows.values()])
    out: dict[str, float] = {"units": int(units.sum()),
                             "pair_share": float(share @ pairs / pairs.sum()) if pairs.sum() else np.nan}
    for key in AVERAGED:
        values = np.array([r[key] for r in rows.values()])
        known = np.isfinite(values)
        out[key] = float(values[known] @ units[known] / units[known].sum()) if known.any() else np.nan
    return out


def best_order(model: torch.nn.Module, data: Dataset, rows: torch.Tensor, place: str) -> np.ndarray:
    """The greedy order at one place that changes the logits least (squared change), chosen in ``ROUNDS`` rounds.

    Parameters
    ----------
    model : nn.Module
        A stack of one, in evaluation mode.
    data : Dataset
        Data on the model's device.
    rows : torch.Tensor
        int64 (rows,), numbers of the inputs; the first ``CHOICE_IMAGES`` are used.
    place : str
        Name of the place with units.

    Returns
    -------
    ndarray
        int64 (units,), starting with the unit that changes the logits least.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> net = start(data := noise())
    >>> sorted(best_order(net, data, data.splits["probe_fit"], "layer1").tolist())
    [0, 1, 2, 3]
    """
    inputs = data.batch(rows[:CHOICE_IMAGES])
    count = chosen_places(model, [place])[place].count
    intact = ablated_logits(model, inputs, {place: np.ones((1, count))})[0]

    def score(keep: np.ndarray) -> np.ndarray:
        out = []
        for part in np.array_split(keep, max(1, len(keep) // 16)):
            shift = ablated_logits(model, inputs, {place: part}) - intact
            out.append(-(shift - shift.mean(-1, keepdim=True)).square().mean((1, 2)).double().cpu().numpy())
        return np.concatenate(out)

    return cumulative_best_order(score, count, block=-(-count // ROUNDS))


def smaller(model: torch.nn.Module, data: Dataset, moments: Mapping[str, Moments], orders: Mapping[str, np.ndarray],
            choose: torch.Tensor, judge: torch.Tensor) -> dict[str, float]:
    """Size and agreement of the smaller networks: with repeated units merged, and with removable units taken out as well.

    Parameters
    ----------
    model : nn.Module
        A stack of one, in evaluation mode.
    data : Dataset
        Data on the model's device.
    moments : mapping of str to Moments
        Place -> moments of its activations, block ``units``.
    orders : mapping of str to ndarray
        Place -> order in which units are removed, (units,). The same fraction is removed at every place: the largest one that
        leaves a share ``GOOD`` of the predictions on ``choose`` unchanged.
    choose : torch.Tensor
        int64 row numbers on which the fraction is chosen.
    judge : torch.Tensor
        int64 row numbers on which agreement is measured.

    Returns
    -------
    dict of str to float
        ``kept_share``, ``agreement`` (on ``judge``) and ``removed_share``; ``kept_merged`` and ``agreement_merged`` for merging
        alone.
    """
    unchanged, _ = curves(model, data, choose, {name: order[None] for name, order in orders.items()}, GRID)
    fraction = GRID[np.flatnonzero(unchanged[0] >= GOOD).max()]
    removed = {name: np.isin(np.arange(len(o)), o[:removed_counts(len(o), [fraction])[0]]) for name, o in orders.items()}
    intact = classes(model, data, judge)
    out = {"removed_share": float(fraction)}
    for suffix, gone in (("_merged", None), ("", removed)):
        plans = {}
        for name, m in moments.items():
            plan = merge_repeated(m, "units", threshold=MERGE_AT, among=None if gone is None else ~gone[name])
            plans[name] = plan if gone is None else plan.without(gone[name])
        with merged(model, plans):
            predicted = classes(model, data, judge)
        kept, units = sum(p.kept.sum() for p in plans.values()), sum(len(p.kept) for p in plans.values())
        out["kept" + (suffix or "_share")] = float(kept / units)
        out["agreement" + suffix] = float(np.mean(predicted == intact))
    return out


def measure(model: torch.nn.Module, start: torch.nn.Module, data: Dataset, *, names: Iterable[str] | None = None,
            orders: int = 3, images: int = 500, rows: int = 0, seed: int = 0) -> dict[str, dict[str, Any]]:
    """All measures of one network's units.

    Parameters
    ----------
    model : nn.Module
        The trained network, a stack of one in evaluation mode.
    start : nn.Module
        The same network before training, in evaluation mode.
    data : Dataset
        Data on the device of both networks.
    names : iterable of str, optional
        Places; by default all that the model marks.
    orders : int
        Number of random orders, and of targeted ones.
    images : int
        Number of test inputs for the curves.
    rows : int
        Maximum number of inputs of each probe split for moments; 0 for all.
    seed : int
        Seed of the orders.

    Returns
    -------
    dict of str to dict
        Place (and "all") -> numbers: ``auc``, ``prunability``, ``accuracy_auc`` (random orders), ``auc_targeted``, ``auc_best``;
        the curves ``unchanged``, ``accuracy`` (random orders), ``unchanged_targeted`` and ``unchanged_best`` (the cumulative
        best order) over ``theory.measures.ablation.GRID``; the results of :func:`similarity`, and the same with ``_start`` for
        the untrained network; for "all" also ``floor`` (unchanged with every unit ablated) and the results of :func:`smaller`.
        Units with several features (attention heads) are ablated only in random orders, and contribute to "all" only there.

    Raises
    ------
    InputError
        For a number of orders, images or rows that is too small.

    Examples
    --------
    >>> from empirical import tiny
    >>> data = tiny.noise()
    >>> numbers = measure(tiny.start(data), tiny.start(data, seed=1), data, orders=1, images=8)
    >>> sorted(numbers), numbers["layer1"]["units"], 0 <= numbers["all"]["auc"] <= 1
    (['all', 'layer1'], 4, True)
    """
    if orders < 1 or images < 1 or rows < 0:
        raise InputError(f"orders and images must be at least 1, and rows not negative; got {orders}, {images} and {rows}")
    chosen = chosen_places(model, names)
    fit_rows, score_rows = (data.splits[split][:rows or None] for split in ("probe_fit", "probe_score"))
    test = data.splits["test"][:images]
    rng = generator(seed, "units", "orders")
    fit, score = (unit_moments(model, data, rows, names=chosen) for rows in (fit_rows, score_rows))
    before_fit, before_score = (unit_moments(start, data, rows, names=chosen) for rows in (fit_rows, score_rows))
    out: dict[str, dict[str, Any]] = {}
    before: dict[str, dict[str, float]] = {}
    randoms: dict[str, np.ndarray] = {}
    targets: dict[str, np.ndarray] = {}
    best: dict[str, np.ndarray] = {}
    for name, place in chosen.items():
        randoms[name] = random_orders(place.count, orders, rng)
        out[name] = {"units": place.count, "varying": place.count}
        if place.size == 1:  # correlations are not defined for units with several features
            before[name] = similarity(before_fit[name], before_score[name])
            out[name] = {**similarity(fit[name], score[name]),
                         **{f"{k}_start": before[name][k] for k in ("pair_share", *AVERAGED)}}
            r = correlations(fit[name], "units")
            firsts = rng.integers(place.count, size=orders)
            targets[name] = np.stack([targeted_order(r, int(first)) for first in firsts])
            best[name] = best_order(model, data, fit_rows, name)[None]

    def ablated(names: Iterable[str]) -> dict[str, Any]:
        kinds = {kind: {name: values[name] for name in names if name in values}
                 for kind, values in (("", randoms), ("_targeted", targets), ("_best", best))}
        curve = {kind: [c.mean(0) for c in curves(model, data, test, o, GRID)] for kind, o in kinds.items() if o}
        return {**{f"auc{kind}": float(area(GRID, c[0])) for kind, c in curve.items()},
                "prunability": float(crossing(GRID, curve[""][0])), "accuracy_auc": float(area(GRID, curve[""][1])),
                **{f"unchanged{kind}": c[0] for kind, c in curve.items()}, "accuracy": curve[""][1]}

    for name in chosen:
        out[name] |= ablated([name])
    whole = ablated(list(chosen))
    whole["floor"] = float(whole["unchanged"][-1])
    if best:
        whole |= together({name: out[name] for name in best})
        whole |= {f"{k}_start": v for k, v in together(before).items() if k != "units"}
        whole |= smaller(model, data, {name: fit[name] for name in best}, {name: o[0] for name, o in best.items()},
                         fit_rows[:images], test)
    out["all"] = whole
    return out
