"""Published numbers compared with ours."""

from figures.published import VERDICTS, meet, published
from figures.section import Section, picture
from figures.style import canvas, legend, look, measured
from figures.wording import counted

_STUDIES = tuple(dict.fromkeys(number.study for number in published().values() if number.study and number.ours))


def _meetings(tables):
    return meet(list(published().values()), tables)


def _cell(estimate) -> str:
    if estimate is None:
        return "–"
    return "–" if estimate.mean != estimate.mean else f"{estimate:.3g}".replace("-", "−")


def frames(tables):
    """One row per number, and how many numbers have each verdict."""
    import pandas

    met = _meetings(tables)
    rows = [{"number": m.number.name, "quantity": m.number.quantity, "theirs": f"{m.number.sense} {_cell(m.theirs)}".strip(),
             "ours": _cell(m.ours), "ours − theirs": _cell(m.gap), "verdict": m.verdict,
             "remarks": "; ".join(filter(None, [m.number.reduced, m.number.why])) or "–",
             "source": f"{m.number.source} ({m.number.read})"} for m in met]
    counts = ", ".join(f"{sum(m.verdict == v for m in met)} {v}" for v in VERDICTS if any(m.verdict == v for m in met))
    return {f"{counted(len(met), 'published number')} compared with ours: {counts}": pandas.DataFrame(rows)}


def draw(tables):
    """The shares of spurious runs and the factors of removable units, theirs against ours."""
    shown = [m for m in _meetings(tables) if m.gap is not None and m.number.group in ("safran-shamir", "removable", "cka")]
    groups = list(dict.fromkeys(m.number.group for m in shown))
    if not groups:
        return
    with canvas(len(groups), width=2.3 * len(groups), height=2.4, squeeze=False) as (figure, axes):
        for axis, group in zip(axes.flat, groups):
            own = [m for m in shown if m.number.group == group]
            ends = [(m.ours.mean, *((m.ours.low, m.ours.high) if m.ours.has_interval else (m.ours.mean,) * 2)) for m in own]
            measured(axis, [m.theirs.mean for m in own], ends, "ours, 95 % intervals", real=group == "removable", **look(0))
            span = [min(e[0] for e in ends), max(e[0] for e in ends)]
            axis.plot(span, span, color="#6b6b6b", linestyle=":", linewidth=1, marker="")
            axis.set(xlabel="theirs", title={"safran-shamir": "spurious runs, share", "cka": "CKA, independent features",
                                             "removable": "removable units per doubling"}[group])
        axes.flat[0].set_ylabel("ours")
        legend(figure, axes.flat)
        yield picture(figure, "Published numbers against ours",
                      "Published numbers for which we have one of our own. Dotted: equality.")


SECTION = Section(
    order=130, id="published",
    title="Published numbers, met or not",
    question="Does this laboratory give the numbers that others have published?",
    method="Each number was declared with its source, our study of the same protocol (at full size, or reduced as stated), and "
        "the gap that would matter, before the two were compared. A number is <em>met</em> if the gap's interval, from both "
        "uncertainties and for all numbers of a group together, contains zero and extends no farther than that gap. "
        "<code>python -m figures reproduce</code> prints the same; <code>--anew</code> computes the studies.",
    studies=_STUDIES,
    draw=draw,
    claims=(),
    frames=frames,
    change_our_mind="A number that is off at full size, by more than both uncertainties.",
)
