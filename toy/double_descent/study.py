"""The study: three families, with little and much label noise, without and with a ridge."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.estimate import Estimate, mean_interval, transformed
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from theory.descent import over_best_below, peak_place
from toy.double_descent.model import predict, simulate

# parameters over samples; in steps of 5 % near the threshold
RATIOS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0, 10.0)
GROUPS = 10  # the peak is located in each of ten groups of replicas, or in each replica if there are fewer
NETWORK = dict(samples=240, dim=10, replicas=40)  # 12 parameters per unit, so that one more unit is 5 % of the samples


@dataclass(frozen=True)
class Descent:
    """One curve."""

    family: str
    noise_variance: float
    ridge: float = 0.0
    samples: int = 40
    dim: int = 400
    replicas: int = 200
    seed: int = 0
    teacher_width: int = 0

    @property
    def features(self) -> tuple[int, ...]:
        """Numbers of features, or of hidden units."""
        return tuple(sorted({max(1, round(r * self.samples / self.parameters)) for r in RATIOS}))

    @property
    def parameters(self) -> int:
        """Parameters per feature; a hidden unit has its input weights, a bias and an output weight."""
        return self.dim + 2 if self.family == "network" else 1


def run(config: Descent, folder: Path) -> dict:
    """Simulate and predict one curve."""
    arguments = dict(family=config.family, features=config.features, samples=config.samples, dim=config.dim,
                     noise_variance=config.noise_variance, ridge=config.ridge, replicas=config.replicas, seed=config.seed,
                     teacher_width=config.teacher_width)
    return {"risks": simulate(**arguments).risks.T, "theory": predict(**arguments).risks}


def configs(scale: str) -> list[Descent]:
    """Curves; the networks take minutes, so only "full" has them."""
    replicas = {"quick": 20, "run": 200, "full": 400}[scale]
    chosen = []
    for noise in (0.05, 0.5):
        for ridge in (0.0, 0.1):
            chosen.append(Descent("least-squares", noise, ridge, replicas=replicas, seed=CONFIRMATORY))
            chosen.append(Descent("random-features", noise, ridge / 100, samples=90, dim=30, replicas=replicas // 4,
                                  seed=CONFIRMATORY))
    if scale == "full":
        chosen = [Descent("network", noise, teacher_width=units, seed=CONFIRMATORY, **NETWORK)
                  for noise, units in ((0.5, 8), (0.0, 8), (0.5, 0))] + chosen  # longest runs first
    return chosen


def tabulate(finished) -> pd.DataFrame:
    """One row per curve and number of features: mean risk with its interval, median, theory, and what evidence needs."""
    rows = []
    for config, result in finished:
        risks = np.array(result["risks"])
        ratios = np.array(config.features) * config.parameters / config.samples
        peaks = [peak_place(ratios, np.median(part, axis=1))
                 for part in np.array_split(risks, min(GROUPS, risks.shape[1]), axis=1)]
        over = over_best_below(risks, ratios)
        for i, p in enumerate(config.features):
            e, ratio = mean_interval(risks[i]), over[i]
            rows.append({
                "family": config.family, "teacher_width": config.teacher_width,
                "noise_variance": config.noise_variance, "ridge": config.ridge,
                "samples": config.samples, "dim": config.dim, "features": p,
                "parameters_per_sample": ratios[i], "risk": e.mean,
                "risk_low": e.low, "risk_high": e.high, "risk_n": e.n, "median": float(np.median(risks[i])),
                "theory": None if result["theory"] is None else result["theory"][i], "peaks": " ".join(map(str, peaks)),
                "over_best_below": ratio and ratio.mean, "over_best_below_low": ratio and ratio.low,
                "over_best_below_high": ratio and ratio.high})
    return pd.DataFrame(rows)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Second descent of every curve without a ridge, and the location of the peak of those with label noise.

    Curves that differ only in the noise level share their inputs, and their noise up to a factor: one cluster.
    """
    pieces: list[Evidence] = []
    keys = ["family", "teacher_width", "noise_variance"]
    for (family, teacher, noise), rows in table[table.ridge == 0].groupby(keys, sort=False):
        last = rows.loc[rows.features.idxmax()]
        kind = f"teacher of {teacher} units" if teacher else "linear teacher"
        name = f"{family}-teacher{teacher}" if teacher else family
        setting = (f"{family}, {kind}, noise {noise:g}, n = {last.samples:.0f}, up to {last.parameters_per_sample:g} n "
                   "parameters")
        estimates: dict[str, Estimate] = {}
        if np.isfinite(last.over_best_below):
            estimates["s2.second-descent"] = _of_logarithms(last)
        if noise > 0:
            estimates["s2.peak-at-interpolation"] = mean_interval(map(float, str(last.peaks).split()), log=True)
        pieces += [Evidence(claim, "toy", setting, estimate, runs, piece=f"{name}-noise{noise:g}",
                            levels={"family": family, "teacher": kind, "noise": f"{noise:g}"}, cluster=f"{family}, {kind}")
                   for claim, estimate in estimates.items()]
    return pieces


def _of_logarithms(row) -> Estimate:
    """The geometric mean in a row of the table, with its interval, which is Student's on the logarithms."""
    mean, low, high = (math.log(row[f"over_best_below{end}"]) for end in ("", "_low", "_high"))
    return transformed(Estimate(mean, low, high, int(row.risk_n) // 2), math.exp)  # half of the replicas


STUDY = Study("double-descent", "double descent: risk against the number of parameters", "toy.double_descent.study:run",
              configs, tabulate, evidence, processes=True)
