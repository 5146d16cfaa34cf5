"""The study: three families, with and without label noise and ridge."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.estimate import mean_interval
from lab.study import Study
from theory.claims import Evidence
from toy.double_descent.model import predict, simulate

RATIOS = (0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.95, 1.0, 1.05, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
GROUPS = 10  # the peak's place is found in each of ten groups of replicas, or in each replica where there are fewer


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
        """Numbers of features, or of hidden units: a network of p units has p (d + 2) parameters for n samples."""
        if self.family == "network":
            return (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128)
        return tuple(sorted({max(1, round(r * self.samples)) for r in RATIOS}))


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
            chosen.append(Descent("least-squares", noise, ridge, replicas=replicas))
            chosen.append(Descent("random-features", noise, ridge / 100, samples=90, dim=30, replicas=replicas // 4))
    if scale == "full":
        chosen += [Descent("network", noise, samples=60, dim=10, replicas=30, teacher_width=units)
                   for noise, units in ((0.0, 8), (0.5, 8), (0.5, 0))]
    return chosen


def tabulate(finished) -> pd.DataFrame:
    """A row a curve and number of features: mean risk with its interval, median, theory; what the evidence needs."""
    rows = []
    for config, result in finished:
        risks = np.array(result["risks"])
        # parameters over samples: the threshold is where they meet
        parameters = np.array(config.features) * (config.dim + 2 if config.family == "network" else 1)
        groups = np.stack([np.median(part, axis=1) for part in np.array_split(risks, min(GROUPS, risks.shape[1]), axis=1)])
        peaks = [float(parameters[i] / config.samples) for i in groups.argmax(axis=1)]
        below = np.flatnonzero(parameters < config.samples)
        best = below[np.argmin(risks[below].mean(axis=1))] if below.size else None
        for i, p in enumerate(config.features):
            e = mean_interval(risks[i])
            ratio = mean_interval(risks[i] / risks[best].mean()) if best is not None else None
            rows.append({
                "family": config.family, "teacher_width": config.teacher_width,
                "noise_variance": config.noise_variance, "ridge": config.ridge,
                "samples": config.samples, "dim": config.dim, "features": p,
                "parameters_per_sample": parameters[i] / config.samples, "risk": e.mean,
                "risk_low": e.low, "risk_high": e.high, "risk_n": e.n, "median": float(np.median(risks[i])),
                "theory": None if result["theory"] is None else result["theory"][i], "peaks": " ".join(map(str, peaks)),
                "over_best_below": ratio and ratio.mean, "over_best_below_low": ratio and ratio.low,
                "over_best_below_high": ratio and ratio.high})
    return pd.DataFrame(rows)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Second descent and place of the peak of every curve without ridge."""
    from lab.estimate import Estimate

    found = []
    for (family, teacher, noise), rows in table[table.ridge == 0].groupby(["family", "teacher_width", "noise_variance"],
                                                                         sort=False):
        last = rows.loc[rows.features.idxmax()]
        kind = f", teacher of {teacher} units" if teacher else ", linear teacher" if family == "network" else ""
        setting = f"{family}{kind}, noise {noise:g}, n = {last.samples:.0f}, up to {last.parameters_per_sample:g} n parameters"
        if np.isfinite(last.over_best_below):
            found.append(Evidence("s2.second-descent", "toy", setting, Estimate(
                last.over_best_below, last.over_best_below_low, last.over_best_below_high, int(last.risk_n)), runs))
        found.append(Evidence("s2.peak-at-interpolation", "toy", setting,
                              mean_interval(map(float, str(last.peaks).split())), runs))
    return found


STUDY = Study("double-descent", "double descent: risk against the number of parameters", "toy.double_descent.study:run",
              configs, tabulate, evidence, processes=True)
