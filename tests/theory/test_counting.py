"""Counts of critical and global subspaces against enumeration and other exact sums."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory import counting
from theory.counting import check, critical_subspaces, derive, minima_subspaces, saddle_subspaces
from theory.counting.check import enumerate_minima
from theory.derivation import run_check


@pytest.mark.parametrize("r", range(5))
@pytest.mark.parametrize("m", range(8))
def test_against_enumeration(r, m):
    surjections = sum(set(f) == set(range(r)) for f in itertools.product(range(r), repeat=m))
    assert critical_subspaces(r, m) == surjections
    if m <= 6:
        subspaces = enumerate_minima(r, m)
        assert minima_subspaces(r, m) == len(subspaces)
        assert critical_subspaces(r, m) == sum(all(name >= 0 for name, _ in s) for s in subspaces)


def test_published_values():
    assert (minima_subspaces(4, 5), minima_subspaces(4, 6), critical_subspaces(3, 5)) == (360, 3720, 150)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 60), st.integers(0, 140))
def test_large_counts_by_the_alternating_and_the_published_sum(r, excess):
    m = r + excess
    assert critical_subspaces(r, m) == sum((-1) ** (r - i) * math.comb(r, i) * i**m for i in range(r + 1))
    bell = [1]
    for u in range(excess):
        bell.append(sum(math.comb(u, j) * bell[j] for j in range(u + 1)))
    published = critical_subspaces(r, m) + sum(math.comb(m, u) * critical_subspaces(r, m - u) * bell[u]
                                               for u in range(1, excess + 1))
    assert minima_subspaces(r, m) == published


@pytest.mark.parametrize("multiplicity", [False, True])
@pytest.mark.parametrize("r_star", [1, 2, 5, 12])
def test_crossing_width(r_star, multiplicity):
    m = counting.crossing_width(r_star, multiplicity)
    holds = [minima_subspaces(r_star, w) > saddle_subspaces(r_star, w, multiplicity) for w in range(r_star, 3 * m)]
    assert holds.index(True) == m - r_star
    assert all(holds[m - r_star:])


def test_crossing_width_of_the_reference():
    assert counting.crossing_width(5) / 5 == 1.2
    assert counting.crossing_width(200) / 200 == 1.45
    with pytest.raises(InputError):
        counting.crossing_width(50, limit=60)


def test_layers_multiply():
    """Two layers, by enumerating the subspaces of both."""
    needed, widths = (2, 3), (4, 4)
    assert counting.layered_minima(needed, widths) == len(
        set(itertools.product(enumerate_minima(2, 4), enumerate_minima(3, 4))))
    critical = 0
    for r in itertools.product((1, 2), (1, 2, 3)):
        if r != needed:
            critical += math.prod(math.comb(n, k) * critical_subspaces(k, w) for n, k, w in zip(needed, r, widths))
    assert counting.layered_saddles(needed, widths, multiplicity=True) == critical
    assert counting.layered_saddles([4], [6]) == saddle_subspaces(4, 6)


@pytest.mark.parametrize("minima", [False, True])
@pytest.mark.parametrize("r, m", [(1, 50), (10, 40), (100, 150), (190, 200), (20, 400)])
def test_saddle_point(r, m, minima):
    exact = minima_subspaces(r, m) if minima else critical_subspaces(r, m)
    assert counting.log_asymptotic(r, m, minima) == pytest.approx(math.log(exact), abs=0.6 / min(m - r, m) + 1e-9)


@pytest.mark.slow
def test_asymptotics_derivation_follows_its_inputs():
    import sympy as sp

    for h, l in ((0, 1), (2, 2)):
        derived = derive.derive_asymptotics(h=h, l=l)
        r = next(iter(derived.result.rhs.free_symbols))
        at = 2000
        exact = sp.Rational(critical_subspaces(at - l, at + h), minima_subspaces(at, at + h))
        assert sp.simplify(derived.steps[3].equation.subs(r, at) - exact) == 0
        assert float(derived.result.rhs.subs(r, at) / exact) == pytest.approx(1, abs=3e-4)


@pytest.mark.parametrize("r", [1, 2, 5])
def test_generating_functions_follow_r(r):
    import sympy as sp

    m = sp.Symbol("m", positive=True, integer=True)
    assert [sp.sympify(derive.derive_critical(r=r).result.rhs).subs(m, n) for n in range(1, 9)] == [
        critical_subspaces(r, n) for n in range(1, 9)]
    assert list(derive.derive_minima(r=r).steps[3].equation) == [minima_subspaces(r, m) for m in range(r, r + 5)]


def test_evidence():
    assert [round(e.estimate.mean, 2) for e in counting.evidence((5, 20))] == [1.2, 1.4, 1.6, 2.05]


@pytest.mark.parametrize("name", check.CHECKS)
def test_checks_pass(name):
    assert all(p.passed for p in run_check(name, check.CHECKS[name]))


@pytest.mark.parametrize("call", [
    lambda: critical_subspaces(-1, 3), lambda: minima_subspaces(2.0, 3), lambda: counting.crossing_width(0),
    lambda: counting.layered_minima([2], [3, 4]), lambda: counting.layered_saddles([], []),
    lambda: counting.log_asymptotic(5, 5), lambda: critical_subspaces(True, 2)])
def test_bad_input(call):
    with pytest.raises(InputError):
        call()
