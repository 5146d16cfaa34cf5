"""The study: decision regions, their mergers, and the spread among solutions, by task and width."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.errors import InputError
from lab.estimate import mean_interval
from lab.study import Study
from theory.claims import Evidence
from toy.memorise.model import TASKS, simulate


@dataclass(frozen=True)
class Memorise:
    """One cell: networks of one width on one task; ``seed`` names the data set, which all replicas share."""

    task: str
    width: int
    seed: int
    replicas: int = 10
    epochs: int = 3000


def run(config: Memorise, folder: Path) -> dict:
    """Train and watch one cell; networks that did not reach a training error of zero are counted, not hidden."""
    found = simulate(config.task, config.width, replicas=config.replicas, epochs=config.epochs, seed=config.seed,
                     same_data=True)
    if found.diverged.any():
        raise InputError(f"{found.diverged.sum()} networks diverged: lower the learning rate")
    regions = found.regions
    return {
        "marks": found.marks, "regions": regions.count.mean(axis=0), "train_error": found.train_error.mean(axis=0),
        "test_error": found.test_error.mean(axis=0), "final_regions": float(regions.count[:, -1].mean()),
        "final_train_error": float(found.train_error[:, -1].mean()), "memorised": int(np.sum(found.train_error[:, -1] == 0)),
        "final_test_error": float(found.test_error[:, -1].mean()), "spread": float(found.test_error[:, -1].std(ddof=1)),
        "deaths": int(regions.deaths.sum()), "births": int(regions.births.sum()), "resplits": int(regions.resplits.sum()),
        "true_regions": found.true_regions,
    }


def configs(scale: str) -> list[Memorise]:
    """Three tasks at four widths on six data sets: a minute or two, so not part of "run". The longest runs first."""
    if scale == "run":
        return []
    widths, sets = ((8, 64), 2) if scale == "quick" else ((8, 32, 128, 512), 6)
    return [Memorise(task, width, seed) for width in reversed(widths) for task in TASKS for seed in range(sets)]


def tabulate(finished) -> pd.DataFrame:
    """A row a cell and look; what is known at the end stands in every row of its cell."""
    rows = []
    for config, result in finished:
        ends = {key: result[key] for key in ("final_regions", "final_train_error", "memorised", "final_test_error",
                                             "spread", "deaths", "births", "resplits", "true_regions")}
        for i, epoch in enumerate(result["marks"]):
            rows.append({"task": config.task, "width": config.width, "data_set": config.seed, "replicas": config.replicas,
                         "epoch": epoch, "regions": result["regions"][i], "train_error": result["train_error"][i],
                         "test_error": result["test_error"][i], **ends})
    return pd.DataFrame(rows)


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """One row a cell."""
    return table.drop_duplicates(["task", "width", "data_set"])


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Pairs of cells on the same data set; the interval is over data sets."""
    ends = cells(table).set_index(["task", "width", "data_set"]).sort_index()
    widths = sorted(table.width.unique())
    found = []
    more = ends.final_regions.loc["random-labels", widths[-1]] - ends.final_regions.loc["structured", widths[-1]]
    found.append(Evidence("s2.memorising-needs-more-regions", "toy", f"curve in 20 dimensions, width {widths[-1]}",
                          mean_interval(more), runs))
    for task in ("structured", "random-labels"):
        here = ends.loc[task, widths[-1]]
        found.append(Evidence("s2.merged-regions-stay-merged", "toy", f"{task}, width {widths[-1]}",
                              mean_interval(here.resplits / here.deaths.clip(lower=1)), runs))
    ratio = ends.spread.loc["structured", widths[-1]] / ends.spread.loc["structured", widths[0]]
    found.append(Evidence("s2.wide-solutions-agree", "toy", f"structured labels, width {widths[-1]} against {widths[0]}",
                          mean_interval(ratio), runs))
    worse = ends.final_test_error.loc["structured", widths[0]] - ends.final_test_error.loc["structured", widths[-1]]
    found.append(Evidence("s2.width-generalises", "toy", f"structured labels, width {widths[0]} against {widths[-1]}",
                          mean_interval(worse), runs))
    return found


STUDY = Study("memorise", "memorise or generalise: decision regions along training", "toy.memorise.study:run", configs,
              tabulate, evidence, processes=True)
