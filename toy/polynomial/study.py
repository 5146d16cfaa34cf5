"""The study: agreement inside and outside the hull, by degree or width and by training regime."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.combine import bounded
from lab.estimate import mean_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from toy.polynomial.model import simulate, simulate_networks

STRIDE = 10_000  # keeps the replica numbers, and so the streams, of different degrees apart
BEYOND = (0, 1, 3, 5, 7)  # degrees of the classifiers minus that of the truth


@dataclass(frozen=True)
class DataSet:
    """One truth of a degree with its data, for all model classes."""

    replica: int
    degrees: tuple[int, ...] = (3, 4, 6, 8, 10)
    widths: tuple[int, ...] = (4, 16, 64, 256)
    samples: int = 40
    seed: int = 0
    degree: int = 3


def run(config: DataSet, folder: Path) -> dict:
    """All classifiers on one data set."""
    common = dict(samples=config.samples, degree=config.degree, seed=config.seed, replica=config.replica)
    rows = [*simulate(config.degrees, **common), *simulate_networks(config.widths, **common)]
    return {"rows": [asdict(row) for row in rows]}


def configs(scale: str, n: int | None = None) -> list[DataSet]:
    """Independent truths with their data, ``n`` of each degree."""
    replicas = range(CONFIRMATORY, CONFIRMATORY + (n or {"quick": 2, "run": 6, "full": 16}[scale]))
    return [DataSet(r + STRIDE * k, tuple(k + more for more in BEYOND), degree=k)
            for k in ((3, 2, 4) if scale == "full" else (3,)) for r in replicas]


def tabulate(finished) -> pd.DataFrame:
    """One row per data set and classifier."""
    return pd.DataFrame([{"data_set": config.replica, "truth": config.degree, **row}
                         for config, result in finished for row in result["rows"]])


def _growth(rows: pd.DataFrame) -> list[float]:
    """For each data set, agreement outside of the largest model minus that of the smallest that separates it from every start.

    Data sets that only the largest model separates are left out: they have no pair to compare.
    """
    growth = []
    for _, sizes in rows.sort_values("size").groupby("data_set"):
        separating = sizes[sizes.train_error == 0].pair_outside.to_numpy()
        if len(separating) > 1 and sizes.train_error.iloc[-1] == 0:
            growth.append(float(separating[-1] - separating[0]))
    return growth


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Differences on the same data sets; intervals are over data sets."""
    truths = table.truth if "truth" in table else pd.Series(3, table.index)
    return [Evidence(claim, "toy", f"{setting}, truth of degree {truth}", bounded(mean_interval(values), -1, 1), runs,
                     piece=f"{piece}-{truth}", cluster=f"{family}, truth of degree {truth}", levels={"family": family})
            for truth, rows in table.groupby(truths)
            for family, kind in (("polynomials", "gradient"), ("networks", "network"))
            for claim, piece, setting, values in _of_family(rows, family, kind) if len(values)]


def _of_family(rows: pd.DataFrame, family: str, kind: str) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Claim, piece, setting and the statistic on each data set, for polynomials or networks."""
    short, name = family[:-1], {"polynomials": "degree", "networks": "width"}[family]
    small, large = (rows[rows.regime == f"{kind}-{start}"] for start in ("small", "large"))
    last = small["size"].max()
    for start, of_start in (("small", small), ("large", large)):
        yield ("s3.overparameterization-controls-outside", f"{short}-{start}", f"{family}, {start} starts, up to {name} {last}",
               np.array(_growth(of_start)))
    small, large = (rows[rows["size"] == last].set_index("data_set") for rows in (small, large))
    yield ("s3.training-controls-outside", short, f"{family}, {name} {last}",
           (small.pair_outside - large.pair_outside).to_numpy())
    yield ("s3.outside-is-harder", f"{short}-small", f"{family}, small starts, {name} {last}",
           (small.truth_inside - small.truth_outside).to_numpy())


STUDY = Study("polynomial", "a boundary in the plane, inside and outside the hull of the data", "toy.polynomial.study:run",
              configs, tabulate, evidence, processes=True, extensible=True)
