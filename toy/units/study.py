"""The MLPs in S1's table of cases: removable and repeated units against width, by dimension and start."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from lab.combine import bounded, largest, no_narrower
from lab.estimate import Estimate, mean_interval, rate_interval, transformed
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from theory.unit_evidence import Case, by_width, case_evidence
from toy.units.measure import report
from toy.units.model import simulate

WIDTHS = (32, 64, 128, 256, 512)
SMALL, STANDARD, LARGE = 0.1, 1.0, 5.0


@dataclass(frozen=True)
class Cell:
    """Students of one width: one per replica, with data and teacher of its own, which are the same at every width."""

    dim: int
    samples: int
    init_scale: float
    width: int
    balanced: bool = False
    replicas: int = 5
    epochs: int = 60
    test_samples: int = 4000
    seed: int = 0
    first_replica: int = 0


CURVES = ("unchanged", "targeted", "best")


def run(config: Cell, folder: Path) -> dict:
    """Train and measure the replicas one by one."""
    rows, curves = [], []
    for r in range(config.first_replica, config.first_replica + config.replicas):
        trained = simulate(config.dim, config.samples, config.width, config.init_scale, replicas=1, seed=config.seed,
                           first_replica=r, epochs=config.epochs, test_samples=config.test_samples, balanced=config.balanced)
        measured = report(trained, seed=config.seed)
        rows.append({**measured.numbers, "train_accuracy": trained.train_accuracy[0],
                     "test_accuracy": trained.test_accuracy[0]})
        curves.append([getattr(measured, name) for name in CURVES])
    return {"rows": rows, "fractions": measured.fractions, "curves": dict(zip(CURVES, np.mean(curves, axis=0)))}


def configs(scale: str, n: int | None = None) -> list[Cell]:
    """The settings of a scale, one replica per run."""
    count = n or {"quick": 3, "run": 0, "full": 8}[scale]
    return [replace(cell, replicas=1, first_replica=r) for cell in _cells(scale)
            for r in range(CONFIRMATORY, CONFIRMATORY + count)]


def _cells(scale: str) -> list[Cell]:
    """S1's cases, with small, standard and large starts and a balanced or unchanged teacher.

    d = 10 with n of 1,000, 10,000 and 100,000 (20 epochs of the latter are as many steps as 200 of 10,000), and d = 10,000.
    """
    if scale == "quick":
        return [Cell(10, 10_000, s, w, True, epochs=20) for s in (SMALL, LARGE) for w in (16, 64)]
    wide_first = WIDTHS[::-1]  # longest runs first
    cells = [Cell(10, 100_000, s, w, True, epochs=20) for s in (SMALL, LARGE) for w in wide_first[::2]]
    cells += [Cell(10_000, 1000, s, w, True, test_samples=2000) for s in (SMALL, STANDARD) for w in wide_first]
    cells += [Cell(10_000, 1000, STANDARD, w, test_samples=2000) for w in wide_first]
    cells += [Cell(10, 10_000, s, w, True) for s in (SMALL, STANDARD, LARGE) for w in wide_first]
    cells += [Cell(10, 10_000, s, w) for s in (SMALL, LARGE) for w in wide_first]
    return cells + [Cell(10, 1000, s, w, True) for s in (SMALL, LARGE) for w in wide_first[::2]]


START = {SMALL: "small", STANDARD: "standard", LARGE: "large"}


def name_of(dim: int, samples: int, init_scale: float, balanced: bool) -> str:
    """A case in words."""
    start = START.get(init_scale, f"{init_scale:g} ×")
    return f"MLP, d = {dim:,}, n = {samples:,}, {start} start" + (", classes of equal size" if balanced else "")


def tabulate(finished) -> pd.DataFrame:
    """One row per student; the first row of a run holds the run's mean curves as text."""
    rows = []
    for config, result in finished:
        base = {"case": name_of(config.dim, config.samples, config.init_scale, config.balanced), "dim": config.dim,
                "samples": config.samples, "init_scale": config.init_scale, "balanced": config.balanced, "width": config.width}
        for r, numbers in enumerate(result["rows"]):
            text = {f"curve_{k}": " ".join(f"{x:.4f}" for x in result["curves"][k]) if r == 0 else "" for k in CURVES}
            rows.append({**base, "replica": config.first_replica + r, **numbers, **text})
    return pd.DataFrame(rows)


def _describe(row: pd.Series) -> Case:
    start = START.get(row.init_scale, f"{row.init_scale:g}")
    return Case(piece=f"d{row.dim}-n{row.samples}-{start}" + ("-balanced" if row.balanced else ""),
                start=f"start-d{row.dim}", untrained=f"layer, d = {row.dim:,}",
                levels={"start": start, "dimension": f"{row.dim}", "data": "synthetic", "architecture": "mlp"})


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence of every case, and of the curve shapes that S1 reports for its MLPs."""
    pieces = case_evidence(table, "toy", runs, _describe)
    for name, rows in table.groupby("case", sort=False):
        case = _describe(rows.iloc[0])
        pieces += [Evidence(claim, "toy", setting, estimate, runs, piece=case.piece, levels=case.levels)
                   for claim, setting, estimate in _shapes(table, name, rows.iloc[0])]
    return pieces


def _shapes(table: pd.DataFrame, case: str, first: pd.Series) -> Iterator[tuple[str, str, Estimate]]:
    """Claim, setting and estimate for S1's statements about this case."""
    if first.dim == 10 and first.init_scale == LARGE:
        widths, auc = by_width(table, case, "auc")
        if len(widths) > 2:
            falls = [mean_interval(auc[:, len(widths) // 2] - auc[:, end]) for end in (0, -1)]
            if (fall := largest(*falls)) is not None:
                yield "s1.large-start-u-shape", case, bounded(transformed(fall, operator.neg), -1, 1)
    if first.dim > 1000:
        widths, similar = by_width(table, case, "similar_per_unit")
        units = len(similar) * widths[-1]  # an event is a pair, and counts for both of its units
        seen = rate_interval(round(similar[:, -1].sum() * widths[-1] / 2), units / 2, len(similar))
        yield "s1.high-dimension-does-not-repeat", case, no_narrower(mean_interval(similar[:, -1]), seen)
    partner = name_of(first.dim, first.samples, LARGE, bool(first.balanced))
    if first.dim == 10 and first.init_scale == SMALL and partner in set(table.case):
        (_, small), (_, large) = (by_width(table, c, "pair_share") for c in (case, partner))
        yield "s1.small-start-repeats", f"{case} against large", bounded(mean_interval(small[:, -1] - large[:, -1]), -1, 1)


STUDY = Study("units", "removable and repeated units of MLPs on synthetic data", "toy.units.study:run", configs, tabulate,
              evidence, processes=True, extensible=True)
