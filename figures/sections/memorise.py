"""Memorise or generalise: decision regions during training."""

import math

from figures.section import Section, picture
from figures.style import POSITIVE, canvas, interval, legend, look, measured, stroke

_NAMES = {"structured": "structured labels", "random-labels": "random labels", "noise-inputs": "noise inputs"}


def _known(values) -> tuple[float, float, float]:
    """Mean and interval over the data sets whose networks have memorised; NaN, which draws nothing, if there are none."""
    known = values.dropna()
    return interval(known, POSITIVE) if known.size else (math.nan,) * 3


def _splits(table):
    """Re-splits per merged region by the share of random labels, and at a small learning rate."""
    from toy.memorise.study import TRAINING, resplits_per_merger

    frame = table.frame[table.frame.memorised > 0]
    with canvas(1, width=3.6, height=2.5) as (figure, axis):
        fast = frame.learning_rate == TRAINING["learning_rate"]
        for place, (rows, label) in enumerate(((frame[fast], "as in the study"), (frame[~fast], "a fifth of the learning rate"))):
            shares = sorted(rows.random_share.unique())
            ends = [_known(resplits_per_merger(rows[rows.random_share == share])) for share in shares]
            measured(axis, shares, ends, label, **look(place))
        axis.axhline(0.05, color="#6b6b6b", linestyle=":", linewidth=1)
        axis.set(xlabel="share of random labels", ylabel="re-splits per merged region", ylim=(0, None))
        legend(figure, [axis])
        return picture(figure, "Merged regions split again because random labels require it",
                       "Number of re-splits over number of regions that died, for networks that memorised. Dotted: one in "
                       "twenty. The inputs are the same throughout. Intervals over data sets.", table.name)


def draw(tables):
    """Regions during training and at its end, the spread of test errors, and what makes merged regions split."""
    if "memorise" in tables:
        yield from _merging(tables["memorise"])
    if "memorise-splits" in tables:
        yield _splits(tables["memorise-splits"])


def _merging(table):
    from toy.memorise.study import cells

    frame, ends = table.frame, cells(table.frame)
    widths = sorted(frame.width.unique())
    with canvas(3, height=2.5) as (figure, axes):
        for place, (task, name) in enumerate(_NAMES.items()):
            rows = frame[(frame.task == task) & (frame.width == widths[-1])]
            curve = rows.groupby("epoch").regions.mean()
            axes[0].plot(curve.index + 1, curve.values, **stroke(place))
            for axis, column in ((axes[1], "final_regions"), (axes[2], "spread")):
                means = [_known(ends[(ends.task == task) & (ends.width == w)][column]) for w in widths]
                measured(axis, widths, means, name, **look(place))
        truth = frame[frame.task == "structured"].true_regions.iloc[0]
        axes[0].axhline(truth, color="#6b6b6b", linestyle=":", linewidth=1)
        axes[0].set(xscale="log", xlabel="epoch + 1", ylabel="decision regions", title=f"during training, width {widths[-1]}")
        legend(figure, axes[1:])
        axes[1].set(xscale="log", xlabel="width", title="regions at the end", ylim=(0, None))
        axes[2].set(xscale="log", yscale="log", xlabel="width", title="spread of test errors")
        for axis in axes[1:]:
            axis.set_xticks(widths, widths)
            axis.minorticks_off()
        yield picture(figure, "Regions merge when there is structure and multiply when there is none",
                      "Left and middle: number of decision regions on a closed curve in 20 dimensions (dotted: true number); for "
                      "noise inputs, on a great circle through two of them. Right: standard deviation of the test error over "
                      "starts. Intervals over data sets; lines have the colours of the markers.", table.name)
    with canvas(2, width=5.2, height=2.4) as (figure, axes):
        for place, (task, name) in enumerate(_NAMES.items()):
            rows = ends[ends.task == task]
            for axis, column in ((axes[0], "deaths"), (axes[1], "resplits")):
                means = [_known(rows[rows.width == w][column] / rows[rows.width == w].memorised.where(lambda n: n > 0))
                         for w in widths]
                measured(axis, widths, means, name, **look(place))
        for axis, title in zip(axes, ("regions that died", "re-splits of merged regions")):
            axis.set(xscale="log", xlabel="width", title=title + "\nper network that memorised", ylim=(0, None))
            axis.set_xticks(widths, widths)
            axis.minorticks_off()
        legend(figure, axes)
        yield picture(figure, "Do merged regions split again?",
                      "Hardly ever with structured labels, but again and again if labels are random and must be memorised.",
                      table.name)


SECTION = Section(
    order=50, id="memorise",
    title="Memorise or generalise",
    question="What does a network do with structure that it does not do with noise, and does width change it?",
    method="One-hidden-layer networks are trained to near-zero loss on points of a curved circle in 20 dimensions, with labels "
        "that follow the angle, with random labels, or with noise in place of the inputs. During training we count the regions "
        "of constant decision on the curve and track each of them. A region dies when its neighbours merge over it, and a new "
        "region where one of the same class died is a re-split. To find out why regions split again, we change one thing at a "
        "time, the share of random labels or the learning rate, and compare with regions at random places.",
    studies=("memorise", "memorise-splits"),
    draw=draw,
    claims=("s2.memorising", "s2.merged", "s2.resplits", "s2.wide-solutions", "s2.width-generalises"),
    change_our_mind="Merged regions that split again under structured labels, or a spread of test errors that does not "
        "shrink with width.",
)
