"""Removable and repeated units of one trained student, and of the same student before training."""

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

ORDERS = 16  # random orders, and as many targeted ones
GOOD = 0.9  # share of predictions that removing units must leave unchanged, on the inputs used for choosing
MERGE_AT = 0.9  # |r| from which units are merged


@dataclass(frozen=True)
class Report(Results, axes="fractions unchanged accuracy targeted best: step",
             picture="unchanged accuracy targeted best ~ fractions"):
    """Ablation curves and unit statistics of one student.

    Attributes
    ----------
    fractions : (F,) float array
        Shares of the units that are ablated.
    unchanged : (F,) float array
        Share of unchanged predictions, mean over random orders.
    accuracy : (F,) float array
        Accuracy, mean over random orders.
    targeted : (F,) float array
        Share of unchanged predictions if the units most similar to one unit go first.
    best : (F,) float array
        The same if the units that matter least go first.
    numbers : dict of str to float
        Random orders: ``auc``, ``prunability``, ``floor`` (unchanged with every unit ablated); other orders: ``auc_targeted``,
        ``prunability_targeted``, ``auc_best``, ``prunability_best``. Similarity: ``pair_share``, ``twin_share``,
        ``similar_per_unit``, ``compressibility``, ``effective_rank``, ``predictable`` (mean share of a unit's variance),
        ``dead``, ``constant`` (shares of all units), the same at the start as ``..._start``, and ``pair_share_shuffled``.
        Smaller network: ``kept_share``, ``agreement``; with merging only, ``kept_merged`` and ``agreement_merged``.

    Examples
    --------
    >>> from toy.units import simulate
    >>> trained = simulate(dim=3, samples=50, width=4, replicas=1, epochs=1, test_samples=40)
    >>> numbers = report(trained).numbers
    >>> bool(0 <= numbers["auc"] <= 1)
    True
    """

    fractions: np.ndarray
    unchanged: np.ndarray
    accuracy: np.ndarray
    targeted: np.ndarray
    best: np.ndarray
    numbers: dict[str, float]


def similarity(hidden: np.ndarray, held_out: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """Repeated units and spectrum of one layer from activations (n, m), ``held_out`` for scoring; NaN if no two units vary."""
    fit, score = Moments.from_samples({"h": hidden}), Moments.from_samples({"h": held_out})
    repeated = repeated_units(fit, "h", threshold=threshold)
    alive = repeated.varying > 0
    predicted = predictability(fit, "h", ridge=1e-4, score=score)
    return {
        "pair_share": repeated.pair_share, "twin_share": repeated.twin_share, "similar_per_unit": repeated.similar_per_unit,
        "compressibility": compressibility(fit, "h") if alive else np.nan,
        "effective_rank": effective_rank(fit, "h") if alive else np.nan,
        "predictable": float(np.nanmean(predicted)) if np.isfinite(predicted).any() else np.nan,
        "dead": float(repeated.dead.mean()), "constant": float(repeated.constant.mean()),
    }


def report(trained: Trained, replica: int = 0, *, seed: int = 0, threshold: float = 0.5) -> Report:
    """Measure one student on its held-out samples.

    Parameters
    ----------
    trained : Trained
        Students of a simulation.
    replica : int ≥ 0, default 0
        Number of the student to measure.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Key of the streams for random orders.
    threshold : float in (0, 1), default 0.5
        |r| from which two units are similar.

    Returns
    -------
    Report
        Curves and numbers.

    Raises
    ------
    InputError
        For fewer than 8 held-out samples.

    References
    ----------
    S1's removable and repeated units; definitions in :mod:`theory.measures.ablation` and :mod:`theory.measures.units`.

    Examples
    --------
    >>> from toy.units import simulate
    >>> trained = simulate(dim=3, samples=50, width=4, replicas=1, epochs=1, test_samples=40)
    >>> ablation = report(trained)
    >>> bool(ablation.unchanged[0] == 1.0)
    True
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

    # the best order is chosen on one half of the inputs and scored on the other
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
    """Sizes and agreement of the smaller networks: removable units are left out, others merged if they repeat each other.

    In the best order, as many units are removed as leave a share ``GOOD`` of the predictions unchanged on the first half of the
    inputs; agreement is measured on the second half.
    """
    W, b, V, c = weights
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
        small_W, small_b, small_V, small_c = smaller_network(W, b, V, c, merging)
        outputs = np.maximum(x[half:] @ small_W + small_b, 0) @ small_V + small_c
        suffix = f"_{name}" if name else ""
        out[f"kept{suffix or '_share'}"] = merging.kept.mean()
        out[f"agreement{suffix}"] = np.mean(outputs.argmax(1) == intact)
    return out
