"""Threads are a run's own: the same in every process that carries it out, and given back afterwards."""

import os
import subprocess
import sys
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from lab import flow, manifest, team
from lab.store import RunStore
from lab.study import _costs
from lab.sweep import Workers, sweep
from lab.threads import fixed, single_threaded_blas
from tests.lab.experiments import Threaded, pools
from tests.lab.test_flow import double_well
from theory.commands import check

FUNCTION = "tests.lab.experiments:threads_seen"
ROOT = Path(__file__).parents[2]


def test_threads_are_given_back_whatever_happens():
    with fixed(3):  # a state that is nobody's default
        before = pools(), os.environ["OMP_NUM_THREADS"]
        with pytest.raises(ZeroDivisionError), fixed(1):
            assert set(pools()) == {1} and os.environ["OMP_NUM_THREADS"] == "1"
            with fixed(2):
                assert set(pools()) == {2}
            assert set(pools()) == {1}
            _ = 1 / 0
        assert set(pools()) == {3} and (pools(), os.environ["OMP_NUM_THREADS"]) == before


@pytest.mark.parametrize("how", ["here", "in a thread"])
def test_blas_has_its_threads_back_after_a_failure(how):
    def fails():
        with single_threaded_blas():
            inside.append(blas())
            raise ZeroDivisionError

    def blas():
        return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}

    inside: list[set[int]] = []
    with fixed(3), ThreadPoolExecutor(1) as pool:
        with pytest.raises(ZeroDivisionError):
            fails() if how == "here" else pool.submit(fails).result()
        assert inside == [{1}] and blas() == {3}


def test_libraries_that_are_loaded_meanwhile_are_held_too():
    script = """
import sys
from lab.threads import fixed, single_threaded_blas
from tests.lab.experiments import pools
with fixed(1):
    import numpy, scipy.linalg
    print(pools())
print(pools())
with fixed(1):
    import torch
    print(torch.get_num_threads())
print(torch.get_num_threads())
"""
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, "OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3"}).stdout.split("\n")
    inside, after = (set(eval(line)) for line in said[:2])
    assert (inside, after) == ({1}, {3}) and said[2:4] == ["1", "3"]


@pytest.mark.parametrize("how", ["here", "workers", "threads"])
def test_every_run_has_its_own_threads_wherever_it_is_carried_out(tmp_path, how):
    configs, store = [Threaded(1), Threaded(2), Threaded(3, threads=2)], RunStore(tmp_path)
    with fixed(3):
        if how == "threads":
            with ThreadPoolExecutor(3) as executor:
                outcome = sweep("threads", FUNCTION, configs, store=store, executor=executor)
        else:
            outcome = sweep("threads", FUNCTION, configs, store=store, jobs=1 if how == "here" else 2)
    assert not outcome.failed
    assert [r["pools"] for _, r in outcome.finished] == [[1], [1], [2]]
    assert [r["variable"] for _, r in outcome.finished] == ["1", "1", "2"]
    assert [m["threads"] for m in outcome.manifests] == [1, 1, 2]
    assert all(r["together"] == 1 for _, r in outcome.finished)  # one run at a time in a process
    assert all({"llvm", "blas"} <= set(m["instruction_set"]) for m in outcome.manifests)


def test_a_table_knows_its_threads_only_if_every_run_does():
    cost = {"wall_seconds": 1.0, "cpu_seconds": 1.0, "peak_memory_mb": 1.0}
    assert _costs([{**cost, "threads": 1}, {**cost, "threads": 1}])["threads"] == 1
    assert "threads" not in _costs([{**cost, "threads": 1}, cost])
    assert "threads" not in _costs([{**cost, "threads": 1}, {**cost, "threads": None}])


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity on this system")
def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert manifest.cores() == 1 and Workers(1).threads == 1
    pooled = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers, **_):
            pooled.append(workers)
            super().__init__(workers)

    monkeypatch.setattr(team, "ThreadPoolExecutor", Pool)
    flow.solve(double_well, [1.0], np.full((64, 1), 0.5), threads=4)
    assert pooled == [1]
    monkeypatch.setattr(check, "ProcessPoolExecutor", None)  # one job: none is wanted
    names = list(check.framework.check_functions())[:2]
    monkeypatch.setattr(check, "_run_named", lambda name, seed: (name, [], None, 0.0))
    arguments = Namespace(only=names, seed=0, jobs=None, quick=False, dry_run=False)
    assert check.run(arguments)["failed"] == []
