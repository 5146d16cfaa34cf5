"""The register of claims, and the rules that judge their statistics."""

import math

import pytest

from lab.estimate import Estimate, exact, mean_interval
from theory.claims import COLUMNS, claims
from theory.verdict.rule import Rule


def test_the_register_is_sound():
    for name, claim in claims().items():
        assert name == claim.id and name.partition(".")[0] in {"s0", "s1", "s2", "s3"}
        assert set(claim.columns) <= set(COLUMNS) and claim.columns
        assert all((claim.source, claim.claim, claim.statistic, claim.refuted_by))
        assert claim.rule.above < claim.rule.below
        assert claim.rule != Rule(), f"{name} has a rule that nothing can refute"
        assert set(claim.primary) <= set(claim.columns)


@pytest.mark.parametrize("rule, holds, fails, none", [
    (Rule(above=1.0), [1.01, 5], [1.0, -3], []),
    (Rule(above=-1, below=1), [0, 0.9], [1, -2], []),
    (Rule(above=0.01, null=0.0), [0.02, 1], [0.01, -1], [0.0, 0.009, -0.009]),
    (Rule(below=-0.01, null=0.0), [-0.02], [-0.01, 1], [0.0, 0.009]),
    (Rule(above=1.05, null=1.0), [1.06], [1.05, 0.5], [1.04, 0.96])])
def test_a_rule_judges_exact_values(rule, holds, fails, none):
    for values, test, other in ((holds, rule.p_holds, rule.p_fails), (fails, rule.p_fails, rule.p_holds),
                                (none, rule.p_no_effect, rule.p_holds)):
        assert all(test(exact(v)) == 0 and other(exact(v)) == 1 for v in values)
    assert all(rule.p_no_effect(exact(v)) == 1 for v in holds)


def test_a_rule_says_what_it_asks():
    assert str(Rule(above=-1, below=1)) == "holds above -1 and below 1"
    assert str(Rule(above=1.05, null=1.0)) == "holds above 1.05; no effect: between 0.95 and 1.05"


@pytest.mark.parametrize("arguments", [{"above": 1, "below": 1}, {"above": 0.0, "null": 0.5},
                                       {"above": -1, "below": 1, "null": 3}])
def test_impossible_rules_are_refused(arguments):
    with pytest.raises(ValueError, match=r"above|bound"):
        Rule(**arguments)


def test_two_one_sided_tests():
    found = mean_interval([0.2, 0.5, 0.8])
    rule = Rule(above=0.0, below=1.2)
    assert rule.p_holds(found) == max(found.p_above(0.0), found.p_below(1.2))
    outside = Rule(above=0.8, below=1.2)
    assert outside.p_fails(found) == 2 * found.p_below(0.8) < 1
    none = Rule(above=0.9, null=0.0)
    assert none.p_no_effect(found) == max(found.p_above(-0.9), found.p_below(0.9))


@pytest.mark.parametrize("low, high", [(math.nan, -1.0), (1.0, math.nan), (math.nan, math.nan), (2.0, 1.0)])
def test_a_bound_that_is_no_number_decides_nothing(low, high):
    for rule in (Rule(above=0.0), Rule(below=0.0), Rule(above=-5.0, below=5.0), Rule(above=0.1, null=0.0)):
        bad = Estimate(1.0, low, high, 3)
        assert not any(p <= 0.05 for p in (rule.p_holds(bad), rule.p_fails(bad)))
