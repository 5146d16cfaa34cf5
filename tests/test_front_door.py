"""``import widthlab`` and the console script: names of the rooms, their commands, whatever the working folder holds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lab
import theory
import toy
import widthlab
from lab import console
from tests.overlay import ROOMS, ROOT

HEAVY = {"torch", "numba", "scipy", "sympy", "pandas", "sklearn", "matplotlib"}
SCRIPT = "import sys; sys.argv[0] = 'widthlab'; from widthlab import main; sys.exit(main())"


def test_every_name_is_there_and_is_the_rooms_own():
    assert set(widthlab.__all__) <= set(dir(widthlab)) and widthlab.__version__ == lab.__version__
    for name in widthlab.__all__:
        assert getattr(widthlab, name) is not None
    assert {"compare", "from_module", "sweep", "Moments", "span_error", "linear_cka", "claims", "toy"} <= set(widthlab.__all__)
    assert widthlab.toy.bumps is toy.bumps and widthlab.span_error is theory.span_error
    assert widthlab.Estimate is lab.Estimate and widthlab.Estimate.__module__ == "lab.estimate"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = widthlab.nothing


def test_the_front_door_loads_nothing_heavy():
    code = f"import widthlab, sys; dir(widthlab); widthlab.Moments; print(*sorted({HEAVY!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"torch", "numba", "matplotlib", "pandas"} & set(found.stdout.split())


def test_rooms_show_what_they_hold():
    assert {"bumps", "graded_teacher"} <= set(dir(toy))
    assert {"moments", "hull", "span_error", "linear_cka"} <= set(dir(theory))
    assert {"RunStore", "Study", "mean_interval", "generator"} <= set(dir(lab))
    assert theory.span_error.__module__ == "theory.measures.span" and lab.RunStore.__module__ == "lab.store"
    for room in (lab, theory, toy, widthlab):  # nothing that a file imports for itself
        assert not {"import_module", "cache", "lazy", "exports", "sys"} & set(dir(room))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = theory.nothing


@pytest.mark.parametrize("argv, code, says", [
    (["--version"], 0, f"widthlab {lab.__version__}"), (["toy", "--version"], 0, f"widthlab {lab.__version__}"),
    (["--help"], 0, "empirical sweep"), ([], 2, "commands:"), (["attic"], 2, "invalid choice: 'attic'"),
    (["theory", "--help"], 0, "derive a formula"), (["theory", "derive", "§§§"], 2, "widthlab theory list"),
    (["sweep", "--help"], 0, "usage: widthlab sweep"), (["sweep", "--alphas", "0"], 2, "widthlab sweep: argument --alphas"),
    (["compare", "--help"], 0, "usage: widthlab compare"),
    (["report", "--help"], 0, "usage: widthlab report"), (["--completion", "dos"], 2, "invalid choice: 'dos'"),
])
def test_the_script_speaks_of_itself(argv, code, says, capsys):
    assert widthlab.main(argv) == code
    out, err = capsys.readouterr()
    assert says in (out if code == 0 else err) and not (code == 0 and err) and not (code and out)
    assert console.called("theory list") == "python -m theory list"  # the words are given back


def test_completion(capsys):
    assert widthlab.main(["--completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert "--direction-norm" in script and "graded-teacher" in script and "--alphas" in script
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0


@pytest.fixture
def shadows(tmp_path) -> Path:
    """A folder that has every package's name."""
    for name in ROOMS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong package')\n")
    (tmp_path / "widthlab.py").write_text("raise RuntimeError('the wrong module')\n")
    (tmp_path / "mine.py").write_text("value = 3\n")
    return tmp_path


def test_the_working_folder_comes_last(shadows):
    """As the console script starts: its folder, not the working one, is first on the path (-P)."""
    code = SCRIPT.replace("sys.exit(main())", "code = main(); import mine; assert mine.value == 3; sys.exit(code)")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", code, "toy", "bumps", "--dry-run", "--json"]
    found = subprocess.run(command, cwd=shadows, env=environment, capture_output=True, text=True)
    assert found.returncode == 0 and json.loads(found.stdout)["would_simulate"], found.stderr
