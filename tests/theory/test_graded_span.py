"""theory.span: solutions, stability, coupon law, predictions; its own checks; derivations that follow their inputs."""

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory.derivation import run_check
from theory.span import (
    competitor_end,
    competitors,
    cover_probability,
    equal_strength_span_error,
    missed_law,
    plateaus,
    power_strengths,
    predict,
    solution,
    uniqueness_boundary,
)
from theory.span.check import CHECKS
from theory.span.closed_form import gradient, hessian, loss
from theory.span.derive import derive_coupons, derive_gradient, derive_growth, derive_one_neuron

FOUR = [1.0, 0.7, 0.4, 0.2]


@pytest.mark.parametrize("name", [n for n in CHECKS if n != "graded-uniqueness"])
def test_own_checks_pass(name):
    for prediction in run_check(name, CHECKS[name]):
        assert prediction.passed, prediction


@pytest.mark.slow
def test_uniqueness_check_passes():
    assert all(p.passed for p in run_check("graded-uniqueness", CHECKS["graded-uniqueness"]))


def test_solutions_are_critical_points_of_the_stated_form():
    for A, norm, width in ((FOUR, 3.0, 2), (power_strengths(6, 0.5), 1.0, 3), (np.ones(5), 2.0, 4)):
        s = solution(A, norm, width)
        assert s.stable and s.residual < 1e-11 and len(s.isolated) in (width - 1, width)
        for i, m in enumerate(s.isolated):
            assert abs(s.directions[i, m]) > 0.9 * np.linalg.norm(s.directions[i])
    assert solution(FOUR, 3.0, 4).loss < 1e-15 and solution(FOUR, 3.0, 6).loss < 1e-15
    # signs and order of the strengths do not matter
    assert solution([-0.4, 1.0, 0.2, -0.7], 3.0, 2).loss == pytest.approx(solution(FOUR, 3.0, 2).loss, abs=1e-12)


def test_losses_of_competitors_are_those_met_in_simulation():
    # |B| = 1, M = 8, γ = ½, K = 4: the levels of 256 simulated students (rounded to 1e-6)
    A = power_strengths(8, 0.5)
    for isolated, want in (((0, 1, 2), 0.006371), ((0, 1, 3), 0.006902), ((0, 1, 4), 0.007265), ((0, 1, 7), 0.007844)):
        s = solution(A, 1.0, 4, isolated)
        assert s.stable and s.loss == pytest.approx(want, abs=1e-6)
    assert competitors(FOUR, 3.0, 2) == [] == competitors(FOUR, 3.0, 4)


def test_uniqueness_ends_between_the_reference_cases():
    # non-unique at γ = ½, unique at γ = 1 (M = 8, K = 4, |B| = 1)
    ends = uniqueness_boundary(8, 1.0, 4, resolution=0.05, both_forms=False)
    assert list(ends["ends"]) == ["pool"] and 0.5 < ends["nearest"] < ends["last"] < 1.0
    assert uniqueness_boundary(8, 1.0, 1)["last"] == 0.0 == uniqueness_boundary(8, 1.0, 8)["last"]
    # width 6: pool and tilt of the same units side by side, as simulated at γ = 0.5 and no longer at 0.6
    six, tilt = (solution(power_strengths(8, 0.5), 1.0, 6, range(n)) for n in (5, 6))
    assert six.stable and tilt.stable and abs(six.loss - 0.0029129) < 1e-6 and abs(tilt.loss - 0.0028926) < 1e-6
    ratio = competitor_end(4, 3.0, 2, (1,), family="step")
    assert 0.55 < ratio < 0.65


def test_close_to_full_width_the_students_tilt():
    s = solution(np.ones(8), 1.0, 7)
    assert len(s.isolated) == 7 and s.stable and s.loss == pytest.approx(0.010356, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 9), st.data())
def test_coupon_law_is_a_law(units, data):
    isolated, copies = data.draw(st.integers(0, units)), data.draw(st.integers(0, 12))
    law = missed_law(units, isolated, copies)
    assert np.all(law >= 0) and law.sum() == pytest.approx(1, abs=1e-12)
    assert law @ np.arange(units + 1) / units == pytest.approx((1 - isolated / units) ** copies, abs=1e-12)
    assert cover_probability(units, isolated, copies + 1) >= law[0] - 1e-15


def test_equal_strength_span_error_falls_with_copies():
    errors = [equal_strength_span_error(4, 3.0, 2, c)[0] for c in (1, 2, 4, 8, 16)]
    assert np.all(np.diff(errors) < 0) and errors[-1] < 0.01
    assert equal_strength_span_error(4, 3.0, 1, 16)[0] == pytest.approx(0.797, abs=1e-3)


def test_predict():
    p = predict(FOUR, 3.0, 10, 2, copies=8)
    np.testing.assert_allclose(p.span_error_per_teacher_unit, [0.022, 0.124, 0.950, 0.988], atol=1e-3)
    assert p.unique and p.isolated == (0,) and p.reverse_span_error == pytest.approx(0.042, abs=1e-3)
    assert p.plateaus == plateaus(FOUR, 3.0, 2) and np.all(np.diff(p.plateaus) < 0)
    wide = predict(FOUR, 3.0, 10, 16)
    assert wide.feature_performance < 1e-9 and wide.reverse_span_error < 1e-9
    assert predict(power_strengths(8, 0.5), 3.0, 10, 1).feature_performance == pytest.approx(0.191, abs=1e-3)


@pytest.mark.parametrize("width, teacher", [(1, 1), (1, 4), (2, 3), (3, 4), (6, 2), (5, 7)])
def test_hessian_is_the_gradient_s_derivative(width, teacher):
    rng = np.random.default_rng([width, teacher])
    y, strengths = rng.normal(size=width * (teacher + 2)), rng.uniform(0.2, 1, teacher)
    H = hessian(y, strengths, 3.0, width)
    # a composition of analytic functions: a step of 1e-30 i differentiates it without cancellation
    columns = [gradient(y + 1e-30j * e, strengths, 3.0, width).imag / 1e-30 for e in np.eye(y.size)]
    np.testing.assert_allclose(H, columns, atol=1e-13)
    assert loss(y, strengths, 3.0, width) > 0


def test_bad_input():
    for bad in (dict(strengths=[]), dict(strengths=[1.0, 0.0]), dict(dim=3), dict(width=0), dict(copies=0),
                dict(direction_norm=-1.0)):
        with pytest.raises(InputError):
            predict(**{"strengths": FOUR, **bad})
    with pytest.raises(InputError):
        solution(FOUR, 3.0, 2, isolated=(0, 1, 2))
    with pytest.raises(InputError):
        missed_law(4, 5, 1)


def test_derivations_follow_their_inputs():
    def linear(overlap, own, other):
        return overlap

    assert sp.simplify(derive_gradient(pair_average=linear).result - sp.Symbol("B") * sp.Symbol("u", positive=True)
                       * sp.Symbol("v", positive=True)) == 0
    rate = derive_growth(pair_average=linear).result[0].rhs
    A, b = sp.symbols("A b", positive=True)
    assert sp.simplify(rate - A * b) == 0
    numbers = derive_one_neuron(units=4, norm=3).steps[-1].equation
    assert float(numbers[3]) == pytest.approx(0.797, abs=1e-3) and float(numbers[0]) > 0
    c = sp.Symbol("c", integer=True, positive=True)
    for k, p in enumerate(missed_law(5, 2, 3)):
        written = derive_coupons(units=5, isolated=2).steps[2].equation[k]
        assert float(written.subs(c, 3)) == pytest.approx(p, abs=1e-12)
