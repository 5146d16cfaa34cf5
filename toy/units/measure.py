"""What is removable and what is repeated in one trained student, beside the same student before training."""

from dataclasses import dataclass

import numpy as np

from lab.errors import InputError
from lab.results import Results
from lab.streams import generator
from theory.measures import compressibility, correlations, effective_rank, predictability, repeated_units
from theory.measures.ablation import (
    GRID,
    area,
    crossing,
    least_change_order,
    random_orders,
    removed_counts,
    targeted_order,
)
from theory.measures.merging import merge_repeated
from theory.moments import Moments
from toy.units.closed_form import contribution_gram, curves, smaller_network
from toy.units.model import Trained

ORDERS = 16  # random orders, and targeted ones
GOOD = 0.9  # agreement with the original that the smaller network must keep on the inputs that choose
MERGE_AT = 0.9  # |r| from which units are merged


@dataclass(frozen=True)
class Report(Results, axes="fractions unchanged accuracy targeted best: step",
             picture="unchanged accuracy targeted best ~ fractions"):
    """Numbers of one student.

    Attributes
    ----------
    fractions : of units ablated; ``unchanged``, ``accuracy`` (mean over random orders), ``targeted``, ``best``: curves.
    numbers : name -> number. Random orders: ``auc``, ``prunability``, ``floor`` (unchanged with every unit ablated); other
        orders: ``auc_targeted``, ``prunability_targeted``, ``auc_best``, ``prunability_best``. Similarity: ``pair_share``,
        ``twin_share``, ``similar_per_unit``, ``compressibility``, ``effective_rank``, ``predictable`` (mean share of a unit's
        variance), ``dead``, ``constant`` (shares of all units), the same of the start as ``..._start``, and
        ``pair_share_shuffled``. Smaller network: ``kept_share``, ``agreement``; of merging alone ``kept_merged``,
        ``agreement_merged``.
    """

    fractions: np.ndarray
    unchanged: np.ndarray
    accuracy: np.ndarray
    targeted: np.ndarray
    best: np.ndarray
    numbers: dict[str, float]


def similarity(hidden: np.ndarray, held_out: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """Repeated units and spectrum of one layer; NaN where no two units vary."""
    fit, score = Moments.from_samples({"h": hidden}), Moments.from_samples({"h": held_out})
    found = repeated_units(fit, "h", threshold=threshold)
    alive = found.varying > 0
    predicted = predictability(fit, "h", ridge=1e-4, score=score)
    return {
        "pair_share": found.pair_share, "twin_share": found.twin_share, "similar_per_unit": found.similar_per_unit,
        "compressibility": compressibility(fit, "h") if alive else np.nan,
        "effective_rank": effective_rank(fit, "h") if alive else np.nan,
        "predictable": float(np.nanmean(predicted)) if np.isfinite(predicted).any() else np.nan,
        "dead": float(found.dead.mean()), "constant": float(found.constant.mean()),
    }


def report(trained: Trained, replica: int = 0, *, seed: int = 0, threshold: float = 0.5) -> Report:
    """Measure one student on its held-out samples.

    Parameters
    ----------
    trained, replica : which student; ``seed`` fixes the orders.
    threshold : of |r|.

    Raises
    ------
    InputError
        With fewer than 8 held-out samples.
    """
    data, m = trained.data[replica], trained.end.width
    if len(data.test_x) < 8:
        raise InputError(f"a report needs at least 8 held-out samples, got {len(data.test_x)}")
    W, b, V, c = trained.end.parameters(replica)
    hidden = trained.end.hidden(replica, data.test_x).astype(np.float64)
    half = len(hidden) // 2
    rng = generator(seed, "units", "orders", m, replica)
    r = correlations(Moments.from_samples({"h": hidden}), "h")
    unchanged, accuracy = curves(hidden, V, c, random_orders(m, ORDERS, rng), data.test_y)
    targets = np.stack([targeted_order(r, int(first)) for first in rng.permutation(m)[:ORDERS]])
    targeted, _ = curves(hidden, V, c, targets, data.test_y)

    # the best order is chosen on one half of the inputs and judged on the other
    order = least_change_order(contribution_gram(hidden[:half], V))
    best, _ = curves(hidden[half:], V, c, order, data.test_y[half:])

    start = trained.start.hidden(replica, data.test_x).astype(np.float64)
    shuffled = generator(seed, "units", "null", m, replica).permuted(hidden, axis=0)
    before = {f"{key}_start": value for key, value in similarity(start[:half], start[half:], threshold).items()}
    numbers = {
        "floor": unchanged[:, -1].mean(), "auc": area(GRID, unchanged.mean(0)), "prunability": crossing(GRID, unchanged.mean(0)),
        "auc_targeted": area(GRID, targeted.mean(0)), "prunability_targeted": crossing(GRID, targeted.mean(0)),
        "auc_best": area(GRID, best[0]), "prunability_best": crossing(GRID, best[0]),
        **similarity(hidden[:half], hidden[half:], threshold), **before,
        "pair_share_shuffled": repeated_units(Moments.from_samples({"h": shuffled}), "h", threshold=threshold).pair_share,
        **_smaller((W, b, V, c), hidden, data.test_x, order, half),
    }
    return Report(GRID, unchanged.mean(0), accuracy.mean(0), targeted.mean(0), best[0],
                  {key: float(value) for key, value in numbers.items()})


def _smaller(weights, hidden, x, order, half) -> dict[str, float]:
    """Sizes and agreement of the smaller networks: removable units out, the rest merged where they repeat each other.

    As many units go, in the best order, as leave ``GOOD`` of the predictions of the choosing inputs unchanged.
    """
    _, _, V, c = weights
    m = len(V)
    moments = Moments.from_samples({"h": hidden[:half]})
    unchanged, _ = curves(hidden[:half], V, c, order, np.zeros(half, dtype=int))
    counts = removed_counts(m, GRID)
    removed = np.zeros(m, dtype=bool)
    removed[order[:counts[np.flatnonzero(unchanged[0] >= GOOD).max()]]] = True
    intact = (hidden[half:] @ V + c).argmax(1)
    out = {}
    for name, merging in (("merged", merge_repeated(moments, "h", threshold=MERGE_AT)),
                          ("", merge_repeated(moments, "h", threshold=MERGE_AT, among=~removed).without(removed))):
        small_W, small_b, small_V, small_c = smaller_network(*weights, merging)
        outputs = np.maximum(x[half:] @ small_W + small_b, 0) @ small_V + small_c
        suffix = f"_{name}" if name else ""
        out[f"kept{suffix or '_share'}"] = merging.kept.mean()
        out[f"agreement{suffix}"] = np.mean(outputs.argmax(1) == intact)
    return out
