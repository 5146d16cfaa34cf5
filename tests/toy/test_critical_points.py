"""Critical points: the search on a landscape whose points are known, slopes against differences, indices against theory."""

import json

import numpy as np
import pytest

from lab.errors import InputError
from theory.critical_points import search
from theory.landscape import symmetric_minimum
from toy.__main__ import COMMANDS
from toy.critical_points import predict, simulate
from toy.critical_points.landscapes import field, relu
from toy.critical_points.model import CriticalPoints
from toy.critical_points.study import STUDY, Search, run


def waves(x):
    """cos x₁ + cos x₂: critical at multiples of π."""
    hessian = np.zeros((len(x), 2, 2))
    hessian[:, [0, 1], [0, 1]] = -np.cos(x)
    return -np.sin(x), hessian


def test_the_search_ends_at_minima_saddles_and_maxima_alike():
    start = np.random.default_rng(0).uniform(0, 2 * np.pi, (200, 2))
    points, norms = search(waves, start, 1e-12, 100)
    assert np.all(norms < 1e-12)
    turns = points / np.pi
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-10)
    assert set(np.sum(np.cos(points) > 0, axis=1)) == {0, 1, 2}


def test_a_minimum_of_the_norm_alone_is_no_critical_point():
    """F = x + x³/3 has a slope of at least 1, and its norm a minimum at 0."""
    _, norms = search(lambda x: (1 + x**2, 2 * x[:, :, None]), np.array([[0.7], [-2.0]]), 1e-9, 200)
    assert np.all(norms >= 1)


@pytest.mark.parametrize("make", [lambda: (*relu(3), 9), lambda: (*field(5, np.random.default_rng(3)), 5)])
def test_slopes_against_differences(make):
    value, slopes, n = make()
    x = np.random.default_rng(1).standard_normal((2, n))
    gradient, hessian = slopes(x)
    scale = 1 if n == 9 else n  # a field's value is φ/N
    for i in range(n):
        step = np.zeros(n)
        step[i] = 1e-5
        np.testing.assert_allclose(scale * (value(x + step) - value(x - step)) / 2e-5, gradient[:, i], atol=1e-7)
        np.testing.assert_allclose((slopes(x + step)[0] - slopes(x - step)[0]) / 2e-5, hessian[:, i], atol=1e-6)


def test_the_field_has_the_law_that_theory_supposes():
    """Variance N at a point, covariance N/e at a distance of √(2N), slopes of variance one."""
    values, slopes, n = [], [], 4
    for seed in range(400):
        value, slope = field(n, np.random.default_rng(seed))
        x = np.array([[0.0] * n, [np.sqrt(2 * n), *[0.0] * (n - 1)]])
        values.append(n * value(x))
        slopes.append(slope(x)[0][0])
    covariance = np.cov(np.array(values).T) / n
    assert covariance[0, 0] == pytest.approx(1, abs=0.25) and covariance[0, 1] == pytest.approx(np.exp(-1), abs=0.25)
    assert np.var(slopes) == pytest.approx(1, abs=0.15)


def test_a_known_minimum_is_found_from_nearby():
    value, slopes = relu(6)
    minimum = symmetric_minimum(6)
    points, norms = search(slopes, minimum.reshape(1, -1) + 1e-2 * np.random.default_rng(0).standard_normal((3, 36)), 1e-10, 100)
    assert np.all(norms < 1e-10)
    np.testing.assert_allclose(value(points), 0.0250806, atol=1e-6)


def test_a_field_has_the_index_of_random_matrices():
    found, theory = simulate("field", 6, 60, 4), predict("field", 6)
    error = found.fall.std(ddof=1) / 2
    assert abs(found.fall.mean() - theory.fall) < 4 * error + 0.05  # asymptotic in N
    assert found.coins.mean() < 0.5 and theory.coins < 0.5
    assert found.found.sum() > 120 and predict("relu", 3).fall is None


def test_coins_are_coins():
    rng = np.random.default_rng(0)
    loss = rng.standard_normal(4000)
    index = rng.binomial(10, 0.5 + 0.1 * np.tanh(loss))
    points = CriticalPoints(np.zeros(4000, dtype=int), loss, index, 10, 4000, np.array([4000]))
    assert points.coins[0] == pytest.approx(1, abs=0.1) and points.fall[0] == pytest.approx(0.1 * 2 * 0.6, abs=0.03)


def test_points_of_one_orbit_count_once():
    found = simulate("relu", 2, 40, 1)
    assert len(set(zip(np.round(found.loss, 6), found.index))) == len(found.loss) < found.found[0]


def test_study(tmp_path):
    table = STUDY.tabulate([(c, run(c, tmp_path)) for c in (Search("relu", 3, r, 20) for r in range(3))])
    found = {e.claim: e for e in STUDY.evidence(table, ())}
    assert set(found) == {"s2.index-falls-with-loss", "s2.coin-flips"} and found["s2.coin-flips"].estimate.n == 3
    assert found["s2.index-falls-with-loss"].piece == "relu-k3"


def test_bad_input():
    for wrong in (dict(landscape="none"), dict(size=1), dict(size=8), dict(landscape="field", size=41), dict(starts=1)):
        with pytest.raises(InputError):
            simulate(**wrong)


def test_command(capsys):
    from lab.cli import main

    assert main("toy", COMMANDS, ["critical-points", "--quick", "--size", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["directions"] == 4
    assert main("toy", COMMANDS, ["critical-points", "--size", "9"]) == 2
