"""Changes of class that fitting takes: against draws, at the ends, and below what a network that fits shows."""

import numpy as np
import pytest

from theory.memorising import _check_changes, class_changes
from toy.memorise import make_data, predict


def test_against_draws():
    assert all(prediction.passed for prediction in _check_changes(np.random.default_rng(0)))


def test_the_ends():
    assert class_changes(1, 3) == 0 and class_changes(10**6, 3) == pytest.approx(6)
    assert class_changes(41, 5, 1.0) == predict("random-labels", samples=41).least_changes == pytest.approx(20.5)
    assert predict("noise-inputs").least_changes is None and predict("noise-inputs").test_error == 0.5


def test_the_samples_of_the_toy_change_as_often():
    """In the order of their angles, which the first harmonic gives back."""
    found = []
    for replica in range(60):
        data = make_data("structured", 12, 2, 1, waves=2, test_samples=1, points=3, replica=replica, label_noise=0.3)
        turned = np.argsort(np.arctan2(data.x[:, 1], data.x[:, 0]))  # angles turned or mirrored have the same neighbours
        found.append(np.sum(data.y[turned] != np.roll(data.y[turned], 1)))
    expected = predict("structured", samples=12, waves=2, label_noise=0.3).least_changes
    assert abs(np.mean(found) - expected) < 4.5 * np.std(found, ddof=1) / np.sqrt(60)
