"""The flow integrator: against exact solutions, and the same bits for any threads and batches."""

import math

import numpy as np
import pytest
from numba import njit

from lab import flow
from lab.errors import InputError


@njit(flow.RHS, error_model="numpy")
def quadratic(params, work, y, out, value):
    """L = ½ Σ λ_i y_i²: y_i = y_i(0) exp(−λ_i t)."""
    for lane in range(flow.LANES):
        value[lane] = 0.0
        for i in range(y.shape[0]):
            out[i, lane] = -params[i] * y[i, lane]
            value[lane] += 0.5 * params[i] * y[i, lane] ** 2


@njit(flow.RHS, error_model="numpy")
def double_well(params, work, y, out, value):
    """L = Σ (y² − 1)²/4, y² = 1/(1 + (1/y0² − 1) exp(−2t)); params[0] < 0 turns it over: a flow to infinity."""
    for lane in range(flow.LANES):
        value[lane] = 0.0
        for i in range(y.shape[0]):
            out[i, lane] = -params[0] * y[i, lane] * (y[i, lane] ** 2 - 1.0)
            value[lane] += params[0] * 0.25 * (y[i, lane] ** 2 - 1.0) ** 2


def test_stiff_quadratic_matches_the_exponentials():
    rates = np.array([1e-3, 0.1, 1.0, 30.0, 1000.0])
    start = np.random.default_rng(0).normal(size=(11, rates.size))
    times = np.array([0.0, 0.01, 0.5, 3.0, 40.0, 400.0])
    got = flow.solve(quadratic, rates, start, times=times, keep_states=True, gradient_tol=0, time_cap=500.0,
                     rtol=1e-7, atol=1e-9)
    want = start[:, None, :] * np.exp(-rates * times[:, None])
    np.testing.assert_allclose(got.states, want, atol=3e-5)
    np.testing.assert_allclose(got.values, 0.5 * np.sum(rates * want**2, axis=-1), rtol=3e-3, atol=1e-7)
    assert np.all(got.status == flow.TIME_CAP) and np.all(got.time == 500.0)
    assert got.evaluations.max() < 40_000  # an explicit pair needs 500 * 1000 / 3


def test_tighter_tolerance_is_closer():
    start = np.array([[0.3, -0.01, 1.7]])
    exact = np.sign(start) / np.sqrt(1 + (1 / start**2 - 1) * math.exp(-2 * 2.5))
    errors = [np.abs(flow.solve(double_well, [1.0], start, gradient_tol=0, time_cap=2.5, rtol=tol, atol=tol).state
                     - exact).max() for tol in (1e-4, 1e-6, 1e-8)]
    assert errors[0] > 5 * errors[1] > 25 * errors[2] and errors[2] < 3e-6


def test_convergence_reaches_tiny_gradients():
    start = np.random.default_rng(1).normal(size=(40, 3))
    got = flow.solve(double_well, [1.0], start, gradient_tol=1e-12)
    assert np.all(got.status == flow.CONVERGED) and got.gradient.max() <= 1e-12
    np.testing.assert_allclose(got.state, np.sign(start), atol=1e-12)


def test_target_loss_stops_where_the_loss_crosses_it():
    start = np.full((9, 2), 2.0)
    target = np.linspace(0.01, 4.0, 9)
    got = flow.solve(quadratic, [1.0, 1.0], start, target_loss=target, rtol=1e-7, atol=1e-9)
    assert np.all(got.status == flow.REACHED)
    np.testing.assert_allclose(0.5 * np.sum(got.state**2, axis=1), target, rtol=1e-4)
    np.testing.assert_allclose(got.time, 0.5 * np.log(4.0 / target), rtol=1e-4, atol=1e-6)


def test_divergence_and_caps_are_reported():
    start = np.array([[0.5], [1.5], [1.0], [np.sqrt(1 / 3)]])
    got = flow.solve(double_well, [-1.0], start, gradient_tol=1e-9, time_cap=50.0)
    assert [flow.STATUS[s] for s in got.status] == ["converged", "diverged", "converged", "converged"]
    got = flow.solve(quadratic, [1e-6], np.ones((3, 1)), gradient_tol=0, time_cap=1e9, max_evaluations=20)
    assert np.all(got.status == flow.EVALUATION_CAP) and got.evaluations.max() <= 20 + flow.MAX_STAGES
    assert got.count() == {"evaluation cap": 3}


def test_wall_time_limit_returns():
    got = flow.solve(quadratic, np.array([1.0, 1e5]), np.ones((64, 2)), gradient_tol=0, time_cap=1e300, time_limit=0.2,
                     max_evaluations=2**52)
    assert np.all(got.status == flow.STOPPED)


@pytest.mark.parametrize("replicas", [1, 3, 8, 9, 17])
def test_same_bits_for_any_batching_and_threads(replicas):
    start = np.random.default_rng(2).normal(size=(17, 3))
    times = np.array([0.1, 1.0, 5.0])
    whole = flow.solve(double_well, [1.0], start, times=times, keep_states=True, threads=1)
    part = flow.solve(double_well, [1.0], start[17 - replicas:], times=times, keep_states=True, threads=3)
    for name in ("state", "time", "gradient", "status", "values", "states", "evaluations"):
        assert np.array_equal(getattr(whole, name)[17 - replicas:], getattr(part, name)), name


def test_bad_input():
    for bad in (np.ones(3), np.full((2, 2), np.nan), np.ones((2, 0))):
        with pytest.raises(InputError):
            flow.solve(quadratic, [1.0], bad)
    with pytest.raises(InputError):
        flow.solve(quadratic, [1.0], np.ones((1, 1)), times=[2.0, 1.0])
    with pytest.raises(InputError):
        flow.solve(quadratic, [1.0], np.ones((1, 1)), gradient_tol=0)
