"""A sweep that is killed at random moments, three times, and then finished gives the table of an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SWEEP = [sys.executable, "-m", "empirical", "sweep", "--arch", "resnet18", "--data", "digits", "--base-width", "8", "--epochs",
         "6", "--train-size", "400", "--alphas", "1", "1/2", "1/4", "--seeds", "2", "--jobs", "2", "--name", "killed"]


@pytest.mark.slow
def test_killed_three_times_then_finished(tmp_path):
    start = time.monotonic()
    subprocess.run([*SWEEP, "--out", str(tmp_path / "whole")], check=True, capture_output=True)
    takes = time.monotonic() - start
    again = [*SWEEP, "--out", str(tmp_path / "killed")]
    moments = random.Random(0)
    for _ in range(3):
        process = subprocess.Popen(again, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(moments.uniform(0.1, 0.3) * takes)
        os.killpg(process.pid, signal.SIGKILL)  # workers too: as when the power fails
        process.wait()
    assert not list((tmp_path / "killed").glob("tables/*.csv"))
    subprocess.run(again, check=True, capture_output=True)
    tables = [{path.name: path.read_text() for path in Path(tmp_path, run, "tables").glob("*.csv")}
              for run in ("whole", "killed")]
    assert len(tables[0]) == 1 and tables[0] == tables[1]
