"""What initialisation decides: first reach, and the multi-view counter-example."""

import numpy as np

from figures.section import Section, picture
from figures.style import NARROW, WIDE, canvas, legend, points, theory_line

_VIEWS = ((NARROW, "o"), (WIDE, "s"))  # by the strength of the second view


def _reach(table):
    with canvas(2, sharey=True) as (figure, axes):
        for axis, (threshold, cells) in zip(axes, table.frame.groupby("threshold", sort=False)):
            if "second_strength" in cells:  # the theory is the limit of a weak second strength
                cells = cells[cells.second_strength == cells.second_strength.min()]
            for m, (colour, marker) in enumerate(((WIDE, "o"), (NARROW, "s")), 1):
                rows = cells[cells.feature == m].sort_values("width")
                label = "strong feature" if m == 1 else "weak feature"
                theory_line(axis, rows.width, rows.all_theory, color=colour)
                points(axis, rows.width, rows.all_share, rows.all_low, rows.all_high, label, color=colour, fmt=marker)
            regime = "pure reach" if threshold >= np.sqrt(0.5) else "capture possible"
            axis.set(title=f"{regime} (b = {threshold:g})", xscale="log", ylim=(0, None),
                     xlabel="width of each network (8 starts in all)")
            axis.set_xticks(sorted(cells.width.unique()), [f"{w:g}\n×{8 / w:g}" for w in sorted(cells.width.unique())])
            axis.minorticks_off()
        axes[0].set_ylabel("P(the concatenation misses it)")
        legend(figure, axes)
        return picture(figure, "The same number of starts, split or together",
                       "Lines: closed form (left), and the limit of a vanishing weak strength (right). Markers: gradient flow "
                       "with 95 % Wilson intervals. Where a neuron reaches at most one feature, splitting the starts over "
                       "several networks costs nothing. Where the strong feature can capture neurons, each narrow network loses "
                       "the weak feature more often, and pooling does not bring it back.",
                       table.name)


def _views(table):
    with canvas(3, width=7.0, height=2.5) as (figure, axes):
        alone = table.frame[table.frame.copies == 1]
        small, large = alone.init_scale.min(), alone.init_scale.max()
        for axis, scale in zip(axes, (small, large)):
            cells = alone[alone.init_scale == scale].groupby("second_strength")
            for (strength, rows), (colour, marker) in zip(cells, _VIEWS):
                rows = rows.sort_values("width")
                theory_line(axis, rows.width, rows.one_theory, color=colour)
                points(axis, rows.width, rows.one_share, rows.one_low, rows.one_high, f"second view {strength:g}",
                       color=colour, fmt=marker)
            axis.set(title=f"starts of {scale:g}", xscale="log", xlabel="width", ylim=(-0.03, 1.03))
        axes[0].set_ylabel("P(one network learns both)")
        legend(figure, axes)
        total = (table.frame.copies * table.frame.width)[table.frame.copies > 1].max()
        split = table.frame[(table.frame.init_scale == small) & (table.frame.copies * table.frame.width == total)]
        for (_, rows), (colour, marker) in zip(split.groupby("second_strength"), _VIEWS):
            rows = rows.sort_values("width")
            theory_line(axes[2], rows.width, rows.all_theory, color=colour)
            points(axes[2], rows.width, rows.all_share, rows.all_low, rows.all_high, color=colour, fmt=marker)
        axes[2].set(title=f"{total:g} neurons, split", xscale="log", ylim=(-0.03, 1.03), xlabel="width of each copy",
                    ylabel="P(both, in some copy)")
        return picture(figure, "Two views of one class",
                       "From small starts, the first view to grow silences the other. Wide networks learn both of two equal "
                       "views, but always ignore a weaker second view; copies of a single neuron find both between them. With "
                       "large starts it is the reverse. Lines: leading-neuron theory (exact at width 1, a lower bound for "
                       "wide networks). Markers: gradient flow.", table.name)


def draw(tables):
    """Both pictures, where their tables exist."""
    if "first-reach" in tables:
        yield _reach(tables["first-reach"])
    if "multi-view" in tables:
        yield _views(tables["multi-view"])


SECTION = Section(
    order=30, id="starts",
    title="What starts decide",
    question="Do narrow networks fail because their few neurons start badly? And can a concatenation of them fail where one "
        "wide network with the same number of starts succeeds?",
    method="Two settings that are solved exactly up to quadrature. <i>First reach</i> is a reconstruction of S0's toy model: "
        "thresholded neurons on the sphere feel a feature only within their reach. In <i>two views</i>, a class shows two "
        "features, and neurons with a steep activation race for them. Starts alone do not put concatenations at a "
        "disadvantage, but capture by a strong feature does. With redundant views, a concatenation of narrow networks even "
        "beats the wide one.",
    studies=("first-reach", "multi-view"),
    draw=draw,
    claims=("s0.narrow-starts", "s0.concatenated-starts", "s0.wide-finds-every-view"),
    change_our_mind="A capture regime in which concatenated networks miss no more than the wide one, or small starts with "
        "unequal views from which wide networks learn both.",
)
