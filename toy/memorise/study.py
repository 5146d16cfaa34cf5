"""The study: decision regions, their mergers, and the spread among solutions, by task and width."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lab.combine import bounded
from lab.errors import InputError
from lab.estimate import mean_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from toy.memorise.model import TASKS, simulate

TRAINING: dict = dict(epochs=20_000, learning_rate=1e-2, batch_size=60)  # full batches, for long enough to memorise them
RESOLUTION = 0.5 / 2000  # resolution of a test error: half a test sample


@dataclass(frozen=True)
class Memorise:
    """One setting: networks of one width on one task; ``seed`` fixes the data set, which all replicas share."""

    task: str
    width: int
    seed: int
    replicas: int = 10
    epochs: int = 3000
    learning_rate: float = 3e-3
    batch_size: int = 50
    label_noise: float = 0.0


def run(config: Memorise, folder: Path) -> dict:
    """Train the networks of one setting.

    Final values are those of the networks that have memorised, with no error left on the training samples; the result says how
    many these are.
    """
    history = simulate(config.task, config.width, replicas=config.replicas, epochs=config.epochs, seed=config.seed,
                     learning_rate=config.learning_rate, batch_size=config.batch_size, label_noise=config.label_noise,
                     same_data=True)
    if history.diverged.any():
        raise InputError(f"{history.diverged.sum()} networks diverged: lower the learning rate")
    regions, done = history.regions, history.train_error[:, -1] == 0
    ends = {"final_regions": regions.count[:, -1], "final_test_error": history.test_error[:, -1]}
    return {
        "marks": history.marks, "regions": regions.count.mean(axis=0), "train_error": history.train_error.mean(axis=0),
        "test_error": history.test_error.mean(axis=0), "final_train_error": float(history.train_error[:, -1].mean()),
        "memorised": int(done.sum()), "true_regions": history.true_regions,
        **{name: float(values[done].mean()) if done.any() else None for name, values in ends.items()},
        "spread": float(history.test_error[done, -1].std(ddof=1)) if done.sum() > 1 else None,
        **{name: float(getattr(regions, name)[done].sum()) for name in ("deaths", "births", "resplits", "chance")},
    }


def configs(scale: str, n: int | None = None) -> list[Memorise]:
    """Three tasks at four widths on twelve data sets, longest runs first. They take minutes, so "run" has none."""
    if scale == "run":
        return []
    widths, sets = ((8, 64), 2) if scale == "quick" else ((8, 32, 128, 512), 12)
    return [Memorise(task, width, CONFIRMATORY + data_set, **TRAINING) for width in reversed(widths) for task in TASKS
            for data_set in range(n or sets)]


def tabulate(finished) -> pd.DataFrame:
    """One row per setting and look; final values are repeated in all rows of their setting."""
    rows = []
    for config, result in finished:
        ends = {key: result[key] for key in ("final_regions", "final_train_error", "memorised", "final_test_error",
                                             "spread", "deaths", "births", "resplits", "chance", "true_regions")}
        for i, epoch in enumerate(result["marks"]):
            rows.append({"task": config.task, "width": config.width, "data_set": config.seed, "replicas": config.replicas,
                         "epoch": epoch, "regions": result["regions"][i], "train_error": result["train_error"][i],
                         "test_error": result["test_error"][i], **ends})
    return pd.DataFrame(rows)


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """One row per setting."""
    return table.drop_duplicates(["task", "width", "data_set"])


def resplits_per_merger(ends: pd.DataFrame) -> pd.Series:
    """Re-splits per region that died, for each setting."""
    return ends.resplits / ends.deaths.clip(lower=1)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Settings compared on the same data set; intervals are over data sets."""
    ends = cells(table).set_index(["task", "width", "data_set"]).sort_index()
    narrow, wide = table.width.min(), table.width.max()
    clear, random = (ends.loc[task] for task in ("structured", "random-labels"))
    counted = {name: f"{int(part.memorised.sum())} of {int(part.replicas.sum())} networks had memorised"
               for name, part in (("clear", clear.loc[[narrow, wide]]), ("random", random.loc[wide]), ("wide", clear.loc[wide]))}
    pieces: list[Evidence] = []

    def add(claim, piece, setting, values, note, labels="structured", log=False, least=-np.inf):
        if (values := values.dropna()).size:
            pieces.append(Evidence(claim, "toy", setting, bounded(mean_interval(values, log=log), least), runs, note, piece,
                                  levels={"labels": labels}))

    add("s2.memorising-needs-more-regions", "regions", f"curve in 20 dimensions, width {wide}",
        random.final_regions.loc[wide] - clear.final_regions.loc[wide], counted["random"], "random")
    for part, piece, name in ((clear, "structured", "wide"), (random, "random-labels", "random")):
        add("s2.merged-regions-stay-merged", piece, f"{piece.replace('-', ' ')}, width {wide}",
            resplits_per_merger(part.loc[wide]).where(part.loc[wide].memorised > 0), counted[name], piece.partition("-")[0],
            least=0.0)
    spread = ends.spread.clip(lower=RESOLUTION).loc["structured"]
    add("s2.wide-solutions-agree", "spread", f"structured labels, width {wide} against {narrow}",
        spread.loc[wide] / spread.loc[narrow], counted["clear"], log=True)
    add("s2.width-generalises", "error", f"structured labels, width {narrow} against {wide}",
        clear.final_test_error.loc[narrow] - clear.final_test_error.loc[wide], counted["clear"])
    return pieces


STUDY = Study("memorise", "memorise or generalise: decision regions along training", "toy.memorise.study:run", configs,
              tabulate, evidence, processes=True, extensible=True)
