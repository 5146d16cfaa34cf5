"""The study: why do merged regions split again when labels are random?

The explanation that is put to the test: *the labels ask for it*. Early on a network fits what is smooth, and regions merge over
samples that it has not fitted yet; to memorise these it must open the regions again. Three things could refute it, and what is
expected of each was declared (:mod:`theory.claims.s2_discussion`) before a network was trained:

* the share of labels that are random (nothing else changes): the more, the more mergers come undone;
* steps: if re-splits were the noise of large steps, a fifth of the learning rate would do away with them;
* chance: if re-splits were new regions that happen to lie on a grave, regions born anywhere would meet as many
  (:mod:`toy.memorise.regions`).
"""

import pandas as pd

from lab.combine import bounded
from lab.estimate import mean_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from toy.memorise.study import TRAINING, Memorise, cells, resplits_a_merger, tabulate

WIDTH = 128
SHARES = (0.0, 0.1, 0.2, 0.5, 1.0)  # of labels that are random
SMALL_STEPS = dict(TRAINING, learning_rate=TRAINING["learning_rate"] / 5, epochs=TRAINING["epochs"] * 5)
FIRST_SET = CONFIRMATORY + 100  # data sets that no other study has


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
    """A row a cell: what is changed in it, and its end."""
    rows = []
    for config, result in finished:
        row = cells(tabulate([(config, result)])).drop(columns=["epoch", "regions", "train_error", "test_error"])
        rows.append(row.assign(random_share=1.0 if config.task == "random-labels" else config.label_noise,
                               learning_rate=config.learning_rate))
    return pd.concat(rows, ignore_index=True)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """By the share of random labels, by steps, and against chance; the interval is over data sets."""
    done = table[table.memorised > 0]
    done = done.assign(rate=resplits_a_merger(done), excess=(done.resplits - done.chance) / done.births.clip(lower=1))
    fast = done[done.learning_rate == TRAINING["learning_rate"]].set_index(["random_share", "data_set"]).sort_index()
    found = []

    def add(claim, piece, setting, values, **range):
        if (values := values.dropna()).size:
            found.append(Evidence(claim, "toy", f"{setting}, width {table.width.max()}", bounded(mean_interval(values), **range),
                                  runs, piece=piece, cluster="memorise-splits", levels={"share": piece}))

    for share in SHARES[1:]:
        if {0.0, share} <= set(fast.index.get_level_values(0)):
            add("s2.resplits-follow-random-labels", f"share{share:g}", f"{share:.0%} of the labels random",
                fast.rate.loc[share] - fast.rate.loc[0.0])
    slow = done[(done.random_share == 1) & (done.learning_rate == SMALL_STEPS["learning_rate"])]
    add("s2.resplits-survive-small-steps", "small-steps", "random labels, a fifth of the learning rate", slow.rate, least=0.0)
    if 1.0 in fast.index.get_level_values(0):
        add("s2.resplits-are-no-chance", "random-labels", "random labels", fast.excess.loc[1.0], least=-1.0, most=1.0)
    return found


STUDY = Study("memorise-splits", "why merged regions split again: random labels, steps, chance", "toy.memorise.study:run",
              configs, tabulate_splits, evidence, processes=True, extensible=True)
