"""Random landscapes: exact probabilities, their symbolic forms, and the index-energy law."""

import math

import numpy as np
import pytest

from lab.errors import InputError
from theory import random_landscape as rl
from theory.claims import Evidence
from theory.derivation import run_check
from theory.random_landscape import goe
from theory.random_landscape.check import CHECKS, index_share_sampled, positive_by_quadrature, sample_goe
from theory.random_landscape.derive import DERIVATIONS


def test_known_closed_forms():
    import sympy as sp

    known = [sp.Rational(1, 2), (2 - sp.sqrt(2)) / 4, (sp.pi - 2 * sp.sqrt(2)) / (4 * sp.pi),
             (4 - sp.sqrt(2) - 8 / sp.pi) / 16]
    for n, value in enumerate(known, 1):
        assert sp.simplify(rl.positive_probability_exact(n) - value) == 0


@pytest.mark.parametrize("n", range(1, 9))
def test_symbolic_and_numeric_agree(n):
    assert float(rl.positive_probability_exact(n).evalf(40)) == pytest.approx(rl.positive_probability(n), rel=1e-13)
    exact = [float(c.evalf(40)) for c in reversed(rl.index_polynomial_exact(n).all_coeffs())]
    assert rl.index_distribution(n) == pytest.approx(exact, rel=1e-12)


def test_quadrature_at_four():
    assert positive_by_quadrature(4, nodes=44) == pytest.approx(rl.positive_probability(4), rel=1e-6)


@pytest.mark.parametrize("n", [12, 30, 61])
def test_more_digits_change_nothing(n, monkeypatch):
    value = rl.log_positive_probability(n)
    monkeypatch.setattr(goe, "_digits", lambda n: 100 + 4 * n)
    goe._positive.cache_clear()
    assert rl.log_positive_probability(n) == pytest.approx(value, rel=1e-15)
    goe._positive.cache_clear()


def test_index_distribution_of_larger_matrices():
    for n in (12, 20):
        p = rl.index_distribution(n)
        assert p.sum() == pytest.approx(1, abs=1e-14) and np.allclose(p, p[::-1], rtol=1e-12)
        assert math.log(p[0]) == pytest.approx(rl.log_positive_probability(n), rel=1e-13)
        index = np.sum(np.linalg.eigvalsh(sample_goe(np.random.default_rng(n), 40_000, n)) < 0, axis=1)
        observed = np.bincount(index, minlength=n + 1) / 40_000
        assert np.all(np.abs(observed - p) < 5 * np.sqrt(p * (1 - p) / 40_000) + 1e-4)


def test_pfaffian_squares_to_the_determinant():
    rng = np.random.default_rng(0)
    for n in (2, 4, 8):
        a = rng.standard_normal((n, n))
        a -= a.T
        assert goe.pfaffian(a.tolist()) ** 2 == pytest.approx(np.linalg.det(a), rel=1e-10)
    assert goe.pfaffian([[0.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 3.0], [-2.0, 0.0, 0.0, 0.0], [0.0, -3.0, 0.0, 0.0]]) == -6


def test_the_rate_is_ln3_over_4():
    rates = rl.rate_estimates(41)
    assert rates[-1] == pytest.approx(math.log(3) / 4, abs=2e-5)
    assert np.all(np.diff(np.abs(rates - math.log(3) / 4))[2:] < 0)


@pytest.mark.parametrize("beta", [1, 2, 4])
def test_rate_derivation_follows_the_ensemble(beta):
    import sympy as sp

    assert sp.simplify(DERIVATIONS["random-goe-rate"](beta=beta).result.rhs - beta * sp.log(3) / 4) == 0


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_positive_derivation_follows_n(n):
    derived = float(DERIVATIONS["random-goe-positive"](n=n).result.rhs)
    assert derived == pytest.approx(rl.positive_probability(n), rel=1e-12)
    assert DERIVATIONS["random-goe-index"](n=n).result.rhs.subs("z", 1).simplify() == 1


def test_index_energy_derivation_follows_the_covariance():
    import sympy as sp

    q = sp.Symbol("q")
    for covariance, derivatives in ((sp.exp(-q), (1, -1, 1)), ((1 + q) ** -2, (1, -2, 6)),
                                    (3 * sp.exp(-2 * q), (3, -6, 12))):
        s = DERIVATIONS["random-index-energy"](covariance=covariance).result[0].rhs
        at = float(s.subs({v: 0.3 for v in s.free_symbols}))
        assert at == pytest.approx(rl.shift_at_energy(0.3, *derivatives), rel=1e-12)
        assert rl.shift_at_energy(rl.threshold_energy(*derivatives), *derivatives) == pytest.approx(1)


def test_index_share_is_the_semicircle_below_the_shift():
    x = np.linspace(-1, 1, 2_000_001)
    density = 2 / np.pi * np.sqrt(1 - x**2)
    for s in (-0.9, -0.2, 0.0, 0.5):
        assert rl.index_share(s) == pytest.approx(np.trapezoid(np.where(x < -s, density, 0), x), abs=2e-6)
    assert list(rl.index_share(np.array([-2, -1, 0, 1, 2]))) == [1, 1, 0.5, 0, 0]


def test_the_weight_of_the_determinant_matters():
    """Without |det H| the shift would sit at the conditional mean: the sampled index tells the two apart."""
    energy, covariance = -0.6, (1.0, -1.0, 3.0)
    mean, error = index_share_sampled(np.random.default_rng(1), 32, energy, *covariance, replicas=200, batches=10)
    naive = rl.index_share(-energy / (2 * math.sqrt(3.0)))
    assert abs(mean - naive) > 8 * error
    assert mean == pytest.approx(rl.index_at_energy(energy, *covariance), abs=0.01)


def test_evidence():
    rows = rl.evidence((4, 12))
    assert all(isinstance(r, Evidence) and r.column == "theory" for r in rows)
    assert rows[1].estimate.mean == pytest.approx(0.4929 / 3, abs=1e-4)


@pytest.mark.parametrize("name", [n if n == "index-energy-field" else
                                  pytest.param(n, marks=pytest.mark.slow) for n in CHECKS])
def test_checks_pass(name):
    assert all(p.passed for p in run_check(name, CHECKS[name]))


@pytest.mark.parametrize("call", [
    lambda: rl.positive_probability(0), lambda: rl.positive_probability(2.5), lambda: rl.index_distribution(41),
    lambda: rl.positive_probability_exact(9), lambda: rl.rate_estimates(2), lambda: rl.shift_at_energy(0, 1, 1, 1),
    lambda: rl.threshold_energy(1, -2, 1)])
def test_bad_input(call):
    with pytest.raises(InputError):
        call()
