"""From evidence to a verdict: shared error, pooled means, moderators, power, and the words that follow from them."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest

from lab.estimate import Estimate, exact, mean_interval, share_interval, student
from theory.claims import Claim, Evidence
from theory.verdict import words
from theory.verdict.decide import VERDICTS, Verdict, decide, decide_column, row_verdict, wrong
from theory.verdict.moderators import moderator
from theory.verdict.pieces import holm, judge
from theory.verdict.pool import clusters, moderated, pool, spread_between
from theory.verdict.power import detectable, power, replicas_needed, too_many
from theory.verdict.rule import Rule

RULE = Rule(above=0.1, null=0.0)
# what three pieces of eight replicas with a standard error of 0.05 say
HOLDS, NOTHING, AGAINST, OPEN = (student(mean, error, 8) for mean, error in
                                 ((0.5, 0.05), (0.0, 0.02), (-0.5, 0.05), (0.12, 0.05)))


def claim(primary=None, **changes) -> Claim:
    return Claim("s0.test", "S0", "a claim", "a number", "its opposite", RULE, primary=primary or {}, **changes)


def evidence(estimates, column="toy", **changes) -> list[Evidence]:
    return [Evidence("s0.test", column, f"setting {i}", e, piece=str(i), study="s", **changes) for i, e in enumerate(estimates)]


def verdict_of(estimates, **changes) -> str:
    return decide_column(claim(**changes), evidence(estimates)).verdict


# ------------------------------------------------------------------------------------------------------------- pieces
def test_holm_is_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).uniform(0, 0.1, 9) ** 2
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1])


def test_what_is_shown_and_not_judged():
    assert judge(claim(), evidence([exact(0.2)], pilot=True))[0].judgement == "holds"  # a formula is no pilot
    unjudged = {"pilot": evidence([HOLDS], pilot=True)[0]} | dict(zip(
        ("uninformative", "too few replicas", "uninformative "),
        evidence([mean_interval([1, 1, 1]), mean_interval([0.5, 0.6]), Estimate(math.nan, 0, 1, 3)])))
    for word, item in unjudged.items():
        (piece,) = judge(claim(), [item])
        assert piece.judgement == word.strip() and not piece.is_judged
        column = decide_column(claim(), [item])
        assert column.verdict == "inconclusive" and words.column_summary(RULE, column).startswith("not judged")


def test_the_primary_piece_is_judged_at_the_full_error_and_the_others_share():
    p = 0.015  # enough alone, and for the primary one; not for one of three
    estimate = student(0.1 - 0.05 * _t(p), 0.05, 8)
    for primary, expected in (({}, ["undecided"] * 3), ({"toy": "s/1"}, ["undecided", "holds", "undecided"])):
        assert [piece.judgement for piece in judge(claim(primary), evidence([estimate] * 3))] == expected
    assert not judge(claim(), [Evidence("s0.test", "toy", "formula", exact(0.2))])[0].primary  # of no study, and none declared
    (alone,) = judge(claim(), evidence([estimate]))
    assert alone.judgement == "holds" and alone.error == pytest.approx(p)


def _t(p):
    from scipy.stats import t

    return t.ppf(p, 7)


def test_a_piece_with_more_looks_has_less_error():
    estimate = student(0.1 - 0.05 * _t(0.015), 0.05, 8)
    (piece,) = judge(claim({"toy": "s"}), evidence([estimate], level=0.01))
    assert piece.primary and piece.judgement == "undecided"
    (piece,) = judge(claim({"toy": "s"}), evidence([HOLDS], level=0.01))
    assert piece.judgement == "holds" and piece.error == pytest.approx(2.5 * piece.p_holds)


# ------------------------------------------------------------------------------------------------------------ columns
@pytest.mark.parametrize("estimates, expected", [
    ([HOLDS] * 3, "holds"), ([HOLDS, OPEN], "holds"), ([NOTHING] * 3, "no effect"), ([AGAINST, NOTHING], "contradicted"),
    ([OPEN], "inconclusive"), ([HOLDS, AGAINST, OPEN], "depends"), ([HOLDS, NOTHING], "depends"), ([], "not yet measured"),
    ([exact(0.2), exact(0.3)], "holds"), ([exact(0.2), exact(0.1)], "depends"), ([exact(0.0), exact(0.05)], "no effect"),
    ([exact(0.0), exact(-1.0)], "contradicted"), ([HOLDS] * 4 + [OPEN], "holds"), ([NOTHING] * 5, "no effect"),
    ([OPEN] * 4 + [HOLDS], "inconclusive"), ([OPEN] * 4 + [student(3.0, 0.05, 8), AGAINST], "depends")])
def test_columns(estimates, expected):
    assert verdict_of(estimates) == expected


@pytest.mark.parametrize("others", [[], [HOLDS], [HOLDS] * 6])
def test_nothing_decides_before_the_primary_piece_is_measured_anew(others):
    found = [replace(item, pilot=i == 0) for i, item in enumerate(evidence([HOLDS, *others]))]
    column = decide_column(claim({"toy": "s/0"}), found)
    assert column.verdict == "inconclusive" and column.awaited is column.pieces[0] and math.isnan(column.error)
    assert decide_column(claim({"toy": "s/0"}), [replace(found[0], pilot=False), *found[1:]]).verdict == "holds"


def test_the_primary_piece_decides_where_the_mean_does_not():
    wide = [student(v, 0.3, 8) for v in (2.0, -0.5, 0.1, 0.2)]
    assert verdict_of([HOLDS, *wide]) == "inconclusive"
    assert verdict_of([HOLDS, *wide], primary={"toy": "s/0"}) == "holds"


def test_most_settings_decide_where_the_mean_does_not():
    apart = student(30.0, 0.05, 8)
    assert verdict_of([HOLDS, HOLDS, apart, OPEN, OPEN]) == "holds"
    assert verdict_of([NOTHING, AGAINST, student(-30.0, 0.05, 8), OPEN, OPEN]) == "contradicted"
    assert verdict_of([HOLDS, OPEN, apart, OPEN, OPEN]) == "inconclusive"
    same = evidence([HOLDS, HOLDS, apart], cluster="one network") + evidence([OPEN] * 5)
    assert decide_column(claim(), same).verdict == "inconclusive"  # they count once


def test_a_level_that_refutes_makes_a_column_depend():
    found = [Evidence("s0.test", "toy", f"{level} {i}", student(mean + 0.01 * i, 0.08, 8), levels={"data": level})
             for level, mean in (("images", 2.0), ("text", 0.0)) for i in range(4)]
    separated = decide_column(claim(moderator="data"), found)
    assert separated.moderator.separates and separated.verdict == "depends"
    assert decide_column(claim(), found).moderator is None
    assert "data separates the settings (images: 2.01, text: 0.015)" in words.column_summary(RULE, separated)


@pytest.mark.parametrize("columns, expected", [
    (("holds", "holds", "holds"), "holds"), (("holds", "holds", "inconclusive"), "inconclusive"),
    (("holds", "not yet measured", "holds"), "holds"), (("holds", "contradicted", "holds"), "depends"),
    (("contradicted", "no effect", "no effect"), "contradicted"), (("holds", "holds", "not yet measured"), "inconclusive"),
    (("not yet measured",) * 3, "not yet measured"), (("inconclusive", "holds"), "holds"), (("holds", "depends"), "depends"),
    (("inconclusive", "not yet measured"), "inconclusive"), (("no effect", "no effect"), "no effect")])
def test_rows(columns, expected):
    assert row_verdict(dict(zip(("theory", "toy", "real"), columns))) == expected and expected in VERDICTS


# --------------------------------------------------------------------------------------------- pool, moderators, power
def test_the_pool_is_hartung_and_knapps():
    from statsmodels.stats.meta_analysis import combine_effects

    rng = np.random.default_rng(3)
    effects, errors = 0.5 + rng.standard_normal(7), rng.uniform(0.2, 0.6, 7)
    found = pool(evidence([student(m, e, 100, math.inf) for m, e in zip(effects, errors)]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of single settings' intervals, which are not looked at
        want = combine_effects(effects, errors**2, method_re="iterated", use_t=True)
        frame = want.summary_frame()
    np.testing.assert_allclose(found.spread**2, want.tau2, rtol=1e-4)
    np.testing.assert_allclose((found.mean.mean, found.mean.low, found.mean.high),
                               frame.loc["random effect", ["eff", "ci_low", "ci_upp"]].astype(float), rtol=1e-3)
    assert found.prediction[0] < found.mean.low and found.prediction[1] > found.mean.high


def test_identical_measurements_are_one_cluster():
    items = evidence([HOLDS] * 6, cluster="the same networks") + evidence([OPEN] * 3)
    found = clusters(items)
    assert len(found) == 4 and pool(items) is None
    assert found["the same networks"].error == pytest.approx(0.05)


def test_moderated_errors_share_what_is_common():
    rng = np.random.default_rng(0)
    chance = np.sqrt(rng.chisquare(2, 40) / 2)  # one true error, three replicas
    found = moderated(chance, np.full(40, 2.0))
    assert np.ptp(found) < 0.6 * np.ptp(chance) and found.min() > 5 * chance.min()  # the smallest is the luckiest
    apart = np.exp(np.linspace(-3, 3, 40))  # hundreds of replicas: they do differ
    np.testing.assert_allclose(moderated(apart, np.full(40, 300.0)), apart, rtol=0.05)
    assert np.array_equal(moderated(apart, np.full(40, np.inf)), apart)


def test_no_spread_where_errors_explain_all():
    assert spread_between(np.array([0.0, 0.1, -0.1]), np.ones(3)) == 0
    assert spread_between(np.array([0.0, 5.0, -5.0]), np.full(3, 1e-3)) == pytest.approx(25, rel=1e-3)


def test_a_moderator_needs_three_clusters_a_level():
    items = [Evidence("s0.test", "toy", f"{level}{i}", student(level + 0.1 * i, 0.1, 8), levels={"level": str(level)})
             for level in (0, 1, 2) for i in range(3)]
    found = moderator("level", items)
    assert found.separates and [round(e.mean, 3) for e in found.means.values()] == [0.1, 1.1, 2.1]
    assert moderator("level", items[:5]) is None and moderator("other", items) is None


def test_power_is_statsmodels():
    from statsmodels.stats.power import TTestPower

    for distance, n in ((0.5, 8), (1.0, 5), (2.0, 3)):
        want = TTestPower().power(distance, n, 0.025, alternative="larger")
        assert power(distance, n) == pytest.approx(want, rel=1e-6)
    for distance in (0.3, 0.7, 1.5):
        needed = replicas_needed(student(0.1 + distance, 1 / math.sqrt(5), 5), RULE)
        assert needed == math.ceil(TTestPower().solve_power(distance, None, 0.025, 0.8, alternative="larger"))
    found = student(0.0, 1 / math.sqrt(8), 8)
    assert power(detectable(found), 8) == pytest.approx(0.8, rel=1e-5)


def test_what_no_number_of_replicas_settles():
    assert replicas_needed(student(0.1, 0.1, 8), RULE) is None and replicas_needed(exact(1.0), RULE) is None
    assert replicas_needed(mean_interval([1.0]), RULE) is None
    assert too_many(student(0.15, 0.1, 8), 17) and not too_many(share_interval(5, 100), 1600)


# -------------------------------------------------------------------------------------------------------------- words
@pytest.mark.parametrize("estimates, scope, summary", [
    ([HOLDS] * 3, "all 3 settings", "holds in all 3 settings"),
    ([HOLDS], "setting 0", "holds in setting 0 (0.5 [0.382, 0.618])"),
    ([HOLDS, HOLDS, AGAINST], "all 3 settings except setting 2", "holds except in setting 2"),
    ([HOLDS, OPEN], "setting 0; the rest inconclusive", "holds in setting 0 (0.5 [0.382, 0.618]); the rest inconclusive"),
    ([NOTHING] * 2, "in none of 2 settings", "no effect of 0.1 or more in both settings"),
    ([HOLDS, AGAINST, OPEN], "setting 0; not in setting 1; the rest inconclusive",
     "holds in setting 0; contradicted in setting 1; the rest inconclusive"),
    ([HOLDS] * 5, "all 5 settings", "holds in all 5 settings (0.5 [0.438, 0.562])"),
    ([], "", "not yet measured")])
def test_words(estimates, scope, summary):
    column = decide_column(claim(), evidence(estimates))
    assert (words.column_scope(column), words.column_summary(RULE, column)) == (scope, summary)


def test_an_open_column_says_what_would_settle_it():
    text = words.column_summary(RULE, decide_column(claim({"toy": "s"}), evidence([student(0.2, 0.05, 5)])))
    assert "setting 0: 0.2 [0.0612, 0.339], n = 5, enough to detect a distance of 0.188 from the bound" in text
    assert "; 12 replicas would give 80 % power at the measured effect" in text
    assert "too close to the bound to decide here, which would take more than 16 replicas" in words.column_summary(
        RULE, decide_column(claim(), evidence([student(0.12, 0.05, 5)])))


def test_a_claim_in_words():
    items = evidence([exact(0.2)], "theory") + evidence([HOLDS], "toy") + evidence([NOTHING], "real")
    found = decide(claim(scope="nets", moderator="data"), items)
    assert words.scope(found) == "nets. theory: setting 0. toy models: setting 0. real networks: not in setting 0"
    assert words.summary(found) == (
        "Theory: holds in setting 0 (0.2). Toy models: holds in setting 0 (0.5 [0.382, 0.618]). Real networks: no effect of 0.1 "
        "or more in setting 0 (0 [−0.0473, 0.0473]). Too few settings to test whether data separates them.")


def test_expected_wrong_verdicts():
    items = evidence([exact(0.2)], "theory") + evidence([HOLDS], "toy") + evidence([NOTHING], "real")
    found = decide(claim(), items)
    p = [piece.error for name in ("toy", "real") for piece in found.columns[name].pieces]
    assert found.error == pytest.approx(sum(p)) and 0 < sum(p) < 0.002
    total = wrong([found, decide(claim(), [])])
    assert total == {"decided": 1, "expected": found.error, "at_most": pytest.approx(0.086)}
    assert isinstance(found, Verdict) and math.isnan(decide(claim(), []).error)
