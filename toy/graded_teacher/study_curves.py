"""Study: loss along training for narrow and wide students, compared with theory's plateaus (``theory.span.outlook``)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.study import Study
from theory.span import first_plateau_time, plateaus
from toy.graded_teacher.model import simulate
from toy.graded_teacher.study import TEACHERS


@dataclass(frozen=True)
class Curves:
    """Loss curves of students of one width from one initial scale."""

    teacher: str = "graded"
    width: int = 2
    init_scale: float = 0.1
    dim: int = 10
    replicas: int = 8
    points: int = 120
    until: float = 1e5
    seed: int = 0


def run(config: Curves, folder: Path) -> dict:
    """Losses at logarithmic times."""
    strengths, norm = TEACHERS[config.teacher]
    times = np.geomspace(0.1, config.until, config.points)
    students = simulate(strengths, norm, config.dim, config.width, config.replicas, config.seed, config.init_scale,
                        time_cap=config.until, times=times)
    return {"times": times, "curves": students.curves, "statuses": students.summary(),
            "plateaus": plateaus(strengths, norm, config.width),
            "first_time": first_plateau_time(strengths, norm, config.width, config.init_scale)}


def tabulate(finished) -> pd.DataFrame:
    """One row per width and time: median and quartiles of the losses of all replicas; theory's plateaus (one string, losses of
    the widths 0 … K) and the time of the first."""
    return pd.DataFrame([
        {"teacher": c.teacher, "width": c.width, "init_scale": c.init_scale, "replicas": c.replicas, "time": t,
         "loss": median, "loss_quarter": low, "loss_three_quarters": high,
         "theory_plateaus": " ".join(f"{x:.6g}" for x in result["plateaus"]), "theory_first_time": result["first_time"]}
        for c, result in finished
        for t, (low, median, high) in zip(result["times"], np.quantile(result["curves"], (0.25, 0.5, 0.75), axis=0).T)
    ])


def configs(scale: str) -> list[Curves]:
    """Widths 1 … 16; "full" also has smaller starts, whose plateaus are clearer."""
    scales = (0.1, 1e-3) if scale == "full" else (0.1,)
    widths = (1, 2, 16) if scale == "quick" else (1, 2, 3, 4, 16)
    replicas, points = {"quick": (2, 40), "run": (4, 80), "full": (16, 120)}[scale]
    return [Curves(teacher, K, s, replicas=replicas, points=points)
            for teacher in ("graded", "equal") for s in scales for K in widths]


CURVES = Study("graded-curves", "graded teacher: loss along training", "toy.graded_teacher.study_curves:run", configs,
               tabulate)
