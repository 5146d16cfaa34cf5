"""Flat channels to infinity among converged students, and the claims whose evidence they affect."""

from figures.ledger import gather
from figures.section import Section, picture
from figures.style import canvas, legend, look, points
from figures.wording import counted, listed
from lab.estimate import share_interval

# studies that train students of a teacher until they converge, whose evidence channels may affect
_CONVERGED = ("graded-width", "graded-copies", "graded-units", "graded-ridge", "graded-loss", "graded-curves", "graded-phase",
              "copy-average")


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
    """Shares by teacher and width, which show how many students of the other studies are affected."""
    if "graded-channels" not in tables:
        return {}
    frame = tables["graded-channels"].frame
    columns = {"teacher": "teacher", "width": "width", "converged": "converged students", "in_channel": "share in a channel",
               "loss_in_channel": "their loss", "loss_elsewhere": "loss of the others", "largest_readout": "largest readout"}
    return {"Converged students by teacher and width": frame[list(columns)].rename(columns=columns)}


def findings(tables):
    """Which claims have evidence from converged students in a channel: computed from the teachers and widths of every table."""
    if "graded-channels" not in tables:
        return
    frame = tables["graded-channels"].frame
    examined = {(row.teacher, row.width): row for row in frame.itertuples()}
    inside = {cell for cell, row in examined.items() if row.in_channel > 0}
    total, caught = int(frame.converged.sum()), round((frame.in_channel * frame.converged).sum())
    share, unfinished = share_interval(caught, total), int((frame.students - frame.converged).sum())
    yield (f"<b>Students in channels.</b> {caught} of {total:,} converged students, of "
           f"{counted(len(examined), 'teacher and width', 'teachers and widths')}, are in a channel ({share.mean:.1%}; at most "
           f"{share.high:.1%} at 95 % confidence){':' * bool(inside)}{_where(inside)}; so are "
           f"{int(frame.unfinished_in_channel.sum())} of {unfinished} unfinished ones.")
    affected, free, unseen = [], [], []
    for name in (name for name in _CONVERGED if name in tables):
        cells = _cells(tables[name].frame)
        claims = sorted({item.claim for item in gather({name: tables[name]}, ()) if item.column == "toy"})
        words = f"{name} ({listed(claims) or 'no claim'})"
        if cells & inside:
            affected.append(f"{words}:{_where(cells & inside)}")
        elif cells & set(examined):
            free.append(words + ", not examined:" * bool(cells - set(examined)) + _where(cells - set(examined)))
        else:
            unseen.append(words)
    parts = [f"Studies with students in channels, and their claims: {'; '.join(affected)}." if affected else
             "No study of converged students has any in a channel."]
    parts += [f"No channel was found among the students of {'; '.join(free)}."] * bool(free)
    parts += [f"The students of {listed(unseen)} have other teachers and were not examined."] * bool(unseen)
    yield f"<b>Affected evidence.</b> {' '.join(parts)}"


def _cells(frame) -> set[tuple[str, int]]:
    """Teachers and widths of a table's students, wide reference networks included; none where teachers have no names."""
    if "teacher" not in frame:
        return set()
    return {(teacher, int(width)) for column in ("width", "reference_width") if column in frame
            for teacher, width in frame[["teacher", column]].drop_duplicates().itertuples(index=False)}


def _where(cells: set[tuple[str, int]]) -> str:
    """The teachers and their widths, in words after a space."""
    by: dict[str, list[str]] = {}
    for teacher, width in sorted(cells):
        by.setdefault(teacher, []).append(str(width))
    return f" {', '.join(f'{teacher} teacher at width {listed(widths)}' for teacher, widths in by.items())}" if by else ""


SECTION = Section(
    order=85, id="channels",
    title="Flat channels: converged, and not at a minimum",
    question="How many students that count as converged are on their way to infinity?",
    method="In a flat channel two units merge while their readouts diverge with opposite signs; together they become a gated "
        "linear unit, and the gradient vanishes without a minimum (Martinelli et al. 2025). A pair counts if its incoming "
        "weights lie within 30 % of their length of each other and both readouts exceed five times the teacher's largest.",
    studies=("graded-channels", *_CONVERGED),
    draw=draw,
    findings=findings,
    claims=(),
    frames=frames,
    change_our_mind="Students in channels whose features, and so whose span errors, go on changing as training does.",
)
