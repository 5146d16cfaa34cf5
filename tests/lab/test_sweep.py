"""Run store, sweep runner and study: atomic completion, resume, failures, killed workers, killed sweeps."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from lab.cluster import Cluster
from lab.errors import InputError
from lab.store import RunStore, config_fields, read_result, run_id, write_atomically
from lab.study import Study, compute
from lab.sweep import Workers, dry_run, sweep
from lab.tables import read_table
from tests.lab.experiments import Square

FUNCTION = "tests.lab.experiments:square"
ROOT = Path(__file__).parents[2]


def test_the_id_leaves_defaults_out(monkeypatch):
    @dataclass(frozen=True)
    class Longer:
        x: int
        power: int = 2
        behaviour: str = "well"
        new_field: tuple = field(default_factory=lambda: (1, 2))

    assert run_id(Square(3)) == run_id(Longer(3))
    assert run_id(Square(3)) != run_id(Square(3), schema=2)
    assert run_id(Square(3)) != run_id(Square(3, power=3))
    assert run_id(Square(3)).startswith("x=3_")
    before = run_id(Square(3))
    monkeypatch.setattr("lab.streams.VERSION", -1)
    assert run_id(Square(3)) != before  # other random numbers: another run
    assert config_fields(Square(3), defaults=False) == {"x": 3}


def test_finished_runs_are_not_repeated(tmp_path):
    store = RunStore(tmp_path)
    configs = [Square(x) for x in range(3)]
    first = sweep("squares", FUNCTION, configs[:2], store=store)
    assert [r["value"] for _, r in first.finished] == [0.0, 1.0]
    again = sweep("squares", FUNCTION, configs, store=store)
    assert [r["value"] for _, r in again.finished] == [0.0, 1.0, 4.0]
    for folder in again.folders:
        assert (folder / "started").read_text() == "x"
        facts = read_result(folder)["manifest"]
        assert {"code", "versions", "wall_seconds", "cpu_seconds", "peak_memory_mb", "processor", "data"} <= set(facts)


def test_a_failed_run_leaves_its_traceback_and_the_sweep_goes_on(tmp_path, capsys):
    store = RunStore(tmp_path)
    configs = [Square(1, behaviour="raise"), Square(2)]
    outcome = sweep("squares", FUNCTION, configs, store=store)
    assert [c.x for c, _ in outcome.finished] == [2]
    assert outcome.failed == [(configs[0], "ValueError: this run was made to fail")]
    assert "Traceback" in (store.folder("squares", configs[0]) / "failure.txt").read_text()
    assert "failed" in capsys.readouterr().err
    plan = dry_run("squares", configs, store=store)
    assert (plan["done"], plan["missing"]) == (1, 1)
    assert [row["failed"] for row in plan["runs"]] == [True, False]


def test_a_killed_worker_takes_only_its_own_run_with_it(tmp_path):
    configs = [Square(1, behaviour="die"), *[Square(x) for x in range(2, 6)]]
    outcome = sweep("squares", FUNCTION, configs, store=RunStore(tmp_path), jobs=2)
    assert [c.x for c, _ in outcome.finished] == [2, 3, 4, 5]
    assert "killed" in outcome.failed[0][1]


def test_workers_serve_several_sweeps_and_outlive_a_killed_one(tmp_path):
    store = RunStore(tmp_path)
    with Workers(2) as workers:
        first = sweep("a", FUNCTION, [Square(1, behaviour="die"), Square(2), Square(3)], store=store, jobs=2, workers=workers)
        second = sweep("b", FUNCTION, [Square(4), Square(5)], store=store, jobs=2, workers=workers)
        third = sweep("c", FUNCTION, [Square(6), Square(7)], store=store, jobs=2, workers=workers)
    assert [c.x for c, _ in first.finished] == [2, 3] and "killed" in first.failed[0][1]
    assert [r["value"] for o in (second, third) for _, r in o.finished] == [16, 25, 36, 49]


def test_results_do_not_depend_on_the_number_of_processes(tmp_path):
    configs = [Square(x, power=3) for x in range(4)]
    one = sweep("squares", FUNCTION, configs, store=RunStore(tmp_path / "one"))
    two = sweep("squares", FUNCTION, configs, store=RunStore(tmp_path / "two"), jobs=2)
    assert one.finished == two.finished
    assert one.run_ids == two.run_ids


def test_a_sweep_killed_in_the_middle_is_finished_by_the_next(tmp_path):
    script = (f"from lab.store import RunStore; from lab.sweep import sweep; from tests.lab.experiments import Square\n"
              f"if __name__ == '__main__': sweep('squares', {FUNCTION!r}, [Square(x) for x in range(40)], "
              f"store=RunStore({str(tmp_path)!r}), jobs=2, options=dict(pause=0.1))")
    (tmp_path / "run.py").write_text(script)
    process = subprocess.Popen([sys.executable, tmp_path / "run.py"], cwd=ROOT, stderr=subprocess.DEVNULL,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    while len(list(tmp_path.glob("squares/*/result.json"))) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {f.parent.name for f in tmp_path.glob("squares/*/result.json")}
    assert len(done) < 40
    outcome = sweep("squares", FUNCTION, [Square(x) for x in range(40)], store=RunStore(tmp_path))
    assert [r["value"] for _, r in outcome.finished] == [float(x * x) for x in range(40)]
    for folder in outcome.folders:
        if folder.name in done:
            assert (folder / "started").read_text() == "x"


def test_a_damaged_result_is_named(tmp_path):
    (tmp_path / "result.json").write_text('{"result": ')
    with pytest.raises(InputError, match="delete that folder"):
        read_result(tmp_path)


def test_a_full_disk_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "result.json"
    write_atomically(path, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"No space left.*finished runs are kept"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_a_cluster_that_does_not_answer_is_one_line():
    with pytest.raises(InputError, match=r"cluster|answers"):
        Cluster("nonsense://nowhere")


STUDY = Study(
    name="squares",
    title="squares of whole numbers",
    run=FUNCTION,
    configs=lambda scale: {"quick": [Square(2)], "run": [], "full": [Square(2), Square(3)]}[scale],
    tabulate=lambda finished: pd.DataFrame([{"x": c.x, "value": r["value"]} for c, r in finished]),
)


def test_a_study_writes_a_table_with_its_manifest(tmp_path):
    store = RunStore(tmp_path)
    assert compute(STUDY, "run", store=store) is None
    table = compute(STUDY, "full", store=store)
    again = read_table("squares", tmp_path / "tables")
    pd.testing.assert_frame_equal(table.frame, again.frame)
    assert again.runs == table.runs and len(table.runs) == 2
    assert again.manifest["data"] == {"name": "none"}
    json.dumps(again.manifest)
    assert read_table("cubes", tmp_path / "tables") is None


def test_a_study_whose_runs_all_fail_says_why(tmp_path):
    with pytest.raises(InputError, match="made to fail"):
        compute(STUDY, "quick", store=RunStore(tmp_path), configs=[Square(1, behaviour="raise")])


def test_a_kept_command_names_no_folder_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x", "run", "--out", "/here", "--data-dir=/there", "--seeds", "3", "--jobs", "2"])
    table = compute(STUDY, "quick", store=RunStore(tmp_path))
    assert table.manifest["command"].endswith(" run --data-dir DATA --seeds 3")
