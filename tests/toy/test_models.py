"""Every toy model declares itself once, offers the same functions, and is not loaded before it is used."""

import subprocess
import sys
from importlib import import_module

import pytest

import toy
from lab.discover import DeclarationError
from toy import models


@pytest.mark.parametrize("module", models.models())
def test_a_model_offers_simulate_and_predict_or_says_why_not(module):
    package, model = import_module(module), models.models()[module]
    assert callable(package.simulate) and model == package.MODEL
    assert hasattr(package, "predict") == (not model.no_theory)
    assert set(package.__all__) <= set(dir(package))
    assert all(getattr(package, name) is not None for name in package.__all__)


def test_the_room_shows_its_models():
    names = {module.removeprefix("toy.") for module in models.models()}
    assert names <= set(dir(toy)) and "mlp" not in names and toy.bumps is import_module("toy.bumps")
    assert {name.replace("-", "_") for name in models.commands()} == names
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = toy.nothing


def test_a_model_without_a_command_is_an_error(monkeypatch):
    monkeypatch.setattr(models, "models", lambda: {"toy.mlp": models.Model("an engine")})
    with pytest.raises(DeclarationError, match=r"toy\.mlp has no command"):
        models.commands()


HEAVY = {"torch", "numba", "scipy", "sympy", "pandas", "sklearn", "matplotlib", "importlib.metadata"}


@pytest.mark.parametrize("code", [
    "import toy, theory, empirical, figures, lab; dir(toy)",
    "import toy.__main__, theory.__main__, empirical.__main__, figures.__main__",
    "import toy.bumps, toy.graded_teacher.command, toy.relu_landscape.command, toy.units.command, toy.teacher_student.command",
])
def test_names_and_help_load_nothing_heavy(code):
    code += f"; import sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
