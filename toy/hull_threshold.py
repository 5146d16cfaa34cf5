"""How many points are needed before their hull contains a fresh point, and before one of them lies in the hull of the others?

Points are uniform in a ball, or Gaussian; fresh points have the same law. Every point is projected on the hull by the solver of
:mod:`theory.hull`, which proves on which side it lies. :mod:`theory.extrapolation` has formulas for both numbers. In a ball the
second is of the order 2^(d/2) (Barany & Furedi 1988); the first, which is often confused with it, is far larger.
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
from toy.models import Model

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Inside", "Prediction", "predict", "simulate"]

MODEL = Model("points in a hull: how many contain a fresh one, and from how many on are they not all vertices?")
LAWS = ("ball", "gaussian")
MOST_DIM = 60


@dataclass(frozen=True)
class Inside(Results, axes="fresh interior: replica", picture="fresh"):
    """Points that lie inside.

    Attributes
    ----------
    fresh : (replicas,) array
        Share of the fresh points that lie in the hull.
    interior : (replicas,) int array
        Number of points that lie in the hull of the others.

    Examples
    --------
    >>> simulate(points=3, dim=2, fresh=5, replicas=2).interior.tolist()  # a triangle has three vertices
    [0, 0]
    """

    fresh: np.ndarray
    interior: np.ndarray


@dataclass(frozen=True)
class Prediction(Results, theory=True):
    """Expected values.

    Attributes
    ----------
    fresh : float
        Probability that a fresh point lies in the hull.
    interior : float
        Expected number of points that are not vertices.

    Examples
    --------
    >>> predict(points=3, dim=2).interior
    0.0
    """

    fresh: float
    interior: float


def check(law, points, dim, fresh, replicas, seed) -> None:
    """Refuse arguments that :func:`simulate` cannot take."""
    checks.choice("law", law, LAWS)
    checks.whole_number("dim", dim, 1, MOST_DIM)
    checks.whole_number("points", points, 2)
    checks.whole_number("fresh", fresh)
    checks.whole_number("replicas", replicas)
    checks.seed(seed)
    checks.fits_memory(points=points + fresh, dim=dim)


def draw_points(law: str, count: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    """(count, dim) points uniform in the unit ball, or standard normal ones."""
    x = rng.standard_normal((count, dim))
    if law == "gaussian":
        return x
    return x * (rng.random(count) ** (1 / dim) / np.linalg.norm(x, axis=1))[:, None]


def simulate(law: str = "ball", points: int = 32, dim: int = 4, fresh: int = 50, replicas: int = 4, seed: int = 0) -> Inside:
    """Draw points, and count those that lie in a hull.

    Parameters
    ----------
    law : {"ball", "gaussian"}, default "ball"
        Law of the points.
    points : int ≥ 2, default 32
        Number N of points whose hull is taken.
    dim : int in 1 … 60, default 4
        Dimension d.
    fresh : int ≥ 1, default 50
        Fresh points per replica.
    replicas : int ≥ 1, default 4
        Repetitions.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r has a stream of its own for every law, N and d.

    Returns
    -------
    Inside
        One number per replica.

    Raises
    ------
    InputError
        For arguments outside these ranges.

    References
    ----------
    Barany & Furedi 1988; Balestriero et al. (arXiv 2110.09485), who quote it for fresh points.

    Examples
    --------
    >>> simulate(points=200, dim=2, fresh=100, replicas=2).fresh.tolist()
    [0.89, 0.95]
    """
    from theory.hull import leave_one_out, project

    check(law, points, dim, fresh, replicas, seed)
    shares, interior = np.empty(replicas), np.empty(replicas, dtype=np.int64)
    for r in range(replicas):
        rng = generator(seed, "hull-threshold", "points", law, points, dim, r)
        hull, others = draw_points(law, points, dim, rng), draw_points(law, fresh, dim, rng)
        shares[r] = np.mean(~project(hull, others, directions=False).outside)
        interior[r] = np.sum(~leave_one_out(hull, directions=False).outside)
    return Inside(shares, interior)


@arguments_as_in(simulate)
def predict(law: str = "ball", points: int = 32, dim: int = 4, fresh: int = 50, replicas: int = 4, seed: int = 0) -> Prediction:
    """Exact expected values.

    Parameters
    ----------
    fresh : int ≥ 1, default 50
        Not used: theory does not depend on it.
    replicas : int ≥ 1, default 4
        Not used, likewise.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Not used, likewise.

    Returns
    -------
    Prediction
        Expected values by :mod:`theory.extrapolation`.

    Raises
    ------
    InputError
        As :func:`simulate`.

    References
    ----------
    Kabluchko & Zaporozhets 2020 for Gaussian points; see :mod:`theory.extrapolation`.

    Examples
    --------
    >>> round(predict(points=200, dim=2).fresh, 2)
    0.9
    """
    from theory.extrapolation import ball_inside, expected_interior_points, gaussian_inside

    check(law, points, dim, fresh, replicas, seed)
    inside = ball_inside if law == "ball" else gaussian_inside
    return Prediction(float(inside(points, dim)), float(expected_interior_points(points, dim, law)))


def add_arguments(parser):
    parser.add_argument("--law", choices=LAWS, default="ball", help="law of the points")
    parser.add_argument("--points", type=arguments.whole(2), default=32, help="points of the hull")
    parser.add_argument("--dim", type=arguments.positive_int, default=4, help="their dimension")
    parser.add_argument("--fresh", type=arguments.positive_int, default=50, help="fresh points per replica")
    parser.add_argument("--replicas", type=arguments.replicas, default=4, help="repetitions")
    arguments.add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    sizes = dict(law=args.law, points=args.points, dim=args.dim, fresh=args.fresh,
                 replicas=min(args.replicas, 2) if args.quick else args.replicas, seed=args.seed)
    check(**sizes)
    if args.dry_run:
        return {"would_simulate": sizes}
    inside, theory = simulate(**sizes), predict(**sizes)
    fresh, interior = mean_interval(inside.fresh), mean_interval(inside.interior)
    say(f"fresh points inside: {fresh:.3f} (predicted {theory.fresh:.3f}); points that are not vertices: {interior:.3g} "
        f"(predicted {theory.interior:.3g})")
    return {**sizes, "fresh_inside": fresh, "interior": interior, "predicted_fresh": theory.fresh,
            "predicted_interior": theory.interior}


@dataclass(frozen=True)
class Hull:
    """Points of one law at one of the two thresholds that theory gives."""

    law: str
    dim: int
    threshold: str
    replicas: int = 100
    seed: int = 0


def run_threshold(config: Hull, folder: Path) -> dict:
    """Simulate at the threshold: half of the fresh points inside, or half a point that is not a vertex."""
    from theory.extrapolation import inside_threshold, vertices_threshold

    threshold = inside_threshold if config.threshold == "fresh" else vertices_threshold
    points = max(2, int(threshold(config.dim, config.law)))
    inside = simulate(config.law, points, config.dim, 50 if config.threshold == "fresh" else 1, config.replicas, config.seed)
    theory = predict(config.law, points, config.dim)
    measured, expected = (getattr(result, config.threshold) for result in (inside, theory))
    return {"points": points, "measured": measured.tolist(), "expected": expected}


def configs(scale: str) -> list[Hull]:
    """The threshold of fresh points up to d = 6, where it is a few hundred points; that of vertices up to d = 16."""
    if scale == "quick":
        return [Hull("ball", 2, "fresh", 10, CONFIRMATORY), Hull("ball", 4, "interior", 10, CONFIRMATORY)]
    if scale != "full":
        return []
    return [Hull(law, dim, threshold, seed=CONFIRMATORY) for law in LAWS
            for threshold, dims in (("interior", (16, 12, 8, 4)), ("fresh", (6, 4, 2))) for dim in dims]


def tabulate(finished) -> "pd.DataFrame":
    """One row per law, dimension and threshold: the measured number beside theory's."""
    import pandas as pd

    rows = []
    for config, result in finished:
        e = mean_interval(result["measured"])
        rows.append({"law": config.law, "dim": config.dim, "threshold": config.threshold, "points": result["points"],
                     "log2_points": float(np.log2(result["points"])), "half_dim": config.dim / 2, "expected": result["expected"],
                     "measured": e.mean, "measured_low": e.low, "measured_high": e.high, "measured_n": e.n})
    return pd.DataFrame(rows)


STUDY = Study("hull-threshold", "points in a hull, at the numbers of points that theory gives for one half",
              "toy.hull_threshold:run_threshold", configs, tabulate, processes=True)
