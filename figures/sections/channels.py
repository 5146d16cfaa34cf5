"""Flat channels to infinity among converged students."""

from figures.section import Section, picture
from figures.style import canvas, legend, look, points


def draw(tables):
    """The share of converged students in a channel, by width."""
    if "graded-channels" not in tables:
        return
    table = tables["graded-channels"]
    with canvas(1, width=3.6, height=2.4) as (figure, axis):
        for place, (teacher, rows) in enumerate(table.frame.dropna(subset=["in_channel"]).groupby("teacher", sort=False)):
            points(axis, rows.width, rows.in_channel, rows.in_channel_low, rows.in_channel_high, f"{teacher} teacher",
                   **look(place))
        axis.set_xscale("log", base=2)
        axis.set(xlabel="width", ylabel="share of converged students", ylim=(-0.03, 1.03))
        legend(figure, [axis])
        yield picture(figure, "Converged, and in a flat channel",
                      "Students whose gradient met the tolerance with two units that have merged while their readouts grew with "
                      "opposite signs; 95 % Wilson intervals.", table.name)


def frames(tables):
    """Shares by teacher and width, which tell how many students of the other studies are concerned."""
    if "graded-channels" not in tables:
        return {}
    frame = tables["graded-channels"].frame
    columns = {"teacher": "teacher", "width": "width", "converged": "converged students", "in_channel": "share in a channel",
               "loss_in_channel": "their loss", "loss_elsewhere": "loss of the others", "largest_readout": "largest readout"}
    return {"Converged students by teacher and width": frame[list(columns)].rename(columns=columns)}


SECTION = Section(
    order=85, id="channels",
    title="Flat channels: converged, and not at a minimum",
    question="How many students that count as converged are on their way to infinity?",
    method="In a flat channel two units merge while their readouts diverge with opposite signs; together they become a gated "
        "linear unit, and the gradient vanishes without a minimum (Martinelli et al. 2025). A pair counts if its incoming "
        "weights lie within 30 % of their length of each other and both readouts exceed five times the teacher's largest.",
    studies=("graded-channels",),
    draw=draw,
    claims=(),
    frames=frames,
    change_our_mind="Students in channels whose features, and so whose span errors, go on changing as training does.",
)
