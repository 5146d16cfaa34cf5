"""Three studies: final error against theory, trajectories against the equations, what over-parameterised units become."""

import math
import operator
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path

import pandas as pd

from lab.combine import bounded, difference
from lab.errors import InputError
from lab.estimate import Estimate, mean_interval, transformed
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from toy.teacher_student.model import final_error_both_layers, final_error_first_layer, predict, simulate
from toy.teacher_student.overlaps import classify


@dataclass(frozen=True)
class FinalError:
    """Stationary error of one student: width K, learning rate, noise; first layer only or both layers trained.

    Students start around a solution (see ``init`` of ``simulate``), because the closed forms are about the noise there,
    and a random start spends most of the time on the symmetric plateau. How copies share a strength is a neutral
    direction that hardly moves: the start is close to equal shares, for which the closed form holds.
    """

    width: int
    learning_rate: float = 0.1
    noise: float = 0.1
    both: bool = False
    teacher_width: int = 2
    dim: int = 1000
    time: float = 2000.0
    replicas: int = 32
    seed: int = 0

    def arguments(self) -> dict:
        """For ``simulate`` and ``predict``: the last half of the time is averaged."""
        return dict(dim=self.dim, width=self.width, strengths=[1.0] * self.teacher_width,
                    learning_rate=self.learning_rate, readout_learning_rate=None if self.both else 0.0, noise=self.noise,
                    times=[self.time * (0.5 + 0.5 * s / 20) for s in range(21)], replicas=self.replicas, seed=self.seed,
                    init_scale=0.02, init="teacher", method="span")


@dataclass(frozen=True)
class Trajectory:
    """Order parameters of the simulation and of the equations, from the same starts."""

    dim: int
    width: int = 3
    both: bool = True
    learning_rate: float = 0.6
    noise: float = 0.1
    time: float = 60.0
    replicas: int = 64
    seed: int = 0


@dataclass(frozen=True)
class UnitShares:
    """Removable, repeated and distinct units of students K >= M after a given time, both layers trained."""

    width: int
    noise: float = 0.0
    learning_rate: float = 0.5
    init_scale: float = 0.5
    teacher_width: int = 2
    dim: int = 500
    time: float = 1000.0
    replicas: int = 64
    seed: int = 0


def run_final(config: FinalError, folder: Path) -> dict:
    """Mean error over the second half of the run, one value per replica."""
    result = simulate(**config.arguments())
    good = ~result.diverged
    half = (len(result.times) - 1) // 2
    first, second = result.error[:half, good].mean(axis=0), result.error[half:, good].mean(axis=0)
    formula = final_error_both_layers if config.both else final_error_first_layer
    one = predict(**{**config.arguments(), "replicas": 1})
    return {"errors": result.error[:, good].mean(axis=0).tolist(), "diverged": int(result.diverged.sum()),
            "drift": float((second - first).mean()), "equations": float(one.error[-1, 0]),
            "first_order": formula(config.learning_rate, config.noise, config.teacher_width, config.width)}


def run_trajectory(config: Trajectory, folder: Path) -> dict:
    """Mean and largest differences of simulation and equations at 13 times."""
    common = dict(dim=config.dim, width=config.width, strengths=[1.0, 1.0], learning_rate=config.learning_rate,
                  readout_learning_rate=None if config.both else 0.0, noise=config.noise, init_scale=0.5,
                  times=[config.time * s / 12 for s in range(13)], replicas=config.replicas, seed=config.seed)
    rows = []
    method = "full" if config.dim <= 1000 else "span"
    result, theory = simulate(method=method, **common), predict(method=method, **common)
    for s, time in enumerate(result.times):
        deviation = [abs(getattr(result, name)[s] - getattr(theory, name)[s]).mean() for name in ("Q", "R", "v")]
        rows.append({"time": float(time), "errors": result.error[s].tolist(), "predicted": theory.error[s].tolist(),
                     "Q_deviation": deviation[0], "R_deviation": deviation[1], "v_deviation": deviation[2]})
    return {"rows": rows}


def run_units(config: UnitShares, folder: Path) -> dict:
    """Shares of removable and repeated units, number of distinct ones, and the final error, one value per replica."""
    students = simulate(dim=config.dim, width=config.width, strengths=[1.0] * config.teacher_width,
                        learning_rate=config.learning_rate, noise=config.noise, init_scale=config.init_scale,
                        times=[0.0, config.time], replicas=config.replicas, seed=config.seed, method="span")
    good = ~students.diverged
    if not good.any():
        raise InputError("every replica diverged")
    result = {"diverged": int(students.diverged.sum()), "errors": students.error[-1, good].tolist()}
    for name, s in (("start", 0), ("end", 1)):
        units = classify(students.Q[s, good], students.v[s, good])
        result[name] = {"removable": units.removable.mean(axis=1).tolist(), "repeated": units.repeated.mean(axis=1).tolist(),
                        "either": (units.removable | units.repeated).mean(axis=1).tolist(),
                        "distinct": units.distinct.tolist()}
    return result


def _confirming(configs):
    """The plan with confirmatory seeds, which no pilot has used."""
    @wraps(configs)
    def plan(scale: str) -> list:
        return [replace(config, seed=CONFIRMATORY) for config in configs(scale)]

    return plan


@_confirming
def configs_final(scale: str) -> list[FinalError]:
    """Width, learning rate and noise one at a time, first layer and both."""
    if scale == "quick":
        return [FinalError(k, both=b, time=200.0, learning_rate=0.3, replicas=16) for b in (False, True) for k in (2, 4)]
    if scale == "run":
        return [FinalError(k, learning_rate=r, both=b, time=100.0 / r, dim=400) for b in (False, True)
                for r in (0.1, 0.4) for k in (2, 4, 8)]
    widths, rates, noises = (2, 3, 4, 6, 8, 16), (0.05, 0.2, 0.4), (0.03, 0.3)
    common = dict(replicas=48, dim=500)  # errors relax in a time of the order of 1/rate
    settings = [FinalError(k, both=b, time=1000.0, **common) for b in (False, True) for k in widths]
    settings += [FinalError(4, learning_rate=r, both=b, time=100.0 / r, **common) for b in (False, True) for r in rates]
    return settings + [FinalError(4, noise=n, both=b, time=1000.0, **common) for b in (False, True) for n in noises]


@_confirming
def configs_trajectory(scale: str) -> list[Trajectory]:
    """Growing input dimensions, with the first layer or both layers trained."""
    dims = {"quick": (50, 200), "run": (50, 1000), "full": (50, 200, 1000, 10_000)}[scale]
    return [Trajectory(n, both=b, time=20.0 if scale == "quick" else 60.0, replicas=16 if scale == "quick" else 64)
            for n in dims for b in (False, True)]


@_confirming
def configs_units(scale: str) -> list[UnitShares]:
    """Width 2 ... 32 times noise and scale of the start."""
    if scale == "quick":
        return [UnitShares(k, time=100.0, replicas=16) for k in (2, 4, 8)]
    widths = (2, 4, 8, 16) if scale == "run" else (2, 4, 8, 16, 32)
    return [UnitShares(k, noise=n, init_scale=s, replicas=24) for n in (0.0, 0.1) for s in (0.1, 0.5, 1.5) for k in widths]


def _interval(row: dict, name: str, values, most: float = math.inf) -> None:
    """Put the mean of numbers between 0 and ``most`` into a row, with its interval."""
    estimate = bounded(mean_interval(values), 0, most) if len(values) else Estimate(math.nan, n=0)
    row[name], row[f"{name}_low"], row[f"{name}_high"], row[f"{name}_n"] = (estimate.mean, estimate.low, estimate.high,
                                                                           estimate.n)


def tabulate_final(finished) -> pd.DataFrame:
    """One row per setting: simulated error, first-order formula and equations."""
    rows = []
    for config, result in finished:
        row = {"layers": "both" if config.both else "first", "width": config.width, "teacher_width": config.teacher_width,
               "learning_rate": config.learning_rate, "noise": config.noise, "dim": config.dim, "time": config.time}
        _interval(row, "error", result["errors"])
        rows.append(row | {key: result[key] for key in ("first_order", "equations", "drift", "diverged")})
    return pd.DataFrame(rows)


def tabulate_trajectory(finished) -> pd.DataFrame:
    """One row per time."""
    rows = []
    for config, result in finished:
        for saved in result["rows"]:
            row = {"dim": config.dim, "layers": "both" if config.both else "first", "width": config.width,
                   "learning_rate": config.learning_rate, "noise": config.noise, "time": saved["time"]}
            _interval(row, "error", saved["errors"])
            _interval(row, "predicted", saved["predicted"])
            rows.append(row | {key: saved[key] for key in ("Q_deviation", "R_deviation", "v_deviation")})
    return pd.DataFrame(rows)


def tabulate_units(finished) -> pd.DataFrame:
    """One row per setting and moment (start or end of training)."""
    rows = []
    for config, result in finished:
        for moment in ("start", "end"):
            row = {"width": config.width, "teacher_width": config.teacher_width, "noise": config.noise,
                   "init_scale": config.init_scale, "time": 0.0 if moment == "start" else config.time,
                   "moment": moment, "diverged": result["diverged"]}
            for name, most in (("removable", 1), ("repeated", 1), ("either", 1), ("distinct", config.width)):
                _interval(row, name, result[moment][name], most)
            if moment == "end":
                _interval(row, "error", result["errors"])
            rows.append(row)
    return pd.DataFrame(rows)


def evidence_units(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """The share of removable or repeated units among the additional units of the widest student, compared with the narrowest
    over-parameterised one."""
    pieces = []
    settings = table[table.moment == "end"].groupby(["noise", "init_scale"])
    for (noise, scale), cells in settings:
        cells = cells[cells.width >= 2 * cells.teacher_width].sort_values("width")
        if len(cells) < 2:
            continue
        narrow, wide = cells.iloc[0], cells.iloc[-1]
        setting = (f"two-layer students of an erf teacher of {wide.teacher_width:.0f}, online SGD, width {wide.width:.0f} "
                   f"against {narrow.width:.0f}, noise {noise:g}, start {scale:g}")
        share = transformed(difference(_units(wide), _units(narrow)), partial(operator.mul, 1 / float(wide.width - narrow.width)))
        pieces.append(Evidence("s1.sgd-width-adds-removable-or-repeated-units", "toy", setting, share, runs,
                               piece=f"noise{noise:g}-start{scale:g}",
                               levels={"noise": f"{noise:g}", "start": f"{scale:g}"}))
    return pieces


def _units(cell) -> Estimate:
    """The number of removable or repeated units of a cell: its share, times the width."""
    mean, low, high = (float(cell[f"either{end}"]) for end in ("", "_low", "_high"))
    return transformed(Estimate(mean, low, high, int(cell.either_n)), partial(operator.mul, float(cell.width)))


FINAL = Study("sgd-final-error", "final error of online SGD against width, rate and noise",
              "toy.teacher_student.study:run_final", configs_final, tabulate_final)
TRAJECTORY = Study("sgd-trajectory", "order parameters of online SGD beside their equations",
                   "toy.teacher_student.study:run_trajectory", configs_trajectory, tabulate_trajectory)
UNITS = Study("sgd-units", "removable and repeated units of over-parameterised students, exactly",
              "toy.teacher_student.study:run_units", configs_units, tabulate_units, evidence_units)
