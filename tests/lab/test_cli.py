"""The command line contract."""

import json
import math
import sys
import types

import numpy as np
import pytest

from lab.arguments import add_run_arguments, fraction, not_negative_float, positive_float, positive_int
from lab.cli import jsonable, main, note, say
from lab.errors import ArgumentError, InputError
from lab.estimate import exact, mean_interval, share_interval


@pytest.fixture
def room(monkeypatch):
    module = types.ModuleType("fake_command")
    module.HELP = "a command for tests"

    def add_arguments(parser):
        parser.add_argument("--do", default="work")
        add_run_arguments(parser, "--seed", "--quick")

    def run(args):
        say("for a person")
        note("beside it")
        if args.do == "usage":
            raise ArgumentError("that cannot\nbe done")
        if args.do == "input":
            raise InputError("that file is damaged")
        if args.do == "fail":
            return {"passed": False, "exit_code": 1}
        return {"value": exact(2), "array": np.arange(2), "nan": float("nan")}

    module.add_arguments, module.run = add_arguments, run
    monkeypatch.setitem(sys.modules, "fake_command", module)
    return {"work": "fake_command|does work"}


def test_json_is_all_there_is_on_standard_output(room, capsys):
    assert main("room", room, ["work", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"value": {"mean": 2.0, "low": 2.0, "high": 2.0, "n": 0}, "array": [0, 1], "nan": None}
    assert err == "for a person\nbeside it\n"
    assert main("room", room, ["work"]) == 0
    assert capsys.readouterr() == ("for a person\n", "beside it\n")


@pytest.mark.parametrize("argv, code", [(["work", "--do", "usage"], 2), (["work", "--do", "input"], 1),
                                        (["work", "--unknown"], 2), (["nonsense"], 2), (["work", "--seed", "x"], 2)])
def test_what_goes_wrong_is_one_line(room, capsys, argv, code):
    assert main("room", room, argv) == code
    out, err = capsys.readouterr()
    assert out in ("", "for a person\n")
    assert len(err.removeprefix("beside it\n").splitlines()) == 1


def test_failure_after_printing(room, capsys):
    assert main("room", room, ["work", "--do", "fail", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"passed": False}


def test_help(room, capsys):
    assert main("room", room, ["--help"]) == 0
    assert "does work" in capsys.readouterr().out
    assert main("room", room, []) == 2


def test_argument_types():
    assert str(fraction("1/8")) == "1/8"
    assert not_negative_float("0") == 0.0
    for convert, text in [(fraction, "1/0"), (fraction, "-1"), (positive_int, "0"), (positive_int, "x"),
                          (positive_float, "nan"), (positive_float, "-1"), (not_negative_float, "-1"),
                          (not_negative_float, "inf"), (not_negative_float, "x")]:
        with pytest.raises(Exception, match=text):
            convert(text)


def test_jsonable_is_plain():
    assert json.loads(json.dumps(jsonable({1: (np.float32(1.5), np.bool_(True), {2})}))) == {"1": [1.5, True, [2]]}


def test_intervals_against_their_textbook_values():
    estimate = mean_interval([1.0, 2.0, 3.0, 4.0])
    assert estimate.mean == 2.5
    # t(3, .975) = 3.182446, s = 1.290994
    assert estimate.high - 2.5 == pytest.approx(3.182446305 * 1.290994449 / 2, rel=1e-8)
    # Wilson (1927) as in statsmodels.proportion_confint(7, 20, method="wilson")
    share = share_interval(7, 20)
    assert (share.low, share.high) == (pytest.approx(0.18119182, abs=1e-7), pytest.approx(0.56714574, abs=1e-7))
    assert share_interval(0, 5).low == 0 and share_interval(5, 5).high == 1
    assert math.isnan(mean_interval([3]).low) and not mean_interval([3]).has_interval
    for bad in ([], [1, float("nan")]):
        with pytest.raises(InputError):
            mean_interval(bad)
    with pytest.raises(InputError):
        share_interval(3, 2)


def test_a_command_that_draws_has_a_flag_for_it(room, capsys, tmp_path, monkeypatch):
    sys.modules["fake_command"].draw = lambda result, axes: axes.plot([result["value"].mean], "o")
    for name in ("deep/out.svg", "out.pdf", "out.png"):
        assert main("room", room, ["work", "--plot", str(tmp_path / name), "--json"]) == 0
        assert (tmp_path / name).stat().st_size > 1000 and str(tmp_path / name) in capsys.readouterr().err
    first = (tmp_path / "deep" / "out.svg").read_bytes()
    assert main("room", room, ["work", "--plot", str(tmp_path / "deep" / "out.svg")]) == 0
    assert (tmp_path / "deep" / "out.svg").read_bytes() == first  # the same drawing gives the same file
    for bad in ("out.txt", "out", str(tmp_path), ""):
        assert main("room", room, ["work", "--plot", bad]) == 2


def test_a_result_of_which_nothing_is_said_is_spelt_out(capsys, monkeypatch):
    module = types.ModuleType("silent_command")
    module.HELP, module.add_arguments = "says nothing", lambda parser: None
    module.run = lambda args: {"would_train": {"widths": [1, 2], "seed": 0}, "missing": 3,
                                "runs": [{"run": "a", "done": True}], "seconds": None, "exit_code": 0}
    monkeypatch.setitem(sys.modules, "silent_command", module)
    assert main("room", {"work": "silent_command"}, ["work"]) == 0
    assert capsys.readouterr() == ("would train: widths 1 2, seed 0\nmissing: 3\nruns:\n  run a, done True\n", "")
    assert main("room", {"work": "silent_command"}, ["work", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == 3
