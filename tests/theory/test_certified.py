"""Certified steps against what is exact in the plane and on a line, and against sampled steps."""

import numpy as np
import pytest

from lab.errors import ArgumentError
from theory.certified import certified_steps, nearest_neighbour_steps


def network(units=5, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((units, 2)), 0.5 * rng.standard_normal(units), rng.standard_normal((classes, units)),
            rng.standard_normal(classes))


def answers(net, points):
    hidden, biases, readout, offsets = net
    return (np.maximum(points @ hidden.T + biases, 0) @ readout.T + offsets).argmax(-1)


def sampled_steps(answer, points, most=6.0, angles=90, lengths=120):
    """Shortest of many steps in the plane that change an answer."""
    turns = np.linspace(0, 2 * np.pi, angles, endpoint=False)
    ways, radii = np.stack([np.cos(turns), np.sin(turns)], -1), np.linspace(0, most, lengths + 1)[1:]
    before = answer(points)
    return np.array([min((r for r in radii if (answer(x + r * ways) != own).any()), default=np.inf)
                     for x, own in zip(points, before)])


@pytest.mark.parametrize("seed", range(2))
def test_no_step_below_the_certified_one_changes_a_class(seed):
    net, points = network(seed=seed), np.random.default_rng(seed + 50).standard_normal((12, 2))
    found = sampled_steps(lambda x: answers(net, x), points)
    proved = certified_steps(*net, points, np.full(12, 6.0))
    assert (proved <= found + 1e-9).all() and (proved > 0).all()
    assert np.median(proved[found < 6] / found[found < 6]) > 0.6  # a bound, and no empty one


def test_where_no_unit_changes_its_sign_it_is_the_distance_from_the_plane():
    hidden, readout = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[1.0, 0.0], [0.0, 2.0]])
    point = np.array([[0.3, 0.1]])
    slope = readout[0] @ hidden - readout[1] @ hidden
    values = point @ hidden.T + 50
    distance = abs(values @ (readout[0] - readout[1])) / np.linalg.norm(slope)
    proved = certified_steps(hidden, np.full(2, 50.0), readout, np.zeros(2), point, 1.5 * distance, bisections=40)
    np.testing.assert_allclose(proved, distance, rtol=1e-6)


def test_steps_of_the_nearest_neighbour_are_no_longer_than_those_that_change_it():
    rng = np.random.default_rng(3)
    anchors, labels, points = rng.standard_normal((9, 2)), np.arange(9) % 3, rng.standard_normal((10, 2))
    proved = nearest_neighbour_steps(points, anchors, labels)
    found = sampled_steps(lambda x: labels[((x[..., None, :] - anchors) ** 2).sum(-1).argmin(-1)], points)
    assert (proved <= found + 1e-9).all() and (found - proved < 0.11).mean() >= 0.5  # most are exact


def test_halvings_are_counted():
    with pytest.raises(ArgumentError, match="bisections"):
        certified_steps(*network(), np.zeros((1, 2)), np.ones(1), bisections=0)
