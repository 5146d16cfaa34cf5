"""The study: index against loss, and the spread of the index, at critical points of both landscapes."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lab.combine import bounded
from lab.estimate import mean_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from toy.critical_points.model import predict, simulate

SETTINGS = (("relu", 5), ("relu", 4), ("field", 9), ("field", 6))  # the longest first


@dataclass(frozen=True)
class Search:
    """One replica: it has its own starts and, of a field, its own draw."""

    landscape: str
    size: int
    seed: int
    starts: int = 100


def run(config: Search, folder: Path) -> dict:
    """Search, and predict."""
    arguments = config.landscape, config.size, config.starts, 1, config.seed  # one replica
    points, theory = simulate(*arguments), predict(*arguments)
    return {"loss": points.loss, "index": points.index, "directions": points.directions, "found": int(points.found[0]),
            "fall": points.fall[0], "coins": points.coins[0], "fall_theory": theory.fall, "coins_theory": theory.coins}


def configs(scale: str, n: int | None = None) -> list[Search]:
    """Six replicas of every setting; quick: two of small ones."""
    if scale == "quick":
        return [Search(*setting, CONFIRMATORY + r, 40) for setting in (("relu", 3), ("field", 4)) for r in range(n or 2)]
    return [Search(*setting, CONFIRMATORY + r) for setting in SETTINGS for r in range(n or 6)] if scale == "full" else []


def tabulate(finished) -> pd.DataFrame:
    """One row per distinct critical point; the columns about its replica are repeated."""
    rows = []
    for config, result in finished:
        about = {"landscape": config.landscape, "size": config.size, "replica": config.seed, "starts": config.starts,
                 **{key: result[key] for key in ("directions", "found", "fall", "coins", "fall_theory", "coins_theory")}}
        rows += [{**about, "loss": loss, "index": index} for loss, index in zip(result["loss"], result["index"])]
    return pd.DataFrame(rows)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Each landscape's share of negative directions by loss, and its spread; the interval is over replicas."""
    pieces = []
    replicas = table.drop_duplicates(["landscape", "size", "replica"])
    for (landscape, size), rows in replicas.groupby(["landscape", "size"], sort=False):
        relu = landscape == "relu"
        measured = partial(
            Evidence, column="toy", runs=runs, piece=f"{landscape}-{'k' if relu else 'n'}{size}",
            setting=f"ReLU students and teacher of {size} units" if relu else f"Gaussian field in {size} dimensions",
            note=f"{rows.found.sum()} of {rows.starts.sum()} searches ended at a critical point",
            levels={"landscape": landscape})
        for claim, column, least in (("s2.index-falls-with-loss", "fall", -1.0), ("s2.coin-flips", "coins", 0.0)):
            if (values := rows[column].replace([np.inf, -np.inf], np.nan).dropna()).size:
                pieces.append(measured(claim, estimate=bounded(mean_interval(values), least)))
    return pieces


STUDY = Study("critical-points", "critical points of toy landscapes: index against loss", "toy.critical_points.study:run",
              configs, tabulate, evidence, processes=True, extensible=True)
