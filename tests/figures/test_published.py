"""Published numbers compared with ours: the rule, what the declarations need, and the command."""

import json
import math

import pandas as pd
import pytest

from empirical.studies.lenet import REPLICAS
from figures.__main__ import COMMANDS
from figures.catalogue import studies
from figures.published import MET, OFF, OPEN, OUT, WIDE, Published, judge, meet, published
from figures.published.tickets import IMAGES, _beyond_dense
from figures.published.units import _factor
from lab.cli import main
from lab.estimate import Estimate, exact


@pytest.mark.parametrize("gap, sense, verdict", [
    (Estimate(0.01, -0.02, 0.04), "", MET), (Estimate(0.03, 0.01, 0.05), "", MET), (Estimate(0.2, 0.15, 0.25), "", OFF),
    (Estimate(0.1, -0.2, 0.4), "", WIDE), (Estimate(0.2), "", OFF), (Estimate(0.01), "", WIDE), (exact(0.0), "", MET),
    (Estimate(-3.0, -4.0, -2.0), "at most", MET), (Estimate(3.0, 2.0, 4.0), "at most", OFF), (exact(0.3), "at least", MET),
    (exact(-0.3), "at least", OFF), (Estimate(0.1, -0.2, 0.4), "at least", WIDE)])
def test_the_rule(gap, sense, verdict):
    assert judge(gap, 0.1, sense) == verdict


def test_every_number_says_where_it_was_read_and_what_would_reach_it():
    for name, number in published().items():
        assert number.group and "/" in name and number.source and number.read and number.protocol, name
        assert math.isfinite(number.value) or number.ours is None, name
        assert not number.study or number.study in studies(), name
        assert number.why or number.ours, f"{name} is not reached: say why"


def test_what_has_no_table_is_open_and_groups_are_judged_together():
    names = ("safran-shamir/k8-n8", "removable/imagenet-resnet18")
    assert [m.verdict for m in meet([published()[name] for name in names], {})] == [OPEN, OUT]


def test_theirs_is_stretched_by_the_digits_it_was_printed_with():
    number = Published(name="a/b", quantity="", value=1.0, digits=0.5, tolerance=0.6, protocol="", source="", read="",
                       ours=lambda frame: exact(1.4))
    (met,) = meet([number], {})
    assert (met.gap.low, met.gap.high) == pytest.approx((-0.1, 0.9)) and met.verdict == MET


def test_growth_counts_doublings():
    rows = [{"value": "he", "site": "all", "replica": r, "width": w, "prunability": 0.1, "units": 40 * w}
            for r in (0, 1) for w in (0.25, 1.0, 2.0)]
    assert _factor("he", "all", pd.DataFrame(rows)).mean == pytest.approx(2)  # a constant share
    rows = [{**row, "prunability": 0.1 * row["width"]} for row in rows]
    assert _factor("he", "all", pd.DataFrame(rows)).mean == pytest.approx(4)
    assert _factor("glorot", "all", pd.DataFrame(rows)) is None


def test_a_ticket_is_that_of_the_nearest_round():
    rows = [{"rewind": 0, "samples": 8000, "seed": s, "arm": arm, "left": left, "test_error": error + s / 1000}
            for s in (0, 1) for arm, left, error in (("dense", 1.0, 0.02), ("round 7", 0.21, 0.018), ("alone", 0.035, 0.02))]
    frame = pd.DataFrame(rows)
    assert _beyond_dense(8000, 0.21, frame).mean == pytest.approx(0.2)
    assert _beyond_dense(8000, 0.036, frame).mean == pytest.approx(0)
    assert _beyond_dense(8000, 0.5, frame) is None and _beyond_dense(2000, 0.21, frame) is None
    assert set(IMAGES) == set(REPLICAS)


def test_the_command_prints_ours_beside_theirs(capsys, tmp_path):
    assert main("figures", COMMANDS, ["reproduce", "safran-shamir/k8", "--out", str(tmp_path), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)["numbers"]
    assert [n["name"] for n in numbers] == [f"safran-shamir/k8-n{n}" for n in (8, 9, 10)]
    assert all(n["verdict"] in (MET, OFF) and n["theirs"]["low"] <= n["theirs"]["mean"] and n["ours"]["n"] for n in numbers)
    assert main("figures", COMMANDS, ["reproduce", "nonsense"]) == 2
