"""Polynomial boundary: features, fits against independent solvers, agreement against a direct count."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from lab.errors import InputError
from toy.__main__ import COMMANDS
from toy.polynomial import study_starts
from toy.polynomial.fit import descend, features, max_margin, minimum_norm
from toy.polynomial.model import Data, agreement_row, make_data, simulate, simulate_networks
from toy.polynomial.starts import descended, law, predict
from toy.polynomial.study import _growth, configs


def test_features_span_the_polynomials():
    x = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    for degree in range(6):
        phi = features(x, degree)
        assert phi.shape == (60, (degree + 1) * (degree + 2) // 2)
        assert np.linalg.matrix_rank(phi) == phi.shape[1]
        monomials = np.stack([x[:, 0]**i * x[:, 1]**j for i in range(degree + 1) for j in range(degree + 1 - i)], 1)
        assert np.linalg.matrix_rank(np.hstack([phi, monomials])) == phi.shape[1]
    np.testing.assert_array_equal(features(x, 3)[:, 0], 1)


def test_max_margin_against_a_general_solver():
    data = make_data(samples=15, degree=2, seed=1)
    phi, s = features(data.x, 2), data.signs
    found = max_margin(phi, s)
    result = minimize(lambda w: 0.5 * w[1:] @ w[1:], found + 0.1, jac=lambda w: np.r_[0, w[1:]], method="SLSQP",
                      constraints={"type": "ineq", "fun": lambda w: s * (phi @ w) - 1, "jac": lambda w: s[:, None] * phi},
                      options={"maxiter": 500, "ftol": 1e-12})
    assert result.success
    np.testing.assert_allclose(found, result.x, atol=2e-3 * np.abs(result.x).max())


def test_descent_against_a_plain_loop():
    data = make_data(samples=17, degree=2, seed=2)
    phi, s = features(data.x, 3), data.signs
    start = np.random.default_rng(0).standard_normal((3, phi.shape[1]))
    found, losses = descend(phi, s, start, target_loss=0.0, max_steps=25)
    rate = 4 * len(phi) / np.linalg.norm(phi, 2) ** 2
    for w, mine, loss in zip(start.copy(), found, losses):
        for _ in range(25):
            m = s * (phi @ w)
            value = np.mean(np.logaddexp(0, -m))
            w += rate * np.mean((s / (1 + np.exp(m)))[:, None] * phi, axis=0)
        np.testing.assert_allclose(mine, w, rtol=1e-9, atol=1e-12)
        assert loss == pytest.approx(value, rel=1e-9)
    stopped, losses = descend(phi, s, start, target_loss=0.2)
    assert np.all(losses <= 0.2) and np.all((s * (stopped @ phi.T)).mean(1) > 0)


def test_minimum_norm_is_minimal():
    data = make_data(samples=12, degree=2)
    phi = features(data.x, 6)
    w = minimum_norm(phi, data.signs)
    np.testing.assert_allclose(phi @ w, data.signs, atol=1e-9)
    null = np.linalg.svd(phi)[2][12:]
    np.testing.assert_allclose(null @ w, 0, atol=1e-9)


def test_agreement_between_pairs():
    rng = np.random.default_rng(3)
    none = np.empty(0)
    data = Data(none, none, none, none, rng.choice([-1.0, 1.0], 50), rng.choice([-1.0, 1.0], 30))
    inside, outside = rng.choice([-1.0, 1.0], (5, 50)), rng.choice([-1.0, 1.0], (5, 30))
    row = agreement_row(3, "x", inside, outside, data, 0.0)
    direct = np.mean([np.mean(a == b) for a, b in itertools.combinations(outside, 2)])
    assert row.pair_outside == pytest.approx(direct)
    assert row.truth_inside == pytest.approx(np.mean(inside == data.true_inside))
    assert np.isnan(agreement_row(3, "x", inside[:1], outside[:1], data, 0.0).pair_inside)


def test_data():
    for replica in range(5):
        data = make_data(replica=replica)
        assert data.x.shape == (40, 2) and set(data.signs) == {-1.0, 1.0}
        assert np.all(np.linalg.norm(data.x, axis=1) <= 1)
        # every point of the hull is a convex combination, so none lies beyond the disc
        assert np.linalg.norm(data.inside, axis=1).max() <= 1


def test_all_classifiers_separate_and_inside_is_easier():
    rows = [row for replica in range(3) for row in simulate(degrees=(3, 6), samples=20, replica=replica)]
    assert max(row.train_error for row in rows if row.regime != "minimum-norm") == 0
    assert np.mean([row.truth_inside - row.truth_outside for row in rows]) > 0.05
    networks = simulate_networks(widths=(16,), samples=20, epochs=1500)
    assert {row.regime for row in networks} == {"network-small", "network-large"}
    assert max(row.train_error for row in networks) < 0.1


def test_the_smallest_model_that_separates_is_the_one_compared():
    rows = pd.DataFrame([{"data_set": d, "size": size, "train_error": error, "pair_outside": agree} for d, cells in enumerate((
        ((4, 0.1, 0.2), (16, 0.0, 0.7), (256, 0.0, 0.9)),  # width 4 does not separate
        ((4, 0.0, 0.5), (16, 0.0, 0.7), (256, 0.0, 0.9)),
        ((4, 0.1, 0.2), (16, 0.1, 0.7), (256, 0.0, 0.9)),  # nothing to compare the largest with
        ((4, 0.0, 0.2), (16, 0.0, 0.7), (256, 0.1, 0.9)))) for size, error, agree in cells])
    np.testing.assert_allclose(_growth(rows), [0.2, 0.4])


def test_replicas_share_no_data():
    few, more = configs("full", 3), configs("full", 5)
    assert set(few) < set(more) and len({c.replica for c in more}) == len(more) and min(c.replica for c in more) >= 100


def test_bad_input():
    for call in (lambda: simulate(degrees=(2,), degree=3), lambda: make_data(samples=2), lambda: make_data(reach=1.0),
                 lambda: features(np.zeros((3, 3)), 2), lambda: features(np.full((3, 2), np.nan), 2)):
        with pytest.raises(InputError):
            call()
    xor = np.array([[-1.0, -1], [1, 1], [-1, 1], [1, -1]])
    with pytest.raises(InputError, match="higher degree"):
        max_margin(features(xor, 1), np.array([1.0, 1, -1, -1]))


def test_command(capsys):
    from lab.cli import main

    arguments = ["polynomial", "--quick", "--degrees", "3", "--widths", "4", "--json"]
    assert main("toy", COMMANDS, arguments) == 0
    assert len(json.loads(capsys.readouterr().out)["cells"]) == 7
    assert main("toy", COMMANDS, ["polynomial", "--quick", "--degrees", "2"]) == 2


def test_small_starts_agree_as_their_law_says():
    """To what the pairs of 40 starts differ by."""
    data, draws = make_data(samples=20, degree=2, seed=3, probes=1000), np.random.default_rng(0).standard_normal((40, 45))
    (small, large) = law(data, 8, (0.3, 10.0))
    found = descended(data, 8, 0.3, draws)
    assert 0.5 < small.pair_outside < 0.97 and found.pair_outside == pytest.approx(small.pair_outside, abs=0.02)
    assert found.truth_outside == pytest.approx(small.truth_outside, abs=0.03)
    assert large.pair_inside < small.pair_inside
    (row,) = predict(degrees=(4,), samples=12, degree=2)
    assert row.regime == "gradient-small" and row.train_error == 0


def test_study_of_starts_holds_both():
    frame = study_starts.tabulate([(c, study_starts.run(c, None)) for c in study_starts.configs("quick")[:1]])
    assert list(frame.init_scale) == [0.001, 0.1] and (frame.features == 66).all()
    assert (frame.pair_outside - frame.theory_pair_outside).abs().max() < 0.1 and study_starts.configs("run") == []
