"""The study: fifty equal teacher units and students of half as many, from starts of the usual size; which point do they end at?

Simsek et al. (2023) train such students by gradient flow from Glorot's start, and report that each ends at one of two points: the
best copy-average point, or one where every unit copies a different teacher unit, approximately. Both have a loss by theory
(:mod:`theory.span.copy_average`). A student on its way to the copy-average point comes down for long; its loss is below that of
the other point from early on, so that a student is told by which of the two its loss is near, and the flow is stopped before its
end.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.streams import normal
from lab.study import CONFIRMATORY, Study
from theory.span.copy_average import copy_average_loss, copying_loss
from toy.graded_teacher.model import simulate

BLOCK = 8  # students a run: as many as a kernel works on at a time


@dataclass(frozen=True)
class Fifty:
    """Students of a teacher whose units are equal and orthogonal, from a start by Glorot's rule."""

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
    """Train, and lay the losses beside those of the two points."""
    k, n = config.teacher_width, config.width
    students = simulate([1.0] * k, 1.0, k, n, config.replicas, config.seed, start=start(config),
                        gradient_tol=config.gradient_tol, time_cap=config.time_cap)
    return {"losses": students.loss, "converged": students.converged, "copy_average": copy_average_loss(k, n),
            "copying": copying_loss(k, n)}


def configs(scale: str) -> list[Fifty]:
    """Twenty-four students; quick: eight small ones. Minutes, so not part of ``make run``."""
    if scale == "quick":
        return [Fifty(6, 3, seed=CONFIRMATORY)]
    return [Fifty(seed=CONFIRMATORY + i) for i in range(3)] if scale == "full" else []


def tabulate(finished) -> pd.DataFrame:
    """A row a student: its loss, beside those of the two points."""
    return pd.DataFrame([{"teacher_width": c.teacher_width, "width": c.width, "seed": c.seed, "loss": loss, "converged": done,
                          "copy_average": r["copy_average"], "copying": r["copying"]} for c, r in finished
                         for loss, done in zip(r["losses"], r["converged"])])


STUDY = Study("copy-average-fifty", "half as many units as fifty equal ones: copy-average or copies?",
              "toy.graded_teacher.study_fifty:run", configs, tabulate, processes=True)
