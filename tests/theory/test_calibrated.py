"""Calibrated similarities against brute force, and independent features against their formula."""

import numpy as np
import pytest

from lab.errors import InputError
from theory.independent_features import cka_of_independent
from theory.measures import calibrated, calibrated_cka, calibrated_neighbours, linear_cka, shared_neighbours
from theory.moments import Moments
from toy.independent_features import simulate


def cka(x, y):
    return linear_cka(Moments.from_samples({"x": x, "y": y}), "x", "y")


def alike(x, y):
    return float(shared_neighbours(x, y, neighbours=3).mean())


@pytest.mark.parametrize("rows, units, others", [(5, 1, 1), (12, 3, 17), (17, 8, 2)])
def test_fast_calibration_is_the_measure_on_shuffled_rows(rows, units, others):
    rng = np.random.default_rng(rows)
    x, y = rng.standard_normal((rows, units)) + 5, rng.standard_normal((rows, others))
    x[:, 0] *= 100
    for fast, plain in ((calibrated_cka(x, y, np.random.default_rng(1), repeats=9), cka),
                        (calibrated_neighbours(x, y, np.random.default_rng(1), neighbours=3, repeats=9), alike)):
        obvious = calibrated(plain, x, y, np.random.default_rng(1), repeats=9)
        assert fast.value == pytest.approx(obvious.value, rel=1e-10)
        np.testing.assert_allclose(fast.null, obvious.null, rtol=1e-10)
        assert fast.p == (1 + sum(v >= fast.value for v in fast.null)) / 10


def test_the_p_value_of_unrelated_features_is_uniform_and_their_score_zero():
    """At any width: the raw CKA of wide features is near 1."""
    for width in (2, 40):
        found = simulate(rows=24, width=width, other_width=width, replicas=100)
        assert abs(found.calibrated.mean()) < 4.5 * found.calibrated.std(ddof=1) / 10
        assert abs(found.p.mean() - 0.505) < 4.5 * 0.29 / 10
    assert found.cka.mean() > 0.5


def test_related_features_are_told_and_bad_ones_refused():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4))
    for call in (calibrated_cka, calibrated_neighbours):
        assert call(x, 3 * x[:, ::-1], rng).score == pytest.approx(1)
        for wrong in ((x[:3], x[:3]), (x, x[1:]), (x, np.where(x > 0, np.nan, x))):
            with pytest.raises(InputError):
                call(*wrong, rng)
    with pytest.raises(InputError, match="vary"):
        calibrated_cka(x, np.ones((60, 2)), rng)


@pytest.mark.parametrize("rows, units, others", [(32, 8, 8), (64, 3, 20)])
def test_cka_of_independent_features(rows, units, others):
    """The ratio of the means is the mean of the ratio to some per cent."""
    found = simulate(rows, units, others, replicas=200).cka
    assert found.mean() == pytest.approx(cka_of_independent(rows, units, others), rel=0.04)
