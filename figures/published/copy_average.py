"""Students with half as many units as their teacher of fifty equal ones: the points at which gradient flow ends."""

from typing import Any

from figures.published import Published
from lab.estimate import Estimate, exact, share_interval

NEAR = 0.005  # relative to the loss: the two points are 4 % apart, and students approach the lower one slowly


def _students(frame) -> tuple:
    """All students, and which of them are at the copy-average point and at the copying one."""
    rows = frame[frame.teacher_width == 50]
    return rows, *((rows.loss / rows[point] - 1).abs() <= NEAR for point in ("copy_average", "copying"))


def _neither(frame) -> Estimate | None:
    rows, averaging, copying = _students(frame)
    return share_interval(int((~averaging & ~copying).sum()), len(rows)) if len(rows) else None


def _points(frame) -> Estimate | None:
    rows, *near = _students(frame)
    return exact(float(sum(students.any() for students in near))) if len(rows) else None


_COMMON: dict[str, Any] = dict(
    protocol="gradient flow from Glorot's start, erf, 50 equal orthonormal teacher units, 25 students, to 1e5 steps at most",
    source="Simsek et al. 2023 (arXiv 2311.01644); berfinsimsek/neural-net-regression, erf50", read="abstract, and its README",
    study="copy-average-fifty", reduced="24 students; those on the way to the copy-average point are stopped before its end")

PUBLISHED = (
    Published(name="copy-average/points", quantity="points that students end at: the best copy-average point, and one where "
              "every unit copies another teacher unit", value=2.0, tolerance=0.5, ours=_points,
              why="how many starts end at which is not stated there", **_COMMON),
    Published(name="copy-average/neither", quantity="share of students that end at neither point", value=0.0, tolerance=0.2,
              ours=_neither, **_COMMON),
)
