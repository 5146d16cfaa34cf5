"""ReLU teacher-student landscape: closed forms against quadrature, differences and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory import landscape as ls
from theory.derivation import run_check
from theory.landscape import symmetric
from theory.landscape.check import CHECKS, critical_point, numerical_gradient, spurious_minimum

SIZES = [(1, 1, 1), (2, 3, 2), (3, 1, 4), (5, 5, 5), (7, 4, 3), (17, 9, 11)]


def draw(seed, n, k, d):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal((k, d))


def overlap_by_quadrature(w, v):
    """<relu(w.x) relu(v.x)> on a fine polar grid of the plane of w and v (radius done by hand: 2/2pi)."""
    a, b = np.linalg.norm(w), np.linalg.norm(v)
    angle = np.arctan2(np.sqrt(max((a * b) ** 2 - (w @ v) ** 2, 0)), w @ v)
    phi = (np.arange(2_000_000) + 0.5) * (2 * np.pi / 2_000_000)
    return a * b * np.mean(np.maximum(np.cos(phi), 0) * np.maximum(np.cos(phi - angle), 0)) * 2


@pytest.mark.parametrize("n, k, d", SIZES[:3])
def test_loss_is_the_sum_of_overlaps(n, k, d):
    students, teachers = draw(0, n, k, d)
    units = np.vstack([students, -teachers])  # sign carried separately
    sign = np.r_[np.ones(n), -np.ones(k)]
    units[n:] *= -1
    f = np.array([[overlap_by_quadrature(a, b) for b in units] for a in units[:]])
    assert ls.loss(students, teachers) == pytest.approx(0.5 * sign @ f @ sign, abs=1e-10)


@pytest.mark.parametrize("n, k, d", SIZES)
def test_gradient_and_hessian_against_differences(n, k, d):
    students, teachers = draw(1, n, k, d)
    numeric = numerical_gradient(lambda w: ls.loss(w, teachers), students).ravel()
    assert np.abs(ls.gradient(students, teachers).ravel() - numeric).max() < 1e-7
    if d == 1:  # parallel or antiparallel only: h1 = 0 and the mixed blocks are 1/2 or 0
        return
    numeric = numerical_gradient(lambda w: ls.gradient(w, teachers), students)
    exact = ls.hessian(students, teachers)
    assert np.abs(exact - exact.T).max() < 1e-14
    assert np.abs(exact - numeric).max() < 1e-6


@pytest.mark.parametrize("n, k, d", SIZES)
@pytest.mark.parametrize("replicas", [1, 3, 65])
def test_fast_gradient(n, k, d, replicas):
    rng = np.random.default_rng(2)
    students, teachers = rng.standard_normal((replicas, n, d)), rng.standard_normal((k, d))
    if n > 1:
        students[0, 1] = students[0, 0] * 2          # coincident
        students[-1, 0] = -teachers[0] * 3           # antiparallel
        students[-1, 1] = 0.0                        # dead
    if replicas > 2 and n > 1:
        students[1, 0] = students[1, 1] + 1e-9 * rng.standard_normal(d)  # nearly merged
    slow = ls.gradient(students, teachers)
    assert np.abs(ls.gradient_fast(students, teachers) - slow).max() < 1e-13 * max(np.abs(slow).max(), 1)
    assert ls.gradient_fast(students[0], teachers).shape == (n, d)


def test_nearly_merged_units_keep_their_digits():
    """At an angle of 1e-7 the arccosine has no correct digit left; the gradient difference must be right to 1e-6."""
    w, other, teachers = np.array([1.0, 0.0]), np.array([[np.cos(1e-7), np.sin(1e-7)]]), np.array([[0.0, 2.0]])
    both = np.vstack([w, other])
    expected = np.sin(1e-7) / (2 * np.pi) * w + (np.pi - 1e-7) / (2 * np.pi) * other[0]
    alone = ls.gradient(w[None], teachers)[0]
    for function in (ls.gradient, ls.gradient_fast):
        got = function(both, teachers)[0] - alone
        assert np.abs(got - expected).max() < 2e-16
    theta = ls.closed_form.angle_parts(w[None], other)[0][0, 0]
    assert theta == pytest.approx(1e-7, rel=1e-8)


def test_zero_loss_and_symmetries():
    teachers = draw(3, 1, 6, 4)[1]
    assert abs(ls.loss(teachers, teachers)) < 1e-13
    assert abs(ls.loss(ls.widen(teachers, [[0.2, 0.8]] * 6), teachers)) < 1e-13
    assert np.abs(ls.gradient(teachers[::-1], teachers)).max() < 1e-14
    students = draw(3, 5, 1, 4)[0]
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]
    assert ls.loss(students @ rotation, teachers @ rotation) == pytest.approx(ls.loss(students, teachers), rel=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 4), st.integers(2, 5))
def test_euler_identities(seed, n, k, d):
    """F + const is homogeneous in students and teachers together; H'_ii w_i = 0; r(w_i) = w_i.grad_i."""
    students, teachers = draw(seed, n, k, d)
    blocks = ls.own_curvature(students, teachers)
    assert np.abs(np.einsum("iab,ib->ia", blocks, students)).max() < 1e-12 * (1 + np.abs(blocks).max())
    assert np.einsum("ia,ia->i", students, ls.gradient(students, teachers)) == pytest.approx(
        ls.birth_slope(students, teachers, students), abs=1e-12)
    assert np.all(ls.loss(students[None] * 1.0, teachers) >= -1e-13)


@pytest.fixture(scope="module")
def spurious():
    return spurious_minimum(np.random.default_rng(5), 8), np.eye(8)


def test_a_spurious_minimum(spurious):
    point, teachers = spurious
    assert np.abs(ls.gradient(point, teachers)).max() < 1e-11
    assert ls.negative_directions(ls.hessian(point, teachers)) == 0
    assert ls.loss(point, teachers) == pytest.approx(0.0215, abs=5e-5)  # the level of Safran & Shamir's runs at k = 8
    assert np.max(ls.negative_directions(ls.own_curvature(point, teachers))) == 7  # a split opens d - 1 directions


@pytest.mark.parametrize("added", [[1, 0, 0, 0, 0, 0, 0, 0], [0, 2, 0, 1, 0, 0, 3, 0], [0] * 8, [1] * 8])
def test_escape_index(spurious, added):
    point, teachers = spurious
    rng = np.random.default_rng(6)
    added = np.array(added)
    wide = ls.widen(point, [rng.dirichlet(np.ones(a + 1)) for a in added])
    assert np.abs(ls.gradient(wide, teachers)).max() < 1e-11
    assert np.sum(np.linalg.eigvalsh(ls.hessian(wide, teachers)) < -1e-8) == ls.escape_index(point, teachers, added)
    assert ls.escape_index(point, teachers, 3) == 3 * 7


def test_escape_index_at_a_saddle():
    """Also at critical points that are no minima: two of three units at a merged saddle."""
    teachers = np.eye(3)
    single = critical_point(np.ones((1, 3)) / 2, teachers)
    merged = ls.widen(single, [[0.4, 0.6]])
    base = ls.negative_directions(ls.hessian(merged, teachers))
    assert base == ls.escape_index(single, teachers, np.array([1])) == 2
    again = ls.widen(single, [[0.4, 0.3, 0.2, 0.1]])
    assert np.sum(np.linalg.eigvalsh(ls.hessian(again, teachers)) < -1e-8) == ls.escape_index(single, teachers, 3) == 6


def test_tickets():
    assert ls.ticket_null(0.5, 5, 3) == pytest.approx(0.5**10)
    assert np.all(ls.ticket_null(np.array([0.0, 1.0]), 5000, 2500) == [0.0, 1.0])
    assert ls.ticket_null(0.999999, 200, 100) == 0.0
    assert ls.effective_tickets(0.001, 0.126) == pytest.approx(np.log(0.001) / np.log(0.126))
    assert ls.effective_tickets(0.0, 0.5) == np.inf and ls.effective_tickets(1.0, 0.5) == 0.0


@pytest.mark.parametrize("slopes, variance", [((1, 0), 1), ((2, "-1/2"), 3)])
def test_derivations_follow_their_inputs(slopes, variance):
    """Leaky activations and other input variances: derived overlap against Monte Carlo, gradient by differences."""
    import sympy as sp

    from theory.landscape.derive import A, B, T, derive_gradient, derive_hessian, derive_loss

    values = {A: 1.3, B: 0.7, T: 2.0}
    f = derive_loss(slopes=slopes, variance=variance).result.rhs
    rng = np.random.default_rng(7)
    z = rng.standard_normal((1_000_000, 2)) * np.sqrt(variance)
    p, q = (float(sp.sympify(s)) for s in slopes)

    def phi(z):
        return np.where(z > 0, p * z, q * z)

    product = phi(1.3 * z[:, 0]) * phi(0.7 * (np.cos(2) * z[:, 0] + np.sin(2) * z[:, 1]))
    assert abs(float(f.subs(values)) - product.mean()) < 5 * product.std() / 1000
    along_w, along_v, _ = (e.rhs for e in derive_gradient(slopes=slopes, variance=variance).result)
    # d f / d|w| at fixed theta is w^ . grad
    assert float(sp.diff(f, A).subs(values)) == pytest.approx(
        float((along_w + along_v * B * sp.cos(T)).subs(values)), rel=1e-12)
    h1 = derive_hessian(slopes=slopes, variance=variance).result[0].rhs
    assert float(h1[1, 1].subs(values)) == pytest.approx(
        float((sp.diff(f, T, 2) / A**2 + sp.diff(f, A) / A).subs(values)), rel=1e-10)


def test_split_derivation_for_more_copies():
    from theory.landscape.derive import DERIVATIONS

    three = DERIVATIONS["landscape-split"](copies=3)
    assert three.steps[3].equation.rhs == 0
    assert str(three.steps[4].equation.rhs).count("2*n_-") == 1
    with pytest.raises(InputError):
        DERIVATIONS["landscape-split"](copies=1)


@pytest.mark.parametrize("k", [6, 9, 14])
def test_the_symmetric_minimum_is_one_that_training_finds(k):
    weights = ls.symmetric_minimum(k)
    assert np.abs(ls.gradient(weights, np.eye(k))).max() < 1e-12
    values = symmetric.spectrum(weights)
    assert values[0][0] > 0 and sum(times for _, times in values) == k * k
    assert max(times for _, times in values) >= (k - 2) * (k - 3) / 2 - 1  # one irreducible part of the symmetry at least
    assert symmetric.opened(weights) == k - 1
    if k == 6:
        assert ls.loss(weights, np.eye(6)) == pytest.approx(0.0251, abs=5e-5)  # the level of the published runs


def test_evidence_of_symmetric_minima():
    found = {e.key: e.estimate.mean for e in symmetric.evidence((6, 8), (6,))}
    values = [np.linalg.eigvalsh(ls.hessian(w, np.eye(6))) for w in (ls.symmetric_minimum(6), np.eye(6))]
    assert symmetric.spectral_distances(6)[0] == pytest.approx(np.linalg.norm(values[0] - values[1]) / 6)
    assert list(found) == ["landscape/k6", "landscape/k8", "landscape/k6-12"] and found["landscape/k6"] == 1
    assert -1.5 < found["landscape/k6-12"] < -0.3


def test_effective_over_nominal_covers():
    """Its 95 % interval holds the true ratio in at least 93 % of repetitions, where one of the shares is small, too."""
    rng = np.random.default_rng(0)
    for wide, narrow in ((0.18, 0.85), (0.003, 0.55)):
        true = ls.effective_tickets(wide, narrow) / 13
        counts = rng.binomial(1000, (wide, narrow), (400, 2))
        ends = [ls.effective_over_nominal(int(a), 1000, int(b), 1000, 13) for a, b in counts]
        assert np.mean([e.low <= true <= e.high for e in ends]) > 0.93


@pytest.mark.parametrize("name", CHECKS)
def test_checks_pass(name):
    assert all(p.passed for p in run_check(name, CHECKS[name]))


@pytest.mark.parametrize("call", [
    lambda: ls.loss(np.ones((2, 3)), np.ones((2, 4))), lambda: ls.loss(np.ones(3), np.ones((2, 3))),
    lambda: ls.gradient(np.full((1, 2), np.nan), np.eye(2)), lambda: ls.hessian(np.zeros((1, 2)), np.eye(2)),
    lambda: ls.gradient_fast(np.ones((1, 2)), np.zeros((1, 2))), lambda: ls.loss(np.ones((0, 2)), np.eye(2)),
    lambda: ls.split_curvature(np.eye(2), np.eye(2), 2), lambda: ls.split_curvature(np.eye(2), np.eye(2), 0, 1.0),
    lambda: ls.escape_index(np.eye(2), np.eye(2), -1),
    lambda: ls.escape_index(np.eye(2), np.eye(2), np.array([1, 1, 1])),
    lambda: ls.widen(np.eye(2), [[0.5, 0.6], [1.0]]), lambda: ls.ticket_null(0.5, 2, 3),
    lambda: ls.ticket_null(2, 3, 2),
    lambda: ls.effective_tickets(0.1, 1.0), lambda: ls.birth_slope(np.eye(2), np.eye(2), np.ones((1, 3)))])
def test_bad_input(call):
    with pytest.raises(InputError):
        call()


@pytest.mark.parametrize("replicas, n, k, d", [(1, 1, 1, 1), (3, 2, 1, 3), (7, 5, 4, 4), (8, 3, 3, 7), (9, 17, 5, 6),
                                               (17, 4, 6, 6)])
def test_teachers_that_are_axes(replicas, n, k, d):
    students = np.random.default_rng([replicas, n, k, d]).standard_normal((replicas, n, d))
    students[0, 0] = students[0, -1]  # merged units
    students[-1, -1] = np.eye(d)[0]   # a unit of the teacher's
    fast = ls.gradient_fast(students, np.eye(k, d))
    rotated = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0]
    np.testing.assert_allclose(fast, ls.gradient_fast(students @ rotated, np.eye(k, d) @ rotated) @ rotated.T, atol=1e-13)
    for one, found in zip(students, fast):
        np.testing.assert_allclose(found, ls.gradient(one, np.eye(k, d)), atol=1e-13)
