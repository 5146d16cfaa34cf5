"""Flat channels: pairs that are in one are found whatever their order and signs, others are not."""

import numpy as np
import pytest

from lab.errors import InputError
from theory.channels import channels


def network(rng, units=5, inputs=4, gap=0.05, size=30.0):
    """Random units, the second and fourth in a channel."""
    w, v = rng.standard_normal((units, inputs)), rng.uniform(0.5, 2, units)
    w[3] = w[1] + gap * np.linalg.norm(w[1]) * np.eye(inputs)[0]
    v[1], v[3] = size, 1 - size
    return w, v


def test_a_channel_is_found_whatever_the_order_and_the_signs():
    rng = np.random.default_rng(0)
    w, v = network(rng)
    (plain,) = channels(w, v)
    assert plain.units == (1, 3) and plain.total == pytest.approx(1) and plain.readout == pytest.approx(29)
    assert plain.distance == pytest.approx(0.05, rel=0.05)
    order, signs = rng.permutation(5), rng.choice([-1, 1], 5)
    (other,) = channels((signs[:, None] * w)[order], (signs * v)[order])
    assert {order[i] for i in other.units} == {1, 3} and abs(other.total) == pytest.approx(1)
    assert np.linalg.norm(other.gate) == pytest.approx(np.linalg.norm(plain.gate))
    assert len(channels(signs[:, None] * w, signs * v, odd=False)) == (signs[1] == signs[3])


@pytest.mark.parametrize("gap, size", [(0.5, 30.0), (0.05, 3.0)])
def test_units_apart_and_readouts_of_usual_size_are_no_channel(gap, size):
    assert channels(*network(np.random.default_rng(0), gap=gap, size=size)) == []


def test_copies_are_no_channel_and_no_unit_is_in_two():
    assert channels([[1.0], [1.0]], [30.0, 30.0]) == []
    found = channels([[1.0], [1.001], [1.2]], [30.0, -30.0, 31.0])
    assert [channel.units for channel in found] == [(0, 1)]


@pytest.mark.parametrize("wrong", [([[1.0]], [1.0, 2.0]), ([1.0], [1.0]), ([[np.nan]], [1.0])])
def test_bad_input(wrong):
    with pytest.raises(InputError):
        channels(*wrong)
