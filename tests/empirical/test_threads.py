"""The table of a sweep is the same, byte for byte, whatever the jobs, the threads of the machine, and kills."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from empirical.__main__ import COMMANDS
from empirical.settings import ARCHITECTURES
from lab.cli import main
from lab.threads import fixed

ROOT = Path(__file__).parents[2]
SMALL = ["--alphas", "1", "1/2", "--seeds", "1", "--epochs", "1", "--train-size", "256", "--sites", "penultimate"]
WIDTHS = {"mlp": "64", "transformer": "16", "resnet18": "4", "resnet56": "4"}  # wide enough that two threads give other bits


def sweep(arch: str, *more: str) -> list[str]:
    return ["sweep", "--arch", arch, "--base-width", WIDTHS.get(arch, "8"), *SMALL, "--name", arch, *more]


def tables(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "tables").glob("*.csv")}


def here(folder: Path, arch: str, threads: int) -> None:
    """In this process, which has so many threads for everything."""
    with fixed(threads):
        assert main("empirical", COMMANDS, sweep(arch, "--jobs", "1", "--out", str(folder))) == 0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # few rows for many features
def test_jobs_and_threads_change_no_byte(tmp_path):
    """Two architectures; three conditions: one thread here, two threads here, and two workers of a machine that offers four."""
    archs = ("mlp", "resnet18")
    for arch in archs:
        here(tmp_path / "one", arch, 1)
    here(tmp_path / "two", "resnet18", 2)
    assert torch.get_num_threads() == 1  # what the tests of this room have, given back
    script = "import sys; from lab.cli import main; from empirical.__main__ import COMMANDS\n" + "\n".join(
        f"assert main('empirical', COMMANDS, {sweep(arch, '--jobs', '2', '--out', str(tmp_path / 'workers'))!r}) == 0"
        for arch in archs)
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=ROOT,
                   env={**os.environ, "OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"})
    one = tables(tmp_path / "one")
    assert len(one) == 2 and tables(tmp_path / "workers") == one
    assert tables(tmp_path / "two").items() <= one.items()


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_all_conditions_for_every_architecture(tmp_path, arch):
    command = [sys.executable, "-m", "empirical", *sweep(arch)]
    conditions = {"jobs 1": ((), "1", {}), "jobs 2": ((), "2", {}), "jobs 3": ((), "3", {}),
                  "one thread": ((), "1", {"OMP_NUM_THREADS": "1"}), "four threads": ((), "1", {"OMP_NUM_THREADS": "4"})}
    if shutil.which("taskset"):
        conditions["one core"] = (("taskset", "-c", str(min(os.sched_getaffinity(0)))), "1", {})
    found, takes = {}, 0.0
    for name, (before, jobs, variables) in conditions.items():
        start = time.monotonic()
        subprocess.run([*before, *command, "--jobs", jobs, "--out", str(tmp_path / name)], check=True, capture_output=True,
                       cwd=ROOT, env={**os.environ, **variables})
        takes, found[name] = time.monotonic() - start, tables(tmp_path / name)
    for share in (0.5, 0.7):  # killed twice, workers too, and taken up with other jobs
        process = subprocess.Popen([*command, "--jobs", "2", "--out", str(tmp_path / "killed")], cwd=ROOT,
                                   start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(share * takes)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([*command, "--jobs", "1", "--out", str(tmp_path / "killed")], check=True, capture_output=True, cwd=ROOT)
    found["killed"] = tables(tmp_path / "killed")
    assert all(found["jobs 1"]) and len(found["jobs 1"]) == 1
    assert [name for name, table in found.items() if table != found["jobs 1"]] == []
