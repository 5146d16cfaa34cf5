"""Why toy and real networks differ: interventions that could refute an explanation, each in one study with its control.

*The gap at matched loss* survives in the graded teacher and on sentence pairs, and vanishes on digits. Explanation: it survives
where the matched loss requires more than the structure that all widths learn. This is so in the toy, where students are stopped
at the floor of the narrow ones. Intervention: on digits with wrong labels, the structure that all widths learn gives a loss of
about :func:`structure_floor`; a lower loss requires memorising, and so capacity. The same networks are stopped above and below
this loss. Prediction: below it, the gap is larger by more than 1 % of the variance. The explanation is refuted if the gap is the
same or smaller.

*The wide network finds features that narrow ones miss* in the graded teacher, which is trained on the population, but not in
every real setting. Explanation: with few training samples, the additional features of a wide network fit accidents of its sample,
and a second wide network does not have them either. Intervention: generated entailment with a sixteenth of the pairs, for equally
many steps. Prediction: with all pairs, the gap is larger by more than 1 % of the variance. The explanation is refuted if the gap
is the same or smaller.
"""

import math
from functools import partial
from typing import TYPE_CHECKING

from empirical.settings import Setting, matched
from empirical.studies.width.evidence import Sweep
from empirical.studies.width.study import ALPHAS, embedded, width_study
from lab.estimate import mean_interval
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

WRONG = 0.4  # share of wrong labels
ABOVE, BELOW = 1.6, 0.5  # target losses on either side of the floor
SLOW = {"learning_rate": 0.005, "epochs": 400}  # so that the wide network, too, takes several epochs to the first target
FEW, ALL, EPOCHS, BATCH = 375, 6000, 20, 64  # training pairs, epochs over all of them, pairs in a step
_ENDS = (ALPHAS[0], ALPHAS[2])


def structure_floor(wrong: float, classes: int = 10) -> float:
    """Cross-entropy of the best prediction from the true class and the share of wrong labels, without memorising any image."""
    return -(1 - wrong) * math.log(1 - wrong) - wrong * math.log(wrong / (classes - 1))


def _stopped(scale: str, n: int | None = None) -> list[Setting]:
    """The same training, stopped above and below the floor."""
    digits = partial(embedded, "resnet18", "digits", scale, n, scales=("full",), alphas=_ENDS, label_noise=WRONG, augment=False)
    return [run for loss in (ABOVE, BELOW) for run in digits(**{**matched("digits"), **SLOW, "target_loss": loss})]


def _sampled(scale: str, n: int | None = None) -> list[Setting]:
    """A sixteenth of the pairs and all pairs, for equally many steps."""
    pairs = partial(embedded, "transformer", "entailment", scale, n, scales=("full",), alphas=_ENDS, batch_size=BATCH)
    return [run for rows in (FEW, ALL) for run in pairs(train_size=rows, epochs=EPOCHS * (ALL // BATCH) // (rows // BATCH))]


def _changed(claim: str, frame: "pandas.DataFrame", runs: tuple[str, ...], column: str, low: float, high: float,
             words: str) -> list[Evidence]:
    """The gap at one value of a column minus that at another, replica by replica."""
    sweeps = [Sweep(frame[frame[column] == value]) for value in (low, high)]
    if any(sweep.empty for sweep in sweeps):
        return []
    gaps = [sweep.matched["gap"] for sweep in sweeps]
    change = (gaps[0] - gaps[1]).dropna()
    if change.empty:
        return []
    replicas, first = len(sweeps[0].least), sweeps[0]
    note = f"{len(change)} of {replicas} replicas" * (len(change) < replicas)
    return [Evidence(claim, "real", f"{first.setting}, {words}", mean_interval(change), runs, note, levels=first.levels)]


def evidence_stopped(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Gap below the floor minus gap above it."""
    return _changed("s0.matched-gap-is-of-capacity", frame, runs, "target_loss", BELOW, ABOVE,
                    f"{WRONG:.0%} wrong labels, matched at a loss of {BELOW:g} against {ABOVE:g}")


def evidence_sampled(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Gap with all pairs minus gap with few pairs."""
    return _changed("s0.gap-needs-samples", frame, runs, "train_size", ALL, FEW, f"{ALL:,} pairs to train on against {FEW:,}")


MATCHED_GAP = width_study("cause-matched-gap", "why the gap at matched loss vanishes: wrong labels on digits, learnt or not",
                          _stopped, family="causes", says=evidence_stopped)
SAMPLES = width_study("cause-samples", "why wide networks find no more: few and many pairs of generated entailment", _sampled,
                      family="causes", says=evidence_sampled)
