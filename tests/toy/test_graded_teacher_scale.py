"""The graded teacher's strengths have no scale: theory and simulation over forty orders of magnitude."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory.measures import span_error
from theory.span import (
    competitors,
    escape_rates,
    first_plateau_time,
    growth_rate,
    plateaus,
    power_strengths,
    predict,
    solution,
)
from theory.span.closed_form import gradient, loss
from toy.graded_teacher import Teacher, compare, loss_and_gradient, moments, simulate

FOUR = np.array([1.0, 0.7, 0.4, 0.2])
STUDENTS = simulate(FOUR, 3.0, 8, 2, 4, times=(1.0, 10.0, 100.0))
OUTLOOK = predict(FOUR, 3.0, 8, 2)
FACTORS = [1e-20, 1e-6, 1e-4, 0.37, 1e3, 1e6, 1e20]


def spans(students):
    return [span_error(moments({"s": students.units(r)}, students.teacher), source="s", target="teacher", per_unit=True)
            for r in range(students.replicas)]


@pytest.mark.parametrize("factor", FACTORS)
def test_simulation_does_not_depend_on_the_strengths_scale(factor):
    found = simulate(FOUR * factor, 3.0, 8, 2, 4, times=(1.0, 10.0, 100.0))
    assert found.converged.all() and STUDENTS.converged.all()
    np.testing.assert_allclose(found.loss, STUDENTS.loss * factor**2, rtol=1e-6)
    np.testing.assert_allclose(found.curves, STUDENTS.curves * factor**2, rtol=1e-3)
    np.testing.assert_allclose(found.directions, STUDENTS.directions, atol=1e-3)
    np.testing.assert_allclose(found.output, STUDENTS.output * factor, rtol=1e-4)
    np.testing.assert_allclose(spans(found), spans(STUDENTS), atol=1e-4)
    np.testing.assert_allclose(np.mean(spans(found)), OUTLOOK.span_error, atol=1e-3)
    # the end is a critical point of the loss in the strengths' own units, too, as a second program sees it
    value, by_output, by_direction = loss_and_gradient(found.teacher, found.output, found.directions)
    np.testing.assert_allclose(value, found.loss, rtol=1e-6)
    assert np.abs(by_output).max() <= 1e-7 * factor and np.abs(by_direction).max() <= 1e-7 * factor**2


@settings(deadline=None, max_examples=3)
@given(st.floats(-20, 20))
@example(-6)
@example(6)
def test_theory_does_not_depend_on_the_strengths_scale(exponent):
    factor = 10.0**exponent
    p = predict(FOUR * factor, 3.0, 8, 2)
    assert p.unique and p.isolated == OUTLOOK.isolated
    assert p.span_error == pytest.approx(0.5212, abs=1e-4) and p.span_error == pytest.approx(OUTLOOK.span_error, rel=1e-6)
    np.testing.assert_allclose(p.plateaus, np.multiply(OUTLOOK.plateaus, factor**2), rtol=1e-6)
    for name in ("reverse_span_error", "reverse_span_error_pooled", "feature_performance", "first_time"):
        assert getattr(p, name) == pytest.approx(getattr(OUTLOOK, name), rel=1e-6)
    np.testing.assert_allclose(p.escape_rates, OUTLOOK.escape_rates, rtol=1e-6)
    assert p.loss == pytest.approx(OUTLOOK.loss * factor**2, rel=1e-6)
    s = solution(FOUR * factor, 3.0, 2)
    state = np.concatenate([s.output, np.pad(s.directions, ((0, 0), (0, 1))).ravel()])
    assert s.stable and s.loss == pytest.approx(loss(state, FOUR * factor, 3.0, 2), rel=1e-6)
    slope = gradient(state, FOUR * factor, 3.0, 2)
    assert np.abs(slope[:2]).max() < 1e-12 * factor and np.abs(slope[2:]).max() < 1e-12 * factor**2


def test_competitors_and_rates_go_along():
    A = power_strengths(4, 0.2)
    rivals = competitors(A, 3.0, 2)
    assert len(rivals) > 1
    for factor in (1e-20, 1e6):
        for one, two in zip(rivals, competitors(A * factor, 3.0, 2), strict=True):
            assert two.loss == pytest.approx(one.loss * factor**2, rel=1e-6)
        np.testing.assert_allclose(plateaus(A * factor, 1.0, 2), np.array(plateaus(A, 1.0, 2)) * factor**2, rtol=1e-6)
        np.testing.assert_allclose(escape_rates(A * factor, 1.0, 3), escape_rates(A, 1.0, 3), rtol=1e-6)
        assert growth_rate(A * factor, 1.0) == pytest.approx(growth_rate(A, 1.0))
        assert first_plateau_time(A * factor, 1.0, 2, 0.1) == pytest.approx(first_plateau_time(A, 1.0, 2, 0.1))


@pytest.mark.parametrize("factor", [1e-20, 1e6])
@pytest.mark.parametrize("condition", ["free", "shared start", "matched loss"])
def test_comparisons_do_not_depend_on_the_strengths_scale(factor, condition):
    one, two = (compare(FOUR * f, 3.0, 8, 2, 2, 4, 2, condition=condition,
                        above_floor=1.1 if condition == "matched loss" else 1.0) for f in (1.0, factor))
    for name in ("narrow_to_wide", "wide_to_narrow", "narrow_probe", "cka"):
        np.testing.assert_allclose(getattr(two, name), getattr(one, name), rtol=0.02, atol=1e-5)


def test_a_given_start_is_in_the_strengths_units():
    end = simulate(FOUR * 1e6, 3.0, 8, 2, 4)
    again = simulate(FOUR * 1e6, 3.0, 8, 2, start=np.concatenate([end.output, end.directions.reshape(4, -1)], axis=1))
    assert again.converged.all() and again.evaluations.max() < 20
    np.testing.assert_allclose(again.output, end.output, rtol=1e-6)


def test_what_no_scale_saves_is_refused():
    for strengths in (FOUR + 1j, np.ma.array(FOUR, mask=[0, 0, 0, 1]), FOUR * 1e-200, FOUR * 1e200, [1.0, np.nan], [0.0]):
        for call in (lambda a: simulate(a, 3.0, 8, 2, 1), lambda a: predict(a, 3.0, 8, 2), lambda a: Teacher(tuple(a)),
                     lambda a: growth_rate(a, 3.0), lambda a: plateaus(a, 3.0, 2)):
            with pytest.raises(InputError):
                call(strengths)
    for norm in (1e-100, 1e-4, 1e5, 1e200, np.nan, np.inf):
        for call in (lambda b: simulate(FOUR, b, 8, 2, 1), lambda b: predict(FOUR, b, 8, 2), lambda b: competitors(FOUR, b, 2)):
            with pytest.raises(InputError, match="direction_norm"):
                call(norm)
    # a start whose gradient is below the tolerance would count as converged where nothing has been learnt
    with pytest.raises(InputError, match="below gradient_tol"):
        simulate(FOUR, 3.0, 8, 2, 1, init_scale=1e-9)
