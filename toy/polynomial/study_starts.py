"""The study: agreement between random starts of gradient descent on polynomials, by the scale of the start, beside its law."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lab.streams import generator
from lab.study import CONFIRMATORY, Study
from toy.polynomial.fit import features
from toy.polynomial.model import make_data
from toy.polynomial.starts import descended, law

COLUMNS = ("truth_inside", "truth_outside", "pair_inside", "pair_outside", "train_error")


@dataclass(frozen=True)
class Starts:
    """One truth with its data, for several degrees and scales of the start."""

    replica: int
    degrees: tuple[int, ...] = (6, 8, 10)
    init_scales: tuple[float, ...] = (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
    starts: int = 8
    samples: int = 40
    degree: int = 3
    seed: int = 0


def run(config: Starts, folder: Path) -> dict:
    """Descend from the same draws at every scale, and compute the law."""
    data = make_data(config.samples, config.degree, seed=config.seed, replica=config.replica)
    rows = []
    for size in config.degrees:
        features_ = features(data.x[:1], size).shape[1]
        draws = generator(config.seed, "polynomial", "starts", size, config.replica).standard_normal((config.starts, features_))
        for scale, known in zip(config.init_scales, law(data, size, config.init_scales)):
            here = descended(data, size, scale, draws)
            rows.append({"size": size, "features": features_, "init_scale": scale,
                         **{name: getattr(here, name) for name in COLUMNS},
                         **{f"theory_{name}": getattr(known, name) for name in COLUMNS[:-1]}})
    return {"rows": rows}


def configs(scale: str, n: int | None = None) -> list[Starts]:
    """Independent truths with their data."""
    if scale == "run":
        return []
    few: dict = {"degrees": (10,), "init_scales": (0.001, 0.1), "starts": 3} if scale == "quick" else {}
    return [Starts(CONFIRMATORY + r, **few) for r in range(n or (2 if scale == "quick" else 12))]


def tabulate(finished) -> pd.DataFrame:
    """One row per data set, degree and scale."""
    return pd.DataFrame([{"data_set": config.replica, "truth": config.degree, "samples": config.samples, **row}
                         for config, result in finished for row in result["rows"]])


STUDY = Study("polynomial-starts", "agreement between random starts outside the hull, by the scale of the start, beside its law",
              "toy.polynomial.study_starts:run", configs, tabulate, processes=True, extensible=True, pilot_seconds=300.0)
