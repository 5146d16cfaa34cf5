"""
A toy question, from scratch
============================

*A teacher has M features, and a network of width w finds w of them at random. What do copies miss that one network with as many
units finds?* We answer the question with a simulation and with a formula, and compare the two.
"""

# %%
# The simulation
# --------------
# Every replica draws from a stream with an address in words, so that the same seed gives the same numbers whatever else is
# computed. The result declares the axes of its arrays, from which tables and pictures are made.

from dataclasses import dataclass

import numpy as np

from widthlab import Results, generator


@dataclass(frozen=True)
class Missed(Results, axes="width: width; missed: replica width", picture="missed ~ width"):
    """Share of the features that no copy finds, for copies of several widths."""

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
# One row per replica and width:
students.to_frame().groupby("width").missed.describe()[["count", "mean", "std"]]

# %%
# The formula
# -----------
# One copy misses a feature with probability 1 − w/M, and all c copies miss it with probability (1 − w/M)^c.


@dataclass(frozen=True)
class Predicted(Results, axes="width missed: width", picture="missed ~ width", theory=True):
    """The expectation of :class:`Missed`."""

    width: np.ndarray
    missed: np.ndarray


widths = np.arange(1, 17)
theory = Predicted(widths, (1 - widths / 16) ** (16 / widths))

# %%
# Simulation and formula
# ----------------------
# Markers are means over replicas with 95 % intervals, the line is the formula. Sixteen networks of width 1 miss a third of what
# one network of width 16 finds, although they have as many units, because they find some features twice.

axes = students.plot(theory.plot(), label="simulation")
axes.set(xlabel="width of a copy (16 units in total)", ylabel="share of the features missed")

# %%
# Could this comparison have failed? Yes: every mean has to lie within a few standard errors of the formula, and it does.

means, errors = students.missed.mean(axis=0), students.missed.std(axis=0, ddof=1) / 20
expected = (1 - students.width / 16) ** (16 / students.width)
assert np.all(np.abs(means - expected) <= 4 * errors)
np.round((means - expected)[:-1] / errors[:-1], 2)
