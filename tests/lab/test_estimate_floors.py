"""Intervals where replicas do not differ: counts of rare events, steps, and the floor that another source of error sets."""

import numpy as np
import pytest
from scipy import stats

from lab.combine import no_narrower, stepped
from lab.errors import InputError
from lab.estimate import Estimate, exact, mean_interval, rate_interval, share_interval


@pytest.mark.parametrize("mean", [0.3, 2.0, 15.0])
def test_a_rate_is_covered_at_least_as_often_as_it_says(mean):
    p = stats.poisson(mean).pmf(np.arange(200))
    found = [rate_interval(k, 1.0, 5) for k in range(200)]
    assert sum(p[k] for k, e in enumerate(found) if e.low <= mean <= e.high) >= 0.95
    assert sum(p[k] for k, e in enumerate(found) if e.at(0.8)[0] <= mean <= e.at(0.8)[1]) >= 0.8


def test_no_event_says_how_rare_events_are():
    found = rate_interval(0, 200.0, 8)
    assert (found.mean, found.low, found.n) == (0, 0, 8) and found.high == pytest.approx(-np.log(0.025) / 200)
    assert found.p_below(0.1) < 1e-6 and not found.is_constant
    for wrong in ((-1, 1.0), (1, 0.0), (1, float("inf"))):
        with pytest.raises(InputError):
            rate_interval(*wrong, 3)


def test_the_wider_interval_counts():
    replicas, points = mean_interval([1.0, 1.0, 1.0, 1.0]), share_interval(500, 500)
    found = no_narrower(replicas, points)
    assert replicas.is_constant and not found.is_constant
    assert (found.mean, found.low, found.high, found.n) == (1.0, points.low, 1.0, 4)
    spread = mean_interval([0.5, 0.9, 0.7, 0.6])
    found = no_narrower(spread, share_interval(340, 500))
    for level in (0.5, 0.95, 0.999):
        np.testing.assert_allclose(found.at(level), spread.at(level))
    lone = Estimate(0.5)
    assert no_narrower(lone, points) is lone


def test_what_comes_in_steps_is_known_to_a_step():
    same = stepped(mean_interval([0.0, 0.0, 0.0]), 0.002)
    assert (same.low, same.high) == (-0.002, 0.002) and same.p_above(-0.01) < 1e-9 and same.p_above(0.001) > 0.5
    apart = mean_interval([0.0, 0.1, 0.2])
    assert stepped(apart, 0.002).low == apart.low
    assert stepped(exact(1.0), 0.1).mean == 1.0
