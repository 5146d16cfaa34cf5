"""Settling that is killed twice while runs are under way loses nothing, and ends with the table of an undisturbed one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.store import RunStore
from lab.study import compute
from tests.figures.alone import STUDY
from tests.figures.conftest import CLAIM
from tests.figures.test_settle import DECLARED

COMMAND = [sys.executable, "-m", "tests.figures.alone", "settle", CLAIM, "--budget", "10m", "--jobs", "2"]


def _finished(folder: Path) -> dict[str, tuple[bytes, str]]:
    """The result of every finished run, and a mark for each time that it was started."""
    return {path.parent.name: (path.read_bytes(), (path.parent / "started").read_text())
            for path in (folder / "runs/squares").glob("*/result.json")}


@pytest.mark.slow
def test_killed_twice_then_finished(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
        compute(STUDY, "full", store=RunStore(folder / "runs"), jobs=1)
    subprocess.run(COMMAND, cwd=whole, check=True, capture_output=True)
    before = _finished(killed)
    for more in (1, 4):
        process = subprocess.Popen(COMMAND, cwd=killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        while process.poll() is None and len(_finished(killed)) < DECLARED + more:
            time.sleep(0.01)
        assert process.poll() is None  # it is still at work
        os.killpg(process.pid, signal.SIGKILL)  # workers too: as when the power fails
        process.wait()
        after = _finished(killed)
        assert before.items() <= after.items() and DECLARED < len(after) < len(_finished(whole))
        before = after
    subprocess.run(COMMAND, cwd=killed, check=True, capture_output=True)
    ends = _finished(killed)
    assert before.items() <= ends.items() and ends.keys() == _finished(whole).keys()  # what was finished was not repeated
    assert sum(len(marks) for _, marks in ends.values()) <= len(ends) + 2 * 2  # nor more than two workers had in hand
    tables, looks = ([(folder / path).read_text() for folder in (whole, killed)]
                     for path in ("runs/tables/squares.csv", "runs/settle.json"))
    assert tables[0] == tables[1] and json.loads(looks[0]) == json.loads(looks[1])
