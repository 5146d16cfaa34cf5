"""
A toy question, from scratch
============================

*A teacher has M features, and a network of width w finds w of them, whichever. What do copies miss that one network with as
many units finds?* A question like this one is answered three times: by a formula, by a simulation, and by laying one beside
the other.
"""

# %%
# The simulation
# --------------
# Every replica draws from a stream with an address in words, so that the same seed gives the same numbers whatever else is
# computed. What comes back says which axes its arrays have; tables and pictures follow from that.

from dataclasses import dataclass

import numpy as np

from widthlab import Results, generator


@dataclass(frozen=True)
class Missed(Results, axes="width: width; missed: replica width", picture="missed ~ width"):
    """Share of the features that no copy has found, for copies of several widths."""

    width: np.ndarray
    missed: np.ndarray


def simulate(features: int, units: int, widths: list[int], replicas: int, seed: int = 0) -> Missed:
    missed = np.empty((replicas, len(widths)))
    for column, width in enumerate(widths):
        for replica in range(replicas):
            rng = generator(seed, "my question", "features found", width, replica)
            found = rng.random((units // width, features)).argsort(axis=1) < width  # width places of a random permutation
            missed[replica, column] = 1 - found.any(axis=0).mean()
    return Missed(np.array(widths), missed)


students = simulate(features=16, units=16, widths=[1, 2, 4, 8, 16], replicas=400)
students

# %%
# A row for every replica and width:
students.to_frame().groupby("width").missed.describe()[["count", "mean", "std"]]

# %%
# The formula
# -----------
# A feature is missed by one copy with probability 1 − w/M, and by all c of them with probability (1 − w/M)^c.


@dataclass(frozen=True)
class Predicted(Results, axes="width missed: width", picture="missed ~ width", theory=True):
    """What is expected of :class:`Missed`."""

    width: np.ndarray
    missed: np.ndarray


widths = np.arange(1, 17)
theory = Predicted(widths, (1 - widths / 16) ** (16 / widths))

# %%
# One beside the other
# --------------------
# Markers are means over replicas with 95 % intervals, the line is the formula. Sixteen networks of width 1 miss a third of what
# one network of width 16 finds, although they have as many units: they find some features twice.

axes = students.plot(theory.plot(), label="simulation")
axes.set(xlabel="width of a copy (16 units in all)", ylabel="share of the features missed")

# %%
# Is the agreement one that could have failed? Every mean lies within a few standard errors of the formula:

means, errors = students.missed.mean(axis=0), students.missed.std(axis=0, ddof=1) / 20
expected = (1 - students.width / 16) ** (16 / students.width)
assert np.all(np.abs(means - expected) <= 4 * errors)
np.round((means - expected)[:-1] / errors[:-1], 2)
