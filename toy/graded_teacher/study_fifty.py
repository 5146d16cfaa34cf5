"""The study: where do students end that have half as many units as a teacher of fifty equal units?

Simsek et al. (2023) train such students by gradient flow from Glorot's initialisation, and report that each ends at one of two
points: the best copy-average point, or a point where every unit approximately copies a different teacher unit. Theory gives both
losses (:mod:`theory.span.copy_average`). Convergence to the copy-average point is slow, but the loss falls below that of the
other point early. A student is therefore classified by the nearer of the two losses, and the flow stops before it has converged.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.streams import normal
from lab.study import CONFIRMATORY, Study
from theory.span.copy_average import copy_average_loss, copying_loss
from toy.graded_teacher.model import simulate

BLOCK = 8  # students per run: the kernel integrates eight at a time


@dataclass(frozen=True)
class Fifty:
    """Students of a teacher with equal, orthogonal units, initialised by Glorot's rule."""

    teacher_width: int = 50
    width: int = 25
    replicas: int = BLOCK
    gradient_tol: float = 1e-5
    time_cap: float = 6e4
    seed: int = 0


def start(config: Fifty) -> np.ndarray:
    """(replicas, width (1 + teacher_width)) states: variance 2/(inputs + outputs) in both layers."""
    k, n = config.teacher_width, config.width
    scale = np.repeat(np.sqrt([2 / (n + 1), 2 / (n + k)]), [n, n * k])
    return np.stack([scale * normal(config.seed, "graded-teacher", "Glorot weights", k, n, r, shape=n * (1 + k))
                     for r in range(config.replicas)])


def run(config: Fifty, folder: Path) -> dict:
    """Train, and return the losses with those of the two points."""
    k, n = config.teacher_width, config.width
    students = simulate([1.0] * k, 1.0, k, n, config.replicas, config.seed, start=start(config),
                        gradient_tol=config.gradient_tol, time_cap=config.time_cap)
    return {"losses": students.loss, "converged": students.converged, "copy_average": copy_average_loss(k, n),
            "copying": copying_loss(k, n)}


def configs(scale: str) -> list[Fifty]:
    """Twenty-four students; quick: eight small ones. They take minutes, so "run" has none."""
    if scale == "quick":
        return [Fifty(6, 3, seed=CONFIRMATORY)]
    return [Fifty(seed=CONFIRMATORY + i) for i in range(3)] if scale == "full" else []


def tabulate(finished) -> pd.DataFrame:
    """One row per student: its loss and those of the two points."""
    return pd.DataFrame([{"teacher_width": c.teacher_width, "width": c.width, "seed": c.seed, "loss": loss, "converged": done,
                          "copy_average": r["copy_average"], "copying": r["copying"]} for c, r in finished
                         for loss, done in zip(r["losses"], r["converged"])])


STUDY = Study("copy-average-fifty", "half as many units as fifty equal ones: copy-average or copies?",
              "toy.graded_teacher.study_fifty:run", configs, tabulate, processes=True)
