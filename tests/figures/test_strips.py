"""All claims on one scale, and the marks on it."""

import math
import re

import pytest

from figures.strips import LEAST, MOST, SHAPES, effect, foremost, interval, judgements, place, strip, summary, symbols
from theory.verdict.decide import VERDICTS
from theory.verdict.pieces import CONTRADICTED, HOLDS, NO_EFFECT, PILOT, TOO_FEW, UNDECIDED, UNINFORMATIVE
from theory.verdict.rule import Rule

RULES = [Rule(above=0.01, null=0.0), Rule(below=-0.05, null=0.0), Rule(above=1.05, null=1.0), Rule(above=0.95), Rule(below=2.0),
         Rule(above=0.0), Rule(above=0.9, below=1.1)]


def piece(mean, low, high, judgement="holds", primary=False, setting="here"):
    return {"mean": mean, "low": low, "high": high, "n": 5, "judgement": judgement, "primary": primary, "setting": setting}


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_what_a_claim_says_lies_beyond_one(rule):
    for bound in (rule.above, rule.below):
        if not math.isinf(bound):
            assert effect(rule, bound) == pytest.approx(1)
            for step in (-0.01, 0.01):
                assert (effect(rule, bound + step) > 1) is rule.contains(bound + step)
    if rule.null is not None:
        assert effect(rule, rule.null) == 0


def test_the_ends_of_an_interval_are_its_least_and_largest_effect():
    assert interval(RULES[1], -0.2, 0.05) == pytest.approx((-1, 4))
    assert interval(RULES[-1], 0.95, 1.2) == pytest.approx((0, 2))  # the middle of the two bounds among it


def test_the_axis_is_monotone_and_keeps_its_ends():
    values = [LEAST * 9, LEAST, -1, 0, 0.5, 1, 10, MOST, MOST * 9, math.inf]
    places = [place(v) for v in values]
    assert places == sorted(places) and places[0] == places[1] == 0 and places[-1] == places[-3] == 100


def test_every_word_has_a_shape_of_its_own_and_a_colour_in_the_style():
    from figures.catalogue import KEPT

    words = {*VERDICTS, HOLDS, CONTRADICTED, NO_EFFECT, UNDECIDED, PILOT, TOO_FEW, UNINFORMATIVE}
    assert words <= set(SHAPES)
    assert len(set(SHAPES.values())) == len(SHAPES) - 1  # inconclusive columns and undecided pieces look alike
    style = (KEPT.parent / "templates" / "style.css").read_text()
    assert all(f".{word.replace(' ', '-')}" in style for word in words)
    assert all(f'id="mark-{word.replace(" ", "-")}"' in symbols() for word in words)


def test_a_strip_shows_every_number_once_and_says_what_it_shows():
    pieces = [piece(0.02, 0.015, 0.025), piece(0.5, None, None, "undecided", setting="<b>"), piece(9.0, 8, 10),
              piece(-3.0, -4, -2, "contradicted"), piece(None, None, None, "uninformative")]
    text = strip(RULES[0], pieces, "toy")
    assert text.count("<use") == 4 and 'href="#beyond"' in text and 'href="#short"' in text
    assert len(re.findall(r'<line class="(?:holds|contradicted)"', text)) == 3 and "<b>" not in text
    assert "5 settings: 2 holds, 1 contradicted, 1 undecided, 1 uninformative" in text
    heights = [float(y) for y in re.findall(r'<use[^>]* y="([\d.]+)"', text)]
    assert len(set(heights)) == 4, "marks on lines of their own"


def test_a_column_is_stood_for_by_its_mean_its_primary_setting_or_the_one_in_the_middle():
    pieces = [piece(m, m, m) for m in (0.1, 0.5, 0.2)]
    assert foremost({"evidence": pieces, "pooled": None})["mean"] == 0.2
    assert foremost({"evidence": [*pieces, piece(0.7, 0, 1, primary=True)], "pooled": None})["mean"] == 0.7
    assert foremost({"evidence": [*pieces, piece(9, 8, 10, "pilot")], "pooled": None})["mean"] == 0.2
    assert foremost({"evidence": [piece(9, 8, 10, "pilot")], "pooled": None})["mean"] == 9
    column = {"evidence": pieces, "pooled": {"mean": 0.3, "low": 0.2, "high": 0.4, "n": 6}, "verdict": "depends"}
    assert foremost(column)["mean"] == 0.3 and "mark-depends" in summary(RULES[0], column, "toy")
    assert judgements(pieces) == "3 settings: 3 holds"
