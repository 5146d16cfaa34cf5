"""The register of claims and the rules that give verdicts."""

import pytest

from lab.estimate import Estimate, exact
from theory.claims import COLUMNS, Claim, Evidence, Rule, claims, combine, verdict

INSIDE, OUTSIDE, ACROSS, SINGLE = (Estimate(2, 1.5, 2.5, 3), Estimate(0, -1, 0.5, 3), Estimate(1, 0, 2, 3),
                                   Estimate(2, None, None, 1))


def test_the_register_is_sound():
    for name, claim in claims().items():
        assert name == claim.id and name.partition(".")[0] in {"s0", "s1", "s2", "s3"}
        assert set(claim.columns) <= set(COLUMNS) and claim.columns
        assert all((claim.source, claim.claim, claim.statistic, claim.refuted_by))
        assert claim.rule.above < claim.rule.below
        assert claim.rule != Rule(), f"{name} has a rule that nothing can refute"


@pytest.mark.parametrize("estimate, expected", [(INSIDE, "holds"), (OUTSIDE, "fails"), (ACROSS, "undecided"),
                                                (SINGLE, "undecided"), (exact(1.01), "holds"), (exact(1.0), "fails")])
def test_a_rule_judges_the_interval(estimate, expected):
    assert Rule(above=1.0).judge(estimate) == expected


def test_a_band():
    band = Rule(above=-1, below=1)
    assert [band.judge(e) for e in (exact(0), exact(2), Estimate(0.9, 0.7, 1.1, 3))] == ["holds", "fails", "undecided"]
    assert "above -1 and below 1" in str(band)


def test_verdicts():
    claim = Claim("s0.test", "S0", "a claim", "a number", "its opposite", Rule(above=1.0))
    of = [Evidence("s0.test", "toy", "here", e) for e in (INSIDE, OUTSIDE, ACROSS)]
    assert verdict(claim, []) == "not yet measured"
    assert verdict(claim, of[:1]) == "holds"
    assert verdict(claim, of[1:2]) == "fails"
    assert verdict(claim, of[:2]) == verdict(claim, of[2:]) == "mixed"
    assert verdict(claim, [Evidence("s0.other", "toy", "here", OUTSIDE)]) == "not yet measured"
    assert combine(["holds", "undecided"]) == "mixed"
