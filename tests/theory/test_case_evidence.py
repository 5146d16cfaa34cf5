"""Evidence on units: every start counts once, ratios on the log scale, and nothing is left out because of how it came out."""

import numpy as np
import pandas as pd
import pytest

from theory.claims import claims
from theory.measures.ablation import growth_per_doubling
from theory.unit_evidence import Case, at_widest, case_evidence, growth
from theory.verdict.pieces import CONTRADICTED, HOLDS, NO_EFFECT, judge

WIDTHS = (16, 32, 64)


def table(replicas=6, **columns) -> pd.DataFrame:
    """Two cases that start from the same networks; a column is a function of (case, width, draw)."""
    rng = np.random.default_rng(0)
    names = ("auc", "prunability", "pair_share", "pair_share_start", "compressibility", "compressibility_start", "agreement",
             "kept_share")
    start = {(w, r): 0.1 + 0.01 * rng.random() for w in WIDTHS for r in range(replicas)}
    rows = []
    for case in ("small", "large"):
        for w in WIDTHS:
            for r in range(replicas):
                numbers = {name: 0.5 + 0.01 * rng.random() for name in names} | {"pair_share_start": start[w, r]}
                numbers |= {name: made(case, w, rng.random()) for name, made in columns.items()}
                rows.append({"case": case, "width": w, "replica": 100 + r, **numbers})
    return pd.DataFrame(rows)


def found(frame) -> dict:
    return {(e.claim, e.piece): e for e in case_evidence(frame, "toy", ("run",), lambda row: Case(row.case, "start", "layer"))}


def test_one_untrained_network_is_one_measurement():
    evidence = found(table())
    doubling = [e for (claim, _), e in evidence.items() if claim == "s1.random-layers-double"]
    assert len(doubling) == 1 and doubling[0].piece == "start" and doubling[0].estimate.n == 6
    assert len(evidence) == 1 + 2 * 7 and len({(e.claim, e.key) for e in evidence.values()}) == len(evidence)


def test_a_constant_share_is_no_growth():
    """The numbers of units double, the shares do not: that is no effect, and shares that grow are one."""
    grown = table(prunability=lambda case, w, u: (w / 1000 if case == "small" else 0.3) * (1 + 0.02 * u),
                  pair_share=lambda case, w, u: 0.2 * (1 + 0.02 * u))
    claim = claims()["s1.width-raises-either"]
    pieces = judge(claim, [e for e in found(grown).values() if e.claim == claim.id])
    assert {p.evidence.piece: p.judgement for p in pieces} == {"small": HOLDS, "large": NO_EFFECT}


def test_growth_is_a_geometric_mean():
    frame = table(pair_share=lambda case, w, u: w ** (2 * u))
    ratios = [2 ** np.polyfit(np.log2(WIDTHS), np.log2(rows.sort_values("width").pair_share), 1)[0]
              for _, rows in frame[frame.case == "small"].groupby("replica")]
    assert growth(frame, "small", "pair_share").mean == pytest.approx(np.exp(np.mean(np.log(ratios))))


def test_a_share_of_zero_is_less_than_a_pair_and_not_left_out():
    """Wide networks without similar pairs are where the share falls, not where it is unknown."""
    frame = table(pair_share=lambda case, w, u: 0.0 if case == "large" and w == 64 else 0.2 + 0.01 * u)
    claim = claims()["s1.similar-share-grows"]
    pieces = judge(claim, [e for e in found(frame).values() if e.claim == claim.id])
    assert {p.evidence.piece: p.judgement for p in pieces} == {"small": NO_EFFECT, "large": CONTRADICTED}
    values = np.array([0.2, 0.2, 1 / (16 * 15)])
    assert pieces[1].evidence.estimate.mean == pytest.approx(growth_per_doubling(WIDTHS, values), rel=0.05)
    rare = frame.assign(pair_share=np.where(frame.width == 16, 1 / 120, 0.0) * (frame.replica == 100))  # a pair in one network
    assert 0.9 < growth(rare, "large", "pair_share").mean < 1  # what cannot be seen does not fall
    assert growth(frame.assign(pair_share=0.0), "large", "pair_share") is None  # nothing that could grow


def test_units_that_stay_as_they_started_show_no_effect():
    """In every replica the very same number: as near to no effect as one unit can tell."""
    frame = table(compressibility=lambda case, w, u: 0.5, compressibility_start=lambda case, w, u: 0.5)
    frame["width"] *= 10
    claim = claims()["s1.compressibility-beyond-start"]
    pieces = judge(claim, [e for e in found(frame).values() if e.claim == claim.id])
    assert {p.judgement for p in pieces} == {NO_EFFECT}
    few = at_widest(frame.assign(width=frame.width / 40), "small", "compressibility", "compressibility_start")
    assert few.high == pytest.approx(1 / 16) and claim.rule.p_no_effect(few) > 0.4  # of sixteen units one is too many


def test_agreements_stay_shares():
    frame = table(replicas=3, agreement=lambda case, w, u: 1.0 if u < 0.5 else 0.6)
    for case in ("small", "large"):
        estimate = at_widest(frame, case, "agreement")
        assert 0 <= estimate.low <= estimate.high <= 1


def test_fewer_units_kept_is_what_the_claim_says():
    claim = claims()["s1.kept-share-falls"]
    frame = table(kept_share=lambda case, w, u: (0.9 - w / 100 if case == "small" else 0.2 + w / 100) + 0.01 * u)
    pieces = judge(claim, [e for e in found(frame).values() if e.claim == claim.id])
    assert {p.evidence.piece: p.judgement for p in pieces} == {"small": HOLDS, "large": CONTRADICTED}
