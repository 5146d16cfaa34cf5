"""The Gaussian averages against quadrature, Monte Carlo, exact corners and their own derivation."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import theory.gaussian as gaussian
from lab.errors import InputError
from theory.gaussian import derive
from theory.gaussian.check import AVERAGES, covariance, quadrature, samples, symbolic_value

z = sp.Symbol("z")


def _root(C):
    values, vectors = np.linalg.eigh(C)
    return vectors * np.sqrt(np.maximum(values, 0.0))


@pytest.mark.parametrize("kind", ["full", "near-singular", "low"])
@pytest.mark.parametrize("name", AVERAGES)
def test_every_pattern_of_indices_agrees_with_quadrature(name, kind):
    function, arity = AVERAGES[name]
    rng = np.random.default_rng([7, len(name)])
    for n in (1, 2, 5, 8):
        C = covariance(rng, n, kind, 0.9)
        for _ in range(2):
            indices = tuple(int(x) for x in rng.integers(0, n, arity))
            assert function(C, *indices) == pytest.approx(quadrature(name, C, *indices), abs=1e-9)


@pytest.mark.parametrize("name", AVERAGES)
def test_derived_expression_and_kernel_agree_at_random_covariances(name):
    function, arity = AVERAGES[name]
    rng = np.random.default_rng(3)
    for norm in (0.1, 1.0, 10.0):
        C = covariance(rng, arity, norm=norm)
        order = tuple(range(arity))
        assert function(C, *order) == pytest.approx(symbolic_value(name, C, *order), rel=1e-9, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", AVERAGES)
def test_ten_million_samples(name):
    function, arity = AVERAGES[name]
    rng = np.random.default_rng(11)
    C = covariance(rng, 8, "full", 1.5)
    indices = tuple(int(x) for x in rng.permutation(8)[:arity])
    values = np.concatenate([samples(name, rng.standard_normal((1_000_000, 8)) @ _root(C).T, *indices)
                             for _ in range(10)])
    error = values.std() / math.sqrt(values.size)
    assert abs(values.mean() - function(C, *indices)) < 4.5 * error


def test_coincident_vectors_at_any_norm():
    for c in (0.0, 1e-300, 1e-12, 1.0, 1e6, 1e12, 1e100):
        C = np.full((4, 4), c)
        # for one unit repeated: C'' = c/(1+2c), and atan2 keeps the digits that asin(1 - tiny) loses
        assert gaussian.erf_i2(C, 0, 1) == pytest.approx(2 / math.pi * math.atan2(c, math.sqrt(1 + 2 * c)), rel=1e-14)
        assert gaussian.erf_j2(C, 0, 1) == pytest.approx(2 / math.pi / math.sqrt(1 + 2 * c), rel=1e-14)
        third = 2 / math.pi * c / ((1 + c) * math.sqrt(1 + 2 * c))
        assert gaussian.erf_i3(C, 0, 1, 2) == pytest.approx(third, rel=1e-13)
        e = c / (1 + 2 * c)
        fourth = 4 / math.pi**2 / math.sqrt(1 + 2 * c) * math.atan2(e, math.sqrt(1 + 2 * e))
        assert gaussian.erf_i4(C, 0, 1, 2, 3) == pytest.approx(fourth, rel=1e-13)
        assert gaussian.relu_i2(C, 0, 1) == pytest.approx(c / 2, rel=1e-14)
        assert gaussian.relu_j2(C, 0, 1) == pytest.approx(0.5 if c else 0.25)
        assert gaussian.relu_i3(C, 0, 1, 2) == pytest.approx(c / 2, rel=1e-14)


def test_opposite_and_orthogonal_units():
    C = np.array([[4.0, -4.0, 0.0], [-4.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    assert gaussian.relu_i2(C, 0, 1) == pytest.approx(0.0, abs=1e-15)
    assert gaussian.relu_j2(C, 0, 1) == pytest.approx(0.0, abs=1e-15)
    assert gaussian.relu_j2(C, 0, 2) == pytest.approx(0.25)
    assert gaussian.erf_i2(C, 0, 1) == -gaussian.erf_i2(C, 0, 0)
    assert gaussian.erf_i2(C, 0, 2) == 0.0


def test_zero_norms():
    C = np.zeros((3, 3))
    C[2, 2] = 2.0
    assert gaussian.erf_i2(C, 0, 1) == 0.0
    assert gaussian.erf_j2(C, 0, 1) == pytest.approx(2 / math.pi)
    assert gaussian.erf_i3(C, 0, 2, 2) == pytest.approx(math.sqrt(2 / math.pi) * quadrature("erf-i3", C, 0, 2, 2)
                                                        / math.sqrt(2 / math.pi), rel=1e-10)
    assert gaussian.erf_i4(C, 0, 0, 2, 2) == pytest.approx(2 / math.pi * gaussian.erf_i2(C, 2, 2))
    assert gaussian.relu_i2(C, 0, 2) == 0.0
    assert gaussian.relu_j2(C, 0, 2) == 0.25
    assert gaussian.relu_i3(C, 0, 2, 2) == pytest.approx(0.5)  # H(0) = ½ times <z relu(z)> = 1
    assert gaussian.relu_i3(C, 2, 2, 0) == 0.0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 30.0]))
def test_symmetries_and_bounds(seed, norm):
    rng = np.random.default_rng(seed)
    C = covariance(rng, 5, str(rng.choice(["full", "near-singular", "low"])), norm)
    i, k, a, b = rng.integers(0, 5, 4)
    assert gaussian.erf_i4(C, i, k, a, b) == pytest.approx(gaussian.erf_i4(C, k, i, b, a), rel=1e-7, abs=1e-12)
    assert abs(gaussian.erf_i2(C, a, b)) <= 1.0
    assert 0.0 < gaussian.erf_j2(C, i, k) <= 2 / math.pi
    assert abs(gaussian.erf_i4(C, i, k, a, b)) <= gaussian.erf_j2(C, i, k)
    assert 0.0 <= gaussian.relu_j2(C, i, k) <= 0.5
    flip = np.ones(5)
    flip[a] = -1.0
    if a not in (i, k, b):
        assert gaussian.erf_i4(C * np.outer(flip, flip), i, k, a, b) == -gaussian.erf_i4(C, i, k, a, b)
    # Price's theorem ties the averages together: ReLU-I3 with b = i is I2, and with b = c is homogeneous too
    assert gaussian.relu_i3(C, i, i, k) == pytest.approx(gaussian.relu_i2(C, i, k), rel=1e-9, abs=1e-12 * norm**2)


def test_price_theorem_links_i2_and_j2():
    C = covariance(np.random.default_rng(0), 2, norm=1.0)
    step = 1e-5
    E = np.array([[0.0, 1.0], [1.0, 0.0]]) * step
    for i2, j2 in ((gaussian.erf_i2, gaussian.erf_j2), (gaussian.relu_i2, gaussian.relu_j2)):
        slope = (i2(C + E, 0, 1) - i2(C - E, 0, 1)) / (2 * step)
        assert slope == pytest.approx(j2(C, 0, 1), rel=1e-8)


def test_broadcasting_over_indices_and_over_covariances():
    rng = np.random.default_rng(1)
    C = np.stack([covariance(rng, 4) for _ in range(6)]).reshape(2, 3, 4, 4)
    i, k, a, b = np.ogrid[:4, :3, :2, :4]
    out = gaussian.erf_i4(C, i, k, a, b)
    assert out.shape == (2, 3, 4, 3, 2, 4)
    assert out[1, 2, 3, 0, 1, 2] == gaussian.erf_i4(C[1, 2], 3, 0, 1, 2)
    assert isinstance(gaussian.erf_i2(C[0, 0], 0, 1), float)
    assert gaussian.erf_i2(C[0, 0], np.arange(4), 1).shape == (4,)
    assert gaussian.erf_i3(C[0, 0], [], 1, 2).shape == (0,)


@pytest.mark.parametrize("C, indices, words", [
    (np.eye(3)[:2], (0, 1), "shape"),
    (np.array([[1.0, 2.0], [2.0, 1.0]]), (0, 1), "correlation beyond 1"),
    (np.array([[1.0, 0.2], [0.1, 1.0]]), (0, 1), "not symmetric"),
    (np.array([[-1.0, 0.0], [0.0, 1.0]]), (0, 1), "negative variance"),
    (np.array([[1.0, np.nan], [np.nan, 1.0]]), (0, 1), "not finite"),
    (np.eye(2), (0, 2), "outside"),
    (np.eye(2), (-1, 0), "outside"),
    (np.eye(2), (0.0, 1), "integers"),
    (np.eye(4), ([0, 1], [0, 1, 2]), "broadcast"),
    ("words", (0, 1), "numbers"),
])
def test_bad_input_is_one_clear_line(C, indices, words):
    with pytest.raises(InputError, match=words) as caught:
        gaussian.erf_i2(C, *indices)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------ derivations
def _numbers(expression, C, letters):
    symbols = {derive.covariance_symbol(x, y): C[letters.index(x), letters.index(y)] for x in letters for y in letters}
    symbols[derive._THETA] = math.acos(C[0, -1] / math.sqrt(C[0, 0] * C[-1, -1]))
    return float(expression.subs(symbols))


def _trapezoid(product, C):
    """<product(z)> by the trapezoidal rule: exact to 1e-10 for smooth products, any activation."""
    grid = np.arange(-24, 25) * 0.33
    weight = np.exp(-grid**2 / 2) / np.exp(-grid**2 / 2).sum()
    n = C.shape[0]
    points = np.stack([m.ravel() for m in np.meshgrid(*[grid] * n, indexing="ij")])
    weights = weight
    for _ in range(n - 1):
        weights = np.multiply.outer(weights, weight)
    return float(np.dot(weights.ravel(), product(np.linalg.cholesky(C) @ points)))


@pytest.mark.slow
@pytest.mark.parametrize("activation", [3 * sp.erf(z / 2) - 1, (1 + sp.erf(z / sp.sqrt(2))) / 2])
def test_another_activation_gives_another_correct_formula(activation):
    g = sp.lambdify(z, activation, "scipy")
    slope = sp.lambdify(z, sp.diff(activation, z), "scipy")
    rng = np.random.default_rng(5)
    C = covariance(rng, 3, norm=0.8)
    for function, letters, product in (
            (derive.derive_erf_j2, "ik", lambda x: slope(x[0]) * slope(x[1])),
            (derive.derive_erf_i2, "ab", lambda x: g(x[0]) * g(x[1])),
            (derive.derive_erf_i3, "ibc", lambda x: slope(x[0]) * x[1] * g(x[2]))):
        part = C[:len(letters), :len(letters)]
        value = _numbers(function(activation=activation).result.rhs, part, letters)
        assert value == pytest.approx(_trapezoid(product, part), abs=1e-9)


@pytest.mark.slow
def test_i4_of_another_scale_is_i4_at_scaled_covariance():
    C = covariance(np.random.default_rng(6), 4, norm=0.8)
    value = _numbers(derive.derive_erf_i4(activation=5 * sp.erf(z * sp.sqrt(2))).result.rhs, C, "ikab")
    # 5 erf(2z/√2): slopes gain 5·2 each, values 5 each, at covariance 4C
    assert value == pytest.approx(2500 * gaussian.erf_i4(4 * C, 0, 1, 2, 3), rel=1e-10)


@pytest.mark.slow
def test_leaky_relu():
    leak = sp.Rational(1, 4)
    rng = np.random.default_rng(8)
    C = covariance(rng, 3)
    # f = leak·z + (1 − leak)·relu(z), so the averages follow from the ReLU ones and from Gaussian moments
    l, r = 0.25, 0.75
    i2 = l * l * C[0, 1] + 2 * l * r * C[0, 1] / 2 + r * r * gaussian.relu_i2(C, 0, 1)
    j2 = l * l + 2 * l * r / 2 + r * r * gaussian.relu_j2(C, 0, 1)
    i3 = l * l * C[1, 2] + 2 * l * r * C[1, 2] / 2 + r * r * gaussian.relu_i3(C, 0, 1, 2)
    two, three = C[:2, :2], C
    assert _numbers(derive.derive_relu_i2(slopes=(1, leak)).result.rhs, two, "ab") == pytest.approx(i2)
    assert _numbers(derive.derive_relu_j2(slopes=(1, leak)).result.rhs, two, "ik") == pytest.approx(j2)
    assert _numbers(derive.derive_relu_i3(slopes=(1, leak)).result.rhs, three, "ibc") == pytest.approx(i3)


def test_saad_and_solla_form_of_i4_follows():
    C = {x + y: derive.covariance_symbol(x, y) for x in "ikab" for y in "ikab"}
    lam4 = (1 + C["ii"]) * (1 + C["kk"]) - C["ik"]**2
    lam0 = (lam4 * C["ab"] - C["ka"] * C["kb"] * (1 + C["ii"]) - C["ia"] * C["ib"] * (1 + C["kk"])
            + C["ik"] * C["ia"] * C["kb"] + C["ik"] * C["ib"] * C["ka"])
    lam1 = lam4 * (1 + C["aa"]) - C["ka"]**2 * (1 + C["ii"]) - C["ia"]**2 * (1 + C["kk"]) \
        + 2 * C["ik"] * C["ia"] * C["ka"]
    steps = {str(s.equation.lhs): s.equation.rhs for s in derive.derive_erf_i4().steps
             if isinstance(s.equation, sp.Eq)}
    assert sp.expand(steps["Lambda4"] - lam4) == 0
    assert sp.expand(steps["Lambda0"] - lam0) == 0
    assert sp.expand(steps["Lambda1"] - lam1) == 0


@pytest.mark.parametrize("activation", [sp.sin(z), z, sp.erf(z - 1), sp.Integer(3)])
def test_activation_outside_the_family_is_refused(activation):
    with pytest.raises(InputError):
        derive.derive_erf_i2(activation=activation)
    with pytest.raises(InputError):
        derive.derive_relu_i2(slopes=1)
