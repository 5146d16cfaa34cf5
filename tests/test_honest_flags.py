"""Every command of every room offers the flags that it honours and no others, and what the library refuses is said in flags.

That a bad value of any flag of any command ends with 2 is tested in :mod:`tests.test_flags`.
"""

import argparse
import ast
import importlib
import inspect
import re
from functools import partial
from pathlib import Path

import pytest

from lab.arguments import ignored, only
from lab.cli import in_flags, main, parser_of
from lab.errors import ArgumentError, InputError, UsageError

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("theory", "toy", "empirical", "figures")
TABLES = {room: importlib.import_module(f"{room}.__main__").COMMANDS for room in ROOMS}
EVERY = [(room, name) for room in ROOMS for name in TABLES[room]]
SHOW = {"list", "compare", "derive", "verify", "keep", "report", "gallery", "readme"}  # what computes no runs
LONG = set(EVERY) - {(room, name) for room, name in EVERY if name in SHOW}

# what a command does besides its default, where flags mean something else
MODES = {
    "relu-landscape": [["--tickets", "--teacher-width", "3", "--width", "4"], ["--table"]],
    "graded-teacher": [["--no-theory"]],
}
# small enough to be carried out here; what takes longer is read with --dry-run, and the rest from its source
SMALL = {
    "critical-points": ["--replicas", "1", "--size", "2", "--starts", "4"],
    "bumps": ["--replicas", "5"], "double-descent": ["--replicas", "2", "--features", "5"], "first-reach": ["--replicas", "5"],
    "memorise": ["--samples", "10", "--epochs", "2", "--replicas", "1"], "multi-view": ["--replicas", "5", "--widths", "1"],
    "polynomial": ["--replicas", "1", "--widths", "4", "--degrees", "3"],
    "relu-landscape": ["--replicas", "5"], "teacher-student": ["--replicas", "2", "--time", "0.1", "--saves", "2"],
    "graded-teacher": ["--replicas", "1", "--copies", "1", "--reference-width", "2", "--strengths", "1", "--dim", "2",
                       "--width", "1"],
    "units": ["--widths", "2", "--samples", "40", "--epochs", "1", "--replicas", "1"],
}


class Recorder:
    """A namespace that knows which of its values were asked for."""

    def __init__(self, args):
        self._values, self.read = vars(args), set()

    def __getattr__(self, name):
        if name.startswith("__") or name not in self._values:
            raise AttributeError(name)
        self.read.add(name)
        return self._values[name]


def in_source(run) -> set[str]:
    """What the command's module takes from its arguments, whatever the mode: ``args.name``, and names it asks for by text."""
    draws = isinstance(run, partial)  # lab.cli runs the command and draws what it found
    tree = ast.parse(inspect.getsource(run.args[0] if draws else inspect.getmodule(inspect.unwrap(run))))
    body = [node for node in tree.body if getattr(node, "name", "") != "add_arguments"]
    nodes = [node for part in body for node in ast.walk(part)]
    loops = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr"]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)} if loops else set()
    texts |= {"plot"} if draws else set()
    return texts | {node.attr for node in nodes if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "args"}


def flags(parser) -> dict[str, str]:
    return {action.dest: action.option_strings[0] if action.option_strings else action.dest for action in parser._actions
            if action.dest not in ("help", "json")}


@pytest.mark.parametrize("room, name", EVERY)
def test_no_flag_is_offered_that_nothing_reads(room, name):
    parser, run = parser_of(room, name, TABLES[room][name])
    known = in_source(run)
    if room == "figures":
        known |= {"report"}  # figures.commands.report writes for the command run, too
    if room == "empirical":
        known |= {"data", "arch", "model"}  # empirical.flags
    assert set(flags(parser)) <= known


@pytest.mark.parametrize("name, mode", [(name, mode) for name in SMALL for mode in [[], *MODES.get(name, [])]])
def test_in_every_mode_a_flag_is_read_or_refused(name, mode, tmp_path):
    parser, run = parser_of("toy", name, TABLES["toy"][name])
    stored = ["--out", str(tmp_path), "--dry-run"] if "--table" in mode else []
    args = parser.parse_args([*SMALL[name], *mode, *stored])
    seen = Recorder(args)
    run(seen)
    later = {"jobs", "tickets"} if stored else set()  # a dry run has no use for the one, argparse refuses the other
    assert set(flags(parser)) <= seen.read | later | set(ignored(parser, args))


PLANS = {"hull": [["--queries", "5"], ["--space", "wavelets"], ["--space", "features", "--arch", "mlp"], ["--arch", "mlp"]],
         "sweep": [["--arch", "mlp"], ["--arch", "mlp", "--match", "train-loss"], ["--arch", "transformer"]],
         "units": [["--arch", "mlp"]], "bench": [["--arch", "mlp"]]}
LATER = {"jobs", "scheduler", "device"}  # what a plan does not depend on


@pytest.mark.parametrize("name, mode", [(name, mode) for name in PLANS for mode in PLANS[name]])
def test_plans_of_real_networks_read_all_flags(name, mode, tmp_path):
    parser, run = parser_of("empirical", name, TABLES["empirical"][name])
    stored = ["--out", str(tmp_path)] if "out" in flags(parser) else []
    args = parser.parse_args(["--quick", "--dry-run", "--device", "cpu", *stored, *mode])
    seen = Recorder(args)
    run(seen)
    assert set(flags(parser)) <= seen.read | LATER | set(ignored(parser, args))


def end(capsys, room, name, *argv) -> tuple[int, str]:
    """Exit code of a command and the one line that it said."""
    code = main(room, TABLES[room], [name, *map(str, argv)])
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and "Traceback" not in err, err
    return code, err


@pytest.mark.parametrize("command, says", [
    ("toy graded-teacher --dim 1", "--dim"), ("toy teacher-student --dim 1", "--dim"), ("toy relu-landscape --dim 2", "--dim"),
    ("toy relu-landscape --tickets --teacher-width 3", "--width"), ("toy double-descent --features 500", "--dim"),
    ("toy polynomial --degrees 2 --degree 3", "--degrees"), ("toy first-reach --width 1000000000 --copies 1000000000", "width"),
    ("toy multi-view --widths 1000000000", "memory"), ("toy bumps --bumps 1000000000", "memory"),
    ("toy memorise --widths 1000000000", "memory"), ("toy units --widths 1000000000", "memory"),
    ("empirical sweep --alphas 1 2/3", "not a multiple"), ("empirical hull --dim 1000", "--dim 1000"),
    ("empirical sweep --depth 3", "leave it out"), ("empirical units --alphas 1/64", "--base-width"),
    ("empirical bench --arch mlp --data cifar10", "--data-dir"), ("theory derive nonsense", "no derivation"),
    ("theory check --only nonsense", "no check"), ("figures run --only nonsense", "no study"),
    ("figures verify --only nonsense", "no claim")])
def test_what_only_the_library_can_refuse_ends_alike_too(command, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WIDTHLAB_DATA", raising=False)
    code, line = end(capsys, *command.split())
    assert code == 2 and says in line


@pytest.mark.parametrize("command", [
    *(f"toy {name} {flag}" for name in ("bumps", "multi-view", "first-reach", "memorise", "double-descent", "polynomial", "units")
      for flag in ("--jobs 2", "--out x")),
    "toy teacher-student --out x", "toy graded-teacher --out x", "toy relu-landscape --out x",
    *(f"toy relu-landscape {mode} {flag}" for mode in ("--tickets", "--table")
      for flag in ("--learning-rate 0.2", "--rate 0.2", "--max-steps 5", "--time-limit 5")),
    "toy relu-landscape --table --width 3", "toy relu-landscape --table --tickets",
    "empirical sweep --target-loss 1", "empirical sweep --data-dir x", "empirical sweep --max-length 9",
    "empirical sweep --arch transformer --no-augment", "empirical hull --wavelet db2", "empirical hull --epochs 3",
    "empirical units --trained x --epochs 3", "empirical gpu --stages tests --steps 3", "figures run --quick --scale full"])
def test_flags_that_would_do_nothing_are_refused(command, capsys):
    code, line = end(capsys, *command.split())
    assert code == 2 and "--help" in line


def test_all_that_runs_has_a_quick_version_and_a_plan():
    for room, name in sorted(LONG):
        assert {"quick", "dry_run"} <= set(flags(parser_of(room, name, TABLES[room][name])[0])), (room, name)


LIBRARY = [path for room in ("lab", *ROOMS) for path in sorted((ROOT / room).rglob("*.py"))
           if path.parent.name != "commands" and path.name not in ("command.py", "cli.py", "arguments.py", "flags.py")]


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_speaks_of_no_flag(path):
    tree = ast.parse(path.read_text())
    assert path.name == "errors.py" or not [node for node in ast.walk(tree) if getattr(node, "id", "") == "UsageError"]
    texts = [node.value for one in ast.walk(tree) if isinstance(one, ast.Raise) for node in ast.walk(one)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in texts if re.search(r"(?<![\w-])--[a-z]", text)]


def test_arguments_are_spelt_as_flags():
    parser = argparse.ArgumentParser()
    parser.add_argument("--image-size")
    parser.add_argument("--widths")
    for error, text in [(InputError("too large: lower image_size", "image_size"), "too large: lower --image-size"),
                        (ArgumentError("width must be 1", "width"), "--widths must be 1"),
                        (ArgumentError("bandwidth 3, depth 2", "width", "depth"), "bandwidth 3, depth 2 (--widths)"),
                        (UsageError("--image-size is odd", "image_size"), "--image-size is odd")]:
        assert in_flags(parser, error) == text


def test_a_condition_is_for_flags_that_there_are():
    with pytest.raises(KeyError, match="--nonsense"):
        only(argparse.ArgumentParser(), "--nonsense", when=bool, words="never")
