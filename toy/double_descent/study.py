"""The study: three families, with and without label noise and ridge."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.estimate import Estimate, mean_interval, transformed
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from toy.double_descent.model import predict, simulate

# parameters over samples; next to the threshold in steps of a twentieth
RATIOS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.3, 1.5, 2.0, 3.0, 5.0, 10.0)
GROUPS = 10  # the peak's place is found in each of ten groups of replicas, or in each replica where there are fewer
NETWORK = dict(samples=240, dim=10, replicas=40)  # twelve parameters a unit: one unit more is a twentieth of the samples


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
        """Of a feature: a hidden unit has its input weights, a bias and an output weight."""
        return self.dim + 2 if self.family == "network" else 1


def run(config: Descent, folder: Path) -> dict:
    """Simulate and predict one curve."""
    arguments = dict(family=config.family, features=config.features, samples=config.samples, dim=config.dim,
                     noise_variance=config.noise_variance, ridge=config.ridge, replicas=config.replicas, seed=config.seed,
                     teacher_width=config.teacher_width)
    return {"risks": simulate(**arguments).risks.T, "theory": predict(**arguments).risks}


def configs(scale: str) -> list[Descent]:
    """Curves; the networks take some minutes and are left to "full"."""
    replicas = {"quick": 20, "run": 200, "full": 400}[scale]
    chosen = []
    for noise in (0.05, 0.5):
        for ridge in (0.0, 0.1):
            chosen.append(Descent("least-squares", noise, ridge, replicas=replicas, seed=CONFIRMATORY))
            chosen.append(Descent("random-features", noise, ridge / 100, samples=90, dim=30, replicas=replicas // 4,
                                  seed=CONFIRMATORY))
    if scale == "full":
        chosen = [Descent("network", noise, teacher_width=units, seed=CONFIRMATORY, **NETWORK)
                  for noise, units in ((0.5, 8), (0.0, 8), (0.5, 0))] + chosen  # the longest first
    return chosen


def peak_place(ratios: np.ndarray, risks: np.ndarray) -> float:
    """Where a curve of risks over ratios peaks: the top of the parabola through its highest point and the two beside it.

    Both axes are logarithmic; a highest point at the end of the curve is taken as it is.
    """
    i = int(np.argmax(risks))
    if i in (0, len(risks) - 1):
        return float(ratios[i])
    a, b, _ = np.polyfit(x := np.log(ratios[i - 1:i + 2]), np.log(risks[i - 1:i + 2]), 2)
    return float(np.exp(-b / (2 * a) if a < 0 else x[1]))


def over_best_below(risks: np.ndarray, ratios: np.ndarray) -> list[Estimate | None]:
    """Risk of every row of (F, replicas) over the best one with fewer parameters than samples, as geometric means.

    Every second replica serves to find the best; the ratios are those of the other ones, each with itself.
    """
    below = np.flatnonzero(ratios < 1)
    if below.size == 0 or risks.shape[1] < 2:
        return [None] * len(risks)
    best = below[np.argmin(np.log(risks[below, ::2]).mean(axis=1))]
    return [mean_interval(row, log=True) for row in risks[:, 1::2] / risks[best, 1::2]]


def tabulate(finished) -> pd.DataFrame:
    """A row a curve and number of features: mean risk with its interval, median, theory; what the evidence needs."""
    rows = []
    for config, result in finished:
        risks = np.array(result["risks"])
        ratios = np.array(config.features) * config.parameters / config.samples  # at one, parameters and samples are as many
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
    """Second descent of every curve without ridge, and place of the peak of those with label noise.

    Curves that differ in the noise alone have their inputs in common, and the noise up to its size: one cluster.
    """
    found = []
    keys = ["family", "teacher_width", "noise_variance"]
    for (family, teacher, noise), rows in table[table.ridge == 0].groupby(keys, sort=False):
        last = rows.loc[rows.features.idxmax()]
        kind = f"teacher of {teacher} units" if teacher else "linear teacher"
        name = f"{family}-teacher{teacher}" if teacher else family
        common = dict(column="toy", runs=runs, piece=f"{name}-noise{noise:g}", cluster=f"{family}, {kind}",
                      levels={"family": family, "teacher": kind, "noise": f"{noise:g}"},
                      setting=f"{family}, {kind}, noise {noise:g}, n = {last.samples:.0f}, up to "
                              f"{last.parameters_per_sample:g} n parameters")
        if np.isfinite(last.over_best_below):
            found.append(Evidence("s2.second-descent", estimate=_of_logarithms(last), **common))
        if noise > 0:
            found.append(Evidence("s2.peak-at-interpolation", estimate=mean_interval(map(float, str(last.peaks).split()),
                                                                                     log=True), **common))
    return found


def _of_logarithms(row) -> Estimate:
    """The geometric mean of a table's row: an interval that is Student's on the logarithms."""
    logarithms = (math.log(row[f"over_best_below{end}"]) for end in ("", "_low", "_high"))
    logarithm = Estimate(*logarithms, int(row.risk_n) // 2)  # every second replica
    return transformed(logarithm, math.exp)


STUDY = Study("double-descent", "double descent: risk against the number of parameters", "toy.double_descent.study:run",
              configs, tabulate, evidence, processes=True)
