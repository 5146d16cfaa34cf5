"""Critical points: index against loss, and how much the index varies."""

import numpy as np

from figures.section import Section, picture
from figures.style import POSITIVE, canvas, interval, legend, look, measured, panels, theory_line
from theory.random_landscape import index_at_energy


def _index(frame, name):
    settings = list(frame.groupby(["landscape", "size"], sort=False))
    with panels(len(settings), width=2.2 * len(settings), height=2.5) as (figure, axes):
        for axis, ((landscape, size), rows) in zip(axes, settings):
            axis.plot(rows.loss, rows["index"] / rows.directions, "o", markersize=2.5, alpha=0.4, **{"color": look(0)["color"]})
            if landscape == "field":
                theory_line(axis, energies := np.linspace(rows.loss.min(), rows.loss.max(), 60), index_at_energy(energies),
                            label="random matrices", color=look(1)["color"])
            axis.set(title=f"ReLU, {size} units" if landscape == "relu" else f"random field, {size} dims",
                     xlabel="loss" if landscape == "relu" else "energy per dimension", ylim=(-0.03, 1.03))
        axes[0].set_ylabel("share of negative directions")
        legend(figure, axes)
        return picture(figure, "High critical points have many ways down",
                       "Share of negative Hessian eigenvalues against loss or energy, for each distinct critical point found. "
                       "Line: prediction of random matrix theory for a Gaussian field in many dimensions.", name)


def _coins(frame, name):
    once = frame.drop_duplicates(["landscape", "size", "replica"])
    settings = list(once.groupby(["landscape", "size"], sort=False))
    labels = [f"ReLU\n{size} units" if landscape == "relu" else f"field\n{size} dims" for (landscape, size), _ in settings]
    with canvas(1, width=3.6, height=2.5) as (figure, axis):
        measured(axis, range(len(settings)), [interval(rows.coins, POSITIVE) for _, rows in settings], "measured", **look(0))
        known = [(i, rows.coins_theory.iloc[0]) for i, (_, rows) in enumerate(settings) if rows.coins_theory.notna().all()]
        axis.plot(*zip(*known), "_", markersize=14, color=look(1)["color"], label="random matrices")
        axis.axhline(1, color="#6b6b6b", linestyle=":", linewidth=1)
        axis.set_xticks(range(len(settings)), labels)
        axis.set(ylabel="index variance / coin variance", ylim=(0, None))
        legend(figure, [axis])
        return picture(figure, "Signs of curvatures are not coin flips",
                       "Variance of the number of negative directions among critical points of equal loss, relative to that of "
                       "as many independent coins (dotted). Intervals over replicas.", name)


def draw(tables):
    """Index against loss; variance of the index."""
    if "critical-points" in tables:
        table = tables["critical-points"]
        yield _index(table.frame, table.name)
        yield _coins(table.frame, table.name)


SECTION = Section(
    order=75, id="critical",
    title="Critical points: how many ways down",
    question="Are the signs of a Hessian's eigenvalues like coin flips, and do bad critical points have more ways down than good "
        "ones?",
    method="We find critical points by minimising the norm of the gradient from starting points at many levels of the loss. A "
        "point counts if the norm falls below 10<sup>−9</sup>; points with equal loss and index count once. The landscapes are "
        "the exact loss of ReLU students and teachers, and Gaussian random fields, for which random matrix theory predicts the "
        "share of negative directions at every energy.",
    studies=("critical-points",),
    draw=draw,
    claims=("s2.coin-flips", "s2.index-falls"),
    change_our_mind="As many negative directions at low loss as at high loss, or a number of them that varies like coin flips.",
)
