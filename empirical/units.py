"""Removable and repeated units of one trained network, beside the same network before training.

Correlations, spectra and the choice of what to remove use the probe-fit split; predictability is scored on the probe-score
split; ablation curves and the smaller network's agreement on test inputs. Numbers for all places together ("all"): curves
with the same fraction of units ablated at every place at once; shares of pairs over the pairs within places; the rest as
means over units.
"""

from collections.abc import Mapping

import numpy as np
import torch

from empirical.ablation import ablated_logits, chosen_places, classes, curves, merged, unit_moments
from empirical.data import Dataset
from lab.errors import InputError
from lab.streams import Purpose, generator
from theory.measures import compressibility, correlations, effective_rank, predictability, repeated_units
from theory.measures.ablation import (
    area,
    crossing,
    cumulative_best_order,
    random_orders,
    removed_counts,
    targeted_order,
)
from theory.measures.merging import merge_repeated
from theory.moments import Moments

FRACTIONS = np.arange(13) / 12
THRESHOLD, MERGE_AT, GOOD = 0.5, 0.9, 0.9  # similar units; merged units; agreement that chooses what is removed
CHOICE_IMAGES, ROUNDS = 64, 2  # for the best order: images, and rounds of the choice
AVERAGED = ("twin_share", "similar_per_unit", "compressibility", "effective_rank_share", "predictable", "dead", "constant")


def similarity(fit: Moments, score: Moments) -> dict[str, float]:
    """Repeated units and spectrum at one place; NaN where no two units vary."""
    found = repeated_units(fit, "units", threshold=THRESHOLD)
    predicted = predictability(fit, "units", ridge=1e-4, score=score)
    alive = found.varying > 0
    return {
        "units": found.units, "varying": found.varying,
        "pair_share": found.pair_share, "twin_share": found.twin_share, "similar_per_unit": found.similar_per_unit,
        "compressibility": compressibility(fit, "units") if alive else np.nan,
        "effective_rank_share": effective_rank(fit, "units") / found.units if alive else np.nan,
        "predictable": float(np.nanmean(predicted)) if np.isfinite(predicted).any() else np.nan,
        **{kind: float(getattr(found, kind).mean()) for kind in ("dead", "constant", "duplicated", "scaled", "negated")},
    }


def together(rows: Mapping[str, dict[str, float]]) -> dict[str, float]:
    """The numbers of several places as one."""
    units = np.array([r["units"] for r in rows.values()], dtype=float)
    varying = np.array([r["varying"] for r in rows.values()], dtype=float)
    pairs = varying * (varying - 1)
    share = np.nan_to_num([r["pair_share"] for r in rows.values()])
    out = {"units": int(units.sum()), "pair_share": float(share @ pairs / pairs.sum()) if pairs.sum() else np.nan}
    for key in AVERAGED:
        values = np.array([r[key] for r in rows.values()])
        known = np.isfinite(values)
        out[key] = float(values[known] @ units[known] / units[known].sum()) if known.any() else np.nan
    return out


def best_order(model, data: Dataset, rows: torch.Tensor, place: str) -> np.ndarray:
    """The cumulative best order at one place by squared change of the logits, in ``ROUNDS`` rounds."""
    inputs = data.batch(rows[:CHOICE_IMAGES])
    count = chosen_places(model, [place])[place].count
    intact = ablated_logits(model, inputs, {place: np.ones((1, count))})[0]

    def score(keep):
        out = []
        for part in np.array_split(keep, max(1, len(keep) // 16)):
            shift = ablated_logits(model, inputs, {place: part}) - intact
            out.append(-(shift - shift.mean(-1, keepdim=True)).square().mean((1, 2)).double().cpu().numpy())
        return np.concatenate(out)

    return cumulative_best_order(score, count, block=-(-count // ROUNDS))


def smaller(model, data: Dataset, moments: Mapping[str, Moments], orders: Mapping[str, np.ndarray], choose: torch.Tensor,
            judge: torch.Tensor) -> dict[str, float]:
    """Size and agreement of the smaller networks.

    Parameters
    ----------
    moments : of the activations at each place.
    orders : place -> order in which units are removed, the same fraction at every place: the largest that leaves ``GOOD``
        of the predictions on ``choose`` unchanged.
    choose, judge : rows of the data.

    Returns
    -------
    dict : ``kept_share``, ``agreement`` (on ``judge``) and ``removed_share``; ``kept_merged``, ``agreement_merged`` of merging
    alone.
    """
    unchanged, _ = curves(model, data, choose, {name: order[None] for name, order in orders.items()}, FRACTIONS)
    fraction = FRACTIONS[np.flatnonzero(unchanged[0] >= GOOD).max()]
    removed = {name: np.isin(np.arange(len(o)), o[:removed_counts(len(o), [fraction])[0]]) for name, o in orders.items()}
    intact = classes(model, data, judge)
    out = {"removed_share": float(fraction)}
    for suffix, gone in (("_merged", None), ("", removed)):
        plans = {}
        for name, m in moments.items():
            plan = merge_repeated(m, "units", threshold=MERGE_AT, among=None if gone is None else ~gone[name])
            plans[name] = plan if gone is None else plan.without(gone[name])
        with merged(model, plans):
            found = classes(model, data, judge)
        kept, units = sum(p.kept.sum() for p in plans.values()), sum(len(p.kept) for p in plans.values())
        out["kept" + (suffix or "_share")] = float(kept / units)
        out["agreement" + suffix] = float(np.mean(found == intact))
    return out


def measure(model: torch.nn.Module, start: torch.nn.Module, data: Dataset, *, names=None, orders: int = 3, images: int = 500,
            seed: int = 0) -> dict[str, dict]:
    """Everything about one network's units.

    Parameters
    ----------
    model, start : trained and untrained, one network each, in evaluation mode.
    names : places (default: all that the model marks).
    orders, images : random orders, targeted orders, and test inputs of the curves.
    seed : of the orders.

    Returns
    -------
    place (and "all") -> numbers: ``auc``, ``prunability``, ``accuracy_auc`` (random orders), ``auc_targeted`` (not for "all"),
    ``unchanged``, ``accuracy`` (curves over :data:`FRACTIONS`), what :func:`similarity` gives, the same with ``_start`` of the
    untrained network; for "all" also ``floor`` (unchanged with every unit ablated) and what :func:`smaller` gives.
    """
    if orders < 1 or images < 1:
        raise InputError(f"orders and images must be at least 1, got {orders} and {images}")
    found = chosen_places(model, names)
    fit_rows, score_rows, test = data.splits["probe_fit"], data.splits["probe_score"], data.splits["test"][:images]
    rng = generator(seed, 0, Purpose.CHOICE)
    fit, score = (unit_moments(model, data, rows, names=list(found)) for rows in (fit_rows, score_rows))
    before_fit, before_score = (unit_moments(start, data, rows, names=list(found)) for rows in (fit_rows, score_rows))
    out, before, randoms = {}, {}, {}
    for name, place in found.items():
        if place.size == 1:
            after = similarity(fit[name], score[name])
            before[name] = similarity(before_fit[name], before_score[name])
        else:  # a unit of several features has no correlation
            after = {"units": place.count, "varying": place.count}
        randoms[name] = random_orders(place.count, orders, rng)
        unchanged, accuracy = curves(model, data, test, {name: randoms[name]}, FRACTIONS)
        out[name] = {**_scalars(unchanged, accuracy), **after}
        if place.size == 1:
            r = correlations(fit[name], "units")
            firsts = rng.permutation(place.count)[:orders]
            targets = np.stack([targeted_order(r, int(first)) for first in firsts])
            targeted, _ = curves(model, data, test, {name: targets}, FRACTIONS)
            out[name] |= {"auc_targeted": float(area(FRACTIONS, targeted.mean(0))),
                          **{f"{k}_start": before[name][k] for k in ("pair_share", *AVERAGED)}}
    single = [name for name in found if name in before]
    unchanged, accuracy = curves(model, data, test, randoms, FRACTIONS)
    whole = {**_scalars(unchanged, accuracy), "floor": float(unchanged[:, -1].mean())}
    if single:
        whole |= together({name: out[name] for name in single})
        whole |= {f"{k}_start": v for k, v in together(before).items() if k != "units"}
        best = {name: best_order(model, data, fit_rows, name) for name in single}
        chosen, _ = curves(model, data, test, {name: o[None] for name, o in best.items()}, FRACTIONS)
        whole |= {"auc_best": float(area(FRACTIONS, chosen[0])),
                  **smaller(model, data, {n: fit[n] for n in single}, best, fit_rows[:images], test)}
    out["all"] = whole
    return out


def _scalars(unchanged, accuracy) -> dict:
    mean, right = unchanged.mean(0), accuracy.mean(0)
    return {"auc": float(area(FRACTIONS, mean)), "prunability": float(crossing(FRACTIONS, mean)),
            "accuracy_auc": float(area(FRACTIONS, right)), "unchanged": mean, "accuracy": right}
