"""Double descent: closed forms against simulation, quadrature and each other."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory import regression as rg
from theory.derivation import run_check
from theory.regression.check import CHECKS, ridge_risk_by_quadrature, sampled_least_squares
from theory.regression.derive import DERIVATIONS
from theory.regression.random_features import RELU_CONSTANTS, chi


def test_ridgeless_limits():
    g = np.array([0.0, 0.2, 0.999, 1.0, 1.001, 3.0, 100.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(g < 1, 0.5 * g / (1 - g), 2 * (1 - 1 / g) + 0.5 / (g - 1))
    expected[3] = np.inf
    assert rg.isotropic_risk(g, 2.0, 0.5) == pytest.approx(expected, rel=1e-12)
    assert rg.isotropic_risk(1.0, 2.0, 0.0) == 0.0
    assert rg.ridge_risk(g[[1, 5]], 1e-9, 2.0, 0.5) == pytest.approx(expected[[1, 5]], rel=1e-7)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.05, 20), st.floats(1e-3, 100), st.floats(0, 3), st.floats(0, 3))
@example(1.001953125, 1.0, 1.0, 0.0)  # the pole of the Marchenko-Pastur density all but touches its support
def test_ridge_against_the_spectrum(gamma, ridge, signal, noise):
    numeric = ridge_risk_by_quadrature(gamma, ridge, signal, noise)
    assert rg.ridge_risk(gamma, ridge, signal, noise) == pytest.approx(numeric, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("n, p", [(17, 5), (11, 24), (9, 1), (1, 9)])
def test_finite_samples(n, p):
    risks = sampled_least_squares(np.random.default_rng(n), n, p, 1.0, 0.2, 0.4, 8_000)
    assert abs(risks.mean() - rg.finite_sample_risk(n, p, 1.0, 0.2, 0.4)) < 5 * risks.std() / 8_000**0.5


def test_finite_tends_to_the_asymptotic_risk():
    n, p = 200_000, np.array([50_000, 900_000])
    excess = rg.finite_sample_risk(n, p, 1.5, 0.0, 0.5) - 0.5
    assert excess == pytest.approx(rg.isotropic_risk(p / n, 1.5, 0.5), rel=1e-4)
    assert np.all(np.isinf(rg.finite_sample_risk(10, [9, 10, 11])))
    assert rg.finite_sample_risk(10, 10, 1.0, 0.0, 0.0) == 0.0


@settings(deadline=None, max_examples=30)
@given(st.floats(0.05, 20), st.floats(0.1, 5), st.floats(0.05, 5), st.floats(-0.9, 3))
def test_no_ridge_beats_the_optimal_one(gamma, signal, noise, change):
    best = rg.optimal_ridge(gamma, signal, noise)
    assert rg.ridge_risk(gamma, best, signal, noise) == pytest.approx(rg.optimal_risk(gamma, signal, noise), rel=1e-9)
    assert rg.ridge_risk(gamma, best * (1 + change), signal, noise) >= rg.optimal_risk(gamma, signal, noise) * (1 - 1e-12)
    assert rg.optimal_risk(gamma * 1.1, signal, noise) >= rg.optimal_risk(gamma, signal, noise)


def test_the_peak():
    found, law = rg.peak(1e-6), rg.peak_scaling(1e-6)
    assert found["location"] == pytest.approx(1, abs=1e-3)
    assert found["height"] == pytest.approx(law["height"], rel=2e-3)
    assert found["width"] == pytest.approx(law["width"], rel=2e-3)
    assert np.isnan(rg.peak(10.0, 1.0, 0.1)["height"])
    low, high = rg.worse_than_nothing(4.0, 1.0)
    assert rg.isotropic_risk(np.array([low, high]), 4.0, 1.0) == pytest.approx(4.0)
    assert rg.worse_than_nothing(0.5, 1.0)[1] == np.inf


def test_random_features_solve_the_fixed_point():
    psi1, psi2, ridge = np.meshgrid([0.2, 1.0, 5.0], [0.5, 1.0, 7.0], [1e-8, 0.1, 10.0])
    mu1, star = RELU_CONSTANTS
    z2, P = (mu1 / star) ** 2, -chi(psi1, psi2, ridge)
    h = 1 + z2 / (1 + z2 * P)
    xi = np.sqrt(psi1 * psi2 * ridge) / star
    a1, a2 = (psi1 - P * h) / xi, (psi2 - P * h) / xi
    assert a1 == pytest.approx(psi1 / (xi + a2 * h), rel=1e-6)
    assert a1 * a2 == pytest.approx(P, rel=1e-6)


def test_random_features_limits():
    assert rg.random_features_risk(1e-9, 3.0, linear=2.0, nonlinear=0.5, noise_variance=1.0) == pytest.approx(2.5, rel=1e-6)
    assert rg.random_features_risk(3.0, 3.0) == np.inf
    near = rg.random_features_risk([2.99, 3.01], 3.0, noise_variance=1.0)
    assert np.all(near > 20)
    for ridge in (1e-9, 1e-11):
        assert rg.random_features_risk(6.0, 3.0, ridge, noise_variance=0.3) == pytest.approx(
            rg.random_features_risk(6.0, 3.0, noise_variance=0.3), rel=1e-4)
    assert rg.random_features_risk(6.0, 3.0, 1e8, linear=2.0) == pytest.approx(2.0, rel=1e-3)
    assert rg.activation_constants(lambda z: np.maximum(z, 0)) == pytest.approx(RELU_CONSTANTS, rel=1e-12)
    ridge, risk = rg.optimal_random_features_ridge(3.0, 3.0, noise_variance=0.25)
    assert risk <= rg.random_features_risk(3.0, 3.0, ridge * np.array([0.5, 2.0]), noise_variance=0.25).min()


@pytest.mark.slow
def test_ridge_derivation_follows_the_variance_of_the_features():
    """Features of standard deviation s with ridge s^2 lambda are unit features of signal s^2 r^2 with ridge lambda."""
    import sympy as sp

    from theory.regression.derive import R2, S2, G

    values = {G: 0.7, R2: 1.3, S2: 0.4}
    for variance in (3,):
        parts = DERIVATIONS["regression-ridge"](variance=variance).result
        assert float(parts[0].rhs.subs(values)) == pytest.approx(rg.isotropic_risk(0.7, 1.3 * variance, 0.4))
        assert float(parts[1].rhs.subs(values | {G: 2.5})) == pytest.approx(rg.isotropic_risk(2.5, 1.3 * variance, 0.4))
        assert float(parts[3].rhs.subs(values)) == pytest.approx(rg.optimal_risk(0.7, 1.3 * variance, 0.4))
    third = DERIVATIONS["regression-peak"](fraction=sp.Rational(1, 3)).result[1].rhs
    assert float(third.subs("lambda", 1).subs({s: 1 for s in third.free_symbols})) == pytest.approx(2 * np.sqrt(32))


def test_random_features_derivation_follows_the_activation():
    import sympy as sp

    z = sp.Symbol("z")
    for activation, function in ((sp.Max(z, 0), lambda z: np.maximum(z, 0)), (sp.Abs(z), np.abs),
                                 (z**2 + z, lambda z: z**2 + z)):
        mu1, star = rg.activation_constants(function)
        got = DERIVATIONS["regression-random-features"](activation=activation).result[0].rhs
        assert float(got) == pytest.approx((mu1 / star) ** 2, abs=1e-9)
    with pytest.raises(InputError):
        DERIVATIONS["regression-random-features"](activation=2 * z)


def test_evidence():
    rows = rg.evidence()
    assert {r.claim for r in rows} == {"s2.second-descent", "s2.peak-at-interpolation"}
    assert all(abs(r.estimate.mean - 1) < 0.05 for r in rows if r.claim == "s2.peak-at-interpolation")


@pytest.mark.parametrize("name", [n if n in ("regression-ridge", "regression-peak") else
                                  pytest.param(n, marks=pytest.mark.slow) for n in CHECKS])
def test_checks_pass(name):
    assert all(p.passed for p in run_check(name, CHECKS[name]))


@pytest.mark.parametrize("call", [
    lambda: rg.ridge_risk(-1, 0), lambda: rg.ridge_risk(np.nan, 0), lambda: rg.optimal_ridge(1, 0, 1),
    lambda: rg.finite_sample_risk(2.5, 1), lambda: rg.peak(0), lambda: rg.peak_scaling(0),
    lambda: rg.worse_than_nothing(1, 0), lambda: rg.random_features_risk(0, 1),
    lambda: rg.ridge_risk(np.ones(2), np.ones(3)), lambda: rg.activation_constants(lambda z: z)])
def test_bad_input(call):
    with pytest.raises(InputError):
        call()
