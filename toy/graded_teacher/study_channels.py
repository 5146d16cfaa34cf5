"""The study: how many students that count as converged are in a flat channel to infinity, by width?

The students are those of the other studies of the graded teacher: same teachers, widths, starts and tolerance. So the table says
which rows of those studies contain students that would change further, however slowly, if training went on.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.estimate import share_interval
from lab.study import CONFIRMATORY, Study
from theory.channels import channels
from toy.graded_teacher.model import simulate
from toy.graded_teacher.study import CAP, TEACHERS


@dataclass(frozen=True)
class Students:
    """Students of one teacher and width."""

    teacher: str
    width: int
    replicas: int = 32
    dim: int = 10
    seed: int = 0


def run(config: Students, folder: Path) -> dict:
    """Train, and look for channels in every student."""
    strengths, norm = TEACHERS[config.teacher]
    students = simulate(strengths, norm, config.dim, config.width, config.replicas, config.seed, time_cap=CAP)
    pairs = [channels(w, v, usual=students.teacher.unit) for w, v in zip(students.directions, students.output)]
    return {"converged": students.converged, "loss": students.loss, "readout": np.abs(students.output).max(axis=1),
            "pairs": [len(of_student) for of_student in pairs],
            "distance": [of_student[0].distance if of_student else np.nan for of_student in pairs]}


def configs(scale: str) -> list[Students]:
    """Widths up to 16; quick: one narrow width."""
    if scale == "quick":
        return [Students("graded", 2, 8, seed=CONFIRMATORY)]
    if scale != "full":
        return []
    return [Students(teacher, width, seed=CONFIRMATORY) for width in (16, 8, 4, 2, 1) for teacher in TEACHERS]


def tabulate(finished) -> pd.DataFrame:
    """One row per teacher and width: the share of converged students in a channel, their loss and that of the others."""
    rows = []
    for config, r in finished:
        done, inside = np.array(r["converged"], bool), np.array(r["pairs"]) > 0
        loss = np.array(r["loss"])
        row = {"teacher": config.teacher, "width": config.width, "students": len(done), "converged": int(done.sum()),
               "unfinished_in_channel": int((inside & ~done).sum())}
        if done.any():
            share = share_interval(int((inside & done).sum()), int(done.sum()))
            row |= {"in_channel": share.mean, "in_channel_low": share.low, "in_channel_high": share.high, "in_channel_n": share.n}
        rows.append({**row, "loss_in_channel": loss[inside & done].mean() if (inside & done).any() else np.nan,
                     "loss_elsewhere": loss[~inside & done].mean() if (~inside & done).any() else np.nan,
                     "largest_readout": float(np.max(r["readout"]))})
    return pd.DataFrame(rows).sort_values(["teacher", "width"], ignore_index=True)


STUDY = Study("graded-channels", "graded teacher: converged students in flat channels, by width",
              "toy.graded_teacher.study_channels:run", configs, tabulate, processes=True)
