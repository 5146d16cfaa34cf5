"""Sliding and covering bumps: laws against flows, quadrature, sampled starts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory import bumps
from theory.bumps.check import CHECKS
from theory.bumps.derive import DERIVATIONS
from theory.derivation import run_check


def test_pull_is_the_slope_of_the_loss_and_peaks_at_root_two_widths():
    d = np.linspace(-4, 8, 4001)
    slope = np.gradient(bumps.sliding_loss(d, 0.8), d)
    assert np.abs(bumps.pull(d, 0.8) - slope)[5:-5].max() < 1e-5
    assert d[np.argmax(bumps.pull(d, 0.8))] == pytest.approx(np.sqrt(2) * 0.8, abs=0.003)
    assert bumps.sliding_loss(0.0) == pytest.approx(0)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0.1, 4), st.floats(0.05, 0.5), st.floats(0, 12))
def test_reach_inverts_the_time(width, target_width, height, end, log_time):
    time = np.expm1(log_time)
    start = bumps.reach(time, end, width, target_width, height)
    assert start >= end
    assert bumps.sliding_time(start, end, width, target_width, height) == pytest.approx(time, rel=1e-6, abs=1e-9)


@pytest.mark.slow
def test_time_against_the_flow():
    d, t = 5.0, 0.0
    step = 1e-3
    while d > 0.5:  # midpoint rule
        middle = d - step / 2 * bumps.pull(d)
        d, t = d - step * bumps.pull(middle), t + step
    assert bumps.sliding_time(5.0, 0.5) == pytest.approx(t, rel=1e-4)
    assert bumps.sliding_time(80.0, 0.5) == np.inf


@pytest.mark.parametrize("target, share", [(0.0, 0.2), (10.0, 0.1), (9.0, 0.15), (30.0, 0.0)])
def test_success(target, share):
    m = np.array([0, 1, 7])
    assert bumps.success_probability(m, 2.0, 10.0, target) == pytest.approx(1 - (1 - share) ** m)
    needed = bumps.bumps_needed(0.9, 2.0, 10.0, target)
    if share:
        assert bumps.success_probability(needed, 2.0, 10.0, target) >= 0.9
        assert bumps.success_probability(needed - 1, 2.0, 10.0, target) < 0.9
    else:
        assert needed == np.inf
    assert bumps.success_probability(3, 50.0, 10.0, target) == 1.0


def test_independent_sliders_follow_the_waiting_time_law():
    rng = np.random.default_rng(0)
    starts = np.abs(rng.uniform(-8, 8, (20_000, 3))).min(1)
    waiting = np.sort(bumps.sliding_time(np.maximum(starts, 0.2), 0.2))
    law = bumps.arrival_probability(waiting[::500], 3, 8.0, 0.2)
    assert np.abs(law - np.arange(0, 20_000, 500) / 20_000)[5:].max() < 0.015


@pytest.mark.parametrize("h, offset", [(0.3, 0.0), (1.0, 0.5), (3.0, 0.7), (6.0, 3.0)])
def test_coverage_against_a_finite_lattice(h, offset):
    s = 1.2
    grid = np.arange(-60, 60, 0.02)
    centres = np.arange(-int(35 / h), int(35 / h) + 1) * h
    basis = np.exp(-((grid - centres[:, None]) ** 2) / (2 * s * s))
    residual, time, step = np.exp(-((grid - offset) ** 2) / (2 * s * s)), 0.0, 0.1 * min(h, 1)
    start = residual @ residual
    values, vectors = np.linalg.eigh(basis @ basis.T * 0.02)
    projected = vectors.T @ (basis @ residual * 0.02)
    for time in (step, 10 * step, 300 * step):
        decay = np.where(values > 1e-10, -np.expm1(-values * time) / np.maximum(values, 1e-10), time)
        left = residual - (vectors @ (decay * projected)) @ basis
        assert bumps.coverage_loss(time, h, s, offset) == pytest.approx(left @ left / start, rel=1e-6)


def test_coverage_limits():
    assert bumps.coverage_loss(0.0, 0.5) == pytest.approx(1)
    time = np.array([0.01, 1.0, 1e4])
    assert bumps.coverage_loss(time, 0.2) == pytest.approx(bumps.coverage_loss_dense(time, 0.2), rel=1e-6)
    a = 4 * np.pi * 1e7 / 0.2
    assert bumps.coverage_loss_dense(1e7, 0.2) == pytest.approx(1 / (a * np.sqrt(np.pi * np.log(a))), rel=0.02)
    level = 1e-3
    assert bumps.coverage_loss(bumps.coverage_time(level, 0.5), 0.5) == pytest.approx(level)
    assert bumps.coverage_time(1e-3, 8.0, 1.0, 4.0) == np.inf


@pytest.mark.slow
def test_derivations_follow_their_inputs():
    import sympy as sp

    s, D, D0, D1 = sp.symbols("s D D_0 D_1", positive=True)
    for width, height in ((None, 1), (2, 3), (sp.Rational(1, 2), 1)):
        speed, time = (e.rhs for e in DERIVATIONS["bumps-sliding"](target_width=width, height=height).result)
        w = 1.3 if width is None else float(width)
        assert float(speed.subs({s: 1.3, D: 2.0})) == pytest.approx(-bumps.pull(2.0, 1.3, w, height), rel=1e-12)
        assert float(time.subs({s: 1.3, D0: 3.0, D1: 0.5})) == pytest.approx(
            bumps.sliding_time(3.0, 0.5, 1.3, w, height), rel=1e-10)
    l, rho, m = sp.symbols("l rho m", positive=True)
    edge = DERIVATIONS["bumps-success"](target=l).result.rhs
    assert float(edge.subs({l: 10, rho: 2, m: 3})) == pytest.approx(bumps.success_probability(3, 2.0, 10.0, 10.0))
    load, series = (e.rhs for e in DERIVATIONS["bumps-coverage"](scale=2).result)
    a = float(load.subs({"s": 1}).subs({x: v for x in load.free_symbols for v in [{"s": 1, "t": 0.05, "h": 0.3}[x.name]]}))
    value = series.subs(sp.Symbol("a", positive=True), a).doit().evalf()
    assert float(value) == pytest.approx(bumps.coverage_loss_dense(0.05, 0.3, 2.0), rel=1e-9)


@pytest.mark.parametrize("name", CHECKS)
def test_checks_pass(name):
    assert all(p.passed for p in run_check(name, CHECKS[name]))


@pytest.mark.parametrize("call", [
    lambda: bumps.sliding_loss(1, 0), lambda: bumps.sliding_time(1, 2), lambda: bumps.sliding_time(1, 0),
    lambda: bumps.reach(-1, 0.1), lambda: bumps.success_probability(-1, 1, 1), lambda: bumps.bumps_needed(1.0, 1, 1),
    lambda: bumps.coverage_loss(1, 0), lambda: bumps.coverage_time(0, 1), lambda: bumps.pull(1, np.nan)])
def test_bad_input(call):
    with pytest.raises(InputError):
        call()
