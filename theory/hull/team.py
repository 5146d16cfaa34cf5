"""A team of threads for kernels that release the interpreter's lock.

Such kernels compile three times faster than Numba's parallel ones, may be called from several threads at once, and
survive a fork. Work is dealt out by slot, so results do not depend on the number of threads.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numba
from threadpoolctl import ThreadpoolController

_blas = cache(ThreadpoolController)  # looking for the libraries takes longer than a small projection


def single_threaded_blas():
    """Context in which BLAS starts no threads of its own: for calls of BLAS from within the team's threads."""
    return _blas().limit(limits=1, user_api="blas")


class Team:
    """As many threads as Numba would use (``NUMBA_NUM_THREADS``, ``numba.set_num_threads``)."""

    def __init__(self):
        self.threads = numba.get_num_threads()
        self._pool = ThreadPoolExecutor(max(1, self.threads - 1))  # starts a thread where one is wanted

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown()

    def deal(self, count: int, work) -> None:
        """Call ``work(thread, part)`` for every thread; ``part`` is its slice of 0..count-1."""
        hands = min(self.threads, count)
        others = [self._pool.submit(work, i, slice(i, None, hands)) for i in range(1, hands)]
        if hands:
            work(0, slice(0, None, hands))
        for other in others:
            other.result()
