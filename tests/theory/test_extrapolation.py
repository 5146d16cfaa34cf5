"""Hull probabilities and separating polynomials: exact values, sampled hulls, brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory import extrapolation as ex
from theory.derivation import run_check
from theory.extrapolation import hull
from theory.extrapolation.check import CHECKS, is_inside, sample_ball
from theory.extrapolation.derive import DERIVATIONS


def test_known_values():
    assert ex.ball_inside(3, 2) == pytest.approx(35 / (48 * math.pi**2), rel=1e-13)
    assert ex.ball_inside(4, 3) == pytest.approx(9 / 715, rel=1e-13)
    assert ex.gaussian_inside(3, 2) == pytest.approx(0.25 - 1.5 * math.asin(1 / 3) / math.pi, rel=1e-12)
    for n in (2, 7, 1000, 10**7):
        assert ex.ball_inside(n, 1) == pytest.approx((n - 1) / (n + 1), rel=1e-11)
        assert ex.gaussian_inside(n, 1) == pytest.approx((n - 1) / (n + 1), rel=1e-11)
    assert ex.ball_inside(5, 5) == ex.gaussian_inside(5, 5) == 0.0


@pytest.mark.parametrize("d", [2, 3, 7, 40, 150])
def test_simplex_in_the_ball(d):
    """Kingman 1969: expected volume of a simplex of d + 1 uniform points."""
    log_beta = (math.lgamma(d + 2) - 2 * math.lgamma((d + 3) / 2)) * (d + 1) - (
        math.lgamma((d + 1) ** 2 + 1) - 2 * math.lgamma((d + 1) ** 2 / 2 + 1))
    assert ex.log_ball_inside(d + 1, d) == pytest.approx(-d * math.log(2) + log_beta, rel=1e-10)


@pytest.mark.parametrize("d", [30, 64, 150])
def test_narrow_peaks_by_the_large_dimension_law(d):
    """For large d: P(inside) = <h^d e^(1 - h^2)>, N times the cap beyond h distributed as Gamma(d). And monotone in N."""
    h2 = 0.5 ** (2 / d)
    log_ratio = math.lgamma(d / 2 + 1) - math.lgamma((d + 1) / 2) - 0.5 * math.log(math.pi)
    log_cap = log_ratio + (d + 1) / 2 * math.log1p(-h2) - math.log(d + 1)
    reached = ex.inside_threshold(d, log=True)
    assert reached == pytest.approx(math.log(d) - log_cap - 1, abs=0.05)
    values = [ex.log_ball_inside(math.floor(math.exp(reached + shift)), d) for shift in (-20, -2, -1, 0, 1, 2, 20)]
    assert np.all(np.diff(values) > 0)


@pytest.mark.parametrize("law", ["ball", "gaussian"])
@pytest.mark.parametrize("n, d", [(9, 2), (12, 4), pytest.param(60, 5, marks=pytest.mark.slow)])
def test_sampled_hulls(law, n, d):
    from scipy.spatial import Delaunay

    rng = np.random.default_rng([n, d])

    def draw(m):
        return sample_ball(rng, m, d) if law == "ball" else rng.standard_normal((m, d)) @ rng.standard_normal((d, d))

    shares = []
    for _ in range(150):
        if law == "gaussian":
            points = rng.standard_normal((n + 100, d)) @ rng.standard_normal((d, d))  # any covariance
            shares.append(np.mean(Delaunay(points[:n]).find_simplex(points[n:]) >= 0))
        else:
            shares.append(np.mean(Delaunay(draw(n)).find_simplex(draw(100)) >= 0))
    exact = (ex.ball_inside if law == "ball" else ex.gaussian_inside)(n, d)
    assert abs(np.mean(shares) - exact) < 5 * np.std(shares) / 150**0.5 + 1e-4


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12), st.integers(1, 60), st.floats(0.0, 3.0))
def test_parities_sum_to_one(d, extra, width):
    """b_0 ... b_N sum to 1: both ways of summing the Gaussian formula agree."""
    n = d + extra
    v = [width**2 / (1 + k * width**2) for k in range(n + 1)]
    b = [math.exp(hull._log_choose(n, k) + hull.log_regular_cone(k, -v[k]) + hull.log_regular_cone(n - k, v[k]))
         for k in range(n + 1)]
    assert sum(b) == pytest.approx(1, rel=1e-10)
    assert ex.gaussian_inside(n, d, width) == pytest.approx(2 * sum(b[d + 1::2]), rel=1e-8, abs=1e-300)


def test_cones():
    assert ex.regular_cone(0, 5.0) == 1.0
    for n in (1, 4, 30):
        assert ex.regular_cone(n, 1.0) == pytest.approx(1 / (n + 1), rel=1e-12)
        assert ex.regular_cone(n, 0.0) == pytest.approx(0.5**n, rel=1e-12)
    for r in (-0.4, -0.1, 0.3, 2.0):
        assert ex.regular_cone(2, r) == pytest.approx(0.25 + math.asin(r / (1 + r)) / (2 * math.pi), rel=1e-12)
        if r > -1 / 3:
            assert ex.regular_cone(3, r) == pytest.approx(0.125 + 3 * math.asin(r / (1 + r)) / (4 * math.pi), rel=1e-12)


def test_wendel_and_cover_by_enumeration():
    rng = np.random.default_rng(0)
    for n, d in ((4, 2), (6, 3), (7, 2)):
        x = rng.standard_normal((n, d))
        outside = 0
        for pattern in range(2**n):
            sign = np.array([1 if pattern >> i & 1 else -1 for i in range(n)])
            outside += not is_inside(sign[:, None] * x, np.zeros(d))
        assert outside / 2**n == pytest.approx(1 - ex.wendel_inside(n, d)) == pytest.approx(ex.cover_separable(n, d))
    assert ex.wendel_inside(np.array([1, 3, 4]), 3) == pytest.approx([0, 0, 0.125])


def test_thresholds():
    for law in ("ball", "gaussian"):
        for d in (1, 2, 5):
            n = ex.inside_threshold(d, law)
            function = ex.ball_inside if law == "ball" else ex.gaussian_inside
            assert function(n, d) >= 0.5 > function(n - 1, d)
            m = ex.vertices_threshold(d, law)
            assert ex.expected_interior_points(m, d, law) >= 0.5 > ex.expected_interior_points(m - 1, d, law)
    assert abs(ex.vertices_threshold(200, log=True) / (100 * math.log(2)) - 1) < 0.06
    assert ex.inside_threshold(20) > 1e9 > 2**10 > ex.vertices_threshold(8)


def test_the_misreading_of_barany_and_furedi():
    """At N = 2^(d/2) a fresh point is outside, at every d; half of them are inside only far beyond."""
    for d in (10, 20, 40):
        assert ex.ball_inside(2 ** (d // 2), d) < 1e-3
    assert all(e.estimate.mean > 2 for e in ex.evidence((8, 16)) if e.claim == "s3.fresh-point-threshold")


@pytest.mark.parametrize("labels", [[0, 1, 0, 1, 1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 1], [1, 1, 1], [0, 1] * 7])
def test_degree_on_the_line_counts_sign_changes(labels):
    assert ex.separating_degree(np.linspace(-3, 50, len(labels)), labels) == np.sum(np.diff(labels) != 0)


def test_degree_in_the_plane():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (250, 2))
    assert ex.separating_degree(x, x[:, 0] + 0.2 * x[:, 1] > 0.1) == 1
    assert ex.separating_degree(x * [1, 1e4] + [1e3, 0], (x**2).sum(1) < 0.5) == 2  # scale and offset do not matter
    cubic = x[:, 1] - 2 * x[:, 0] ** 3 + x[:, 0]
    assert ex.separating_degree(x, cubic > 0) == 3
    assert ex.separating_degree([[0, 0], [1, 1], [0, 1], [1, 0]], [0, 0, 1, 1]) == 2
    margin, values = ex.separating_polynomial(x, cubic > 0, 4)
    assert margin > 0 and np.all((values > 0) == (cubic > 0))
    assert ex.separating_degree([[0.0], [0.0]], [0, 1], 6) is None
    assert ex.separating_polynomial(x, cubic > 0, 2) == (0.0, None)


def test_degree_law():
    law = ex.degree_distribution(12, 2, 4)
    assert law[0] == pytest.approx(2.0**-11) and law[4] == 1.0 and np.all(np.diff(law) >= 0)


@pytest.mark.parametrize("dimension, points", [(1, 4), (2, 3), (3, 4), (3, 6)])
def test_ball_derivation_follows_its_inputs(dimension, points):
    derived = DERIVATIONS["extrapolation-ball"](dimension=dimension, points=points).result.rhs
    assert float(derived) == pytest.approx(ex.ball_inside(points, dimension), rel=1e-12)


def test_other_derivations_follow_their_inputs():
    for d in (1, 2, 5):
        derived = DERIVATIONS["extrapolation-wendel"](dimension=d).result.rhs
        assert float(derived.subs({s: 9 for s in derived.free_symbols})) == pytest.approx(ex.wendel_inside(9, d))
    limits = DERIVATIONS["extrapolation-gaussian"](dimension=2, points=6).result
    assert float(limits[1].rhs) == pytest.approx(1 - ex.wendel_inside(6, 2))
    assert float(limits[2].rhs) == pytest.approx(ex.gaussian_inside(3, 2))
    law = DERIVATIONS["extrapolation-thresholds"](probability="1/10").result[1].rhs
    assert float(law.subs("d", 50).subs({s: 50 for s in law.free_symbols})) < ex.inside_threshold(50, probability=0.1)


@pytest.mark.parametrize("name", [n if n == "hull-gaussian" else pytest.param(n, marks=pytest.mark.slow) for n in CHECKS])
def test_checks_pass(name):
    assert all(p.passed for p in run_check(name, CHECKS[name]))


@pytest.mark.parametrize("call", [
    lambda: ex.ball_inside(5, 0), lambda: ex.ball_inside(2.5, 1), lambda: ex.gaussian_inside(5, 2, -1.0),
    lambda: ex.regular_cone(3, -0.5), lambda: ex.wendel_inside(0, 1), lambda: ex.inside_threshold(3, "cube"),
    lambda: ex.inside_threshold(3, probability=1.0), lambda: ex.vertices_threshold(3, expected=0.0),
    lambda: ex.inside_threshold(400), lambda: ex.separating_degree(np.ones((2, 2)), [0, 1, 1]),
    lambda: ex.separating_degree([1.0, np.nan], [0, 1]), lambda: ex.separating_degree([1, 2, 3], [0, 1, 2]),
    lambda: ex.separating_polynomial([1, 2], [0, 1], -1), lambda: ex.degree_distribution(5, 0, 2)])
def test_bad_input(call):
    with pytest.raises(InputError):
        call()
