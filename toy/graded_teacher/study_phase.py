"""Study: where narrow students stop agreeing. Strengths m^−γ over exponent γ, width K of M, norm and initial scale.

For each cell many students are trained and told apart by their span errors on the teacher's units (not by their loss:
at equal strengths different sets of units have one loss). ``agree`` is the chance that two students hold the same;
``gain`` the part of one student's span error that a concatenation takes away. Theory adds where its competing solutions
cease to be minima (``theory.span.uniqueness_boundary``): above ``theory_last`` there should be one solution for every
start, below it there may be several, by the start.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from lab.estimate import share_interval
from lab.study import Study
from theory.measures import span_error
from theory.span import power_strengths, solution, uniqueness_boundary
from toy.graded_teacher.compare import loss_levels
from toy.graded_teacher.model import Teacher, moments, simulate


@dataclass(frozen=True)
class Phase:
    """One cell of the phase diagram."""

    exponent: float
    width: int
    units: int = 8
    direction_norm: float = 1.0
    init_scale: float = 0.1
    dim: int = 10
    replicas: int = 64
    copies: int = 16
    time_cap: float = 1e6
    seed: int = 0


@cache
def _boundary(units: int, norm: float, width: int) -> dict:
    return uniqueness_boundary(units, norm, width, resolution=5e-3)


def run(config: Phase, folder: Path) -> dict:
    """Solutions met, and what a concatenation gains over one student."""
    A = power_strengths(config.units, config.exponent)
    teacher = Teacher(A, config.direction_norm, config.dim)
    students = simulate(A, config.direction_norm, config.dim, config.width, config.replicas, config.seed,
                        config.init_scale, time_cap=config.time_cap)
    best = solution(A, config.direction_norm, config.width)

    def error(some):
        return span_error(moments({"s": students.units(some)}, teacher), source="s", target="teacher", per_unit=True)

    each = np.stack([error([r]) for r in range(config.replicas)])
    shares = _clusters(each[students.converged])

    groups = range(0, config.replicas - config.copies + 1, config.copies)
    ends = _boundary(config.units, config.direction_norm, config.width)
    near = 1e-4 * best.loss + 1e-12
    return {
        "converged": int(students.converged.sum()),
        "levels": len(loss_levels(students)),
        "solutions": len(shares),
        "agree": float(np.sum(np.square(shares))),
        "in_best": int(np.sum(students.converged & (np.abs(students.loss - best.loss) <= near))),
        "below_best": int(np.sum(students.loss < best.loss - near)),
        "one": float(each.mean()),
        "many": float(np.mean([error(list(range(g, g + config.copies))) for g in groups])),
        "theory": {"loss": best.loss, "nearest": ends["nearest"], "last": ends["last"],
                   "forms": " ".join(ends["ends"])},
    }


def _clusters(signatures: np.ndarray, tolerance: float = 0.02) -> list[float]:
    """Shares of the students by what they hold: span errors per unit that agree within the tolerance are one."""
    found: list[list] = []
    for signature in signatures:
        for cluster in found:
            if np.abs(cluster[0] - signature).max() <= tolerance:
                cluster[1] += 1
                break
        else:
            found.append([signature, 1])
    return [count / len(signatures) for _, count in found]


def tabulate(finished) -> pd.DataFrame:
    """A row a cell."""
    rows = []
    for c, result in finished:
        share = share_interval(result["in_best"], c.replicas)
        rows.append({
            "exponent": c.exponent, "width": c.width, "units": c.units, "direction_norm": c.direction_norm,
            "init_scale": c.init_scale, "replicas": c.replicas, "converged": result["converged"],
            "levels": result["levels"], "in_best": share.mean, "in_best_low": share.low, "in_best_high": share.high,
            "below_best": result["below_best"], "solutions": result["solutions"], "agree": result["agree"],
            "span_error_one": result["one"], "span_error_many": result["many"], "copies": c.copies,
            "gain": 1 - result["many"] / result["one"], "theory_nearest": result["theory"]["nearest"],
            "theory_last": result["theory"]["last"], "theory_forms": result["theory"]["forms"],
        })
    return pd.DataFrame(rows)


def configs(scale: str) -> list[Phase]:
    """Empty for ``run``: its table is kept."""
    if scale == "quick":
        return [Phase(g, K, units=4, replicas=16, copies=8) for K in (2, 3) for g in (0.0, 0.3, 0.6)]
    if scale == "run":
        return []
    return [Phase(round(float(g), 3), K, direction_norm=b, init_scale=s)
            for b in (1.0, 3.0) for s in (0.01, 0.1, 1.0) for K in range(2, 8) for g in np.arange(0, 1.41, 0.1)]


PHASE = Study("graded_phase", "graded teacher: where narrow students stop agreeing", "toy.graded_teacher.study_phase:run",
              configs, tabulate)
