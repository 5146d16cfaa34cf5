"""Success, tickets, memorising and double descent on small real networks, beside the toys that answer exactly."""

from figures.section import Section, picture
from figures.style import SHARE, legend, look, panels
from figures.sweeps import estimates

_WAYS = (("best_test_error", "best of several"), ("ensemble_test_error", "ensemble of several"),
         ("concatenated_test_error", "several, concatenated"), ("test_error", "one network"))


def _by_width(axis, rows, column, label, place):
    """A share by the number of hidden units, over replicas."""
    estimates(axis, rows.groupby("hidden"), column, label, within=SHARE, real=True, **look(place, line=True))


def _finish(axis, frame, **labels):
    widths = sorted(frame.hidden.unique())
    axis.set(xscale="log", xlabel="hidden units", ylim=(0, None), **labels)
    axis.set_xticks(widths, widths, fontsize=6)
    axis.minorticks_off()


def _descent(tables):
    found = [tables[name] for name in ("descent-digits", "descent-mnist") if name in tables]
    if not found:
        return
    with panels(len(found), most=2) as (figure, axes):
        for axis, table in zip(axes, found):
            for place, (noise, rows) in enumerate(table.frame.groupby("label_noise")):
                _by_width(axis, rows, "test_error", f"{noise:.0%} wrong labels" if noise else "true labels", place)
            at = table.frame[["hidden", "size"]].drop_duplicates().sort_values("size")
            beyond = at[at["size"] >= 1].hidden
            if len(beyond):
                axis.axvline(beyond.iloc[0], color="#6b6b6b", linestyle=":", linewidth=0.9)
            _finish(axis, table.frame, title=table.frame.data.iloc[0])
        axes[0].set_ylabel("test error")
        legend(figure, axes)
        yield picture(figure, "Test error by width, with true and wrong labels",
                      "Networks of one hidden layer, trained to the end. Dotted: the first width with as many parameters as "
                      "training samples times classes. Intervals over replicas.", " ".join(table.name for table in found))


def _success(tables):
    table = tables.get("success-digits")
    if table is None:
        return
    frame = table.frame.assign(share=table.frame.failed / table.frame.copies)
    with panels(2, most=2) as (figure, axes):
        _by_width(axes[0], frame, "share", "failed trainings", 0)
        _finish(axes[0], frame, title="does not fit every digit", ylabel="share of starts")
        for place, (column, label) in enumerate(_WAYS):
            _by_width(axes[1], frame, column, label, place + 1)
        _finish(axes[1], frame, title="alone and together", ylabel="test error")
        legend(figure, axes, columns=3)
        yield picture(figure, "How often training succeeds, by width",
                      "Networks of one hidden layer on digits; a training fails that leaves a training digit wrong. "
                      "Several: as many networks as have no more hidden units than the widest. Intervals over replicas.",
                      table.name)


def draw(tables):
    """Double descent and success by width."""
    yield from _descent(tables)
    yield from _success(tables)


SECTION = Section(
    order=75, id="networks",
    title="Escape, memorising and double descent on small real networks",
    question="Does what the toys answer exactly (success by width, tickets, index, memorising, double descent) hold on digits "
        "and MNIST?",
    method="Networks of one hidden layer are trained by the same loop as the large ones, at 4 to 512 units. Success is training "
        "that fits every sample; a wide network stands against several narrow ones of the same total budget. Curvature comes "
        "from Hessian products; critical points are minima of the gradient's norm, and count below a stated norm only. Narrow "
        "networks are widened by splitting units, which keeps the function, and by new units. Memorising is asked with true "
        "labels, random ones, and noise in place of images.",
    studies=("descent-digits", "descent-mnist", "success-digits", "tickets-digits", "critical-digits", "curvature-digits",
             "escape-digits", "endings-digits", "endings-mnist", "memorise-digits"),
    draw=draw,
    claims=("s2.final-ascent", "s2.barriers", "s2.split-units", "s2.negative-curvature", "s3.minimisers", "s3.random-labels",
            "s3.noise"),
    change_our_mind="Test errors that do not care for width, failures as frequent in wide networks as in narrow ones.",
)
