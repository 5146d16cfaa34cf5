"""Studies of the graded teacher: narrow concatenations against one wide student, copies, ridges; and their evidence.

A two-layer student of width K has K (1 + d) parameters: concatenations matched in features are matched in parameters,
too. Table columns named ``x_to_y`` are span errors (``toy.graded_teacher.compare``), ``*_probe`` is the unexplained share
of the teacher's output, and ``theory_*`` is the prediction of ``theory.span.predict`` with the wide student taken as the teacher.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from lab.estimate import exact, mean_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from theory.measures import span_error
from theory.span import predict
from toy.graded_teacher.compare import compare
from toy.graded_teacher.model import simulate
from toy.graded_teacher.teacher import Teacher, moments

# name -> strengths and norm of the directions
TEACHERS = {
    "graded": ((1.0, 0.7, 0.4, 0.2), 3.0),
    "square root": (tuple(float(m) ** -0.5 for m in range(1, 9)), 1.0),
    "equal": ((1.0,) * 4, 3.0),
}
REPLICAS = {"quick": 3, "run": 16, "full": 32}
BLOCK = 8  # replicas per run in the extensible studies
LARGE = 1.0  # initial scale at which the start decides what students find (graded-phase); the usual scale is 0.1
MATCHED = 0.01  # largest relative difference of two matched losses
CAP = 1e5  # flow time of the studies
SCALARS = ("narrow_to_wide", "wide_to_narrow", "wide_to_narrow_units", "wide_to_wide", "narrow_probe", "wide_probe",
           "residual_probe", "random_probe", "cka")


@dataclass(frozen=True)
class Cell:
    """One comparison.

    Attributes
    ----------
    teacher : key of ``TEACHERS``.
    width, copies, reference_width, replicas, seed, condition, above_floor, init_scale : as in ``compare``.
    ridges, gradient_tol : relative ridges, and where training stops.
    """

    teacher: str = "graded"
    width: int = 2
    copies: int = 8
    reference_width: int = 16
    condition: str = "free"
    ridges: tuple[float, ...] = (1e-6,)
    gradient_tol: float = 1e-8
    dim: int = 10
    replicas: int = 16
    seed: int = 0
    above_floor: float = 1.0
    init_scale: float = 0.1


def in_blocks(cells: list[Cell], scale: str, n: int) -> list[Cell]:
    """Split each cell into runs of one block of replicas, until there are at least ``n``.

    Blocks have seeds from ``CONFIRMATORY`` on, so that a study with more replicas contains the runs of one with fewer. The quick
    scale has one small block.
    """
    block = min(n, BLOCK) if scale == "quick" else BLOCK
    return [replace(cell, replicas=block, seed=CONFIRMATORY + i) for cell in cells for i in range(-(-n // block))]


@cache
def _outlook(teacher: str, dim: int, width: int, copies: int):
    strengths, norm = TEACHERS[teacher]
    return predict(strengths, norm, dim, width, copies)


def _theory(teacher: str, dim: int, width: int, copies: int) -> dict:
    p = _outlook(teacher, dim, width, copies if teacher == "equal" else 1)  # copies matter at equal strengths only
    return {"theory_narrow_to_wide": p.span_error, "theory_wide_to_narrow": p.reverse_span_error_pooled,
            "theory_narrow_probe": p.feature_performance, "theory_unique": p.unique}


def run_comparison(config: Cell, folder: Path) -> dict:
    """Train and compare one cell; one row per replica and ridge."""
    strengths, norm = TEACHERS[config.teacher]
    result = compare(strengths, norm, config.dim, config.width, config.copies, config.reference_width, config.replicas,
                     config.seed, config.init_scale, gradient_tol=config.gradient_tol, time_cap=CAP, condition=config.condition,
                     above_floor=config.above_floor, ridges=config.ridges)
    rows = []
    for r in range(config.replicas):
        narrow, wide = slice(r * config.copies, (r + 1) * config.copies), slice(2 * r, 2 * r + 2)
        for k, ridge in enumerate(config.ridges):
            row = {"replica": r, "ridge": ridge, **{name: float(getattr(result, name)[r, k]) for name in SCALARS},
                   "narrow_loss": float(result.narrow.loss[narrow].mean()),
                   "wide_loss": float(result.wide.loss[wide].mean()),
                   "narrow_converged": float(result.narrow.converged[narrow].mean()),
                   "wide_converged": float(result.wide.converged[wide].mean()),
                   "narrow_to_teacher": float(result.narrow_to_teacher[r, k].mean()),
                   "wide_to_teacher": float(result.wide_to_teacher[r, k].mean()),
                   "untrained_to_teacher": float(result.untrained_to_teacher[r, k].mean())}
            row |= {f"narrow_to_unit_{m + 1}": float(x) for m, x in enumerate(result.narrow_to_teacher[r, k])}
            rows.append(row)
    return {"rows": rows, "theory": _theory(config.teacher, config.dim, config.width, config.copies)}


def tabulate_comparison(finished) -> pd.DataFrame:
    """One row per cell, replica and ridge; replicas are numbered across the seeds of a cell."""
    return pd.DataFrame([
        {"teacher": c.teacher, "condition": c.condition, "width": c.width, "alpha": c.width / c.reference_width,
         "copies": c.copies, "reference_width": c.reference_width, "gradient_tol": c.gradient_tol, "init_scale": c.init_scale,
         **row, "replica": max(0, c.seed - CONFIRMATORY) * c.replicas + row["replica"], **result["theory"]}
        for c, result in finished for row in result["rows"]
    ])


# -------------------------------------------------------------------------------------------- width, at equal features
def configs_width(scale: str, n: int | None = None) -> list[Cell]:
    """α = 1 … 1/16 with 1/α copies, free and at matched loss; copies of width 16 against 32 (α above 1); and slices of the wide
    start, mostly at the large scale (from small starts every student finds the same solution, so slices could not matter)."""
    widths = (1, 2, 16) if scale == "quick" else (1, 2, 4, 8, 16)
    cells = [Cell(teacher, K, 16 // K, 16, condition) for teacher in ("graded", "square root")
             for condition in ("free", "matched loss") for K in widths if condition == "free" or K < 16]
    cells += [*(Cell("equal", K, 16 // K, 16) for K in widths), Cell("equal", 2, 8, 16, "shared start"),
              *(Cell("square root", K, 16 // K, 16, condition, init_scale=LARGE) for condition in ("free", "shared start")
                for K in widths if K in (2, 4)),
              *(Cell(teacher, 16, 2, 32) for teacher in ("graded", "square root"))]
    return in_blocks(cells, scale, n or REPLICAS[scale])


def _difference(table, minuend, subtrahend):
    return mean_interval((table[minuend] - table[subtrahend]).to_numpy())


def evidence_width(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Gaps at the smallest α, free and under each control; performance; residuals; theory's numbers."""
    pieces = []

    def add(claim, setting, teacher, estimate, column="toy", start="small"):
        pieces.append(Evidence(claim, column, setting, estimate, runs if column == "toy" else (), levels={
            "strengths": teacher, "start": start, "difficulty": "hard", "data": "synthetic", "architecture": "mlp"},
            piece=teacher if start == "small" else f"{teacher}, {start} start"))

    large = table[table.init_scale == LARGE] if "init_scale" in table else table[:0]  # older tables have small starts alone
    table = table.drop(large.index)
    base = table[table.reference_width == 16]
    for teacher, rows in base[base.teacher != "equal"].groupby("teacher", sort=False):
        free = rows[rows.condition == "free"]
        low, half = free[free.width == free.width.min()], free[free.width == 8]
        where = f"{_name(teacher)}, {low.copies.iloc[0]}×{low.width.iloc[0]} against 1×16"
        add("s0.narrow-does-not-span-wide", where, teacher, _difference(low, "narrow_to_wide", "wide_to_wide"))
        add("s0.wide-does-not-span-narrow", where, teacher, _difference(low, "wide_to_narrow", "wide_to_wide"))
        add("s0.wide-performs-better", where, teacher, _difference(low, "narrow_probe", "wide_probe"))
        add("s0.residual-features-perform", where, teacher, _difference(low, "random_probe", "residual_probe"))
        if len(half):
            change = low.narrow_to_wide.to_numpy() - half.narrow_to_wide.to_numpy()
            add("s0.gap-grows-as-networks-narrow", where, teacher, mean_interval(change))
        one = low.iloc[0]
        if one.theory_unique:
            ideal = where + ", the wide one taken as the teacher"
            for claim, value in (("s0.narrow-does-not-span-wide", one.theory_narrow_to_wide),
                                 ("s0.wide-does-not-span-narrow", one.theory_wide_to_narrow),
                                 ("s0.wide-performs-better", one.theory_narrow_probe)):
                add(claim, ideal, teacher, exact(value), "theory")
            if len(half):
                add("s0.gap-grows-as-networks-narrow", ideal, teacher,
                    exact(one.theory_narrow_to_wide - half.iloc[0].theory_narrow_to_wide), "theory")
        matched = rows[(rows.condition == "matched loss") & (rows.width == low.width.iloc[0])]
        matched = matched[(matched.wide_loss / matched.narrow_loss - 1).abs() <= MATCHED]
        if len(matched):
            add("s0.gap-survives-matched-training", where, teacher, _difference(matched, "narrow_to_wide", "wide_to_wide"))
    for start, cells in (("small", base), ("large", large)):
        for (teacher, width), cell in cells[cells.condition == "shared start"].groupby(["teacher", "width"], sort=False):
            if teacher == "equal" or start == "large":
                where = f"{_name(teacher)}, {cell.copies.iloc[0]}×{width} against 1×16, {start} start"
                add("s0.gap-survives-shared-start", where, f"{teacher}, width {width}",
                    _difference(cell, "narrow_to_wide", "wide_to_wide"), start=start)
    for teacher, rows in table[table.reference_width == 32].groupby("teacher", sort=False):
        add("s0.gap-above-width-one", f"{_name(teacher)}, 2×16 against 1×32", teacher,
            _difference(rows, "narrow_to_wide", "wide_to_wide"))
    return pieces


def _name(teacher: str) -> str:
    strengths, norm = TEACHERS[teacher]
    return f"graded teacher ({teacher} strengths, M = {len(strengths)}, |B| = {norm:g})"


# ----------------------------------------------------------------------------------------------------------- copies
def configs_copies(scale: str, n: int | None = None) -> list[Cell]:
    """1 … 64 copies of width 2 and 3, graded and equal strengths; the quick scale goes to 16."""
    top = 5 if scale == "quick" else 7
    return in_blocks([Cell(teacher, K, 2**c) for teacher in ("graded", "square root", "equal") for K in (2, 3)
                      for c in range(top)], scale, n or {"quick": 3, "run": 8, "full": 16}[scale])


def evidence_copies(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """The effect of the last doubling before copies match the wide student's features, and how much more copies help at equal
    than at graded strengths. Theory has no number for the first: with a unique solution, all copies are alike."""
    pieces, falls, predicted = [], {}, {}
    for (teacher, width), rows in table.groupby(["teacher", "width"], sort=False):
        wide = rows.pivot(index="replica", columns="copies", values="narrow_to_wide")
        equal = 2 ** int(np.log2(rows.reference_width.iloc[0] / width))  # a power of two, like all numbers of copies
        if not {1, equal // 2, equal} <= set(wide.columns):
            continue
        falls[teacher, width] = 1 - wide[equal] / wide[1]
        theory = rows.groupby("copies").theory_narrow_to_wide.first()
        predicted[teacher, width] = 1 - theory[equal] / theory[1]
        if equal * width == rows.reference_width.iloc[0]:
            pieces.append(Evidence("s0.copies-saturate", "toy",
                                   f"{_name(teacher)}, width {width}, {equal // 2} to {equal} copies",
                                   mean_interval(1 - wide[equal] / wide[equal // 2]), runs, piece=teacher,
                                   levels={"strengths": teacher, "data": "synthetic", "architecture": "mlp"}))
    for width in sorted({width for _, width in falls}):
        pair = [("equal", width), ("graded", width)]
        if all(key in falls for key in pair):
            equal, graded = pair
            where = f"M = 4, |B| = 3, width {width}, 1 to {2 ** int(np.log2(16 / width))} copies"
            for column, estimate in (("toy", mean_interval((falls[equal] - falls[graded]).to_numpy())),
                                     ("theory", exact(predicted[equal] - predicted[graded]))):
                pieces.append(Evidence("s0.equal-strengths-differ", column, where, estimate, runs if column == "toy" else (),
                                       piece=f"width{width}"))
    return pieces


# ------------------------------------------------------------------------------------------------------------ ridge
def configs_ridge(scale: str) -> list[Cell]:
    """Eight copies of width 2 against the ridge, for training stopped at several gradients."""
    ridges = tuple(10.0 ** -np.arange(1, 12))
    return [Cell("graded", 2, 8, ridges=ridges, gradient_tol=tol, replicas=REPLICAS[scale])
            for tol in (1e-3, 1e-4, 1e-6, 1e-8)]


# ------------------------------------------------------------------------------------------------------------ units
@dataclass(frozen=True)
class Units:
    """Students of one width, measured by which teacher units they find."""

    teacher: str = "graded"
    width: int = 2
    dim: int = 10
    replicas: int = 16
    seed: int = 0


def run_units(config: Units, folder: Path) -> dict:
    """Span error of each teacher unit and its closest student direction; one row per replica and unit."""
    strengths, norm = TEACHERS[config.teacher]
    teacher = Teacher(strengths, norm, config.dim)
    students = simulate(strengths, norm, config.dim, config.width, config.replicas, config.seed, time_cap=CAP)
    rows = []
    for r in range(config.replicas):
        W = students.units(r)
        errors = span_error(moments({"student": W}, teacher), source="student", target="teacher", per_unit=True)
        cosine = np.abs(W[:, : teacher.units]) / np.linalg.norm(W, axis=1)[:, None]
        rows += [{"replica": r, "unit": m + 1, "strength": strengths[m], "span_error": float(errors[m]),
                  "cosine": float(cosine[:, m].max()), "loss": float(students.loss[r]),
                  "converged": bool(students.converged[r])} for m in range(teacher.units)]
    theory = _outlook(config.teacher, config.dim, config.width, 1).span_error_per_teacher_unit
    return {"rows": rows, "theory": [float(x) for x in theory]}


def tabulate_units(finished) -> pd.DataFrame:
    """One row per width, replica and teacher unit."""
    return pd.DataFrame([
        {"teacher": c.teacher, "width": c.width, **row, "theory_span_error": result["theory"][row["unit"] - 1]}
        for c, result in finished for row in result["rows"]
    ])


def configs_units(scale: str) -> list[Units]:
    """Widths 1 … 16 of every teacher."""
    return [Units(teacher, K, replicas=REPLICAS[scale]) for teacher in TEACHERS for K in (1, 2, 3, 4, 8, 16)]


_HERE = "toy.graded_teacher.study"
WIDTH = Study("graded-width", "graded teacher: narrow concatenations against one wide student", f"{_HERE}:run_comparison",
              configs_width, tabulate_comparison, evidence_width, processes=True, extensible=True)
COPIES = Study("graded-copies", "graded teacher: more and more narrow copies", f"{_HERE}:run_comparison", configs_copies,
               tabulate_comparison, evidence_copies, processes=True, extensible=True)
RIDGE = Study("graded-ridge", "graded teacher: span error against ridge and stopping", f"{_HERE}:run_comparison", configs_ridge,
              tabulate_comparison)
UNITS = Study("graded-units", "graded teacher: which unit is found by which width", f"{_HERE}:run_units", configs_units,
              tabulate_units, processes=True)
