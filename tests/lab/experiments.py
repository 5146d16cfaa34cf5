"""Small experiments that the tests of the sweep runner carry out, in this process and in others."""

import os
import signal
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Square:
    x: int
    power: int = 2
    behaviour: str = "well"


class Odd(BaseException):
    """No Exception."""


def square(config: Square, folder, pause: float = 0.0) -> dict:
    (folder / "started").open("a").write("x")
    time.sleep(pause)
    if config.behaviour == "raise":
        raise ValueError("this run was made\nto fail")
    if config.behaviour == "odd":
        raise Odd("odd")
    if config.behaviour == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"value": float(config.x**config.power), "manifest": {"data": {"name": "none"}}}


@dataclass(frozen=True)
class Threaded:
    x: int
    threads: int = 1


def pools() -> list[int]:
    """Threads of every BLAS and OpenMP library of this process."""
    import numpy  # noqa: F401 (so that there is one)
    from threadpoolctl import threadpool_info

    return [pool["num_threads"] for pool in threadpool_info()]


_at_work: list[int] = []


def threads_seen(config: Threaded, folder) -> dict:
    """The threads of the libraries during a run, and how many runs this process carries out at once."""
    _at_work.append(config.x)
    time.sleep(0.02)
    found = {"pools": sorted(set(pools())), "variable": os.environ["OMP_NUM_THREADS"], "together": len(_at_work)}
    _at_work.remove(config.x)
    return found
