"""Tickets, studies and the command of the ReLU landscape."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import theory.landscape as exact
from lab.cli import main
from lab.errors import InputError
from lab.estimate import share_interval
from tests.toy.test_relu_landscape import compiled
from toy.__main__ import COMMANDS
from toy.relu_landscape import minima, tickets
from toy.relu_landscape.model import predict
from toy.relu_landscape.study import LANDSCAPE, TICKETS, Cell, Tickets, nominal_over_effective


@given(st.integers(1, 6), st.integers(0, 4), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_ticket_of_a_permuted_teacher(teacher, more, seed):
    rng = np.random.default_rng(seed)
    order = rng.permutation(teacher + more)
    weights = np.concatenate([np.eye(teacher), 0.1 * rng.normal(size=(more, teacher))])[order]
    np.testing.assert_array_equal(order[tickets.winning_ticket(weights, teacher)], np.arange(teacher))


def test_roles_and_adversarial_rest():
    weights = np.array([[1.0, 0.1, 0.0], [0.1, -0.9, 0.2], [0.5, 0.5, 0.5], [0.0, 0.1, 0.8]])
    role, partner = minima.roles(weights, 3)
    assert role.tolist() == [1, -1, 1, 1] and partner.tolist() == [0, 1, 0, 2]
    assert minima.describe(weights[:2], 3) == "1 aligned, 1 anti-aligned"
    rest = tickets.adversarial_rest(weights[[0, 1, 3]], 3, 4)
    np.testing.assert_allclose(rest[0], weights[1] / 2)
    np.testing.assert_allclose(rest[1:3], weights[[0, 3]])
    np.testing.assert_allclose(rest.sum(0), weights[[0, 1, 3]].sum(0))


@compiled
def test_ticket_arms():
    result = tickets.perturb(8, 9, 60, seed=0)
    assert result.wins["original rest"] >= result.runs["original rest"] - 1  # the same run in another order
    assert result.runs["alone"] == result.wins["fresh wide"]
    assert result.share("alone").mean > 0.8
    assert tickets.Perturbation(8, 9, {"alone": 0}, {"alone": 0}).share("alone") is None


def test_nominal_over_effective_tickets_has_an_interval_for_any_outcome():
    ratio = nominal_over_effective(180, 1000, 851, 1000, 17)
    assert 17 / ratio.mean == pytest.approx(exact.effective_tickets(0.18, 0.851), rel=0.01)
    assert 0 < ratio.low < ratio.mean < ratio.high
    never = nominal_over_effective(0, 1000, 851, 1000, 17)
    most = 17 * math.log(0.851) / math.log(share_interval(0, 1000).high)  # the wide share's error is by far the larger
    assert never.low == 0 < never.mean < never.high == pytest.approx(most, rel=0.15)


def test_another_rest_is_judged_where_fresh_networks_fail_often_enough():
    def table(k, n):
        return pd.DataFrame([{"teacher_width": k, "width": n, "arm": arm, "wins": wins, "win_n": 100}
                             for arm, wins in zip(tickets.ARMS, (20, 60, 40, 100, 90, 55))])

    found = {e.claim: e.estimate.mean for e in TICKETS.evidence(table(16, 17), ())}
    assert found == pytest.approx({"s2.tickets-need-their-rest": 0.2, "s2.perturbed-rest-spoils-tickets": 0.3,
                                   "s2.adversarial-rest-spoils-tickets": -0.05, "s2.tickets-beat-fresh-starts": 0.2})
    assert len(TICKETS.evidence(table(8, 9), ())) == 2


@compiled
def test_studies_make_tables_and_evidence(tmp_path):
    from lab.store import RunStore
    from lab.study import compute
    from theory.claims import claims

    cells = [Cell(8, n, 60) for n in (8, 9)]
    table = compute(LANDSCAPE, "quick", store=RunStore(tmp_path), jobs=1, configs=cells)
    assert list(table.frame.width) == [8, 9] and table.frame.restarts_share.notna().tolist() == [False, True]
    other = compute(TICKETS, "quick", store=RunStore(tmp_path), jobs=1, configs=[Tickets(8, 9, 40)])
    found = LANDSCAPE.evidence(table.frame, table.runs) + TICKETS.evidence(other.frame, other.runs)
    assert {e.claim for e in found} <= set(claims())
    assert {e.claim for e in found} >= {"s2.success-grows-with-width", "s2.spurious-minima-become-saddles",
                                        "s2.tickets-need-their-rest"}


def test_bad_tickets():
    with pytest.raises(InputError, match="no rest"):
        tickets.perturb(5, 5, 10)
    with pytest.raises(InputError):
        tickets.winning_ticket(np.eye(3)[:2], 3)
    with pytest.raises(InputError):
        predict(3, 4, spurious_at_teacher=1.5)


def command(capsys, *arguments):
    """Exit code, JSON (None without) and standard error of ``python -m toy relu-landscape``."""
    code = main("toy", COMMANDS, ["relu-landscape", *arguments])
    out, err = capsys.readouterr()
    return code, json.loads(out) if out else None, err


@compiled
def test_command(capsys, tmp_path):
    code, result, _ = command(capsys, "--teacher-width", "8", "--width", "8", "--replicas", "100", "--json")
    assert code == 0 and set(result["spurious_fraction"]) >= {"n"} and result["seconds"] > 0
    assert result["loss_levels"][0]["loss"] == pytest.approx(0.0215, abs=1e-4)
    assert result["escape_index"]["lowest"] == 7
    code, result, _ = command(capsys, "--table", "--quick", "--replicas", "20", "--jobs", "1", "--out", str(tmp_path),
                              "--json")
    assert code == 0 and len(result["cells"]) == 9
    code, result, _ = command(capsys, "--teacher-width", "6", "--width", "7", "--replicas", "30", "--tickets", "--json")
    assert code == 0 and result["win_share"]["alone"]["n"] <= 30


def test_command_says_what_is_wrong(capsys):
    for arguments in (["--table", "--tickets"], ["--teacher-width", "3", "--dim", "2"], ["--method", "newton"],
                      ["--teacher-width", "0"]):
        code, result, err = command(capsys, *arguments)
        assert code == 2 and result is None and err.strip().count("\n") == 0
    assert command(capsys, "--tickets", "--teacher-width", "3", "--width", "3")[0] == 2
    assert command(capsys, "--dry-run", "--json")[1]["would_simulate"]["teacher_width"] == 12
