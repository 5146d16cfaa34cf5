"""The study: do narrow students of equal teacher units end at copy-average points, and does any student end lower?"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lab.estimate import share_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from theory.span.copy_average import copy_average_loss
from toy.graded_teacher.model import simulate

NEAR = 1e-6  # relative difference below which two losses are equal


@dataclass(frozen=True)
class Equal:
    """Students of a teacher whose units are equal and orthogonal."""

    teacher_width: int
    width: int
    replicas: int = 96
    direction_norm: float = 1.0
    seed: int = 0


def run(config: Equal, folder: Path) -> dict:
    """Train students from small starts to the end of the flow."""
    k = config.teacher_width
    students = simulate([1.0] * k, config.direction_norm, k, config.width, config.replicas, config.seed)
    return {"losses": students.loss[students.converged], "unfinished": int((~students.converged).sum()),
            "copy_average": copy_average_loss(k, config.width, config.direction_norm)}


def configs(scale: str) -> list[Equal]:
    """Students with half as many units as the teacher; quick: the smallest."""
    pairs, replicas = (((4, 2),), 16) if scale == "quick" else (((8, 4), (6, 3), (4, 2)), 96)
    return [Equal(k, n, replicas, seed=CONFIRMATORY) for k, n in pairs]


def tabulate(finished) -> pd.DataFrame:
    """One row per student: its loss and that of the best copy-average point."""
    return pd.DataFrame([{"teacher_width": c.teacher_width, "width": c.width, "direction_norm": c.direction_norm, "loss": loss,
                          "copy_average": r["copy_average"], "unfinished": r["unfinished"]} for c, r in finished
                         for loss in r["losses"]])


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """The share of students that end below the best copy-average point."""
    pieces = []
    for (k, n), rows in table.groupby(["teacher_width", "width"]):
        below = int((rows.loss < (1 - NEAR) * rows.copy_average).sum())
        equal = int(((rows.loss / rows.copy_average - 1).abs() <= NEAR).sum())
        pieces.append(Evidence("s2.copy-average-is-best", "toy", f"{n} units on {k} equal ones", share_interval(below, len(rows)),
                               runs, f"{equal} of {len(rows)} students end at that point", f"k{k}-n{n}"))
    return pieces


STUDY = Study("copy-average", "copy-average points of equal teacher units, beside trained students",
              "toy.graded_teacher.study_average:run", configs, tabulate, evidence, processes=True)
