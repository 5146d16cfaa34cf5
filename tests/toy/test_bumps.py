"""Bumps: the flow against quadrature, arrival and coverage against theory."""

import json

import numpy as np
import pandas as pd
import pytest

from lab.errors import InputError
from lab.flow import LANES
from theory.bumps import sliding_time
from toy.__main__ import COMMANDS
from toy.bumps import predict, simulate
from toy.bumps.model import bump_flow
from toy.bumps.study import STUDY


def naive_loss(y, m, s):
    """Half the squared error by quadrature on a fine grid."""
    x = np.linspace(-25, 25, 20_001)
    model = sum(y[m + i] * np.exp(-((x - y[i]) ** 2) / (2 * s * s)) for i in range(m))
    return 0.5 * np.sum((model - np.exp(-x * x / (2 * s * s))) ** 2) * (x[1] - x[0])


@pytest.mark.parametrize("m", [1, 2, 3, 5, 9, 17])
def test_kernel_against_quadrature(m):
    rng = np.random.default_rng(m)
    y = rng.normal(0, 1.5, (2 * m, LANES))
    s = 0.8
    out, value = np.full_like(y, np.nan), np.full(LANES, np.nan)
    bump_flow(np.array([m, s, 1.0, 1.0]), np.empty((1, LANES)), y, out, value)
    for lane in (0, LANES - 1):
        assert value[lane] == pytest.approx(naive_loss(y[:, lane], m, s), rel=1e-9)
        for i in range(2 * m):
            step = np.zeros(2 * m)
            step[i] = 1e-5
            slope = (naive_loss(y[:, lane] + step, m, s) - naive_loss(y[:, lane] - step, m, s)) / 2e-5
            assert out[i, lane] == pytest.approx(-slope, abs=1e-7)


def test_frozen_parts_do_not_move():
    y = np.ones((4, LANES))
    out, value = np.empty_like(y), np.empty(LANES)
    bump_flow(np.array([2, 1.0, 0.0, 1.0]), np.empty((1, LANES)), y, out, value)
    assert not out[:2].any() and out[2:].any()


def test_one_bump_arrives_when_theory_says():
    found = simulate("slide", bumps=1, half_line=6.0, times=(0.5, 5.0, 50.0), replicas=200)
    distance = np.abs(found.start[:, 0])
    needed = np.where(distance > 0.1, sliding_time(np.maximum(distance, 0.1), 0.1), 0.0)
    for i, time in enumerate(found.times):
        clear = np.abs(needed / time - 1) > 1e-3
        np.testing.assert_array_equal(found.arrived[clear, i], needed[clear] < time)


def test_arrival_has_its_closed_form():
    times = (1.0, 30.0, 1000.0)
    p = predict("slide", bumps=1, half_line=10.0, times=times).arrived
    share = simulate("slide", bumps=1, half_line=10.0, times=times, replicas=1500).arrived.mean(axis=0)
    assert np.all(np.abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / 1500))


def test_covering_has_its_closed_form():
    times = (0.1, 1.0, 10.0)
    arguments = dict(mode="cover", bumps=33, half_line=16.0, times=times)
    found, theory = simulate(replicas=30, **arguments), predict(**arguments).loss
    np.testing.assert_allclose(found.loss.mean(axis=0), theory, rtol=0.01)


def test_covering_does_not_know_distances_and_sliding_does():
    far = simulate("slide", bumps=1, half_line=40.0, times=(100.0,), replicas=300).arrived.mean()
    near = simulate("slide", bumps=1, half_line=4.0, times=(100.0,), replicas=300).arrived.mean()
    assert far < 0.3 < near
    assert simulate("cover", bumps=81, half_line=40.0, times=(100.0,), replicas=4).loss.max() < 0.05
    assert simulate("both", bumps=16, half_line=4.0, times=(100.0,), replicas=4).loss.max() < 0.05


def test_threads_and_batching_change_nothing():
    one, two = (simulate("both", bumps=3, replicas=19, times=(5.0,), threads=t) for t in (1, 2))
    np.testing.assert_array_equal(one.loss, two.loss)
    np.testing.assert_array_equal(simulate("both", bumps=3, replicas=4, times=(5.0,)).loss, one.loss[:4])


def test_bad_input():
    for wrong in (dict(mode="fly"), dict(bumps=0), dict(half_line=0.0), dict(times=(2.0, 1.0)), dict(times=(np.nan,))):
        with pytest.raises(InputError):
            simulate(**wrong)


def test_cells_where_all_or_none_arrive_are_evidence_too():
    rows = [{"mode": "slide", "bumps": m, "time": 1.0, "replicas": 100, "arrived": arrived}
            for m, arrived in ((1, 30), (2, 51), (4, 100), (8, 0))]
    two, four, eight = (e.estimate for e in STUDY.evidence(pd.DataFrame(rows), ()))
    assert two.low < 1 < two.high and abs(two.mean - 1) < 0.05  # 1 - 0.7**2
    assert four.high == np.inf and four.low > 0.9 and eight.low == 0 < eight.mean < eight.high < 0.1


def test_command(capsys):
    from lab.cli import main

    assert main("toy", COMMANDS, ["bumps", "--quick", "--json"]) == 0
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert [cell["bumps"] for cell in cells] == [1, 2, 4, 8]
    assert main("toy", COMMANDS, ["bumps", "--mode", "fly"]) == 2
