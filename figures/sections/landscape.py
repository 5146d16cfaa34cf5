"""The ReLU landscape: spurious minima by width, and tickets without the other neurons."""

import numpy as np

from figures.section import Section, picture
from figures.style import BASELINE, EXTRA, NARROW, REVERSE, WIDE, canvas, legend, points, theory_line

_EXTRA = {0: (NARROW, "o", "n = k"), 1: (WIDE, "s", "n = k + 1"), 2: (REVERSE, "D", "n = k + 2")}


def _shares(table):
    frame = table.frame[table.frame.method == "gradient-descent"]
    with canvas(2, height=2.9) as (figure, axes):
        for more, (colour, marker, label) in _EXTRA.items():
            rows = frame[frame.width == frame.teacher_width + more].sort_values("teacher_width")
            points(axes[0], rows.teacher_width, rows.share, rows.share_low, rows.share_high, label, color=colour, fmt=marker)
            if more:
                theory_line(axes[0], rows.teacher_width, rows.restarts_share, color=colour, linestyle="--", linewidth=1)
            published = rows[rows.published.notna()]
            axes[0].plot(published.teacher_width, published.published, "x", color=colour, markersize=4, zorder=4)
        axes[0].plot([], [], "x", color=BASELINE, label="published")
        axes[0].plot([], [], "--", color=BASELINE, linewidth=1, label="restarts with the same budget")
        axes[0].set(xlabel="teacher units k", ylabel="share of spurious runs", ylim=(-0.02, 1.02))
        rows = frame[(frame.width == frame.teacher_width + 1) & frame.effective_tickets.notna()].sort_values("teacher_width")
        open_ended = np.isinf(rows.effective_tickets_high)  # no failure at n = k + 1
        bounded = rows[~open_ended]
        points(axes[1], bounded.teacher_width, bounded.effective_tickets, bounded.effective_tickets_low,
               bounded.effective_tickets_high, "effective tickets", color=WIDE, fmt="^")
        if open_ended.any():
            axes[1].plot(rows.teacher_width[open_ended], rows.effective_tickets_low[open_ended], marker=r"$\uparrow$", color=WIDE,
                         markersize=7, linestyle="", label="effective tickets, at least")
        theory_line(axes[1], rows.teacher_width, rows.tickets, label="nominal tickets: C(k+1, k) = k + 1", color=BASELINE)
        axes[1].set(xlabel="teacher units k", ylabel="tickets at n = k + 1", ylim=(0, None))
        legend(figure, axes)
        return picture(figure, "One or two neurons more",
                       "Left: share of gradient-descent runs that end in a spurious minimum, with 95 % Wilson intervals. "
                       "Crosses: the runs released by Safran and Shamir. Dashed: the share for independent networks of width k "
                       "with as many neurons in total. Right: the number of independent tickets of width k that would explain "
                       "the failures at n = k + 1.", table.name)


def _tickets(table):
    arms = ("fresh narrow", "alone", "adversarial rest", "redrawn rest", "original rest", "fresh wide")
    looks = dict(zip(arms, zip((BASELINE, NARROW, EXTRA, REVERSE, WIDE, BASELINE), "sov^DP")))
    cells = sorted({(row.teacher_width, row.width) for row in table.frame.itertuples()})
    with canvas(1, height=2.9) as (figure, axis):
        for arm in arms:
            rows = table.frame[table.frame.arm == arm].set_index(["teacher_width", "width"])
            where = [i for i, cell in enumerate(cells) if cell in rows.index]
            rows = rows.loc[[cells[i] for i in where]]
            shift = 0.12 * (arms.index(arm) - 2.5)
            points(axis, [i + shift for i in where], rows.win, rows.win_low, rows.win_high, arm, color=looks[arm][0],
                   fmt=looks[arm][1])
        axis.set_xticks(range(len(cells)), [f"k = {k}\nn = {n}" for k, n in cells])
        axis.set(ylabel="P(reaches the global minimum)", ylim=(-0.03, 1.03))
        legend(figure, [axis], columns=6)
        return picture(figure, "Winning tickets, rewound",
                       "The k neurons of a successful wide student that became the teacher's, rewound to their initial weights "
                       "and trained alone, with the original rest of the neurons, with a redrawn rest, or with an adversarial "
                       "rest that starts at a spurious minimum; compared with fresh networks of width k and n.", table.name)


def draw(tables):
    """Both pictures, where their tables exist."""
    if "relu-landscape" in tables:
        yield _shares(tables["relu-landscape"])
    if "relu-tickets" in tables:
        yield _tickets(tables["relu-tickets"])


def frames(tables):
    """Loss levels and types of spurious minima at n = k."""
    if "relu-landscape" not in tables:
        return {}
    frame = tables["relu-landscape"].frame
    rows = frame[(frame.teacher_width == frame.width) & (frame.minima > 0)]
    columns = {"teacher_width": "teacher units k", "share": "share of spurious runs", "levels": "loss levels",
               "commonest": "most common type", "escape_index_low": "fewest directions", "escape_index_high": "most directions"}
    return {"Spurious minima at n = k: number of loss levels, most common type, and negative directions opened by one more "
            "neuron": rows[list(columns)].rename(columns=columns)}


SECTION = Section(
    order=70, id="landscape",
    title="Spurious minima and the width that removes them",
    question="Why does one more neuron turn a landscape full of traps into an easy one: more lottery tickets, or more directions "
        "of escape?",
    method="Students of n ReLU units learn a teacher of k orthonormal units (Safran &amp; Shamir 2018) on the exact population "
        "loss, by gradient descent with step 0.1 and the published stopping criterion. A run counts as successful once its "
        "decreasing objective falls below 10<sup>−3</sup>; a run that meets no criterion within 10<sup>6</sup> steps counts as "
        "spurious.",
    studies=("relu-landscape", "relu-tickets"),
    draw=draw,
    claims=("s2.success-grows", "s2.wide-beats", "s2.spurious", "s2.tickets", "s2.perturbed-rest", "s2.adversarial-rest"),
    change_our_mind="Restarts with the same budget that fail as rarely as the wide student, spurious minima that remain minima "
        "when a neuron is split, or rewound tickets that win alone.",
    frames=frames,
)
