"""Between which classes a point lies: geometry in the plane, where every distance can be drawn."""

import numpy as np
import pytest

from empirical.hull.ambiguity import ambiguity, explained, measure, steps
from empirical.studies.hull.errors import evidence
from lab.errors import InputError

LEFT, RIGHT = np.array([[-2.0, -1], [-2, 1], [-1, 0]]), np.array([[2.0, -1], [2, 1], [1, 0]])


class Halves:
    """Says 0 left of the axis and 1 right of it."""

    def classes(self, points):
        return (points[:, 0] > 0).astype(int)


def points():
    return np.concatenate([LEFT, RIGHT]).astype(np.float32), np.repeat([0, 1], 3)


def test_ambiguity_knows_no_scale():
    distances = np.array([[1.0, 2.0, 0.0], [4.0, 2.0, 0.0], [9.0, 9.0, 9.0]])
    np.testing.assert_allclose(ambiguity(distances), [0.25, 1.0, 1.0])
    np.testing.assert_allclose(ambiguity(7 * distances), ambiguity(distances))


def test_steps_towards_another_class_and_away():
    queries = np.array([[-0.5, 3.0], [0.5, -3.0]])
    away = queries - [[-0.5, 1], [0.5, -1]]
    found = steps(Halves(), queries, away, np.array([[4.0, -2], [-4.0, 2]]))
    assert found["changed_away"] == 0 and found["changed_towards"] == 1 and 0 <= found["changed_random"] <= 1


def test_measure_finds_the_other_class():
    rng = np.random.default_rng(0)
    queries = rng.uniform(-1, 1, (60, 2)) * [0.6, 4]  # above, below and between the triangles
    wrong = np.abs(queries[:, 0]) < 0.15
    found = measure(Halves(), *points(), queries.astype(np.float32), wrong, stepped=60)
    assert found["error"] == wrong.mean() and found["ambiguity_given_nearest"] > 0.4
    assert found["changed_towards"] > found["changed_away"]
    with pytest.raises(InputError):
        measure(Halves(), LEFT, np.zeros(3, int), queries, wrong, stepped=5)


def test_too_few_errors_say_nothing():
    numbers = np.random.default_rng(1).random((3, 40))
    assert explained(np.arange(40) < 4, *numbers) == {} and explained(np.arange(40) < 5, *numbers)


def test_an_explanation_that_is_wrong_would_show():
    """Where errors follow the distance from the hull alone, ambiguity does not explain them away."""
    rng = np.random.default_rng(2)
    hull, near, between = rng.random((3, 2000))
    found = explained(hull + 0.3 * rng.random(2000) > 1, hull, near, between)
    assert found["hull_given_both"] > 0.3 > 0.1 > abs(found["ambiguity_given_nearest"])


def test_evidence_is_over_networks():
    import pandas as pd

    rng = np.random.default_rng(3)
    frame = pd.DataFrame([{"data": "MNIST", "arch": "mlp", "train_size": 1000, "seed": s, "ambiguity_given_nearest": 0.4,
                           "hull_given_nearest": rng.normal(0, 0.02), "hull_given_both": rng.normal(0, 0.01),
                           "changed_towards": 0.7, "changed_away": rng.normal(0.1, 0.01)} for s in range(100, 105)])
    found = evidence(frame, ("run",))
    assert len(found) == 3 and {e.estimate.n for e in found} == {5} and {e.piece for e in found} == {"mlp-mnist-1000"}
