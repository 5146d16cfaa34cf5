"""The three studies at toy sizes, final errors against theory, and the command."""

import json
import math
from pathlib import Path

import pytest
from numba import config

from theory.claims import claims
from theory.verdict.decide import VERDICTS, decide
from toy.__main__ import COMMANDS, main
from toy.teacher_student import study
from toy.teacher_student.model import final_error_both_layers, final_error_first_layer

pytestmark = pytest.mark.skipif(config.DISABLE_JIT, reason="many steps")


@pytest.mark.parametrize("both", [False, True])
def test_final_error_is_that_of_the_equations_and_of_first_order_theory(both):
    """eg* = sigma^2 eta / (2 pi) (L + M / sqrt 3), and sigma^2 eta M^2 / (2 pi sqrt 3 K): what is left of order eta^2
    shrinks with eta, and the equations have it all."""
    left = []
    for rate in (0.4, 0.1):
        setting = study.FinalError(4, learning_rate=rate, both=both, time=160.0 / rate, dim=400, replicas=32)
        row = study.tabulate_final([(setting, study.run_final(setting, Path()))]).iloc[0]
        assert abs(row.error / row.equations - 1) < 0.05
        left.append(row.equations / row.first_order - 1)
    assert abs(left[1]) < 0.6 * abs(left[0]) and abs(left[1]) < 0.15


def test_closed_forms():
    assert math.isclose(final_error_first_layer(0.1, 0.2, 2, 2), 0.04 * 0.1 / (2 * math.pi) * 2 / math.sqrt(3))
    assert math.isclose(final_error_both_layers(0.1, 0.2, 2, 2), final_error_first_layer(0.1, 0.2, 2, 2))
    assert final_error_both_layers(0.1, 0.2, 2, 8) < final_error_first_layer(0.1, 0.2, 2, 8)


def test_trajectories_approach_the_equations_with_the_input_dimension():
    rows = [(c, study.run_trajectory(c, Path())) for c in (study.Trajectory(n, time=10.0, replicas=32) for n in (30, 3000))]
    table = study.tabulate_trajectory(rows)
    late = table[table.time > 1].groupby("dim")[["Q_deviation", "R_deviation", "v_deviation"]].mean()
    # deviations are of order N**-1/2: a tenth at a hundred times the inputs
    assert (late.loc[3000] < 0.25 * late.loc[30]).all() and (late.loc[3000] > 0.03 * late.loc[30]).all()


def test_unit_shares_make_evidence_for_their_claim():
    finished = [(c, study.run_units(c, Path())) for c in (study.UnitShares(k, time=150.0, replicas=16) for k in (2, 4, 12))]
    table = study.tabulate_units(finished)
    assert set(table.moment) == {"start", "end"} and table[["either", "either_low", "either_high"]].stack().between(0, 1).all()
    assert (table.distinct <= table.width).all()
    evidence = study.evidence_units(table, ("run",))
    claim = claims()["s1.sgd-width-adds-removable-or-repeated-units"]
    assert len(evidence) == 1 and evidence[0].claim == claim.id and evidence[0].runs == ("run",)
    shares = table[(table.moment == "end") & (table.width > 2)].set_index("width").either
    assert evidence[0].estimate.mean == pytest.approx((12 * shares[12] - 4 * shares[4]) / 8)
    assert decide(claim, evidence).verdict in VERDICTS[:-1]
    assert study.evidence_units(table[table.width < 10], ()) == []


@pytest.mark.parametrize("scale", ["quick", "run", "full"])
def test_configurations_are_distinct(scale):
    for configs in (study.configs_final, study.configs_trajectory, study.configs_units):
        found = configs(scale)
        assert found and len(set(found)) == len(found)


def test_command_answers_in_json(capsys):
    assert main("toy", COMMANDS, ["teacher-student", "--quick", "--json", "--method", "span", "--time", "5"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["finished"] and result["diverged"] == 0 and len(result["trajectory"]) == 11
    last = result["trajectory"][-1]
    assert last["error"]["low"] <= last["error"]["mean"] <= last["error"]["high"] and last["predicted"]["n"] == 16


@pytest.mark.parametrize("argv,code", [(["--width", "0"], 2), (["--strengths", "1", "--teacher-width", "2"], 2),
                                       (["--method", "span", "--batch-size", "2"], 2), (["--dim", "1"], 2)])
def test_command_refuses_bad_input_in_one_line(argv, code, capsys):
    assert main("toy", COMMANDS, ["teacher-student", "--quick", *argv]) == code
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err.strip().splitlines()) == 1
