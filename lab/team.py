"""A team of threads for compiled kernels that release the interpreter's lock (``nogil=True``).

Such kernels compile three times faster than Numba's parallel ones, may be called from several threads at once, and survive a
fork. Work is dealt out as tasks that write to arrays of their own, and results come in the order of the tasks. So numbers
depend neither on the number of threads nor on which of them is first.

Nothing can interrupt a kernel from outside. One that takes long is given ``team.stop``, checks ``stop[0]`` now and then, and
returns once it is not 0: when the time is up, or when the team is left by an exception, such as Ctrl-C.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Self, TypeVar

import numpy as np

from lab.threads import usable

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class Team:
    """Threads that share a piece of work, as a context.

    Parameters
    ----------
    threads : int >= 1, optional
        Number of threads, never more than the cores that the process may use; by default as many as Numba would use.
    time_limit : float >= 0, optional
        Seconds from now after which :meth:`run` tells the kernels to stop.

    Attributes
    ----------
    threads : int
        Largest number of threads; each is started when it is first needed.
    stop : (1,) int64 array
        Not 0 once the kernels should return.
    """

    def __init__(self, threads: int | None = None, time_limit: float | None = None):
        self.threads = usable(threads)
        self.stop = np.zeros(1, dtype=np.int64)
        self._deadline = None if time_limit is None else time.monotonic() + time_limit
        self._pool = ThreadPoolExecutor(self.threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            self.stop[0] = 1
        self._pool.shutdown(cancel_futures=kind is not None)

    @property
    def stopped(self) -> bool:
        """Whether the kernels were told to stop."""
        return bool(self.stop[0])

    def run(self, work: Callable[[_Task], _Result], tasks: Iterable[_Task]) -> list[_Result]:
        """``work(task)`` for every task, in their order; for long tasks.

        The calling thread only waits: it watches the clock and receives Ctrl-C, which a thread inside a kernel does not. Once
        the team is stopped, tasks that have not begun are still called, with ``stop`` set.
        """
        jobs = [self._pool.submit(_quietly, work, task) for task in tasks]
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        if wait(jobs, timeout=left, return_when=FIRST_EXCEPTION).not_done:  # the time is up, or a task has failed
            self.stop[0] = 1
        return [job.result() for job in jobs]

    def deal(self, count: int, work: Callable[[int, slice], None]) -> None:
        """``work(thread, part)`` for every thread, ``part`` its slice of 0 … count − 1; for short tasks.

        The calling thread takes a part, too, instead of waiting for another one to wake up.
        """
        hands = min(self.threads, count)
        others = [self._pool.submit(_quietly, work, i, slice(i, None, hands)) for i in range(1, hands)]
        if hands:
            _quietly(work, 0, slice(0, None, hands))
        for other in others:
            other.result()


def _quietly(work: Callable[..., _Result], *arguments) -> _Result:
    # NumPy warns only where nothing is compiled; kernels report what diverges
    with np.errstate(all="ignore"):
        return work(*arguments)
