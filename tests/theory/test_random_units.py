"""Similar units in a random layer: closed form against quadrature and sampling."""

import numpy as np
import pytest
from scipy.integrate import dblquad

from lab.errors import InputError
from theory.measures import repeated_units
from theory.moments import Moments
from theory.random_units import relu_correlation, similar_pair_share


@pytest.mark.parametrize("rho", [-0.7, -0.2, 0.3, 0.8])
def test_correlation_against_quadrature(rho):
    def density(u, v):
        return np.exp(-(u * u - 2 * rho * u * v + v * v) / (2 * (1 - rho * rho))) / (2 * np.pi * np.sqrt(1 - rho * rho))

    product = dblquad(lambda v, u: u * v * density(u, v), 0, 9, 0, 9, epsabs=1e-9)[0]
    expected = (product - 1 / (2 * np.pi)) / (0.5 - 1 / (2 * np.pi))
    assert relu_correlation(rho) == pytest.approx(expected, abs=1e-6)


def test_correlation_at_the_ends():
    np.testing.assert_allclose(relu_correlation([-1, 0, 1]), [-1 / (np.pi - 1), 0, 1], atol=1e-12)


@pytest.mark.parametrize("dim, threshold", [(2, 0.5), (3, 0.3), (10, 0.5), (10, 0.2)])
def test_share_against_random_directions(dim, threshold):
    rng = np.random.default_rng(dim)
    a, b = rng.standard_normal((2, 200_000, dim))
    rho = np.sum(a * b, 1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    share = np.mean(np.abs(relu_correlation(np.clip(rho, -1, 1))) >= threshold)
    expected = similar_pair_share(dim, threshold)
    assert abs(share - expected) < 4.5 * np.sqrt(expected * (1 - expected) / 200_000)


def test_share_of_a_random_layer_is_measured_at_every_width():
    rng = np.random.default_rng(0)
    for width in (30, 300):
        found = []
        for _ in range(300 // width * 3):
            W = rng.standard_normal((10, width)) * rng.uniform(0.1, 3, width)  # lengths do not matter
            hidden = np.maximum(rng.standard_normal((4000, 10)) @ W, 0)
            found.append(repeated_units(Moments.from_samples({"h": hidden}), "h").pair_share)
        assert np.mean(found) == pytest.approx(similar_pair_share(10), rel=0.12)


def test_high_dimension_has_none():
    assert similar_pair_share(10_000) < 1e-100 and similar_pair_share(10) == pytest.approx(0.034, abs=0.002)


def test_bad_input():
    for wrong in (lambda: similar_pair_share(1), lambda: similar_pair_share(3, 1.0), lambda: similar_pair_share(3, 0),
                  lambda: relu_correlation(1.1), lambda: relu_correlation(np.nan)):
        with pytest.raises(InputError):
            wrong()
