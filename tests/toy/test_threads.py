"""Toy runs give the same numbers on any number of threads, whatever BLAS would do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from lab.cli import main
from lab.stages import stage_of
from lab.study import load
from lab.sweep import execute, read_result
from lab.threads import fixed
from toy.__main__ import COMMANDS
from toy.studies import STUDIES

ROOT = Path(__file__).parents[2]
# the quickest of each kind of model; the integrator's own models have such a test each beside their others
QUICK = ("graded-ridge", "relu-tickets", "memorise", "double-descent", "sgd-units", "units")


def result(name: str, folder: Path, which: int) -> dict:
    """A run of the study's smallest version."""
    study = load(STUDIES[name])
    config = study.configs("quick")[which]
    stage = stage_of(study.stages, config)
    assert execute(stage.run, config, folder, stage.schema, {}) is None
    return read_result(folder)["result"]


@pytest.mark.parametrize("name", QUICK)
def test_threads_change_no_bit(tmp_path, name):
    usual, found = numba.get_num_threads(), []
    for i, (threads, blas) in enumerate(((1, 1), (usual, 3))):
        numba.set_num_threads(threads)
        try:
            with fixed(blas):
                found.append(result(name, tmp_path / str(i), 0))
        finally:
            numba.set_num_threads(usual)
    assert found[0] == found[1]


def test_a_command_gives_numba_its_threads_back(capsys):
    usual = numba.get_num_threads()
    few = ["--quick", "--dim", "10", "--width", "2", "--jobs", "1", "--time", "1"]
    assert main("toy", COMMANDS, ["teacher-student", *few]) == 0
    assert numba.get_num_threads() == usual


@pytest.mark.slow
def test_processes_with_one_two_and_three_threads_agree(tmp_path):
    """The first and the last run of every toy study."""
    script = ("import json, sys; from pathlib import Path; from tests.toy.test_threads import STUDIES, result\n"
              "print(json.dumps([result(n, Path(sys.argv[1]) / f'{n}{i}', i) for n in STUDIES for i in (0, -1)]))")
    found = [json.loads(subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / str(threads))], check=True, capture_output=True, cwd=ROOT, text=True,
        env={**os.environ, "NUMBA_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(5 - threads)}).stdout)
        for threads in (1, 2, 3)]
    assert found[0] == found[1] == found[2]
