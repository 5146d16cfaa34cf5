"""One vocabulary: what is one thing has one name in every model, in its arguments, results and flags."""

import dataclasses
import inspect
import json
import re
import typing
from argparse import ArgumentParser
from importlib import import_module

import pytest

from lab.cli import main
from lab.errors import InputError
from toy import models
from toy.__main__ import COMMANDS

MODELS = models.models()
WITH_THEORY = [module for module, model in MODELS.items() if not model.no_theory]
FUNCTIONS = [(module, name) for module, model in MODELS.items() for name in ("simulate", "predict")
             if name == "simulate" or not model.no_theory]
OLD = {"loss_target", "value_target", "loss_goal", "success", "loss", "initial_scale", "scale", "rule", "output_start",
       "initial_readout", "inputs", "seconds", "rate", "lr", "readout_rate", "decay", "optimiser", "batch", "tests", "first",
       "teacher"}


def parameters(module: str, name: str) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(getattr(import_module(module), name)).parameters)


@pytest.mark.parametrize("module", WITH_THEORY)
def test_simulate_and_predict_take_the_same_arguments(module):
    model, run, theory = MODELS[module], parameters(module, "simulate"), parameters(module, "predict")
    assert set(model.simulation_only) <= run.keys() - theory.keys()  # no exception that is none
    assert set(model.theory_only) <= theory.keys() - run.keys() and not models.RUN_TIME & theory.keys()
    shared = run.keys() - models.RUN_TIME - set(model.simulation_only)
    assert shared == theory.keys() - set(model.theory_only)
    assert {name: run[name].default for name in shared} == {name: theory[name].default for name in shared}
    assert {name: run[name].annotation for name in shared} == {name: theory[name].annotation for name in shared}


@pytest.mark.parametrize("module, name", FUNCTIONS)
def test_help_shows_every_argument_and_what_comes_back(module, name):
    function = getattr(import_module(module), name)
    documented = inspect.getdoc(function).partition("Parameters\n----------\n")[2].partition("\nReturns\n-------")[0]
    entries = {word for line in documented.replace("\\\n", " ").splitlines() if line[:1].strip()
               for word in re.findall(r"\w+", line.partition(" :")[0])}
    for parameter in parameters(module, name).values():
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        assert parameter.name in entries and parameter.annotation is not parameter.empty, parameter
        assert parameter.name not in OLD
    if name == "simulate":
        assert len(re.findall(r"^\w.* : ", documented, re.M)) >= len(parameters(module, name)) - 1  # an entry each (rtol, atol)
    result = typing.get_type_hints(inspect.unwrap(function))["return"]
    assert dataclasses.is_dataclass(result) and result.__dataclass_params__.frozen


@pytest.mark.parametrize("module, old, new", [
    ("bumps", {"width": 2.0}, {"bump_width": 2.0}),
    ("double_descent", {"noise": 0.3}, {"noise_variance": 0.3}),
    ("first_reach", {"output_start": 0.2, "threshold": 0.8}, {"init_readout": 0.2, "threshold": 0.8}),
    ("multi_view", {"scale": 0.1, "loss": 0.02}, {"init_scale": 0.1, "target_loss": 0.02}),
    ("units", {"width": 8, "rule": "glorot", "scale": 2.0, "tests": 9}, {"width": 8, "init": "glorot", "init_scale": 2.0}),
    ("teacher_student",
     {"inputs": 30, "initial_scale": 0.1, "start": "teacher", "times": (0, 1), "replicas": 2, "readout_rate": 0},
     {"dim": 30, "init_scale": 0.1, "init": "teacher", "times": (0, 1), "replicas": 2, "readout_learning_rate": 0})])
def test_old_names_of_arguments_are_understood(module, old, new):
    predict = import_module(f"toy.{module}").predict
    with pytest.warns(DeprecationWarning, match="is now called"):
        was = predict(**old)
    found = dataclasses.asdict(predict(**new))
    assert all(repr(value) == repr(found[key]) for key, value in dataclasses.asdict(was).items() if key != "seconds")
    changed, renamed = next((a, b) for a, b in zip(old, new) if a != b)
    with pytest.raises(InputError, match=f"give {renamed} alone"):
        predict(**{changed: old[changed], renamed: new[renamed]})


@pytest.mark.parametrize("command, old, new", [
    ("bumps", ["--width"], ["--bump-width"]),
    ("double-descent", ["--noise", "--teacher"], ["--noise-variance", "--teacher-width"]),
    ("first-reach", ["--output-start"], ["--init-readout"]),
    ("memorise", ["--rate"], ["--learning-rate"]),
    ("multi-view", ["--scale"], ["--init-scale"]),
    ("relu-landscape", ["--teacher", "--rate"], ["--teacher-width", "--learning-rate"]),
    ("teacher-student", ["--inputs", "--readout-rate", "--batch", "--initial-scale"],
     ["--dim", "--readout-learning-rate", "--batch-size", "--init-scale"]),
    ("units", ["--scale", "--rate"], ["--init-scale", "--learning-rate"])])
def test_old_flags_are_understood_and_not_shown(command, old, new, capsys):
    said = []
    family = ["--family", "network"] if command == "double-descent" else []
    for flags in (old, new):
        words = [word for flag in flags for word in (flag, "3")]
        assert main("toy", COMMANDS, [command, *family, *words, "--dry-run", "--json"]) == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0] == said[1] and "3" in json.dumps(said[0])
    parser = ArgumentParser()
    import_module(COMMANDS[command].partition("|")[0]).add_arguments(parser)
    shown = set(re.findall(r"--[\w-]+", parser.format_help()))
    assert set(new) <= shown and not set(old) & shown
