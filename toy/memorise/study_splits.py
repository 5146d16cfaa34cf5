"""The study: why do merged regions split again when labels are random?

The explanation under test: *the labels require it*. Early in training a network fits what is smooth, and regions merge over
samples that it has not fitted yet; to memorise these samples it must reopen the regions. Three comparisons could refute it, and
their expected outcomes were declared (:mod:`theory.claims.s2_discussion`) before any network was trained:

* random labels: the larger their share, all else equal, the more mergers should come undone;
* steps: if re-splits were noise from large steps, a fifth of the learning rate would remove them;
* chance: if re-splits were new regions that happen to lie where a region died, regions born at random places would do so as often
  (:mod:`theory.regions`).
"""

import pandas as pd

from lab.combine import bounded
from lab.estimate import mean_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from toy.memorise.study import TRAINING, Memorise, cells, resplits_per_merger, tabulate

WIDTH = 128
SHARES = (0.0, 0.1, 0.2, 0.5, 1.0)  # of labels that are random
SMALL_STEPS: dict = dict(TRAINING, learning_rate=TRAINING["learning_rate"] / 5, epochs=TRAINING["epochs"] * 5)
FIRST_SET = CONFIRMATORY + 100  # data sets that no other study uses


def configs(scale: str, n: int | None = None) -> list[Memorise]:
    """All settings on the same data sets; the longest runs first."""
    if scale == "run":
        return []
    width, sets = (16, 3) if scale == "quick" else (WIDTH, 8)
    settings = [("random-labels", 0.0, SMALL_STEPS), ("random-labels", 0.0, TRAINING),
                *(("structured", share, TRAINING) for share in reversed(SHARES[:-1]))]
    if scale == "quick":
        settings = settings[1:]
    return [Memorise(task, width, FIRST_SET + data_set, replicas=5, label_noise=noise, **training)
            for task, noise, training in settings for data_set in range(n or sets)]


def tabulate_splits(finished) -> pd.DataFrame:
    """One row per setting: what is varied, and the final values."""
    rows = []
    for config, result in finished:
        row = cells(tabulate([(config, result)])).drop(columns=["epoch", "regions", "train_error", "test_error"])
        rows.append(row.assign(random_share=1.0 if config.task == "random-labels" else config.label_noise,
                               learning_rate=config.learning_rate))
    return pd.concat(rows, ignore_index=True)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Effect of the share of random labels, of small steps, and of chance; intervals are over data sets."""
    done = table[table.memorised > 0]
    done = done.assign(rate=resplits_per_merger(done), excess=(done.resplits - done.chance) / done.births.clip(lower=1))
    fast = done[done.learning_rate == TRAINING["learning_rate"]].set_index(["random_share", "data_set"]).sort_index()
    pieces: list[Evidence] = []

    def add(claim, piece, setting, values, **range):
        if (values := values.dropna()).size:
            pieces.append(Evidence(claim, "toy", f"{setting}, width {table.width.max()}", bounded(mean_interval(values), **range),
                                   runs, piece=piece, cluster="memorise-splits", levels={"share": piece}))

    for share in SHARES[1:]:
        if {0.0, share} <= set(fast.index.get_level_values(0)):
            add("s2.resplits-follow-random-labels", f"share{share:g}", f"{share:.0%} of the labels random",
                fast.rate.loc[share] - fast.rate.loc[0.0])
    slow = done[(done.random_share == 1) & (done.learning_rate == SMALL_STEPS["learning_rate"])]
    add("s2.resplits-survive-small-steps", "small-steps", "random labels, a fifth of the learning rate", slow.rate, least=0.0)
    if 1.0 in fast.index.get_level_values(0):
        add("s2.resplits-are-no-chance", "random-labels", "random labels", fast.excess.loc[1.0], least=-1.0, most=1.0)
    return pieces


STUDY = Study("memorise-splits", "why merged regions split again: random labels, steps, chance", "toy.memorise.study:run",
              configs, tabulate_splits, evidence, processes=True, extensible=True)
