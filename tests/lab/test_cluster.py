"""A Dask cluster with real processes on the loopback interface, which are killed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest

from lab.cluster import Cluster
from lab.errors import InputError
from lab.store import RunStore
from lab.sweep import sweep
from tests.lab.experiments import Square

pytest.importorskip("distributed")
FUNCTION = "tests.lab.experiments:square"
ROOT = Path(__file__).parents[2]
CONFIGS = [Square(x) for x in range(12)]


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """Address of a scheduler, its process, and what starts a worker; all are killed at the end."""
    folder, processes = tmp_path_factory.mktemp("dask"), []

    def start(*command):
        processes.append(subprocess.Popen([sys.executable, "-m", "dask", *command], cwd=folder, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT)}))
        return processes[-1]

    where = folder / "scheduler.json"
    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(where))
    while not (where.exists() and where.read_text()):
        assert scheduler.poll() is None
        time.sleep(0.05)
    address = json.loads(where.read_text())["address"]
    yield address, scheduler, lambda: start("worker", address, "--host", "127.0.0.1", "--no-nanny", "--nthreads", "1",
                                            "--no-dashboard", "--death-timeout", "20")
    for process in processes:
        process.kill()
        process.wait()


def kill_when_two_are_done(store, process):
    while len(list(store.root.glob("squares/*/result.json"))) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()


def the_rest_is_done_here(store, here):
    """What a cluster left is finished in this process, with the results of a sweep that never left."""
    done = {path.parent.name for path in store.root.glob("squares/*/result.json")}
    assert 2 <= len(done) < 12
    resumed = sweep("squares", FUNCTION, CONFIGS, store=store)
    assert resumed.finished == sweep("squares", FUNCTION, CONFIGS, store=RunStore(here)).finished
    assert all((folder / "started").read_text() == "x" for folder in resumed.folders if folder.name in done)


def test_a_cluster_whose_workers_die_is_given_up(dask, tmp_path):
    address, _, start_worker = dask
    store, cluster, worker = RunStore(tmp_path / "there"), Cluster(address), start_worker()
    whole = sweep("squares", FUNCTION, [Square(100), Square(100, behaviour="raise")], store=store, executor=cluster)
    assert [r["value"] for _, r in whole.finished] == [10000] and whole.failed[0][1].startswith("ValueError: this run")

    cluster.patience = 1.0
    killer = Thread(target=kill_when_two_are_done, args=(store, worker))
    killer.start()
    with pytest.raises(InputError, match=r"has no worker \(waited 1 s\); finished runs are kept"):
        sweep("squares", FUNCTION, CONFIGS, store=store, executor=cluster, options={"pause": 0.1})
    killer.join()
    began = time.monotonic()
    with pytest.raises(InputError, match="has no worker"):  # the next study does not wait again
        sweep("squares", FUNCTION, CONFIGS, store=store, executor=cluster)
    assert time.monotonic() - began < 0.5
    the_rest_is_done_here(store, tmp_path / "here")


def test_a_scheduler_that_dies_is_one_line(dask, tmp_path):
    address, scheduler, start_worker = dask
    start_worker()
    store = RunStore(tmp_path / "there")
    command = subprocess.Popen([sys.executable, "-m", "tests.lab.squares", "--numbers", "12", "--pause", "0.1",
                                "--out", str(store.root), "--scheduler", address],
                               cwd=ROOT, stderr=subprocess.PIPE, text=True)
    kill_when_two_are_done(store, scheduler)
    line = command.communicate(timeout=30)[1]
    assert command.returncode == 1 and len(line.splitlines()) == 1
    assert f"scheduler at {address} is gone; finished runs are kept" in line
    the_rest_is_done_here(store, tmp_path / "here")
