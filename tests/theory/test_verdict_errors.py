"""How often the rule errs, and how often it finds what is there, by simulation: 20 settings a column, as many replicas as the
real studies declare (eight networks, five where they are large)."""

from collections import Counter

import numpy as np
import pytest

from lab.estimate import student
from theory.claims import Claim, Evidence
from theory.verdict.decide import decide_column
from theory.verdict.rule import Rule

SETTINGS = 20
PRIMARY = {"toy": "s/0"}
POSITIVE = Rule(above=0.0)


def claim(primary=PRIMARY, rule=POSITIVE, moderator="") -> Claim:
    return Claim("s0.test", "S0", "a claim", "a number", "its opposite", rule, primary=primary, moderator=moderator)


def column(rng, effects, n, spread=1.0, levels=()) -> list[Evidence]:
    """One setting per effect, of n replicas with standard deviation 1 (``spread``, one per setting)."""
    values = np.reshape(effects, (-1, 1)) + np.reshape(spread, (-1, 1)) * rng.standard_normal((len(effects), n))
    means, errors = values.mean(1), values.std(1, ddof=1) / np.sqrt(n)
    return [Evidence("s0.test", "toy", str(i), student(m, e, n), piece=str(i), study="s",
                     levels={"data": levels[i]} if levels else {}) for i, (m, e) in enumerate(zip(means, errors))]


def verdicts(of: Claim, effects, n, repetitions, seed=0, **how) -> Counter:
    """Shares of the verdicts; ``effects``: of all settings, or a function of a generator."""
    rng = np.random.default_rng(seed)
    found = Counter(decide_column(of, column(rng, effects(rng) if callable(effects) else effects, n, **how)).verdict
                    for _ in range(repetitions))
    return Counter({word: count / repetitions for word, count in found.items()})


def on_the_bound(n, repetitions, settings=SETTINGS, of=None, **how):
    found = verdicts(of or claim(), np.zeros(settings), n, repetitions, **how)
    assert found["holds"] < 0.05 and found["contradicted"] < 0.05 and found["depends"] < 0.01, found
    return found


def spread_effects(rng):
    """Two standard deviations of a replica on average; between settings they vary by half of one."""
    return 2 + 0.5 * rng.standard_normal(SETTINGS)


def test_settings_on_the_bound_seldom_hold():
    assert on_the_bound(5, 400)["inconclusive"] > 0.9


@pytest.mark.parametrize("n", [5, 8])
def test_true_effects_hold_and_seldom_depend(n):
    found = verdicts(claim(), spread_effects, n, 100)
    assert found["holds"] >= 0.8 and found["depends"] < 0.05, found


def moderated(rng, difference, n, repetitions) -> float:
    """How often a moderator is named between ten and ten settings whose effects differ."""
    levels = ["images"] * 10 + ["text"] * 10
    columns = (column(rng, 1 + 0.5 * rng.standard_normal(20) + np.repeat([difference, 0], 10), n, levels=levels)
               for _ in range(repetitions))
    return np.mean([decide_column(claim(moderator="data"), items).moderator.separates for items in columns])


def test_a_moderator_is_found_where_it_is_and_seldom_where_it_is_not():
    rng = np.random.default_rng(0)
    assert moderated(rng, 2.0, 5, 40) >= 0.8
    assert moderated(rng, 0.0, 5, 200) <= 0.05 + 0.03  # 0.03: two standard errors of 200 repetitions


# ------------------------------------------------------------------------------------------------------ at leisure
@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 8])
@pytest.mark.parametrize("primary", [PRIMARY, {}])
@pytest.mark.parametrize("settings", [1, 3, 4, 5, 8, SETTINGS])
def test_columns_on_the_bound(settings, primary, n):
    """Whatever the number of settings and replicas, with a primary one and without."""
    on_the_bound(n, 3000, settings, claim(primary), seed=1)


@pytest.mark.slow
def test_columns_on_the_bound_of_unequal_and_few_sided_rules():
    """Settings whose replicas vary unequally; claims that something lies between two bounds, and that know of no effect."""
    spread = np.exp(np.linspace(-1.5, 1.5, SETTINGS))
    on_the_bound(5, 3000, spread=spread)
    assert verdicts(claim(rule=Rule(above=0.0, below=3.0)), np.zeros(SETTINGS), 5, 2000)["holds"] < 0.05
    found = verdicts(claim(rule=Rule(above=1.0, null=0.0)), np.ones(SETTINGS), 5, 2000)
    assert found["holds"] < 0.05 and found["no effect"] + found["contradicted"] < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 8])
@pytest.mark.parametrize("effect, spread", [(1.0, 0.0), (1.0, 0.25), (2.0, 0.0), (2.0, 0.5), (2.0, 0.9), (3.0, 1.0)])
def test_true_effects(effect, spread, n):
    found = verdicts(claim(), lambda rng: effect + spread * rng.standard_normal(SETTINGS), n, 1000)
    assert found["holds"] >= 0.8 and found["depends"] < 0.05, found


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 8])
def test_one_setting_alone_is_found(n):
    assert verdicts(claim(), [2.0], n, 2000)["holds"] >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 8])
def test_moderators(n):
    rng = np.random.default_rng(1)
    assert moderated(rng, 2.0, n, 500) >= 0.8 and moderated(rng, 0.0, n, 2000) <= 0.06


@pytest.mark.slow
def test_opposite_effects_depend():
    effects = np.repeat([2.0, -2.0], 10)
    assert verdicts(claim(), effects, 5, 300)["depends"] >= 0.8
