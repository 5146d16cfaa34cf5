"""Interventions on widths: networks stopped twice, few samples against many; paired by replica, judged by their claims."""

import math

import pandas
import pytest

from empirical.studies import STUDIES
from empirical.studies.trained import TRAIN
from empirical.studies.width.causes import (
    ABOVE,
    ALL,
    BELOW,
    FEW,
    WRONG,
    evidence_sampled,
    evidence_stopped,
    structure_floor,
)
from lab.study import CONFIRMATORY, load
from theory.claims import claims


def table(column, values, gaps, mismatch=0.0):
    """The table of two sweeps of three replicas and two widths; ``gaps``: value -> gap at the smaller width, by replica."""
    base = {"site": "penultimate", "arch": "resnet18", "data": "digits, 0.4 label noise", "base_width": 16, "match": "train-loss",
            "target_loss": 1.0, "train_size": 0, "reverse_gap": 0.0}
    return pandas.DataFrame([
        {**base, "alpha": alpha, "copies": copies, "all_copies": copies, "seed": CONFIRMATORY + i,
         "mismatch": mismatch * (i == 0), "gap": gap if copies > 1 else 0.0, column: value}
        for value in values for alpha, copies in (("1", 1), ("1/4", 4)) for i, gap in enumerate(gaps[value])])


@pytest.mark.parametrize("evidence, column, low, high, claim", [
    (evidence_stopped, "target_loss", BELOW, ABOVE, "s0.matched-gap-is-of-capacity"),
    (evidence_sampled, "train_size", ALL, FEW, "s0.gap-needs-samples")])
def test_the_change_is_paired(evidence, column, low, high, claim):
    gaps = {low: [0.5, 0.1, 0.31], high: [0.4, 0.0, 0.2]}
    (found,) = evidence(table(column, (low, high), gaps), ("a",))
    assert found.claim == claim and claims()[claim].columns == (found.column,) and not found.note
    assert found.estimate.mean == pytest.approx(0.31 / 3) and found.estimate.high - found.estimate.low < 0.03 < 0.2
    (fewer,) = evidence(table(column, (low, high), gaps, mismatch=0.02), ())
    assert fewer.estimate.n == 2 and fewer.note == "2 of 3 replicas"  # one is not matched
    assert evidence(table(column, (low,), gaps), ()) == []


def test_the_two_losses_lie_on_either_side_of_what_structure_leaves():
    logits = [math.log(1 - WRONG)] + [math.log(WRONG / 9)] * 9
    assert BELOW < structure_floor(WRONG) < ABOVE and structure_floor(0.9) == pytest.approx(math.log(10))
    assert structure_floor(WRONG) == pytest.approx(-(1 - WRONG) * logits[0] - WRONG * logits[1])


def test_arms_share_everything_but_what_is_changed():
    for name, field in (("cause-matched-gap", "target_loss"), ("cause-samples", "train_size")):
        networks = TRAIN.of(load(STUDIES[name]).at("full"))
        kept = [{k: v for k, v in vars(n).items() if k not in (field, *(["epochs"] if field == "train_size" else []))}
                for n in networks]
        half = len(kept) // 2
        assert kept[:half] == kept[half:] and len({getattr(n, field) for n in networks}) == 2
        if field == "train_size":
            assert len({n.epochs * (n.train_size // n.batch_size) for n in networks}) == 1  # as many steps
