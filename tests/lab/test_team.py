"""One team of threads behind every solver: order, failures, time limits, Ctrl-C."""

import signal
import threading
import time

import numpy as np
import pytest

from lab import flow
from lab.team import Team
from tests.lab.test_flow import quadratic


def endless_flow():
    flow.solve(quadratic, [1.0, 1e5], np.ones((64, 2)), gradient_tol=0, time_cap=1e300, max_evaluations=10**8)


def endless_descent():
    from toy.relu_landscape.descent import descend

    descend((2, 1, 2), np.ones((40, 4)), learning_rate=1e-9, tolerance=1e-12, max_steps=10**12)


def test_results_come_in_the_order_of_the_tasks():
    with Team(2) as team:
        assert team.run(lambda wait: time.sleep(wait) or wait, [0.02, 0.0, 0.01]) == [0.02, 0.0, 0.01]
        parts = {}
        team.deal(5, parts.__setitem__)
        assert sorted(i for part in parts.values() for i in range(5)[part]) == list(range(5))
        team.deal(0, parts.__setitem__)
        assert not team.stopped


def _until_told(team):
    def work(task):
        while not team.stopped:
            time.sleep(0.001)
        return task

    return work


def test_tasks_are_told_to_stop_when_the_time_is_up():
    with Team(2, time_limit=0.01) as team:
        assert team.run(_until_told(team), range(5)) == list(range(5)) and team.stopped


def test_a_failure_stops_the_others_and_is_raised():
    with pytest.raises(ZeroDivisionError), Team(2) as team:
        team.run(lambda task: 1 / 0 if task == 0 else _until_told(team)(task), range(50))
    assert team.stopped and not [t for t in threading.enumerate() if "ThreadPool" in t.name]


@pytest.mark.parametrize("run", [endless_flow, endless_descent])
def test_ctrl_c_stops_the_threads_at_once(run):
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
    try:
        # what Ctrl-C does; interrupt_main would not wake a thread that waits
        threading.Timer(0.05, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            run()
    finally:
        signal.signal(signal.SIGINT, usual)
    assert time.monotonic() - began < 5 and not [t for t in threading.enumerate() if "ThreadPool" in t.name]
