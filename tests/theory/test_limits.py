"""Closed forms at the ends of their ranges, and arrays they refuse."""

import numpy as np
import pytest

from lab.errors import InputError
from theory.extrapolation import gaussian_inside, wendel_inside
from theory.gaussian import erf_i2
from theory.landscape import gradient, gradient_fast, hessian, loss, negative_directions
from theory.random_units import relu_correlation
from theory.regression import (
    finite_sample_risk,
    isotropic_risk,
    optimal_ridge,
    optimal_risk,
    peak,
    random_features_risk,
    ridge_risk,
)
from toy.double_descent import predict, simulate


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 3.0])
def test_a_huge_ridge_learns_nothing(gamma):
    for ridge in (1e20, 1e100, 1e200, 1e300, np.inf):
        assert ridge_risk(gamma, ridge) == pytest.approx(1.0, rel=1e-12)
        assert ridge_risk(gamma, ridge, 2.5, 0.3) == pytest.approx(2.5, rel=1e-12)
    # the approach: 1 - R ~ 2/lambda
    assert (1 - ridge_risk(gamma, 1e6)) * 1e6 == pytest.approx(2, rel=1e-3)
    np.testing.assert_allclose(ridge_risk(gamma, [1e-3, np.inf, 1e250]), [ridge_risk(gamma, 1e-3), 1, 1])


def test_very_many_features():
    for gamma in (1e20, 1e100, 1e300, np.inf):
        assert ridge_risk(gamma, 0.1) == isotropic_risk(gamma) == pytest.approx(1.0)
    assert optimal_risk(1e200) == pytest.approx(1.0) and optimal_risk(0.5, 1e-300, 1e10) == pytest.approx(1e-300)
    assert random_features_risk(2.0, 3.0, np.inf, linear=1.5, nonlinear=0.5) == 2.0
    assert random_features_risk(2.0, 3.0, 1e30, linear=1.5, nonlinear=0.5) == pytest.approx(2.0, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1e20])
def test_risks_are_homogeneous_in_signal_and_noise(scale):
    for risk in (lambda s: ridge_risk(0.7, 0.1, 2 * s, s), lambda s: isotropic_risk(3.0, s, 0.5 * s),
                 lambda s: optimal_risk(2.0, s, 3 * s), lambda s: finite_sample_risk(10, 4, s, s, s),
                 lambda s: random_features_risk(2.0, 3.0, 0.1, s, s, s), lambda s: peak(0.01, s, s)["height"]):
        assert risk(scale) == pytest.approx(scale * risk(1.0), rel=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 1j])
def test_noise_that_is_no_number_is_refused(bad):
    for call in (lambda: ridge_risk(0.5, 0.1, 1.0, bad), lambda: ridge_risk(0.5, 0.1, bad),
                 lambda: finite_sample_risk(10, 4, noise=bad), lambda: random_features_risk(2.0, 3.0, noise=bad),
                 lambda: optimal_ridge(0.5, 1.0, bad), lambda: peak(0.1, 1.0, bad)):
        with pytest.raises((InputError, TypeError)):
            call()
    if not isinstance(bad, complex):
        for change in ({"noise_variance": bad}, {"ridge": bad}):
            for call in (simulate, predict):
                with pytest.raises(InputError, match=r"(noise_variance|ridge) must be"):
                    call(features=(3,), samples=5, dim=6, **({"replicas": 1} | change))


def test_a_far_fresh_point_is_refused_where_the_sum_has_no_digits():
    assert gaussian_inside(2000, 3, 1e3) < 1e-8
    for width in (1e8, np.inf, np.nan, -1.0):
        with pytest.raises(InputError, match="width must be"):
            gaussian_inside(2000, 3, width)


@pytest.mark.parametrize("scale", [1e-20, 1e-9, 1e9, 1e20])
def test_the_landscape_is_homogeneous(scale):
    rng = np.random.default_rng(0)
    W, V = rng.standard_normal((4, 5)), rng.standard_normal((3, 5))
    assert loss(W * scale, V * scale) == pytest.approx(scale**2 * loss(W, V), rel=1e-9)
    for slope in (gradient, gradient_fast):
        np.testing.assert_allclose(slope(W * scale, V * scale), scale * slope(W, V), rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_allclose(hessian(W * scale, V * scale), hessian(W, V), atol=1e-9)


def test_masked_and_complex_arrays_are_refused():
    W, V = np.eye(3), np.eye(3)
    masked = np.ma.array(W, mask=W > 0)
    for bad in (masked, W + 1j):
        for call in (lambda b: loss(b, V), lambda b: loss(W, b), lambda b: gradient(b, V), lambda b: gradient_fast(b, V),
                     lambda b: hessian(b, V), negative_directions, lambda b: erf_i2(b, 0, 1), lambda b: ridge_risk(b, 0.1),
                     lambda b: finite_sample_risk(10, b), lambda b: wendel_inside(b, 2), relu_correlation):
            with pytest.raises(InputError, match=r"masked|real numbers"):
                call(bad)
