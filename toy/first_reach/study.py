"""The study: the same number of starts in one wide network, in narrow ones, and in their concatenation."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.errors import InputError
from lab.estimate import Estimate, exact, share_difference, share_interval
from lab.study import Study
from theory.claims import Evidence
from theory.first_reach import DRAWS
from toy.first_reach.model import predict, simulate


@dataclass(frozen=True)
class Reach:
    """One cell: all starts split over copies of one width."""

    threshold: float
    width: int
    copies: int
    strengths: tuple[float, ...] = (1.0, 0.05)
    dim: int = 4
    replicas: int = 2000
    seed: int = 0


def run(config: Reach, folder: Path) -> dict:
    """Simulate and predict one cell."""
    arguments = dict(strengths=config.strengths, threshold=config.threshold, dim=config.dim, width=config.width,
                     copies=config.copies, replicas=config.replicas, seed=config.seed)
    found, theory = simulate(**arguments), predict(**arguments)
    unfinished = float(np.mean(~found.finished))
    if unfinished > 0.01:
        raise InputError(f"{100 * unfinished:.1f} % of the networks did not come to rest: raise the time cap")
    return {
        "unfinished": unfinished,
        "networks": int(found.learnt.shape[0] * found.learnt.shape[1]),
        "missed_by_one": np.sum(~found.learnt, axis=(0, 1)).tolist(),
        "missed_by_all": found.missed_by_all.sum(axis=0).tolist(),
        # the limit of a vanishing second strength where theory has no more (``theory_kind`` tells)
        "theory_one": [a if a is not None else b for a, b in zip(theory.missed_by_one, theory.limit_by_one)],
        "theory_all": [a if a is not None else b for a, b in zip(theory.missed_by_all, theory.limit_by_all)],
    }


def configs(scale: str) -> list[Reach]:
    """Eight starts as 8 networks of width 1, 4 of width 2, 2 of width 4, 1 of width 8; without and with capture."""
    replicas = {"quick": 200, "run": 5000, "full": 10_000}[scale]
    return [Reach(b, width, 8 // width, replicas=replicas) for b in (0.72, 0.3) for width in (1, 2, 4, 8)]


def theory_kind(threshold: float) -> str:
    """What theory's numbers are: exact where no neuron reaches two features, else the limit of a vanishing second strength."""
    return "exact" if threshold >= np.sqrt(0.5) else "limit"


def theory_difference(narrow, wide, which: str) -> Estimate | None:
    """Theory's number for "one" or "all" narrow networks less that for the wide one; with its Monte Carlo interval."""
    value = narrow[f"{which}_theory"] - wide.all_theory
    if not np.isfinite(value):
        return None
    if theory_kind(narrow.threshold) == "exact":
        return exact(value)
    error = 0.0
    for row, count in ((narrow, narrow.copies if which == "all" else 1), (wide, wide.copies)):
        if row.width > 1:  # K = 1 is an integral; draws are shares of 0 to 1, so a binomial error bounds theirs
            p = row.one_theory
            error = np.hypot(error, count * p ** (count - 1) * np.sqrt(p * (1 - p) / DRAWS))
    return Estimate(float(value), float(value - 1.96 * error), float(value + 1.96 * error), DRAWS)


def tabulate(finished) -> pd.DataFrame:
    """A row a cell and feature: shares of single networks and of concatenations that miss it, beside theory."""
    rows = []
    for config, result in finished:
        for m, strength in enumerate(config.strengths):
            row = {"threshold": config.threshold, "dim": config.dim, "width": config.width, "copies": config.copies,
                   "feature": m + 1, "strength": strength, "unfinished": result["unfinished"],
                   "theory_kind": theory_kind(config.threshold)}
            for kind, n in (("one", result["networks"]), ("all", config.replicas)):
                share = share_interval(result[f"missed_by_{kind}"][m], n)
                row |= {f"{kind}_missed": result[f"missed_by_{kind}"][m], f"{kind}_n": n, f"{kind}_share": share.mean,
                        f"{kind}_low": share.low, f"{kind}_high": share.high, f"{kind}_theory": result[f"theory_{kind}"][m]}
            rows.append(row)
    return pd.DataFrame(rows)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Narrowest against widest, for the weakest feature, in both regimes."""
    found = []
    for threshold, cells in table[table.feature == table.feature.max()].groupby("threshold"):
        narrow, wide = cells.loc[cells.width.idxmin()], cells.loc[cells.width.idxmax()]
        regime = "pure reach" if threshold >= np.sqrt(0.5) else "reach with capture"
        setting = f"{regime} (b = {threshold:g}), {narrow.copies:.0f}×{narrow.width:.0f} against 1×{wide.width:.0f}"
        for claim, which in (("s0.narrow-starts-miss-features", "one"), ("s0.concatenated-starts-miss-features", "all")):
            found.append(Evidence(claim, "toy", setting, share_difference(
                int(narrow[f"{which}_missed"]), int(narrow[f"{which}_n"]), int(wide.all_missed), int(wide.all_n)), runs))
            theory = theory_difference(narrow, wide, which)
            if theory is not None:
                limit = "" if theory_kind(threshold) == "exact" else ", limit of a vanishing weak strength"
                found.append(Evidence(claim, "theory", setting + limit, theory))
    return found


STUDY = Study("first-reach", "first reach: which features do the starts decide?", "toy.first_reach.study:run", configs,
              tabulate, evidence, processes=True)
