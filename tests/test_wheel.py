"""The wheel in an empty environment, called from a folder that has a file or folder of every package's name."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

import widthlab
from lab.front import commands
from tests.overlay import ROOMS, ROOT

pytestmark = pytest.mark.slow


PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "widthlab.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source], check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module", params=["empty", "borrowed"])
def installed(request, wheel, tmp_path_factory) -> Path:
    """The console script in an environment that has the wheel and its dependencies, but not this checkout.

    The environment is empty at first, where pip has packages to fill it with; elsewhere the dependencies are this one's.
    """
    there = subprocess.run([*PIP, "install", "--dry-run", "--no-deps", "--ignore-installed", "--retries", "0", "tqdm"],
                           capture_output=True).returncode == 0
    if there != (request.param == "empty"):
        pytest.skip("pip has no packages here" if request.param == "empty" else "shown in an empty environment")
    folder = tmp_path_factory.mktemp(request.param)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    install = [*PIP, "--python", python, "install"]
    if there:
        subprocess.run([*install, "--constraint", ROOT / "constraints.txt", wheel], check=True)
    else:
        subprocess.run([*install, "--no-deps", "--no-index", wheel], check=True)
        (where,) = folder.rglob("site-packages")
        (where / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # after the wheel's own modules
    return python.with_name("widthlab")


@pytest.fixture(scope="module")
def shadows(tmp_path_factory) -> Path:
    """A folder whose files have the packages' names, and whose own module is wanted."""
    folder = tmp_path_factory.mktemp("shadows")
    for name in ROOMS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise RuntimeError('the wrong package')\n")
    (folder / "widthlab.py").write_text("raise RuntimeError('the wrong module')\n")
    return folder


def call(script: Path, folder: Path, *argv: str, code: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    done = subprocess.run([script, *argv], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == code, f"{argv}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_type_checkers_find_the_types_of_every_room(wheel):
    assert {f"{room}/py.typed" for room in widthlab.ROOMS} <= set(ZipFile(wheel).namelist())


def test_every_command_has_its_help(installed, shadows):
    assert call(installed, shadows, "--version") == f"widthlab {widthlab.__version__}\n"
    for room in widthlab.ROOMS:
        for name in commands(room):
            assert f"usage: widthlab {room} {name}" in call(installed, shadows, room, name, "--help")
    for name in widthlab.SHORT:
        assert f"usage: widthlab {name}" in call(installed, shadows, name, "--help")


def test_a_toy_command_with_its_picture(installed, shadows):
    out = json.loads(call(installed, shadows, "toy", "bumps", "--quick", "--json", "--plot", "bumps.svg"))
    assert out["cells"] and "<svg" in (shadows / "bumps.svg").read_text()


def test_a_comparison_of_features(installed, shadows):
    rng = np.random.default_rng(0)
    for name, width in (("narrow", 4), ("wide", 8)):
        np.save(shadows / f"{name}.npy", rng.normal(size=(400, width)))
    out = json.loads(call(installed, shadows, "compare", "narrow.npy", "wide.npy", "--json", "--plot", "compared.png"))
    assert out["span_error"]["mean"] > 0.8 and (shadows / "compared.png").stat().st_size > 1000


def test_a_users_own_network_is_found_last(installed, shadows):
    (shadows / "mine.py").write_text("from torch import nn\n\n\ndef make(alpha):\n    return nn.Sequential(nn.Flatten(), "
                                     "nn.Linear(64, int(8 * alpha)), nn.ReLU(), nn.Linear(int(8 * alpha), 10))\n")
    argv = ["--data", "digits", "--alphas", "1", "1/2", "--seeds", "1", "--epochs", "1", "--json"]
    out = json.loads(call(installed, shadows, "sweep", "--model", "mine:make", *argv))
    assert not out["failed"] and len(out["alphas"]) == 2
    call(installed, shadows, "sweep", "--model", "toy:make", *argv, code=2)  # the laboratory's, not that of the folder


def test_the_report_shows_the_kept_tables(installed, shadows):
    out = json.loads(call(installed, shadows, "report", "--json"))
    assert out["verdicts"].get("holds", 0) > 10 and (shadows / "report" / "index.html").stat().st_size > 10**6


def test_runs_go_to_the_working_folder_from_other_processes_too(installed, shadows):
    out = json.loads(call(installed, shadows, "figures", "run", "--quick", "--only", "bumps", "--jobs", "2", "--json"))
    manifest = json.loads((shadows / "runs" / "tables" / "bumps.manifest.json").read_text())
    assert out["computed"] == ["bumps"] and manifest["command"].startswith("widthlab figures run")
    assert manifest["environment"]["code"] == f"widthlab {widthlab.__version__}"


def test_tables_are_not_kept_in_an_installation(installed, shadows):
    call(installed, shadows, "figures", "keep", "bumps", code=1)
