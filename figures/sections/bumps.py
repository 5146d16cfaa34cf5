"""Slide one bump, or spawn many."""

from figures.section import Section, picture
from figures.style import canvas, legend, look, points, theory_line


def draw(tables):
    """Draw the probability of arrival when sliding, and the loss when covering or doing both."""
    table = tables.get("bumps")
    if table is None:
        return
    frame = table.frame
    with canvas(3, height=2.5) as (figure, axes):
        looks = {m: look(place) for place, m in enumerate(sorted(frame.bumps.unique()))}
        for m, rows in frame[frame["mode"] == "slide"].groupby("bumps"):
            theory_line(axes[0], rows.time, rows.theory, color=looks[m]["color"], linewidth=1)
            points(axes[0], rows.time, rows.arrived_share, rows.arrived_low, rows.arrived_high, f"{m}", **looks[m])
        axes[0].set(title="slide: P(some bump arrived)", xscale="log", xlabel="time", ylim=(-0.03, 1.03))
        for axis, mode, title in ((axes[1], "cover", "cover: loss"), (axes[2], "both", "both: loss")):
            for m, rows in frame[frame["mode"] == mode].groupby("bumps"):
                if rows.theory.notna().any():
                    theory_line(axis, rows.time, rows.theory, color=looks[m]["color"], linewidth=1)
                points(axis, rows.time, rows.loss, rows.loss_low, rows.loss_high, f"{m}", **looks[m])
            shown = frame[(frame["mode"] == mode) & (frame.loss > 0)]
            axis.set(title=title, xscale="log", yscale="log", xlabel="time", ylim=(shown.loss.min() / 3, 3 * shown.loss.max()))
        legend(figure, axes, "bumps", 6)
        yield picture(figure, "Slide, cover, or both",
                      "A target bump on a line 40 bump widths long. Lines: closed form (for independent sliding bumps, and for "
                      "covering on an infinite lattice). Markers: gradient flow with 95 % intervals. Bumps of fixed height repel "
                      "each other: with more than a few of them, sliding fails where independent tickets would succeed.",
                      table.name)


SECTION = Section(
    order=40, id="bumps",
    title="Slide one bump, or spawn many",
    question="Is width a number of lottery tickets, or another way to move?",
    method="The smallest model that can distinguish the two: a target bump far away on a line. A bump of fixed height must slide "
        "there, and beyond a few bump widths it feels almost no gradient. Many bumps either get many chances to start within "
        "reach (tickets), or cover the line with trainable heights, for which distance does not matter.",
    studies=("bumps",),
    draw=draw,
    claims=("s2.width-is-tickets",),
    change_our_mind="Interacting bumps whose failures multiply like independent tickets.",
)
