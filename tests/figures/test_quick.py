"""``python -m figures run --scale quick`` from end to end."""

import json
import os
import subprocess
import sys

import pytest

from figures.catalogue import KEPT, studies, study


@pytest.mark.slow
def test_everything_quick_runs_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "figures", "run", "--scale", "quick", "--out", str(tmp_path / "runs"), "--report",
               str(tmp_path / "report"), "--json"]
    done = subprocess.run(command, cwd=KEPT.parents[1], capture_output=True, text=True,
                          env={**os.environ, "PYTHONWARNINGS": "error::RuntimeWarning"})  # of workers too
    result = json.loads(done.stdout)
    assert done.returncode == 0 and not result["failed"] and not result["set_aside"] and "Warning" not in done.stderr
    assert result["computed"] == [name for name in studies() if study(name).at("quick")]
