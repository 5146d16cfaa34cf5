"""More looks at growing data: their levels, and what they add to the error."""

import math

import numpy as np
import pytest
from scipy import stats

from lab.estimate import student
from theory.claims import Claim, Evidence
from theory.verdict.decide import decide_column
from theory.verdict.pieces import ERROR
from theory.verdict.rule import Rule
from theory.verdict.spending import EXTRA, declared_looks, further, levels, obrien_fleming


def test_levels_are_lan_and_demets():
    # O'Brien-Fleming type, 2.5 % to one side: bounds of three and two equal looks as published (and by R's ldbounds)
    for looks, bounds in ((3, (3.7103, 2.5114, 1.9930)), (2, (2.9626, 1.9686))):
        shares = [(i + 1) / looks for i in range(looks)]
        found = levels(range(1, looks + 1), [obrien_fleming(share, 0.025) for share in shares])
        np.testing.assert_allclose(-stats.norm.ppf(found), bounds, atol=2e-4)
    assert obrien_fleming(1.0, 0.03) == pytest.approx(0.03) and obrien_fleming(0.0, 0.03) == 0.0


@pytest.mark.parametrize("looks", [(5, 10, 16), (8, 12, 16), (8, 16), (300, 4800)])
def test_the_looks_after_the_first_add_what_is_declared(looks):
    found = further(looks)
    assert found[0] == ERROR and all(0 < level < ERROR for level in found[1:])
    bounds, n = -stats.norm.ppf(found), np.array(looks, float)
    correlation = np.sqrt(np.minimum.outer(n, n) / np.maximum.outer(n, n))
    none = stats.multivariate_normal(cov=correlation).cdf(bounds)
    assert 1 - none == pytest.approx(ERROR + EXTRA, abs=2e-4)


def test_looks_are_three_at_most_and_grow():
    assert declared_looks(8, 16) == [8, 12, 16] and declared_looks(8, 9) == [8, 9] and declared_looks(5, 16) == [5, 11, 16]
    for looks in ((), (8, 8), (8, 12, 10), (4, 8, 12, 16)):
        with pytest.raises(ValueError, match="looks"):
            further(looks)


def over_all_looks(looks, settings, repetitions, effect=0.0, seed=0) -> float:
    """How often a column whose settings are all looked at every time is said to hold at any look."""
    rng, level = np.random.default_rng(seed), further(looks)
    claim = Claim("s0.test", "S0", "a claim", "a number", "its opposite", Rule(above=0.0), primary={"toy": "s/0"})

    def holds(values, n, error):
        items = [Evidence("s0.test", "toy", str(i), student(v[:n].mean(), v[:n].std(ddof=1) / math.sqrt(n), n), piece=str(i),
                          study="s", level=error) for i, v in enumerate(values)]
        return decide_column(claim, items).verdict == "holds"

    draws = effect + rng.standard_normal((repetitions, settings, looks[-1]))
    return np.mean([any(holds(values, n, error) for n, error in zip(looks, level)) for values in draws])


def test_a_column_on_its_bound_seldom_holds_at_any_look():
    assert over_all_looks((5, 10, 16), 3, 400) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("looks", [(3, 10, 16), (5, 11, 16), (8, 12, 16)])
@pytest.mark.parametrize("settings", [1, 3, 4, 20])
def test_columns_on_the_bound_over_all_looks(looks, settings):
    assert over_all_looks(looks, settings, 4000 if settings < 20 else 1500, seed=1) < 0.05


def test_more_replicas_find_what_fewer_did_not():
    assert over_all_looks((5,), 1, 100, effect=0.9) + 0.3 < over_all_looks((5, 16), 1, 100, effect=0.9)
