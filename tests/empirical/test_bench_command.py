"""``python -m empirical bench`` says what it measured."""

import json

from empirical.__main__ import COMMANDS
from lab.cli import main


def test_bench_reports_times_and_ratios(capsys):
    code = main("empirical", COMMANDS, ["bench", "--arch", "mlp", "--base-width", "16", "--alphas", "1", "1/2", "--steps", "2",
                                        "--repeat", "1", "--rows", "900", "--device", "cpu", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0 and [row["copies"] for row in found["training"]] == [1, 2]
    assert all(row[key] > 0 for row in found["training"] for key in ("epoch_seconds", "epoch_seconds_together",
                                                                      "together_speedup"))
    assert found["pass_ratio"] == found["pass_seconds"] / found["forward_seconds"] and found["analysis_seconds"] > 0
