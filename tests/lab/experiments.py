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


def square(config: Square, folder, pause: float = 0.0) -> dict:
    (folder / "started").open("a").write("x")
    time.sleep(pause)
    if config.behaviour == "raise":
        raise ValueError("this run was made\nto fail")
    if config.behaviour == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"value": float(config.x**config.power), "manifest": {"data": {"name": "none"}}}
