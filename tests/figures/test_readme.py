"""What README.md shows is carried out: Python as it stands, commands with their flags."""

import importlib
import re
import shlex

import matplotlib
import pytest

from figures.__main__ import COMMANDS as FIGURES
from figures.catalogue import KEPT
from lab.cli import main

TEXT = (KEPT.parents[1] / "README.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```", TEXT, re.M | re.S)
SHELL = [line for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.M | re.S) for line in block.splitlines()]
COMMANDS = sorted(set(re.findall(r"python -m ([a-z]+ [^`#\n…]+?)(?=`|  |#|$)", TEXT, re.M)))
SHORT = ("theory derive",)  # these are carried out; of the others, the flags are read


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python(number):
    matplotlib.use("agg")
    exec(compile(PYTHON[number], f"README.md, Python block {number + 1}", "exec"), {})


def test_there_are_snippets_and_commands():
    assert len(PYTHON) >= 3 and len(COMMANDS) >= 10
    assert not [line for line in SHELL if line and not re.match(r"python -m |widthlab |#|export ", line)]


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, monkeypatch, tmp_path, capsys):
    room, *argv = shlex.split(command)
    table = importlib.import_module(f"{room}.__main__").COMMANDS
    monkeypatch.chdir(tmp_path)
    if not command.startswith(SHORT) and argv[0] != "--help":
        monkeypatch.setattr(importlib.import_module(table[argv[0]].partition("|")[0]), "run", lambda args: {})
    assert main(room, table, argv) == 0, capsys.readouterr().err


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_makefile_has_what_it_names(name):
    targets = re.findall(r"^([a-z-]+):", (KEPT.parents[1] / "Makefile").read_text(), re.M)
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", (KEPT.parents[1] / name).read_text(), re.M))
    assert len(named) > 3 and named <= set(targets)


def test_the_readme_says_what_the_kept_tables_say(capsys):
    readme = KEPT.parents[1] / "README.md"
    assert main("figures", FIGURES, ["readme", "--check", "--file", str(readme)]) == 0
    for line in readme.read_text().splitlines():
        if "](figures/" in line:
            assert (readme.parent / line.partition("](")[2].rstrip(")")).exists()


def test_a_readme_without_a_place_for_the_table(tmp_path, capsys):
    assert main("figures", FIGURES, ["readme", "--file", str(tmp_path / "README.md")]) == 1
    assert "add them" in capsys.readouterr().err
