"""Kernels against the naive reference for sizes 1 ... 17, streams and threads, the span law, theory, bad input."""

from types import SimpleNamespace

import numba
import numpy as np
import pytest
from numba import config
from scipy import stats

from lab.compiled import njit
from lab.errors import InputError
from tests import naive_sgd
from toy.teacher_student import ensemble, kernels, model, overlaps
from toy.teacher_student.tile import product, product_lanewise, product_plain, transpose, transpose_plain

SMALL = config.DISABLE_JIT  # without the JIT everything is a thousand times slower


@pytest.mark.parametrize("lanewise", [False, True])
def test_product_for_all_small_sizes(lanewise):
    rng = np.random.default_rng(0)
    fast = product_lanewise if lanewise else product
    wide = 16 if lanewise else 1
    sizes = [(p, q, k) for p in range(1, 18) for q in range(1, 8) for k in (0, 1, 2, 5)]
    for p, q, k in sizes[::17] if SMALL else sizes:
        a, b, c = (rng.standard_normal(n).astype(np.float32) for n in (wide * max(k, 1) * p + 3, 16 * max(k, 1) * q + 5,
                                                                       16 * p * q + 7))
        for accumulate in (False, True):
            got, expected = c.copy(), c.copy()
            place = (7, 16 * q, a, 3, p * wide, wide, b, 5, 16 * q, p, q, k, accumulate)
            fast(got, *place)
            product_plain(expected, *place, lanewise)
            assert np.allclose(got, expected, atol=1e-5)
            assert np.array_equal(got[:7], c[:7])


@njit
def turned(out, a):
    transpose(out, 3, 18, a, 2, 17)


def test_transposition():
    a = np.random.default_rng(0).standard_normal(17 * 17).astype(np.float32)
    got, expected = np.zeros((2, 18 * 17), np.float32)
    turned(got, a)
    transpose_plain(expected, 3, 18, a, 2, 17)
    assert np.array_equal(got, expected) and np.array_equal(got[3:19], a[2::17][:16])


def setting(**changes):
    """Validated arguments with everything switched on."""
    base = dict(dim=5, width=3, strengths=[1.0, 0.7], learning_rate=0.7, readout_learning_rate=0.4, noise=0.3, weight_decay=0.1,
                init_scale=0.8, times=[0.0], replicas=2, seed=5)
    return model.validated(**{**base, **changes})


def naive(s, steps, x, y):
    out = []
    for r in range(s.replicas):
        w, v = model.starting_weights(s, r)
        out.append(naive_sgd.sgd(w, v, x[r], y[r], s.learning_rate / s.dim, s.readout_learning_rate / s.dim,
                                 s.weight_decay * s.learning_rate / s.dim,
                                 s.weight_decay * s.readout_learning_rate / s.dim, ensemble.ACTIVATIONS[s.activation]))
    return out


def check(s, steps, parts=None):
    students = ensemble.FullEnsemble(s, model.starting_weights)
    x, zeta = students.draws(steps)
    for part in parts or [steps]:
        students.advance(part)
    teacher = np.zeros((s.strengths.size, s.dim))
    teacher[:, :s.teacher_directions.shape[1]] = s.teacher_directions
    kind = ensemble.ACTIVATIONS[s.teacher_activation]
    y = [naive_sgd.labels(teacher, s.strengths, x[r], s.noise, zeta[r], kind) for r in range(s.replicas)]
    for r, (w, v) in enumerate(naive(s, steps, x, y)):
        assert np.allclose(students.weights(r), w, atol=3e-6 * max(1, np.abs(w).max()))
        assert np.allclose(students.readout(r), v, atol=3e-6 * max(1, np.abs(v).max()))


@pytest.mark.parametrize("width", range(1, 18))
def test_widths(width):
    check(setting(width=width, replicas=1 if SMALL else 3), 3 if SMALL else 21)


@pytest.mark.parametrize("inputs", range(2, 18))
def test_input_dimensions(inputs):
    check(setting(dim=inputs, width=2), 3 if SMALL else 19)
    check(setting(dim=inputs, width=17, replicas=1, learning_rate=0.1), 3 if SMALL else 19)  # large steps amplify rounding


@pytest.mark.parametrize("batch", range(1, 18))
def test_batches(batch):
    check(setting(batch_size=batch, width=2), 2 if SMALL else 9)
    check(setting(batch_size=batch, width=13 if batch % 2 else 18, replicas=1), 2 if SMALL else 9)


def test_inputs_and_neurons_beyond_one_block_of_the_products():
    check(setting(dim=130, width=70, batch_size=18, replicas=1, learning_rate=0.1), 2)


@pytest.mark.parametrize("replicas", [1, 15, 16, 17] if SMALL else range(1, 18))
def test_replicas(replicas):
    check(setting(replicas=replicas), 2 if SMALL else 9)
    if not SMALL:
        check(setting(replicas=replicas, width=33, learning_rate=0.1), 9)  # large steps would amplify rounding


@pytest.mark.parametrize("activation", ["erf", "relu", "tanh", "linear"])
@pytest.mark.parametrize("width", [4, 33, 70])
def test_activations(activation, width):
    rates = dict(learning_rate=1 / width, readout_learning_rate=1 / width)
    check(setting(activation=activation, width=width, replicas=2, **rates), 2 if SMALL else 40)


@pytest.mark.parametrize("width,batch", [(3, 1), (3, 2), (20, 1), (20, 5)])
def test_stopping_inside_a_block_changes_rounding_only(width, batch):
    s = setting(width=width, batch_size=batch)
    students = ensemble.FullEnsemble(s, model.starting_weights)
    ahead = students.draws(20)
    students.advance(7)
    for later, known in zip(students.draws(13), ahead):
        assert np.array_equal(later, known[:, 7:])
    check(s, 20, parts=[1, 6, 3, 10])


@pytest.mark.parametrize("width", [3, 20])
def test_finite_data(width):
    """Every sample's label is its own; one step on a single sample is the naive step."""
    s = setting(width=width, samples=1, batch_size=1, replicas=17)
    students = ensemble.FullEnsemble(s, model.starting_weights)
    students.advance(5)
    x, y = students.inputs[:17], students.labels[:17]
    expected = naive(s, 5, np.repeat(x[:, None], 5, axis=1), np.repeat(y[:, None], 5, axis=1))
    for r, (w, v) in enumerate(expected):
        assert np.allclose(students.weights(r), w, atol=1e-5)
        assert np.allclose(students.readout(r), v, atol=1e-5)
    before = np.array([np.mean((ensemble.activate("erf", x[r] @ students.weights(r).T) @ students.readout(r) - y[r])**2) / 2
                       for r in range(17)])
    assert np.allclose(students.training_error(), before)


@pytest.mark.skipif(SMALL, reason="a statistical test of many steps")
def test_finite_data_is_learnt():
    """A small set is fitted: training error falls far below test error."""
    r = model.simulate(dim=20, width=20, samples=10, times=[0, 400], replicas=16, learning_rate=0.5)
    assert r.training_error[1].mean() < 0.02 * r.training_error[0].mean()
    assert r.training_error[1].mean() < 0.2 * r.error[1].mean()


@pytest.mark.parametrize("arguments", [dict(width=3), dict(width=20), dict(width=20, batch_size=17),
                                       dict(width=3, method="span")])
def test_threads_and_batching_change_no_bit(arguments):
    common = dict(dim=30, times=[0.1, 0.3 if SMALL else 2.0], noise=0.1, seed=3, **arguments)
    whole = model.simulate(replicas=19, **common)
    part = model.simulate(replicas=4, **common)
    assert np.array_equal(whole.Q[:, :4], part.Q) and np.array_equal(whole.v[:, :4], part.v)
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        single = model.simulate(replicas=19, **common)
    finally:
        numba.set_num_threads(threads)
    assert np.array_equal(whole.R, single.R) and np.array_equal(whole.error, single.error)


@pytest.mark.skipif(SMALL, reason="a statistical test of many steps")
@pytest.mark.parametrize("inputs,width,noise", [(5, 3, 0.2), (6, 3, 0.0), (40, 4, 0.1)])
def test_span_law_agrees_in_distribution(inputs, width, noise):
    """Order parameters and error of the full simulator and of the span law: same law at every saved time, also where
    nothing (N = M + K) or one direction is left over."""
    common = dict(dim=inputs, width=width, noise=noise, learning_rate=1.0, weight_decay=0.05, strengths=[1.0, 0.6],
                  times=[0.0, 1.0, 8.0], replicas=2000, init_scale=0.7)
    full, span = model.simulate(seed=1, **common), model.simulate(seed=2, method="span", **common)
    quantities = [lambda r: r.error, lambda r: r.Q[..., 0, 0], lambda r: r.Q[..., 0, -1], lambda r: r.R[..., 0, 1],
                  lambda r: r.v[..., -1], lambda r: r.Q.trace(axis1=2, axis2=3)]
    p = [stats.ks_2samp(q(full)[s], q(span)[s]).pvalue for q in quantities for s in range(3)]
    assert min(p) > 1e-3 / len(p) * 5


@pytest.mark.skipif(SMALL, reason="many steps")
@pytest.mark.parametrize("readout_rate", [None, 0.0])
@pytest.mark.parametrize("method", ["full", "span"])
def test_simulation_follows_the_order_parameter_equations(method, readout_rate):
    """One body for theory and simulation: mean error within sampling error and the finite-N correction of 1/N."""
    common = dict(dim=1000, width=3, strengths=[1.0, 1.0], learning_rate=0.6, readout_learning_rate=readout_rate, noise=0.3,
                  times=[0, 1, 4, 12, 30], replicas=64, init_scale=0.8, method=method, seed=4)
    found, theory = model.simulate(**common), model.predict(**common)
    assert np.allclose(found.error[0], theory.error[0], rtol=1e-5)
    difference = found.error - theory.error
    bound = 4 * difference.std(axis=1, ddof=1) / 8 + 5e-3 * theory.error.mean(axis=1)
    assert np.all(np.abs(difference.mean(axis=1))[1:] < bound[1:])


@pytest.mark.skipif(SMALL, reason="many steps")
def test_span_law_at_a_million_inputs_follows_the_equations_closely():
    common = dict(dim=10**6, width=2, strengths=[1.0], learning_rate=5.0, noise=0.0, times=[0.0, 0.02, 0.05],
                  replicas=4, init_scale=1.0, method="span")
    found, theory = model.simulate(**common), model.predict(**common)
    assert np.allclose(found.error, theory.error, rtol=0.02)


def test_error_of_order_parameters_by_quadrature_matches_the_closed_form():
    rng = np.random.default_rng(0)
    w, t = rng.standard_normal((5, 3, 7)), rng.standard_normal((2, 7))
    Q, R, T = w @ w.transpose(0, 2, 1), w @ t.T, t @ t.T
    v, A = rng.standard_normal((5, 3)), np.array([1.0, 0.5])
    closed = overlaps.errors(Q, R, T, v, A, "erf")
    C = np.block([[Q[0], R[0]], [R[0].T, T]])[None]
    u = np.concatenate([v[0], -A])
    assert np.isclose(0.5 * u @ overlaps.second_moments(C, ["erf"] * 5)[0] @ u, closed[0], rtol=1e-6)
    x = rng.standard_normal((200_000, 7))
    difference = np.tanh(x @ w[0].T) @ v[0] - np.tanh(x @ t.T) @ A
    sampled = 0.5 * difference**2
    assert abs(overlaps.errors(Q, R, T, v, A, "tanh")[0] - sampled.mean()) < 4 * sampled.std() / np.sqrt(len(x))
    difference = x @ w[0].T @ v[0] - x @ t.T @ A
    assert np.isclose(overlaps.errors(Q, R, T, v, A, "linear")[0], 0.5 * np.mean(difference**2), rtol=0.02)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the plain twins say that they overflow
def test_divergence_is_reported_per_replica():
    r = model.simulate(dim=4, width=2, activation="linear", learning_rate=40.0, times=[0.0, 1.0, 400.0], replicas=20)
    assert r.diverged.all() and np.isnan(r.error[-1]).all() and np.isfinite(r.error[0]).all()
    with pytest.raises(InputError):
        r.final_error()


@pytest.mark.skipif(SMALL, reason="needs a long run")
def test_time_limit_stops_and_says_so():
    seen = []
    r = model.simulate(dim=200, width=64, times=[0.0, 1e7], replicas=64, time_limit=0.5,
                       progress=lambda done, total: seen.append((done, total)))
    assert not r.finished and r.seconds < 10 and 0 < r.steps < 2e9 and np.isnan(r.error[1]).all()
    assert seen and seen[-1] == (r.steps, 2 * 10**9)


BAD = [dict(width=0), dict(width=2.5), dict(learning_rate=-1), dict(noise=float("nan")), dict(activation="sine"),
       dict(times=[2.0, 1.0]), dict(times=[]), dict(strengths=[]), dict(strengths=[float("inf")]),
       dict(dim=1, strengths=[1, 1]), dict(teacher_directions=np.ones((3, 2))), dict(method="half"), dict(replicas=0),
       dict(method="span", batch_size=2), dict(method="span", samples=3), dict(method="span", dim=5, width=4),
       dict(weight_decay=1e9), dict(width=4000, replicas=4000)]


@pytest.mark.parametrize("arguments", BAD)
def test_bad_input_is_refused_in_one_line(arguments):
    with pytest.raises(InputError) as error:
        model.simulate(**{**dict(times=[0.0]), **arguments})
    assert "\n" not in str(error.value)


def test_only_students_that_have_weights_need_memory_for_them():
    many = dict(dim=10**6, width=4, replicas=300, times=[0.0])
    assert model.simulate(**many, method="span").error.shape == (1, 300)
    with pytest.raises(InputError, match="memory"):
        model.simulate(**many, method="full")


@pytest.mark.parametrize("arguments", [dict(samples=5), dict(weight_decay=0.1), dict(batch_size=2), dict(activation="relu"),
                                       dict(activation="erf", teacher_activation="relu")])
def test_no_theory_is_said(arguments):
    with pytest.raises(InputError):
        model.predict(times=[0.0, 1.0], replicas=1, **arguments)


@pytest.mark.parametrize("readout_rate", [0.0, None])
@pytest.mark.parametrize("method", ["full", "span"])
def test_a_start_at_the_teacher_is_a_solution(method, readout_rate):
    common = dict(dim=12, width=5, strengths=[1.0, 0.5], times=[0.0], replicas=3, init="teacher", method=method)
    if readout_rate == 0:
        common["strengths"] = [1.0, 1.0]
    assert model.simulate(init_scale=0.0, readout_learning_rate=readout_rate, **common).error.max() < 1e-12
    near = model.simulate(init_scale=0.1, readout_learning_rate=readout_rate, **common)
    assert 0 < near.error.min() <= near.error.max() < 0.2
    with pytest.raises(InputError):
        model.simulate(**{**common, "width": 1})


def test_layout_depends_on_shape_alone():
    assert ensemble.plan(4, 1, 64)[0] and not ensemble.plan(64, 1, 64)[0]
    for replicas in (1, 100):
        s = SimpleNamespace(**{**setting().__dict__, "replicas": replicas})
        assert ensemble.FullEnsemble(s, model.starting_weights).narrow
    assert kernels.LANES == 16


def test_removable_and_repeated_units_of_students_built_by_hand():
    """Teacher's unit twice (once with both signs turned), one unit without readout, one without weights, one apart."""
    w = np.array([[1.0, 0, 0], [-1.02, 0, 0], [0.3, 2.0, 0], [0, 0, 0], [0, 0, 1.5]])
    v = np.array([0.5, -0.5, 0.0, 3.0, 1.0])
    units = overlaps.classify(w @ w.T, v)
    assert units.removable.tolist() == [False, False, True, True, False]
    assert units.repeated.tolist() == [True, True, False, False, False]
    assert units.distinct == 2
    for activation in ("tanh", "linear"):
        assert overlaps.classify(w @ w.T, v, activation).removable.tolist() == units.removable.tolist()
    both = overlaps.classify(np.stack([w @ w.T] * 2), np.stack([v, v]))
    assert both.distinct.tolist() == [2, 2] and both.repeated.shape == (2, 5)


def test_removable_units_by_sampling():
    """The ablation that the definition names, carried out on samples."""
    rng = np.random.default_rng(3)
    w, v = rng.standard_normal((6, 4)), np.array([1.0, 0.1, 0.02, -0.7, 0.15, 0.3])
    features = ensemble.activate("erf", rng.standard_normal((100_000, 4)) @ w.T) * v
    change = (features**2).mean(axis=0) / (features.sum(axis=1)**2).mean()
    units = overlaps.classify(w @ w.T, v, tolerance=0.01)
    clear = np.abs(change / 0.01 - 1) > 0.05
    assert np.array_equal(units.removable[clear], (change <= 0.01)[clear])


@pytest.mark.parametrize("arguments", [dict(v=np.ones(3)), dict(v=np.array([1.0, np.nan])), dict(activation="relu"),
                                       dict(tolerance=1.0), dict(threshold=0.0)])
def test_classification_refuses_bad_input(arguments):
    with pytest.raises(InputError):
        overlaps.classify(**{**dict(Q=np.eye(2), v=np.ones(2)), **arguments})
