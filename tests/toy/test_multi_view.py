"""Multi-view data: the flow against its slow reference and its exact reduction."""

import json

import numpy as np
import pytest

from lab.errors import InputError
from lab.flow import LANES
from lab.streams import normal
from theory import multi_view as theory
from toy.__main__ import COMMANDS
from toy.multi_view.model import predict, simulate, view_flow


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 13, 17])
@pytest.mark.parametrize("power", [3, 4, 5])
def test_kernel_against_differences_of_the_loss(width, power):
    rng = np.random.default_rng([width, power])
    y = rng.normal(0.2, 0.5, (2 * width, LANES))
    strengths = np.repeat([1.0, 0.7], width)[:, None]

    def loss(y):
        return np.logaddexp(0.0, -np.sum(np.maximum(strengths * y, 0.0) ** power, axis=0) / power)

    out, value = np.full_like(y, np.nan), np.full(LANES, np.nan)
    view_flow(np.array([width, power, 0.7]), np.empty((1, LANES)), y, out, value)
    np.testing.assert_allclose(value, loss(y), rtol=1e-12)
    for i in range(2 * width):
        step = np.zeros_like(y)
        step[i] = 1e-6
        np.testing.assert_allclose(out[i], -(loss(y + step) - loss(y - step)) / 2e-6, atol=2e-9)


@pytest.mark.parametrize("width, strength", [(1, 1.0), (3, 0.8), (17, 0.9)])
def test_the_flow_ends_where_its_reduction_says(width, strength):
    found = simulate(second_strength=strength, width=width, replicas=40, seed=3)
    start = 0.2 * np.array([normal(3, "multi-view", "weights", width, r, 0, shape=2 * width) for r in range(40)])
    _, one, two = theory.end_of_training(start[:, :width], start[:, width:], strength, 4, 0.01)
    clear = (np.abs(one - 1) > 1e-3) & (np.abs(two - 1) > 1e-3)
    assert clear.mean() > 0.9 and found.finished.all()
    np.testing.assert_array_equal(found.learnt[clear, 0], np.stack([one, two], 1)[clear] >= 1)


@pytest.mark.parametrize("width", [1, 2])
def test_leading_neuron_theory(width):
    for strength in (1.0, 0.8):
        found = simulate(second_strength=strength, width=width, replicas=600)
        p = predict(second_strength=strength, width=width).both_by_one
        slack = 0.0 if width == 1 else 0.02  # leaves out the second neuron
        assert abs(found.both_by_one.mean() - p) < 4.5 * np.sqrt(p * (1 - p) / 600) + slack


def test_width_helps_with_equal_views_and_hurts_with_unequal_ones():
    equal = [predict(1.0, m).both_by_one for m in (1, 16, 256)]
    unequal = [predict(0.8, m, init_scale=0.1).second for m in (1, 16, 1024)]
    assert equal[0] < equal[1] < equal[2]
    assert unequal[0] > unequal[1] > unequal[2]


def test_concatenation_probability_is_that_of_independent_copies():
    found = simulate(second_strength=0.8, width=1, copies=8, replicas=300)
    p = predict(second_strength=0.8, width=1, copies=8).both_by_all
    assert abs(found.both_by_all.mean() - p) < 4.5 * np.sqrt(p * (1 - p) / 300)


def test_threads_and_batching_change_nothing():
    one, two = (simulate(width=3, copies=2, replicas=21, threads=t) for t in (1, 2))
    np.testing.assert_array_equal(one.learnt, two.learnt)
    np.testing.assert_array_equal(simulate(width=3, copies=2, replicas=4).learnt, one.learnt[:4])


def test_no_positive_start_learns_nothing():
    tau, one, two = theory.end_of_training([[-0.1]], [[-0.2]], 1.0, 4, 0.01)
    assert np.isinf(tau[0]) and one[0] == two[0] == 0


def test_derivation_for_another_power():

    for power in (3, 4, 6):
        steps = theory.derive_growth(power=power)
        assert steps.steps[-1].equation.rhs == 0  # a derivation that does not vanish raises
        values = {"a_0": 0.3, "mu": 0.9, "tau": 0.5}
        a = float(steps.result.rhs.subs({s: values[s.name] for s in steps.result.rhs.free_symbols}))
        assert theory.output(0.3, 0.5, 0.9, power) == pytest.approx((0.9 * a) ** power / power, rel=1e-12)


def test_bad_input():
    for wrong in (dict(second_strength=0.0), dict(second_strength=1.5), dict(width=0), dict(power=2), dict(target_loss=1.0),
                  dict(init_scale=-1.0)):
        with pytest.raises(InputError):
            simulate(**wrong)


def test_command(capsys):
    from lab.cli import main

    assert main("toy", COMMANDS, ["multi-view", "--quick", "--widths", "1", "4", "--json"]) == 0
    assert [row["width"] for row in json.loads(capsys.readouterr().out)["widths"]] == [1, 4]
    assert main("toy", COMMANDS, ["multi-view", "--power", "2"]) == 2
