"""The framework of derivations and predictions, and the three commands."""

import json
import math
import types

import numpy as np
import pytest
import sympy as sp

from lab.cli import main
from lab.discover import DeclarationError
from lab.errors import InputError
from theory.__main__ import COMMANDS
from theory.derivation import Derivation, Prediction, derivation, monte_carlo, named
from theory.derivation import registry as framework


@derivation("toy-square", "A sum squared: C_ab √2 ≤ 100 %.", "derived here", symbols={"x": "a number"})
def derive_square(d, power=2):
    """Expand."""
    x, y = sp.symbols("x y")
    d.step("Words alone.")
    return d.conclude(d.step("Expand it.", sp.Eq(named("S"), sp.expand((x + y) ** power))))


def _module(derivations, checks):
    made = types.ModuleType("theory.fake")
    made.DERIVATIONS, made.CHECKS = derivations, checks
    return made


@pytest.fixture
def registry(monkeypatch):
    """A room with one module whose checks are quick."""
    checks = {
        "good": lambda rng: [Prediction("good/exact", 1.0, 1.0 + 1e-12),
                             monte_carlo("good/mc", 0.0, rng.normal(size=99))],
        "bad": lambda rng: Prediction("bad/exact", 1.0, 1.1),
        "broken": lambda rng: 1 / 0,
    }
    monkeypatch.setattr(framework, "modules", lambda: [("theory.fake", _module({"toy-square": derive_square}, checks))])
    return checks


def test_a_derivation_prints_itself():
    d = derive_square()
    assert isinstance(d, Derivation) and d.name == "toy-square" and d.status == "derived"
    text = d.to_text()
    assert "1. Words alone." in text and "2. Expand it." in text and "x: a number" in text
    latex = d.to_latex()
    assert latex.isascii() and "x^{2}" in latex and "$C_{ab}$" in latex and r"100 \%" in latex
    assert sp.expand(derive_square(power=3).result.rhs - sp.sympify("(x+y)**3").expand()) == 0
    assert derive_square.source == "derived here"


def test_a_notebook_shows_a_derivation():
    d = derive_square()
    assert d._repr_latex_() == d.to_latex() and len(repr(d)) < 120
    markdown = d._repr_markdown_()
    assert "2. Expand it.\n\n   $$\n   S = x^{2} + 2 x y + y^{2}\n   $$" in markdown and "$C_{ab}$ √2 ≤ 100 %" in markdown


def test_a_step_that_leaves_zero_says_what_vanishes():
    x = sp.Symbol("x")
    d = Derivation("d", "s", "here")
    for zero in (0, sp.S.Zero, sp.zeros(2), sp.Tuple(sp.zeros(2), 0)):
        assert d.step("The difference is", zero) == zero
    assert d.to_latex().count(r"\text{remainder} = 0") == 4 and "\\[ 0 \\]" not in d.to_latex()
    assert d.step("Values", sp.Tuple(x, 0)) and d.vanishes("Both sides agree.", x - x, "∂N − x_a") is None
    with pytest.raises(ArithmeticError, match="both does not vanish: x"):
        d.vanishes("They do not.", x, "both")
    assert "∂N − x_a = 0" in d.to_text() and r"\[ \text{$\partial$N $-$ $x_{a}$} = 0 \]" in d.to_latex()


@pytest.mark.slow
def test_every_derivation_of_the_room_can_be_shown():
    for name, function in framework.derivations().items():
        d = function()
        assert d.to_latex().isascii() and "\\[ 0 \\]" not in d.to_latex() and d.to_markdown().count("$$") >= 2, name


def test_every_derivation_of_the_room_prints_and_every_name_is_unique():
    table = framework.derivations()
    assert {"erf-i2", "erf-j2", "erf-i3", "erf-i4", "relu-i2", "relu-j2", "relu-i3"} <= set(table)
    for name, function in table.items():
        assert function.name == name and function.statement and function.source
        assert function.status in ("derived", "cited")


@pytest.mark.parametrize("name", ["erf-i3", "relu-i2"])
def test_derivations_of_the_room_are_ascii_latex(name):
    d = framework.find_derivation(name)()
    assert d.to_latex().isascii()
    assert len(d.steps) >= 3 and isinstance(d.result, sp.Eq)


def test_deviation_and_verdict():
    assert Prediction("p", 1.0, 1.0).passed
    assert Prediction("p", math.inf, math.inf).passed
    assert not Prediction("p", math.nan, 1.0).passed
    assert not Prediction("p", 1.0, 1.0 + 1e-7).passed
    assert Prediction("p", 1.0, 1.0 + 1e-7, tolerance=1e-6).passed
    assert Prediction("p", 2.0, 1.0, standard_error=0.25).deviation == 4.0
    assert Prediction("p", 2.0, 1.0, standard_error=0.25).passed
    assert not Prediction("p", 2.0, 1.0, standard_error=0.2).passed
    assert not Prediction("p", 2.0, 1.0, standard_error=0.0).passed
    assert Prediction("p", 0.0, 1e-12).deviation == 1.0
    assert Prediction("p", 0.0, 1e-12, scale=1.0).passed
    keys = {"name", "symbolic", "numeric", "standard_error", "deviation", "passed"}
    assert keys <= set(Prediction("p", 1.0, 1.0).to_json())


def test_monte_carlo_standard_error():
    p = monte_carlo("p", 0.0, np.arange(5.0))
    assert p.numeric == 2.0 and p.standard_error == pytest.approx(math.sqrt(2.5 / 5))
    with pytest.raises(InputError):
        monte_carlo("p", 0.0, [1.0])


def test_a_check_has_a_stream_of_its_own():
    def check(rng):
        yield monte_carlo("x", 0.0, rng.normal(size=10))

    first, second = framework.run_check("x", check), framework.run_check("x", check)
    assert first == second
    assert framework.run_check("y", check)[0].numeric != first[0].numeric
    with pytest.raises(RuntimeError):
        framework.run_check("x", lambda rng: [])


def test_every_derivation_stands_in_a_table(monkeypatch):
    monkeypatch.setattr(framework, "matching", lambda package, pattern: [__name__])
    monkeypatch.setattr(framework, "binding", lambda package, table: [])
    with pytest.raises(DeclarationError, match="'toy-square' is not in its table"):
        framework.derivations()


def test_one_name_twice_is_an_error(monkeypatch):
    fake = _module({"toy-square": derive_square}, {})
    monkeypatch.setattr(framework, "modules", lambda: [("a", fake), ("b", fake)])
    with pytest.raises(DeclarationError, match="taken"):
        framework.derivations()


def test_list(registry, capsys):
    assert main("theory", COMMANDS, ["list", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["derivations"][0]["name"] == "toy-square" and out["checks"] == ["good", "bad", "broken"]


def test_derive(registry, capsys):
    assert main("theory", COMMANDS, ["derive", "toy-square"]) == 0
    assert "Result" in capsys.readouterr().out
    assert main("theory", COMMANDS, ["derive", "toy-square", "--latex"]) == 0
    assert r"\begin{enumerate}" in capsys.readouterr().out
    assert main("theory", COMMANDS, ["derive", "toy-square", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "derived"
    assert main("theory", COMMANDS, ["derive", "toy-sqare"]) == 2
    assert "did you mean toy-square" in capsys.readouterr().err


def test_check_passes_and_fails(registry, capsys):
    assert main("theory", COMMANDS, ["check", "--only", "good", "--jobs", "1", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert [p["passed"] for p in out["predictions"]] == [True, True]
    assert main("theory", COMMANDS, ["check", "--jobs", "1", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["failed"] == ["bad/exact", "broken"]
    assert "ZeroDivisionError" in captured.err and "FAIL" in captured.err
    assert main("theory", COMMANDS, ["check", "--only", "zzz"]) == 2
    assert "no check matches" in capsys.readouterr().err


@pytest.mark.slow
def test_check_is_the_same_alone_and_in_parallel(capsys):
    assert main("theory", COMMANDS, ["check", "--only", "relu-j2", "--jobs", "1", "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)["predictions"]
    assert main("theory", COMMANDS, ["check", "--only", "relu-j2", "--only", "relu-i2", "--jobs", "2", "--json"]) == 0
    both = json.loads(capsys.readouterr().out)["predictions"]
    assert alone == [p for p in both if p["name"].startswith("relu-j2")]
