"""Evidence on hulls: statistics of points and of replicas, and what of them is a piece of its own."""

import math

import numpy as np
import pandas as pd
import pytest

from empirical.hull.measure import errors_beyond_nearest
from empirical.hull.statistics import (
    correlation,
    excess,
    partial_rank,
    share_gap_over_replicas,
    share_over_replicas,
)
from empirical.studies import STUDIES
from empirical.studies.hull.evidence import evidence
from empirical.studies.hull.summary import over_replicas
from empirical.studies.units.study import trained_units_study
from lab.estimate import mean_interval, share_interval
from lab.study import CONFIRMATORY, load
from theory.claims import claims
from theory.verdict.pieces import NO_EFFECT, TOO_FEW, judge


def test_partial_correlation_is_that_of_the_inverse():
    rng = np.random.default_rng(0)
    z, u = rng.standard_normal((2, 300))
    x, y = z + u + rng.standard_normal(300), z - u + rng.standard_normal(300)
    ranks = np.argsort(np.argsort(np.stack([x, y, z, u])), axis=1)
    inverse = np.linalg.inv(np.corrcoef(ranks))
    assert partial_rank(x, y, z, u) == pytest.approx(-inverse[0, 1] / math.sqrt(inverse[0, 0] * inverse[1, 1]))
    assert partial_rank(x, np.ones(300), z) == 0 and partial_rank(x, z, z) == pytest.approx(0, abs=1e-9)


def test_intervals_of_correlations_and_ratios():
    found = correlation(0.3, 100, given=1)
    np.testing.assert_allclose([found.low, found.high], np.tanh(np.arctanh(0.3) + np.array([-1, 1]) * 1.959964 / math.sqrt(96)),
                               rtol=1e-6)
    assert correlation(1.0, 50).high < 1
    rng = np.random.default_rng(1)
    test, training = rng.gamma(4, 1, 4000), rng.gamma(4, 1, 5000)
    found = excess(mean_interval(test), mean_interval(training))
    assert found.mean == pytest.approx(test.mean() / training.mean() - 1)
    misses = sum(not (e := excess(mean_interval(rng.gamma(4, 1, 60)), mean_interval(rng.gamma(4, 1, 60)))).low <= 0 <= e.high
                 for _ in range(1000))
    assert 25 < misses < 80  # of 5 %
    assert excess(mean_interval(np.zeros(9)), mean_interval(training)) is None


def test_the_command_and_the_evidence_count_alike():
    rng = np.random.default_rng(2)
    hull, near = rng.random((2, 200))
    wrong = hull + near + rng.random(200) > 2
    said = errors_beyond_nearest(wrong, hull, near)["given_nearest"]
    assert said == correlation(partial_rank(wrong, hull, near), 200, given=1)


def test_replicas_that_do_not_differ_leave_the_points_of_one():
    assert share_over_replicas([1.0] * 5, 500).low == share_interval(500, 500).low
    gap = share_gap_over_replicas([1.0] * 5, 1000, [1.0] * 5, 1000)
    assert gap.mean == 0 and -0.01 < gap.low < 0 < gap.high < 0.01 and gap.n == 5
    wide = share_over_replicas([0.2, 0.8, 0.5], 1000)
    assert wide.low == mean_interval([0.2, 0.8, 0.5]).low or wide.low == 0


def rows(seeds, **changes) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    base = {"data": "CIFAR-10 (JPEG re-encoding)", "space": "features", "components": 0, "dim": 64, "n": 1000, "arch": "resnet18",
            "alpha": "1", "site": "penultimate", "name": "penultimate", "network": "resnet18 alpha 1", "test_outside": 1.0,
            "test_outside_n": 1000, "training_outside": 1.0, "training_outside_n": 1000,
            **{f"{group}_distance{end}": value for group in ("test", "training")
               for end, value in (("", 1.0), ("_low", 0.99), ("_high", 1.01), ("_n", 1000))}}
    return pd.DataFrame([{**base, "seed": seed, "test_over_training": rng.normal(0, 0.01), "error_given_nearest_n": 1000,
                          "error_given_nearest": rng.normal(0, 0.01), **changes} for seed in seeds])


def test_networks_are_the_unit():
    frame = rows(range(100, 105))
    found = {e.claim: e for e in evidence(frame, ("run",))}
    assert {e.estimate.n for e in found.values()} == {5} and {e.piece for e in found.values()} == {"resnet18-1-penultimate"}
    register = claims()
    for claim in ("s3.outside-beyond-dimension", "s3.outside-share-beyond-training", "s3.hull-distance-explains-errors"):
        (piece,) = judge(register[claim], [found[claim]])
        assert piece.judgement == NO_EFFECT, claim
    alone = {e.claim: e for e in evidence(frame[:1], ("run",))}
    (piece,) = judge(register["s3.features-outside"], [alone["s3.features-outside"]])
    assert piece.judgement == TOO_FEW  # a thousand points of one network say nothing of others


def test_nested_and_small_measurements():
    components = rows(range(100, 103), components=8, dim=8, test_outside=0.4, test_inside=0.6, test_inside_n=1000)
    subsets = rows(range(100, 103), n=100)
    few = rows(range(100, 103), arch="mlp", test_outside_n=197, training_outside_n=197)
    found = evidence(pd.concat([rows(range(100, 103)), components, subsets, few]), ())
    by = {(e.claim, e.piece) for e in found}
    assert len(by) == len(found)  # hulls of fewer points are no pieces
    assert ("s3.outside-share-beyond-training", "mlp-1-penultimate") not in by  # 197 points cannot show one in a hundred
    assert ("s3.features-outside-at-equal-dimension", "resnet18-1-penultimate-8") in by
    whole, part = (next(e for e in found if e.piece == piece) for piece in ("resnet18-1-penultimate", "resnet18-1-penultimate-8"))
    assert whole.cluster == part.cluster != ""


def test_pictures_show_one_row_a_space():
    frame = pd.concat([rows(range(100, 105)), rows([100], data="MNIST", space="pixels", arch="", alpha="", site="")])
    frame = frame.assign(test_over_training_low=-1.0, test_over_training_high=1.0, test_outside_low=0.9, test_outside_high=1.0)
    summary = over_replicas(frame)
    several, one = summary.iloc[0], summary.iloc[1]
    assert len(summary) == 2 and several.test_outside_low == share_interval(1000, 1000).low
    assert several.test_over_training_high == mean_interval(frame[frame.space == "features"].test_over_training).high
    assert (one.test_over_training_low, one.test_outside_low) == (-1.0, 0.9)  # as measured


@pytest.mark.parametrize("name", ["units-mlp", "units-alexnet", "units-resnet56", "units-inception", "units-resnet18-cifar10",
                                  "units-transformer-entailment", "hull-digits", "hull-resnet18-cifar10", "hull-errors"])
def test_confirmatory_replicas(name):
    study = load(STUDIES[name])
    declared = study.declared or study.configs
    few, more = (declared("full", n) for n in (3, 5))
    assert {c.seed for c in more} == set(range(CONFIRMATORY, CONFIRMATORY + 5)) and set(few) < set(more)
    digits = [c for c in more if c.data.startswith(("digits", "entailment")) and not getattr(c, "sweep", "")]
    assert all(c.split == c.seed for c in digits)


def test_second_wide_networks_are_not_measured():
    study = trained_units_study("x", "", "transformer-entailment", "")
    configs = study.configs("full")
    assert len(configs) == 4 * 8 and {sum(c.seed == s for c in configs) for s in range(100, 108)} == {4}
