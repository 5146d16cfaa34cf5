"""Every flag of every command: a value that works and one that is refused, in one line, before data are loaded.

A flag without an entry here fails the test that compares the table with the parsers.
"""

import json
from itertools import chain

import pytest

import empirical.__main__
import figures.__main__
import theory.__main__
import toy.__main__
from lab.arguments import ignored
from lab.cli import main, parser_of

ROOMS = {"theory": theory.__main__.COMMANDS, "toy": toy.__main__.COMMANDS, "empirical": empirical.__main__.COMMANDS,
         "figures": figures.__main__.COMMANDS}
NO_VALUE = ("", None)  # a switch: nothing that could be wrong
RUN = {"--seed": ("3", "-1"), "--jobs": ("1", "0"), "--out": ("OUT", "FILE/x"), "--quick": NO_VALUE, "--dry-run": NO_VALUE}
PLAN = {flag: RUN[flag] for flag in ("--seed", "--quick", "--dry-run")}
LOG = {"--log": ("wandb", "smoke")}  # neither package need be there
PLOT = {"--plot": ("OUT/picture.svg", "picture.txt")}
COUNT, RATE = ("2", "1.5"), ("0.5", "nan")
TEXT = ("TEXT", None)  # free text, looked at where it is used: left out of the runs with all flags
OWN = {"--model": ("json:loads", "json")}
TRAINING = {"--data-dir": TEXT, "--device": ("cpu", "meta"), "--threads": ("1", "0")}

# (room, command) -> flag -> (a value that works, one that does not)
FLAGS = {
    ("theory", "list"): {},
    ("theory", "compare"): {
        "--baseline": TEXT, "--pairs": NO_VALUE, "--labels": TEXT, "--ids": TEXT, "--groups": TEXT, "--held-out": ("0.3", "1"),
        "--ridges": ("1e-4 1e-2", "-1"), "--subset": ("0", "-1"), "--few-rows": NO_VALUE, "--seed": RUN["--seed"], **PLOT},
    ("theory", "derive"): {"--latex": NO_VALUE},
    ("theory", "check"): {**PLAN, "--only": ("counting-large", "nonsense"), "--jobs": RUN["--jobs"]},
    ("toy", "bumps"): {**PLAN, **PLOT, "--mode": ("cover", "fly"), "--bumps": ("1 2", "0"), "--half-line": ("5", "-1"),
                       "--bump-width": ("0.5", "inf"), "--times": ("1 2", "2 1"), "--replicas": ("2", "1e9")},
    ("toy", "critical-points"): {**PLAN, **PLOT, "--landscape": ("field", "hills"), "--size": ("3", "1"), "--starts": ("3", "1"),
                                 "--replicas": COUNT},
    ("toy", "double-descent"): {
        **PLAN, **PLOT, "--family": ("random-features", "trees"),
        "--features": ("2 3", "0"), "--samples": COUNT, "--dim": ("4", "x"),
        "--noise-variance": ("0", "nan"), "--ridge": ("0.1", "-1"), "--replicas": COUNT, "--teacher-width": ("0", "-1")},
    ("toy", "first-reach"): {
        **PLAN, **PLOT, "--strengths": ("1 0.5", "1 nan"), "--threshold": ("0.8", "1"), "--dim": ("4", "2"), "--width": COUNT,
        "--copies": COUNT, "--replicas": ("2", "-2"), "--init-readout": ("0.2", "0")},
    ("toy", "graded-teacher"): {
        **PLAN, **PLOT, "--jobs": RUN["--jobs"],
        "--strengths": ("1 0.5", "1 0"), "--direction-norm": ("2", "0"), "--dim": ("3", "1"), "--width": ("1", "0"),
        "--copies": COUNT, "--reference-width": COUNT, "--replicas": ("1", "True"),
        "--init-scale": ("0.2", "0"), "--gradient-tol": ("1e-3", "nan"), "--time-cap": ("1e3", "0"),
        "--ridge": ("1e-6 1e-3", "-1"), "--time-limit": ("60", "0"), "--no-theory": NO_VALUE},
    ("toy", "hull-threshold"): {**PLAN, "--law": ("gaussian", "cube"), "--points": ("8", "1"), "--dim": ("2", "0"),
                                "--fresh": COUNT, "--replicas": ("2", "0")},
    ("toy", "independent-features"): {**PLAN, "--rows": ("8", "3"), "--width": COUNT,
                                      "--other-width": ("2", "0"), "--replicas": ("2", "0")},
    ("toy", "memorise"): {**PLAN, **PLOT, "--tasks": ("structured", "none"), "--widths": ("4", "0"), "--samples": ("20", "1.5"),
                          "--replicas": ("1", "0"), "--epochs": ("2", "0"), "--learning-rate": ("0.01", "inf"),
                          "--batch-size": COUNT, "--label-noise": ("0.2", "1.5")},
    ("toy", "multi-view"): {**PLAN, **PLOT, "--second-strength": ("0.5", "1.5"), "--widths": ("1 2", "1 0"), "--copies": COUNT,
                            "--replicas": COUNT, "--init-scale": ("0.3", "0"), "--power": ("3", "2")},
    ("toy", "polynomial"): {**PLAN, **PLOT, "--degree": ("2", "0"), "--degrees": ("2", "1"), "--widths": ("2", "x"),
                            "--samples": ("20", "2"), "--replicas": ("1", "0")},
    ("toy", "relu-landscape"): {
        **RUN, **PLOT, "--teacher-width": ("3", "0"), "--width": ("4", "0"), "--dim": ("3", "2"), "--replicas": ("4", "1e3"),
        "--method": ("minimise", "newton"), "--learning-rate": ("0.1", "0"), "--max-steps": ("1000", "0"),
        "--time-limit": ("60", "nan"), "--table": NO_VALUE, "--tickets": NO_VALUE},
    ("toy", "teacher-student"): {
        **PLAN, **PLOT, "--jobs": RUN["--jobs"],
        "--dim": ("8", "0"), "--width": COUNT, "--teacher-width": ("1", "0"), "--strengths": ("0.5", "nan"),
        "--activation": ("erf", "sine"), "--learning-rate": RATE, "--readout-learning-rate": ("0", "-1"), "--noise": ("0", "inf"),
        "--batch-size": COUNT, "--weight-decay": ("0", "-1"), "--samples": ("32", "-1"), "--init-scale": RATE,
        "--time": ("2", "1e300"), "--saves": COUNT, "--replicas": COUNT, "--method": ("full", "half"),
        "--time-limit": ("60", "0")},
    ("toy", "units"): {**PLAN, **PLOT, "--widths": ("4 8", "0"), "--dim": ("3", "0"), "--samples": ("200", "1.5"),
                       "--init-scale": RATE,
                       "--init": ("lecun", "zero"), "--balanced": NO_VALUE, "--replicas": COUNT, "--epochs": ("1", "0"),
                       "--learning-rate": ("0.01", "0"), "--threshold": ("0.5", "1")},
    ("empirical", "bench"): {
        **TRAINING, "--quick": NO_VALUE, "--dry-run": NO_VALUE, "--arch": ("mlp", "lstm"), "--data": ("digits", "imagenet"),
        "--alphas": ("1 1/2", "1e-99999999"),
        "--base-width": ("8", "99999999"), "--batch-size": ("32", "0"), "--rows": ("100", "x"), "--steps": ("1", "0"),
        "--repeat": ("1", "0")},
    ("empirical", "family"): {
        **TRAINING, **{flag: RUN[flag] for flag in ("--jobs", "--out", "--quick", "--dry-run")}, "--folder": TEXT,
        "--data": ("digits", "imagenet"), "--image-size": ("8", "0"), "--max-length": ("8", "0"), "--rows": ("10", "0"),
        "--name": ("mine", "a/b"), **PLOT},
    ("empirical", "gpu"): {
        "--data-dir": TEXT, "--minutes": ("1", "0"), "--stages": ("bench", "rest"), "--every-way": NO_VALUE,
        "--compile": NO_VALUE, "--steps": ("1", "0"), "--jobs": ("1", "0"), "--device": ("cpu", "meta"), "--out": RUN["--out"],
        "--quick": NO_VALUE, "--dry-run": NO_VALUE},
    ("empirical", "hull"): {
        **TRAINING, **{flag: RUN[flag] for flag in ("--seed", "--out", "--quick", "--dry-run")}, **OWN, **PLOT,
        "--data": ("digits", "snli"), "--name": ("mine", "a/b"),
        "--space": ("features", "sound"), "--dim": ("4", "100000"), "--wavelet": ("haar", "bad x"), "--arch": ("mlp", "lstm"),
        "--alphas": ("1 1/2", "1e9"), "--trained": TEXT, "--sites": TEXT, "--epochs": ("1", "0"), "--queries": ("5", "0"),
        "--n": ("100", "-1"), "--no-leave-one-out": NO_VALUE, "--gaussian": ("5", "0"), "--classes": ("5", "0"),
        "--directions": TEXT, "--tol": ("1e-3", "0.5")},
    ("empirical", "sweep"): {
        **RUN, **TRAINING, **OWN, **PLOT, **LOG, "--arch": ("mlp", "lstm"), "--data": ("digits", "imagenet"),
        "--download": NO_VALUE,
        "--alphas": ("1 1/2", "1 1/3"), "--seeds": ("2", "1000000000"), "--base-width": ("8", "99999999"), "--depth": ("2", "0"),
        "--epochs": ("1", "0"), "--match": ("train-loss", "luck"), "--target-loss": ("2", "0"), "--copies": ("features", "x"),
        "--start": ("slice", "x"), "--sites": ("penultimate", "x"), "--learning-rate": ("0.1", "nan"),
        "--optimizer": ("sgd", "x"),
        "--schedule": ("constant", "x"), "--batch-size": ("32", "0"), "--weight-decay": ("0", "nan"), "--no-augment": NO_VALUE,
        "--init": ("he-normal", "x"), "--parametrisation": ("standard", "x"), "--train-size": ("100", "0"),
        "--image-size": ("8", "0"), "--max-length": ("8", "0"), "--label-noise": ("0.1", "1.5"), "--stack": ("1", "0"),
        "--name": ("mine", "../x"), "--scheduler": TEXT},
    ("empirical", "units"): {
        **RUN, **TRAINING, **OWN, **PLOT, **LOG, "--arch": ("mlp", "lstm"), "--data": ("digits", "imagenet"),
        "--trained": TEXT,
        "--sweep": ("init", "age"), "--values": ("he", "she"), "--alphas": ("1 2", "0"), "--seeds": ("1", "1001"),
        "--base-width": ("8", "0"), "--epochs": ("1", "0"), "--learning-rate": ("0.1", "0"), "--batch-size": ("32", "0"),
        "--init": ("he-normal", "x"), "--recipe": ("paper", "x"), "--train-size": ("100", "0"), "--image-size": ("8", "0"),
        "--orders": ("1", "0"), "--images": ("10", "0"), "--rows": ("10", "0"), "--name": ("mine", "a/b")},
    ("figures", "gallery"): {"--out": RUN["--out"], "--to": ("OUT", "FILE/x"), "--only": ("nothing", None)},
    ("figures", "keep"): {"--out": RUN["--out"]},
    ("figures", "readme"): {"--file": TEXT, "--check": NO_VALUE},
    ("figures", "report"): {"--runs": RUN["--out"], "--out": RUN["--out"], "--report": ("OUT", "FILE/x"), "--jobs": ("1", "0")},
    ("figures", "reproduce"): {"--anew": NO_VALUE, "--out": RUN["--out"], "--jobs": ("1", "0"), "--quick": NO_VALUE,
                               "--dry-run": NO_VALUE},
    ("figures", "run"): {"--scale": ("quick", "slow"), "--room": ("toy", "attic"), "--only": ("bumps", "nonsense"),
                         "--out": RUN["--out"], "--report": ("OUT", "FILE/x"), "--jobs": ("1", "0"), "--scheduler": TEXT,
                         "--quick": NO_VALUE, "--dry-run": NO_VALUE},
    ("figures", "settle"): {"--budget": ("90s", "soon"), "--out": RUN["--out"], "--jobs": ("1", "0"), "--quick": NO_VALUE,
                            "--dry-run": NO_VALUE},
    ("figures", "verify"): {"--only": ("s0", "nonsense"), "--claim": ("s0.narrow-does-not-span-wide", "nonsense"),
                            "--table": TEXT, "--out": RUN["--out"]},
}
NAMED = {("empirical", "family"): ["--folder", "nowhere", "--data", "digits"], ("theory", "compare"): ["a.npy", "b.npy"],
         ("theory", "derive"): ["erf-i3"], ("figures", "keep"): ["bumps"]}  # arguments that must be there
APART = {"--table", "--tickets", "--dry-run", "--compile", "--every-way"}  # not with the others
FREE = {flag for room in FLAGS.values() for flag, entry in room.items() if entry == TEXT} - {"--data-dir"}


def command(room: str, name: str, *argv: str) -> int:
    return main(room, ROOMS[room], [name, *NAMED.get((room, name), []), *argv])


def test_every_flag_of_every_command_is_here():
    for room, table in ROOMS.items():
        for name, entry in table.items():
            parser = parser_of(room, name, entry)[0]
            flags = {flag for action in parser._actions for flag in action.option_strings} - {"-h", "--help", "--json"}
            assert flags == set(FLAGS[room, name]), f"{room} {name}: say in FLAGS what its flags may be"


BAD = [pytest.param(room, name, flag, bad, id=f"{name} {flag}") for (room, name), flags in FLAGS.items()
       for flag, (_, bad) in flags.items() if bad is not None]


@pytest.mark.parametrize("room, name, flag, bad", BAD)
def test_bad_values_are_refused_in_a_line_before_data_are_loaded(room, name, flag, bad, tmp_path, monkeypatch, capsys):
    def never(*_, **__):
        raise AssertionError("data were loaded")

    monkeypatch.setattr("empirical.data.load", never)
    monkeypatch.setattr("empirical.data.dataset", never)
    (tmp_path / "FILE").touch()
    monkeypatch.chdir(tmp_path)
    needs = {"--space": [], "--wavelet": ["--space", "wavelets"], "--target-loss": ["--match", "train-loss"],
             "--teacher-width": [], "--degrees": ["--degree", "3"]}.get(flag, [])
    assert command(room, name, *needs, flag, *bad.split(" ")) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and "Traceback" not in err


ALL = [pytest.param(room, name, id=f"{room} {name}") for room, name in FLAGS if room == "toy"]


def together(room: str, name: str, apart: set, folder) -> list[str]:
    """All flags of a command with values that work, but for some, and for those that do nothing beside the others."""
    words = {flag: [flag, *good.replace("OUT", str(folder)).split()] for flag, (good, _) in FLAGS[room, name].items()
             if flag not in apart}
    parser = parser_of(room, name, ROOMS[room][name])[0]
    idle = ignored(parser, parser.parse_args([*NAMED.get((room, name), []), *chain(*words.values())]))
    return list(chain(*(rest for flag, rest in words.items() if flag[2:].replace("-", "_") not in idle)))


@pytest.mark.parametrize("room, name", ALL)
def test_all_flags_together(room, name, tmp_path, capsys):
    assert command(room, name, *together(room, name, APART | FREE, tmp_path), "--json") == 0
    assert json.loads(capsys.readouterr().out)
    if "--plot" in FLAGS[room, name]:
        assert (tmp_path / "picture.svg").read_text().count("<g id=") > 10


@pytest.mark.parametrize("name", ["sweep", "units", "hull"])
def test_all_flags_of_real_networks_in_a_dry_run(name, tmp_path, capsys):
    apart = FREE | {"--log", "--data-dir", "--model"}
    assert command("empirical", name, *together("empirical", name, apart, tmp_path), "--json") == 0
    assert json.loads(capsys.readouterr().out)["missing"] > 0
