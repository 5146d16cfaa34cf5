"""Independent features: how similar do they look on few rows?

Two sets of independent standard normal units on the same n rows have a true similarity of 0. Linear CKA, as it is usually
written, is far above that; debiased CKA is 0 on average; calibrated CKA (:mod:`theory.measures.calibrated`) is compared with
shuffled rows. :mod:`theory.independent_features` has a formula for the first.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lab import arguments, checks
from lab.cli import say
from lab.docstrings import arguments_as_in
from lab.estimate import mean_interval
from lab.results import Results
from lab.streams import generator
from lab.study import CONFIRMATORY, Study
from theory.independent_features import cka_of_independent
from theory.measures import calibrated_cka, debiased_cka
from toy.models import Model

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Prediction", "Similarities", "predict", "simulate"]

MODEL = Model("independent features: how similar do they look on few rows?")

SHUFFLES = 99
MEANS = ("cka", "debiased", "calibrated")


@dataclass(frozen=True)
class Similarities(Results, axes="cka debiased calibrated p: replica", picture="cka"):
    """Measured similarities of independent features.

    Attributes
    ----------
    cka : (replicas,) array
        Linear CKA.
    debiased : (replicas,) array
        Linear CKA from unbiased HSIC.
    calibrated : (replicas,) array
        Linear CKA rescaled so that its mean over shuffled rows is 0, and 1 stays 1.
    p : (replicas,) array
        Its p-value from these shuffles.

    Examples
    --------
    >>> measured = simulate(rows=32, replicas=3)
    >>> bool((measured.debiased < measured.cka).all())
    True
    """

    cka: np.ndarray
    debiased: np.ndarray
    calibrated: np.ndarray
    p: np.ndarray


@dataclass(frozen=True)
class Prediction(Results, theory=True):
    """Expected similarities of independent features.

    Attributes
    ----------
    cka : float
        Linear CKA, to leading order.
    debiased : float
        Debiased CKA, 0.

    Examples
    --------
    >>> predict(rows=32).debiased
    0.0
    """

    cka: float
    debiased: float


def check(rows, width, other_width, replicas, seed) -> None:
    """Refuse arguments that :func:`simulate` cannot take."""
    checks.whole_number("rows", rows, 4)
    checks.whole_number("width", width)
    checks.whole_number("other_width", other_width)
    checks.whole_number("replicas", replicas)
    checks.seed(seed)
    checks.fits_memory(rows=rows, units=width + other_width)
    checks.fits_memory(units=width + other_width, units_beside=width + other_width)


def simulate(rows: int = 64, width: int = 8, other_width: int = 8, replicas: int = 20, seed: int = 0) -> Similarities:
    """Draw independent features and measure their similarity.

    Parameters
    ----------
    rows : int ≥ 4, default 64
        Number n of rows.
    width : int ≥ 1, default 8
        Units of the first set.
    other_width : int ≥ 1, default 8
        Units of the second set.
    replicas : int ≥ 1, default 20
        Repetitions.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r has a stream of its own for every size.

    Returns
    -------
    Similarities
        One number per replica.

    Raises
    ------
    InputError
        For arguments outside these ranges.

    References
    ----------
    Project-MONAI/MONAI, pull request 9129, for the table of such numbers.

    Examples
    --------
    >>> simulate(rows=32, replicas=5).cka.round(2).tolist()
    [0.21, 0.22, 0.21, 0.18, 0.22]
    """
    check(rows, width, other_width, replicas, seed)
    cka, debiased, calibrated, p = np.empty((4, replicas))
    for r in range(replicas):
        rng = generator(seed, "independent-features", "units", rows, width, other_width, r)
        x, y = rng.standard_normal((rows, width)), rng.standard_normal((rows, other_width))
        shuffled = generator(seed, "independent-features", "shuffles", rows, width, other_width, r)
        beside = calibrated_cka(x, y, shuffled, repeats=SHUFFLES)
        cka[r], debiased[r] = beside.value, debiased_cka(x, y)
        calibrated[r], p[r] = beside.score, beside.p
    return Similarities(cka, debiased, calibrated, p)


@arguments_as_in(simulate)
def predict(rows: int = 64, width: int = 8, other_width: int = 8, replicas: int = 20, seed: int = 0) -> Prediction:
    """Expected similarities.

    Parameters
    ----------
    replicas : int ≥ 1, default 20
        Not used: theory does not depend on it.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Not used, likewise.

    Returns
    -------
    Prediction
        Similarities by :mod:`theory.independent_features`.

    Raises
    ------
    InputError
        As :func:`simulate`.

    References
    ----------
    Derived in :mod:`theory.independent_features`.

    Examples
    --------
    >>> round(predict(rows=32).cka, 3)
    0.2
    """
    check(rows, width, other_width, replicas, seed)
    return Prediction(cka_of_independent(rows, width, other_width), 0.0)


def add_arguments(parser):
    parser.add_argument("--rows", type=arguments.whole(4), default=64, help="number of rows")
    parser.add_argument("--width", type=arguments.positive_int, default=8, help="units of the first set")
    parser.add_argument("--other-width", type=arguments.positive_int, default=8, help="units of the second set")
    parser.add_argument("--replicas", type=arguments.replicas, default=20, help="repetitions")
    arguments.add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    sizes = dict(rows=args.rows, width=args.width, other_width=args.other_width,
                 replicas=min(args.replicas, 10) if args.quick else args.replicas, seed=args.seed)
    check(**sizes)
    if args.dry_run:
        return {"would_simulate": sizes}
    measured, theory = simulate(**sizes), predict(**sizes)
    cka, debiased = mean_interval(measured.cka), mean_interval(measured.debiased)
    score = mean_interval(measured.calibrated)
    say(f"linear CKA {cka:.3f} (predicted {theory.cka:.3f}); debiased {debiased:.3f}; calibrated {score:.3f}")
    return {**sizes, "cka": cka, "debiased": debiased, "calibrated": score, "predicted": theory.cka}


@dataclass(frozen=True)
class Draws:
    """Replicas at one number of rows."""

    rows: int
    width: int = 8
    replicas: int = 200
    seed: int = 0


def run_draws(config: Draws, folder: Path) -> dict:
    """Draw and measure."""
    sizes = (config.rows, config.width, config.width, config.replicas, config.seed)
    measured, theory = simulate(*sizes), predict(*sizes)
    return {**{name: getattr(measured, name).tolist() for name in (*MEANS, "p")}, "cka_theory": theory.cka}


def configs(scale: str) -> list[Draws]:
    """Numbers of rows from 32 to 256, each for 2, 8 and 32 units; quick: the smallest."""
    if scale == "quick":
        return [Draws(rows, 8, 10, CONFIRMATORY) for rows in (32, 64)]
    return [Draws(rows, width, seed=CONFIRMATORY) for width in (2, 8, 32) for rows in (32, 64, 128, 256)]


def tabulate(finished) -> "pd.DataFrame":
    """One row per size: means with their intervals, the standard deviation of a single draw, the share of p-values up to .05."""
    import pandas as pd

    rows = []
    for config, result in finished:
        row = {"rows": config.rows, "width": config.width, "cka_theory": result["cka_theory"]}
        for name in MEANS:
            e = mean_interval(result[name])
            row |= {name: e.mean, f"{name}_low": e.low, f"{name}_high": e.high, f"{name}_n": e.n,
                    f"{name}_sd": float(np.std(result[name], ddof=1))}
        rows.append({**row, "rejected": float(np.mean(np.array(result["p"]) <= 0.05))})
    return pd.DataFrame(rows)


STUDY = Study("independent-features", "similarity of independent features",
              "toy.independent_features:run_draws", configs, tabulate, processes=True)
