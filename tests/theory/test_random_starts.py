"""Random starts of gradient descent: against draws, the response by differences, and what cannot move."""

import numpy as np
import pytest

from lab.errors import InputError
from theory.random_starts import _check_starts, agreement, class_probability, logistic_response


def _end(phi, signs, w, steps):
    rate = 4 / np.linalg.norm(phi, 2) ** 2
    for _ in range(steps):
        w = w + rate * (signs / (1 + np.exp(signs * (phi @ w)))) @ phi
    return w


def test_against_draws():
    assert all(prediction.passed for prediction in _check_starts(np.random.default_rng(0)))


def test_the_response_is_that_of_the_end_to_the_start():
    rng = np.random.default_rng(1)
    phi, signs = rng.standard_normal((4, 6)), np.array([1.0, -1.0, -1.0, 1.0])
    weights, response = logistic_response(phi, signs, target_loss=0.0, max_steps=40)
    np.testing.assert_allclose(weights, _end(phi, signs, np.zeros(6), 40), atol=1e-12)
    step = 1e-5 * np.eye(6)
    moved = np.array([(_end(phi, signs, d, 40) - _end(phi, signs, -d, 40)) / 2e-5 for d in step]).T
    np.testing.assert_allclose(response, moved, atol=1e-7)
    still = np.linalg.svd(phi)[2][4:]
    np.testing.assert_allclose(response @ still.T, still.T, atol=1e-12)
    stopped, response = logistic_response(phi, signs, target_loss=0.1)
    slope = (signs / (1 + np.exp(signs * (phi @ stopped)))) @ phi
    np.testing.assert_allclose(slope @ response, 0, atol=1e-12)  # the loss at the end is given
    np.testing.assert_allclose(response @ still.T, still.T, atol=1e-12)


def test_probabilities_at_the_ends():
    assert agreement(0.0, 1.0) == 0.5 and agreement(3.0, 0.0) == 1.0 and class_probability(-1.0, 0.0) == 0.0
    p = class_probability(0.3, 0.7)
    assert agreement(0.3, 0.7) == pytest.approx(p**2 + (1 - p) ** 2)
    for wrong in ((0.0, -1.0), (np.nan, 1.0)):
        with pytest.raises(InputError):
            agreement(*wrong)
    with pytest.raises(InputError, match="labels"):
        logistic_response(np.eye(2), [0.0, 1.0])
