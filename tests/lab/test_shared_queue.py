"""Kernels on several threads share a queue of tasks."""

import numpy as np

from lab.compiled import njit
from lab.shared_queue import take
from lab.team import Team


@njit(nogil=True)
def count_all(queue, times):
    number = take(queue)
    while number < times.size:
        times[number] += 1
        number = take(queue)


def test_every_task_is_taken_once():
    queue, times = np.zeros(1, np.int64), np.zeros(20_000, np.int64)
    with Team(4) as team:
        team.run(lambda _: count_all(queue, times), range(4))
    assert np.all(times == 1)
    assert queue[0] >= times.size
