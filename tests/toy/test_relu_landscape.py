"""Kernels against the obvious reference and theory.landscape; descent against plain steps; published shares."""

import math

import numba
import numpy as np
import pytest

import theory.landscape as exact
from lab.errors import ArgumentError, InputError
from lab.flow import LANES
from tests import naive_relu_landscape as naive
from theory.landscape.angles import coangles, first_sines
from theory.landscape.axes import descent, gradient_plain, work_rows
from toy.relu_landscape import descent as gd
from toy.relu_landscape import minima, polish, tail
from toy.relu_landscape.model import METHODS, initial_weights, predict, simulate

JIT_OFF = bool(numba.config.DISABLE_JIT)
compiled = pytest.mark.skipif(JIT_OFF, reason="thousands of steps: compiled code only")


def evaluate(weights, teacher):
    """Loss and gradient of eight replicas by the kernel, called twice: what one call leaves must not matter to the next."""
    _, n, d = weights.shape
    y = np.ascontiguousarray(weights.reshape(LANES, -1).T)
    out, value, work = np.empty_like(y), np.empty(LANES), np.zeros((work_rows(n, teacher, d), LANES))
    params = np.array([n, teacher, d], dtype=float)
    descent(params, work, np.ascontiguousarray(np.random.default_rng(5).normal(size=y.shape)), out, value)
    descent(params, work, y, out, value)
    return value, -out.T.reshape(weights.shape)


@pytest.mark.parametrize("n", range(1, 5) if JIT_OFF else range(1, 18))
def test_kernel_against_naive(n):
    rng = np.random.default_rng(n)
    for teacher in (1, 2, 5) if JIT_OFF else (1, 2, 3, 4, 5, 8, 13, 17):
        for dim in (teacher, teacher + 1, teacher + 2):
            weights = rng.normal(size=(LANES, n, dim)) / math.sqrt(dim)
            value, gradient = evaluate(weights, teacher)
            np.testing.assert_allclose(value[3], naive.loss(weights[3], teacher), rtol=0, atol=3e-14 * (n + teacher) ** 2)
            np.testing.assert_allclose(gradient[3], naive.gradient(weights[3], teacher), rtol=0, atol=3e-14 * (n + teacher))
            units = np.eye(teacher, dim)
            np.testing.assert_allclose(value, exact.loss(weights, units), rtol=0, atol=3e-14 * (n + teacher) ** 2)
            np.testing.assert_allclose(gradient, exact.gradient(weights, units), rtol=0, atol=3e-14 * (n + teacher))
            plain = np.empty((n, dim))
            gradient_plain(np.ascontiguousarray(weights[6]), teacher, plain)
            np.testing.assert_allclose(gradient[6], plain, rtol=0, atol=3e-14 * (n + teacher))


def test_gradient_against_finite_differences():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(LANES, 5, 6))
    _, gradient = evaluate(weights, 4)
    for i, m in ((0, 0), (2, 3), (4, 5)):
        step = np.zeros((5, 6))
        step[i, m] = 1e-5
        difference = (evaluate(weights + step, 4)[0] - evaluate(weights - step, 4)[0]) / 2e-5
        np.testing.assert_allclose(gradient[:, i, m], difference, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("gap", [0.0, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3])
def test_units_that_merge_or_oppose_keep_full_precision(gap):
    """theory.landscape takes its angles by atan2 of differences; an arccosine alone would lose eight digits of θ."""
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(LANES, 6, 6))
    weights[:, 1] = 1.7 * weights[:, 0] + gap * rng.normal(size=(LANES, 6))
    weights[:, 3] = -0.3 * weights[:, 2] + gap * rng.normal(size=(LANES, 6))
    weights[:, 4] = np.eye(6)[2] * 0.9 + gap * rng.normal(size=(LANES, 6))
    weights[:, 5] = -np.eye(6)[1] * 1.1 + gap * rng.normal(size=(LANES, 6))
    value, gradient = evaluate(weights, 6)
    np.testing.assert_allclose(value, exact.loss(weights, np.eye(6)), rtol=0, atol=1e-13)
    np.testing.assert_allclose(gradient, exact.gradient(weights, np.eye(6)), rtol=0, atol=1e-13)


def test_zero_unit_is_finite_and_harmless():
    weights = np.random.default_rng(2).normal(size=(LANES, 3, 4))
    weights[:, 1] = 0
    value, gradient = evaluate(weights, 4)
    assert np.all(np.isfinite(gradient))
    np.testing.assert_allclose(value, exact.loss(weights[:, [0, 2]], np.eye(4)), atol=1e-13)


@pytest.mark.skipif(JIT_OFF, reason="1 − u² is fused in compiled code only")
def test_angle_against_high_precision():
    pytest.importorskip("mpmath")
    from numba import njit

    from lab.vector import store

    @njit
    def both(work, rows):
        first_sines(work, 0, 2, 2 * rows)
        for i in range(0, rows, 8):
            p = coangles(work, i, 2, 2 * rows + i, i + 8, 2, 2 * rows + i + 8, rows)
            store(work, rows + i, p[0])
            store(work, rows + i + 1, p[1])
            store(work, rows + i + 2, p[2])
            store(work, rows + i + 3, p[3])
            store(work, rows + i + 4, p[4])
            store(work, rows + i + 5, p[5])
            store(work, rows + i + 6, p[6])
            store(work, rows + i + 7, p[7])

    size = np.concatenate([np.linspace(0, 1, 400), 1 - np.logspace(-16, -1, 112), 1 + np.array([2.2e-16] * 64)])
    u = np.concatenate([size, -size]).reshape(LANES, -1).T
    rows = len(u)
    for turn in range(8):  # every place in a block has its own code for the root
        work = np.zeros((3 * rows + 8, LANES))
        work[:rows] = np.roll(u, turn, axis=0)
        both(work, rows)
        check_angles(work[:rows], work[2 * rows:3 * rows], work[rows:2 * rows] * 2 * math.pi)


def check_angles(u, s, p):
    """Sines and coangles of cosines against 40 digits."""
    import mpmath

    with mpmath.workdps(40):
        clipped = [min(mpmath.mpf(1), max(mpmath.mpf(-1), mpmath.mpf(float(x)))) for x in u.ravel()]
        sine = np.array([float(mpmath.sqrt(1 - x * x)) for x in clipped])
        angle = np.array([float(mpmath.acos(-x)) for x in clipped])
    np.testing.assert_allclose(s.ravel(), sine, rtol=4e-16, atol=1e-149)
    # in p itself: a rounding of ½, which the gradient's p a ŵ has anyway (p of opposite directions is a difference)
    np.testing.assert_allclose(p.ravel(), angle, rtol=0, atol=2 * math.pi * 2**-53)


@pytest.mark.parametrize("n,teacher,dim", [(1, 1, 1), (2, 3, 3), (5, 4, 6), (7, 7, 7)])
def test_descent_takes_plain_steps(n, teacher, dim):
    start = initial_weights(n, dim, 3, seed=4)
    state, ends, counts = gd.descend((n, teacher, dim), start.reshape(3, -1), learning_rate=0.1, tolerance=1e-12, max_steps=40)
    assert set(counts[:, 0]) <= {gd.UNFINISHED, gd.CONVERGED}
    assert np.all(counts[:, 1] == gd.CHECK * 3 - 1)  # the first look at or after the cap
    for r in range(3):
        steps = naive.descend(start[r], teacher, 0.1, int(counts[r, 1]))
        np.testing.assert_allclose(state[r].reshape(n, dim), steps, rtol=0, atol=1e-12)
        assert ends[r, 0] == pytest.approx(naive.loss(steps, teacher), abs=1e-12)
        slope = np.linalg.norm(naive.gradient(steps, teacher), axis=1).max()
        assert ends[r, 1] == pytest.approx(slope, rel=1e-9, abs=1e-12)


@compiled
@pytest.mark.parametrize("method", METHODS)
def test_same_bits_for_any_threads_and_batching(method):
    whole = simulate(6, 6, 37, seed=3, method=method, threads=1)
    again = simulate(6, 6, 37, seed=3, method=method, threads=3)
    np.testing.assert_array_equal(whole.weights, again.weights)
    np.testing.assert_array_equal(whole.steps, again.steps)
    start = initial_weights(6, 6, 5, seed=3, first_replica=20)
    part = simulate(6, 6, start=start, method=method)
    np.testing.assert_array_equal(part.weights, whole.weights[20:25])
    np.testing.assert_array_equal(part.loss, whole.loss[20:25])


@compiled
def test_rounds_do_not_change_the_path(monkeypatch):
    long = simulate(8, 8, 20, seed=0)
    monkeypatch.setattr(gd, "FIRST_ROUND", 8191)  # replicas that still run are gathered at other steps
    short = simulate(8, 8, 20, seed=0)
    same = long.steps < 8000
    np.testing.assert_array_equal(long.weights[same], short.weights[same])
    np.testing.assert_allclose(long.loss, short.loss, atol=1e-12)


def test_starts_have_the_published_law_and_their_own_streams():
    start = initial_weights(9, 4, 400, seed=0)
    assert start.std() == pytest.approx(0.5, rel=0.03)
    assert abs(start.mean()) < 0.02
    np.testing.assert_array_equal(start[7:9], initial_weights(9, 4, 2, seed=0, first_replica=7))
    assert np.unique(start).size == start.size


@compiled
@pytest.mark.parametrize("method", METHODS)
def test_ends_are_critical_and_the_rules_hold(method):
    found = simulate(8, 8, 100, seed=1, method=method)
    assert found.unfinished == 0
    converged = found.status == gd.CONVERGED
    assert np.all(found.spurious == converged)  # at k = 8 nobody converges to zero loss before 1e-3
    gradient = exact.gradient(found.weights, np.eye(8))
    assert np.linalg.norm(gradient[converged], axis=2).max() * 2 * math.pi <= 1.05e-9
    np.testing.assert_allclose(exact.loss(found.weights, np.eye(8))[converged], found.loss[converged], atol=1e-12)
    if method == "gradient-descent":
        assert found.rise < 1e-12


# shares of spurious runs recomputed from the authors' released runs, 1000 a cell
@compiled
@pytest.mark.parametrize("teacher,width,published", [(6, 6, 0.003), (8, 8, 0.126), (10, 10, 0.346), (8, 9, 0.001),
                                                     (8, 10, 0.0)])
def test_published_shares(teacher, width, published):
    found = simulate(teacher, width, 500, seed=11)
    spread = math.sqrt(max(published * (1 - published), 1e-3) * (1 / 500 + 1 / 1000))
    assert abs(found.spurious_fraction.mean - published) < 3.3 * spread


@compiled
def test_published_levels_and_types():
    found = simulate(10, 10, 200, seed=2)
    ends = minima.levels(found)
    assert [round(level.loss, 4) for level in ends[:2]] == [0.0187, 0.0353]
    assert ends[0].kind == "9 aligned, 1 anti-aligned" and ends[1].kind == "8 aligned, 2 anti-aligned"
    assert sum(level.count for level in ends) == found.minima.size == found.spurious.sum()
    neuron, unit = ends[0].pairs[0]
    weights = found.weights[ends[0].member]
    assert weights[neuron].argmin() == unit and weights[neuron, unit] < -0.5
    for level in ends:
        assert level.index == 0 and level.spectrum[0] > 0
        assert np.all(level.escape_index <= 9)
    np.testing.assert_array_equal(minima.escape_indices(found), 9)
    spectrum = minima.multiplicities(ends[0].spectrum)
    assert sum(group["multiplicity"] for group in spectrum) == 100


@compiled
def test_a_split_neuron_leaves_the_minimum():
    """One neuron more: the escape directions that theory counts lead below the level."""
    found = simulate(8, 8, 100, seed=1)
    level = minima.levels(found)[0]
    weights = found.weights[level.member]
    neuron = int(level.escape_index.argmax())
    shares = [[1.0]] * 8
    shares[neuron] = [0.5, 0.5]
    wide = exact.widen(weights, shares)
    assert exact.loss(wide, np.eye(8)) == pytest.approx(level.loss, abs=1e-12)
    kicked = wide + 1e-3 * np.random.default_rng(0).normal(size=(16, 9, 8))
    after = simulate(8, 9, start=kicked)
    assert np.all(after.loss < level.loss - 1e-3)


@compiled
def test_methods_agree_where_the_start_decides():
    """Near a minimum, descent, flow and momentum end at the same point."""
    base = simulate(8, 8, 60, seed=1)
    start = base.weights[base.minima[:5]] + 1e-3
    ends = [simulate(8, 8, start=start, method=method).weights for method in METHODS]
    for other in ends[1:]:
        np.testing.assert_allclose(other, ends[0], atol=1e-6)


@compiled
@pytest.mark.parametrize("teacher,width", [(8, 8), (12, 12), (18, 19)])
def test_the_accelerated_last_stretch_ends_where_plain_steps_do(teacher, width):
    plain, fast = (simulate(teacher, width, 60 if width < 18 else 16, seed=3, accelerate=a) for a in (False, True))
    np.testing.assert_array_equal(plain.status, fast.status)
    assert plain.minima.size and fast.steps[fast.minima].mean() < 0.7 * plain.steps[plain.minima].mean()
    np.testing.assert_allclose(fast.weights[fast.minima], plain.weights[fast.minima], rtol=0, atol=1e-6)
    np.testing.assert_allclose(fast.loss[fast.minima], plain.loss[fast.minima], rtol=0, atol=1e-12)


@compiled
def test_a_tail_followed_as_a_flow_is_that_of_plain_steps():
    """Towards a minimum; towards a saddle and away; until the cap; and it stops when told to."""
    found = simulate(8, 8, 100, seed=1)
    level = minima.levels(found)[0]
    shares = [[1.0]] * 8
    shares[int(level.escape_index.argmax())] = [0.5, 0.5]  # one neuron more: a saddle
    saddle = exact.widen(found.weights[level.member], shares)
    rules, kick = dict(learning_rate=0.1, tolerance=1e-10, target_loss=1e-3), np.random.default_rng(0)
    for end, size, steps in ((found.weights[level.member], 3e-7, 10**6), (saddle, 1e-9, 10**6),
                             (found.weights[level.member], 3e-7, 900)):
        n, d = end.shape
        start = (end + size * kick.normal(size=(8, n, d))).reshape(8, n * d)
        plain, plain_ends, plain_counts = gd.descend((n, 8, d), start, max_steps=steps, **rules)
        flow, ends, counts = tail.descend((n, 8, d), start, leave=1e-5, max_steps=steps, **rules)
        np.testing.assert_array_equal(counts[:, 0], plain_counts[:, 0])
        np.testing.assert_allclose(counts[:, 1], plain_counts[:, 1], rtol=0.02, atol=2 * gd.CHECK)
        rests = counts[:, 0] != gd.BELOW  # there, plain steps may stop a look earlier or later
        np.testing.assert_allclose(flow[rests], plain[rests], rtol=0, atol=1e-6)
        np.testing.assert_allclose(ends[rests, 0], plain_ends[rests, 0], rtol=0, atol=1e-12)
        assert np.array_equal(flow, tail.descend((n, 8, d), start, leave=1e-5, max_steps=steps, threads=3, **rules)[0])
    assert set(counts[:, 0]) == {gd.UNFINISHED}
    stopped = tail.descend((n, 8, d), start, leave=1e-5, max_steps=900, time_limit=0.0, **rules)[2]
    assert set(stopped[:, 0]) == {gd.STOPPED}


@compiled
def test_a_handover_on_a_slope_is_left_to_plain_steps():
    """Where every accelerated end is below the level of success there is nothing to certify."""
    start = 0.9 * np.eye(5, 4) + 0.01 * np.random.default_rng(0).normal(size=(3, 5, 4))
    params, flat = (5, 4, 4), start.reshape(3, -1)
    rules = dict(learning_rate=0.1, target_loss=1e-3, max_steps=20_000)
    plain = gd.descend(params, flat, tolerance=1e-9, **rules)
    fast = polish.descend(params, flat, tolerance=1e-7, **rules)  # handed over at once
    np.testing.assert_array_equal(plain[2][:, 0], gd.BELOW)
    np.testing.assert_array_equal(fast[2][:, 0], gd.BELOW)


@compiled
def test_an_end_elsewhere_is_not_certified():
    found = simulate(10, 10, 60, seed=2)
    ends, loss = found.weights[found.minima], found.loss[found.minima]
    assert polish.certified(ends + 1e-6, ends, loss, 10).all()
    assert not polish.certified(ends + 0.3, ends, loss, 10).any()  # far from the minimum
    swapped = ends[:, [1, 0, *range(2, 10)]]  # another minimum of the same level
    assert not polish.certified(swapped, ends, loss, 10).any()
    assert polish.certified(ends[:0], ends[:0], loss[:0], 10).shape == (0,)
    saddle = np.full((1, 10, 10), 0.1) + 1e-9  # all neurons alike: no minimum
    assert not polish.certified(saddle + 1e-9, saddle, np.zeros(1), 10).any()


@compiled
def test_caps_are_counted():
    found = simulate(8, 8, 20, seed=0, max_steps=50)
    assert found.unfinished == 20 and np.all(found.spurious) and found.minima.size == 0
    assert minima.levels(found) == []
    found = simulate(12, 13, 200, seed=0, time_limit=0.0)
    assert found.unfinished > 0 and np.all(found.spurious[found.status == gd.STOPPED])


@compiled
def test_predict_nulls():
    null = predict(10, 11, spurious_at_teacher=0.346)
    assert null.independent_tickets == pytest.approx(0.346**11)
    assert null.restarts == pytest.approx(0.346**1.1)
    assert null.escape_index == 9
    assert predict(6, 7, replicas=50).restarts < 0.2
    assert predict(6, 5, spurious_at_teacher=0.1).independent_tickets is None


@pytest.mark.parametrize("arguments,error", [
    (dict(teacher_width=0, width=3), ArgumentError), (dict(teacher_width=3, width=0), ArgumentError),
    (dict(teacher_width=3, width=3, dim=2), ArgumentError),
    (dict(teacher_width=3, width=3, method="newton"), ArgumentError), (dict(teacher_width=3, width=3, replicas=0), ArgumentError),
    (dict(teacher_width=3, width=3, learning_rate=0.0), ArgumentError),
    (dict(teacher_width=3, width=3, start=np.zeros((2, 3, 4))), InputError),
    (dict(teacher_width=3, width=3, start=np.full((2, 3, 3), np.nan)), InputError),
])
def test_bad_input_is_one_clear_line(arguments, error):
    with pytest.raises(error) as caught:
        simulate(**arguments)
    assert "\n" not in str(caught.value)
