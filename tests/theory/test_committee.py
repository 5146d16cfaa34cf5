"""Order-parameter dynamics against the written equations, SciPy, SGD, and its own fixed points."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from tests import naive_committee as naive
from theory import committee
from theory.committee import derive
from theory.committee.check import CHECKS, copies, superfluous
from theory.derivation import run_check


def _state(seed, K, M, N=30, scale=1.0):
    rng = np.random.default_rng(seed)
    Q, R, T = committee.order_parameters(scale * rng.standard_normal((K, N)), rng.standard_normal((M, N)))
    return Q, R, T, rng.standard_normal(K), rng.standard_normal(M)


@pytest.mark.parametrize("K, M", [(1, 1), (2, 1), (1, 3), (3, 2), (4, 4)])
def test_right_hand_side_is_the_written_equations(K, M):
    state = _state(K * 10 + M, K, M)
    ours = committee.derivatives(*state, learning_rate=0.7, readout_learning_rate=0.3, noise=0.4)
    for mine, wanted in zip(ours, naive.derivatives(*state, 0.7, 0.3, 0.4)):
        np.testing.assert_allclose(mine, wanted, rtol=0, atol=1e-13)
    for activation in ("erf", "relu"):
        ours = committee.derivatives(*state, learning_rate=0.7, readout_learning_rate=0.3, activation=activation, small_rate=True)
        for mine, wanted in zip(ours, naive.derivatives(*state, 0.7, 0.3, 0.0, activation, True)):
            np.testing.assert_allclose(mine, wanted, rtol=0, atol=1e-13)


def test_seventeen_students():
    state = _state(5, 17, 2)
    ours = committee.derivatives(*state, learning_rate=0.2, noise=0.1)
    for mine, wanted in zip(ours, naive.derivatives(*state, 0.2, 0.2, 0.1)):
        np.testing.assert_allclose(mine, wanted, rtol=0, atol=1e-11)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 4), st.booleans())
def test_properties_of_the_right_hand_side(seed, K, M, small):
    Q, R, T, v, A = _state(seed, K, M)
    dQ, dR, dv = committee.derivatives(Q, R, T, v, A, noise=0.3, small_rate=small)
    np.testing.assert_allclose(dQ, dQ.T, atol=1e-13)
    order = np.random.default_rng(seed).permutation(K)
    pQ, pR, pv = committee.derivatives(Q[np.ix_(order, order)], R[order], T, v[order], A, noise=0.3, small_rate=small)
    np.testing.assert_allclose(pQ, dQ[np.ix_(order, order)], atol=1e-12)
    np.testing.assert_allclose(pR, dR[order], atol=1e-12)
    np.testing.assert_allclose(pv, dv[order], atol=1e-12)
    # erf is odd: flipping a unit and its output weight changes nothing
    s = np.ones(K)
    s[0] = -1
    fQ, fR, fv = committee.derivatives(Q * np.outer(s, s), R * s[:, None], T, v * s, A, noise=0.3, small_rate=small)
    np.testing.assert_allclose(fQ * np.outer(s, s), dQ, atol=1e-12)
    np.testing.assert_allclose(fR * s[:, None], dR, atol=1e-12)
    np.testing.assert_allclose(fv * s, dv, atol=1e-12)


def test_integrator_against_scipy_and_its_dense_output():
    from scipy.integrate import solve_ivp

    Q, R, T, v, A = _state(3, 3, 2, scale=0.5)
    upper = np.triu_indices(3)

    def f(t, y):
        q = np.zeros((3, 3))
        q[upper] = y[:6]
        q = q + np.triu(q, 1).T
        dQ, dR, dv = committee.derivatives(q, y[6:12].reshape(3, 2), T, y[12:], A, learning_rate=0.5, noise=0.2)
        return np.concatenate([dQ[upper], dR.ravel(), dv])

    times = np.linspace(0, 40, 37)
    exact = solve_ivp(f, (0, 40), np.concatenate([Q[upper], R.ravel(), v]), "DOP853", times, rtol=1e-11, atol=1e-13)
    path = committee.integrate(Q, R, T, v, A, times, learning_rate=0.5, noise=0.2)
    assert path.status == "done" and path.time == pytest.approx(40)
    np.testing.assert_allclose(path.Q[:, upper[0], upper[1]], exact.y[:6].T, atol=3e-7)
    np.testing.assert_allclose(path.R.reshape(-1, 6), exact.y[6:12].T, atol=3e-7)
    np.testing.assert_allclose(path.v, exact.y[12:].T, atol=3e-7)
    assert path.error[-1] == pytest.approx(committee.generalisation_error(path.Q[-1], path.R[-1], T, path.v[-1], A))


def test_tolerance_controls_the_error():
    state = _state(4, 2, 2, scale=0.3)
    ends = [committee.integrate(*state, [0, 30], rtol=tol, atol=tol).R[-1] for tol in (1e-4, 1e-7, 1e-11)]
    assert np.abs(ends[1] - ends[2]).max() < 1e-2 * np.abs(ends[0] - ends[2]).max() + 1e-12
    assert np.abs(ends[1] - ends[2]).max() < 1e-5


def test_the_teacher_is_a_fixed_point_without_noise():
    state = copies(3, 2)
    path = committee.integrate(*state, [0.0, 5.0, 50.0], learning_rate=0.5, steady=1e-9)
    assert path.status == "steady" and np.all(np.abs(path.error) < 1e-15)
    np.testing.assert_array_equal(path.Q[-1], state[0])


@pytest.mark.parametrize("activation", ["erf", "relu"])
def test_small_rate_lowers_the_error(activation):
    state = _state(6, 4, 2, scale=0.4)
    path = committee.integrate(*state, np.linspace(0, 200, 50), activation=activation, small_rate=True)
    assert np.all(np.diff(path.error) < 1e-12) and path.error[-1] < 0.2 * path.error[0]


def test_small_rate_is_the_limit_of_small_eta():
    state = _state(7, 3, 2, scale=0.5)
    flow = committee.integrate(*state, [0, 20], small_rate=True)
    gaps = [np.abs(committee.integrate(*state, [0, 20 / eta], learning_rate=eta).Q[-1] - flow.Q[-1]).max()
            for eta in (1e-2, 1e-3)]
    assert gaps[1] < 0.15 * gaps[0]


def test_divergence_is_reported():
    Q, R, T, v, A = superfluous(1, 0)
    path = committee.integrate(Q + 0.1, R, T, v * 40, A, [0, 1, 1e6], learning_rate=50.0, max_steps=2000)
    assert path.status in ("diverged", "step limit") and np.isnan(path.error[-1])
    path = committee.integrate(Q, R * 0.5, T, v, A, [0, 100.0], max_steps=3)
    assert path.status == "step limit" and path.steps == 3


def _compare_with_sgd(N, replicas, K, M, eta, eta_v, sigma, end):
    """Mean over replicas of (SGD − equations) for the error and the overlaps, and its standard error."""
    gaps = []
    for replica in range(replicas):
        rng = np.random.default_rng([17, replica])
        B = np.linalg.qr(rng.standard_normal((N, M)))[0].T * math.sqrt(N)
        W, v, A = 0.5 * rng.standard_normal((K, N)), 0.5 + rng.random(K), np.ones(M)
        Q0, R0, T = committee.order_parameters(W, B)
        v0 = v.copy()
        Q, R, V = naive.sgd(W, B, v, A, eta, eta_v, sigma, end * N, 4 * N, 100 + replica)
        path = committee.integrate(Q0, R0, T, v0, A, np.arange(0, end + 1, 4.0), learning_rate=eta,
                                   readout_learning_rate=eta_v, noise=sigma)
        error = committee.generalisation_error(Q, R, T, V, A)
        gaps.append(np.concatenate([(error - path.error)[1:], (Q - path.Q)[1:, 0, 0], (Q - path.Q)[1:, 0, 1],
                                    (R - path.R)[1:, 1, 0], (V - path.v)[1:, 0]]))
    gaps = np.array(gaps)
    return gaps.mean(axis=0), gaps.std(axis=0, ddof=1) / math.sqrt(replicas)


@pytest.mark.parametrize("K, M, eta, eta_v, sigma", [(3, 2, 0.5, 0.5, 0.3), (2, 3, 1.0, 0.0, 0.0)])
def test_trajectories_of_sgd(K, M, eta, eta_v, sigma):
    mean, error = _compare_with_sgd(500, 12, K, M, eta, eta_v, sigma, 12)
    # Student's t with 11 degrees of freedom at 30 numbers, and a bias of order 1/N
    assert np.all(np.abs(mean) < 5.5 * error + 4.0 / 500)
    assert error.max() < 0.05


@pytest.mark.slow
def test_trajectories_of_sgd_at_a_thousand_inputs():
    mean, error = _compare_with_sgd(1000, 24, 4, 2, 0.5, 0.5, 0.2, 40)
    assert np.all(np.abs(mean) < 5.0 * error + 4.0 / 1000)
    assert error.max() < 0.03


def test_final_error_of_sgd():
    """The plateau of online SGD itself, averaged over time, at finite rate: K = M = 1, first layer only."""
    N, eta, sigma = 600, 1.0, 0.2
    rng = np.random.default_rng(2)
    B = np.linalg.qr(rng.standard_normal((N, 1)))[0].T * math.sqrt(N)
    Q, R, V = naive.sgd(B.copy(), B, np.ones(1), np.ones(1), eta, 0.0, sigma, 120 * N, 2 * N, 5)
    errors = committee.generalisation_error(Q, R, np.eye(1), V, np.ones(1))[10:]
    blocks = errors[:len(errors) // 5 * 5].reshape(5, -1).mean(axis=1)
    gap = blocks.mean() / committee.final_error(np.eye(1), np.ones(1), eta, sigma) - 1
    assert abs(gap) < 0.02 + 5 * blocks.std(ddof=1) / blocks.mean() / math.sqrt(5)  # next order: ησ²/12 and 1/N
    # the formula of first order alone would be 25 % off
    assert abs(blocks.mean() / committee.final_error_first_layer(1, 0, eta, sigma) - 1) > 0.2


@pytest.mark.parametrize("name", ["committee-final", "committee-stability", "committee-pair-drift",
                                  "committee-small-rate"])
def test_final_errors_and_stability_hold_for_the_equations(name):
    for prediction in run_check(name, CHECKS[name]):
        assert prediction.passed, prediction


def test_final_error_is_consistent_with_the_formulas():
    for M, L in ((1, 0), (2, 1), (3, 2)):
        Q, _, _, v, _ = superfluous(M, L)
        assert committee.final_error(Q, v, 1e-9, 0.5) == pytest.approx(
            committee.final_error_first_layer(M, L, 1e-9, 0.5), rel=1e-6)
    for M, Z in ((1, 1), (2, 3)):
        Q, _, _, v, _ = copies(M, Z)
        assert committee.final_error(Q, v, 1e-9, 0.5) == pytest.approx(
            committee.final_error_copies(M, M * Z, 1e-9, 0.5), rel=1e-6)
        # copies share the noise: the stable rate grows with their number
        assert committee.critical_rate(Q, v) == pytest.approx(Z * committee.critical_rate(np.eye(M), np.ones(M)))
    assert committee.critical_rate(np.eye(1), [1.0]) == pytest.approx(math.pi * math.sqrt(5 / 3))
    assert committee.final_error(np.eye(1), [1.0], 4.06, 0.1) == math.inf
    assert committee.final_error(np.eye(2), [0.0, 0.0], 1.0, 1.0) == 0.0


def test_pair_lifetime_is_the_integral_of_the_drift():
    from scipy.integrate import quad

    time, _ = quad(lambda q: 1 / committee.pair_drift(q, 0.1, 0.7), 1e-3, 2.0, epsrel=1e-11)
    assert committee.pair_lifetime(1e-3, 2.0, 0.1, 0.7) == pytest.approx(time, rel=1e-8)


@pytest.mark.slow
def test_derivations_follow_their_inputs():
    z = sp.Symbol("z")
    M, L, eta, sigma = derive._M, derive._L, derive._ETA, derive._SIGMA
    other = derive.derive_final_first_layer(activation=sp.erf(z)).result.rhs
    assert sp.simplify(other - sigma**2 * eta / sp.pi * (L + M / sp.sqrt(5))) == 0
    drift = derive.derive_pair_drift(activation=2 * sp.erf(z)).result.rhs
    Q = sp.Symbol("Q", positive=True)
    # twice the output, steeper by √2: J2 = (16/π)/√(1+4Q), and dQ/dt = −4ηQ d/dQ (ησ²/4) J2
    assert sp.simplify(drift + eta**2 * sigma**2 * Q * sp.diff(16 / sp.pi / sp.sqrt(1 + 4 * Q), Q)) == 0


@pytest.mark.slow
def test_remaining_derivations():
    K = sp.Symbol("K", positive=True)
    M, L, eta, sigma = derive._M, derive._L, derive._ETA, derive._SIGMA
    first = derive.derive_final_first_layer().result.rhs
    assert sp.simplify(first - sigma**2 * eta / (2 * sp.pi) * (L + M / sp.sqrt(3))) == 0
    derivation = derive.derive_final_copies()
    copied = derivation.result.rhs
    wanted = derive._SIGMA**2 * derive._ETA * derive._M**2 / (2 * sp.pi * sp.sqrt(3) * K)
    assert sp.simplify(copied - wanted) == 0
    share = derive.derive_next_order(layers=1, teachers=2).result.rhs
    assert sp.simplify(share / sp.Symbol("epsilon", positive=True) + sp.Rational(25, 84)) == 0
    assert derivation.to_latex().isascii() and derive.derive_final_general().to_latex().isascii()


def test_equations_are_derived_from_the_update():
    assert len(derive.derive_equations().steps) == 7


@pytest.mark.parametrize("change, words", [
    ({"Q": np.eye(3)}, "do not fit"),
    ({"Q": [[1.0, 0.3], [0.1, 1.0]]}, "symmetric"),
    ({"R": [[3.0], [0.0]]}, "positive semi-definite"),
    ({"v": [1.0, np.nan]}, "not finite"),
    ({"v": []}, "at least one unit"),
    ({"T": 1.0}, "dimension"),
    ({"learning_rate": 0.0}, "learning_rate must be positive"),
    ({"noise": -1.0}, "noise not negative"),
    ({"activation": "relu"}, "small_rate=True"),
    ({"activation": "tanh"}, "one of erf, relu"),
    ({"times": [1.0, 0.0]}, "increasing"),
    ({"rtol": 0.0}, "rtol"),
    ({"Q": "words"}, "numbers"),
])
def test_bad_input_is_one_clear_line(change, words):
    arguments = {"Q": np.eye(2), "R": np.zeros((2, 1)), "T": np.eye(1), "v": np.ones(2), "A": np.ones(1),
                 "times": [0.0, 1.0], **change}
    with pytest.raises(InputError, match=words) as caught:
        committee.integrate(**arguments)
    assert "\n" not in str(caught.value)


def test_bad_counts():
    for call in (lambda: committee.final_error_copies(2, 3, 0.1, 0.1), lambda: committee.pair_lifetime(2.0, 1.0, 0.1, 0.1),
                 lambda: committee.final_error_first_layer(0, 1, 0.1, 0.1), lambda: committee.pair_drift(-1.0, 0.1, 0.1),
                 lambda: committee.final_error_first_layer(1, 1, -0.1, 0.1),
                 lambda: committee.order_parameters(np.ones((1, 3)), np.ones((1, 4))),
                 lambda: committee.critical_rate(np.eye(2), [1.0])):
        with pytest.raises(InputError):
            call()
