"""Success, tickets, memorising and double descent in small real networks, the counterparts of the toy models."""

from figures.section import Section, picture
from figures.style import SHARE, legend, look, panels
from figures.sweeps import estimates

_COMBINATIONS = (("best_test_error", "best of several"), ("ensemble_test_error", "ensemble of several"),
                 ("concatenated_test_error", "several, concatenated"), ("test_error", "one network"))


def _by_width(axis, rows, column, label, place):
    """Plot a share against the number of hidden units, over replicas."""
    estimates(axis, rows.groupby("hidden"), column, label, within=SHARE, real=True, **look(place, line=True))


def _finish(axis, frame, **labels):
    widths = sorted(frame.hidden.unique())
    axis.set(xscale="log", xlabel="hidden units", ylim=(0, None), **labels)
    axis.set_xticks(widths, widths, fontsize=6)
    axis.minorticks_off()


def _descent(tables):
    present = [tables[name] for name in ("descent-digits", "descent-mnist") if name in tables]
    if not present:
        return
    with panels(len(present), most=2) as (figure, axes):
        for axis, table in zip(axes, present):
            for place, (noise, rows) in enumerate(table.frame.groupby("label_noise")):
                _by_width(axis, rows, "test_error", f"{noise:.0%} wrong labels" if noise else "true labels", place)
            sizes = table.frame[["hidden", "size"]].drop_duplicates().sort_values("size")
            beyond = sizes[sizes["size"] >= 1].hidden
            if len(beyond):
                axis.axvline(beyond.iloc[0], color="#6b6b6b", linestyle=":", linewidth=0.9)
            _finish(axis, table.frame, title=table.frame.data.iloc[0])
        axes[0].set_ylabel("test error")
        legend(figure, axes)
        yield picture(figure, "Test error by width, with true and wrong labels",
                      "One-hidden-layer networks trained to convergence. Dotted: the first width with as many parameters as "
                      "training samples times classes. Intervals over replicas.", " ".join(table.name for table in present))


def _success(tables):
    table = tables.get("success-digits")
    if table is None:
        return
    frame = table.frame.assign(share=table.frame.failed / table.frame.copies)
    with panels(2, most=2) as (figure, axes):
        _by_width(axes[0], frame, "share", "failed runs", 0)
        _finish(axes[0], frame, title="runs that do not fit every digit", ylabel="share of starts")
        for place, (column, label) in enumerate(_COMBINATIONS):
            _by_width(axes[1], frame, column, label, place + 1)
        _finish(axes[1], frame, title="alone and combined", ylabel="test error")
        legend(figure, axes, columns=3)
        yield picture(figure, "How often training succeeds, by width",
                      "One-hidden-layer networks on digits. A run fails if it leaves a training digit misclassified. Several: as "
                      "many networks as fit into the hidden units of the widest one. Intervals over replicas.",
                      table.name)


def draw(tables):
    """Double descent and success by width."""
    yield from _descent(tables)
    yield from _success(tables)


SECTION = Section(
    order=75, id="networks",
    title="Escape, memorising and double descent in small real networks",
    question="Do the exact results for toy models (success by width, tickets, index, memorising, double descent) carry over to "
        "digits and MNIST?",
    method="One-hidden-layer networks with 4 to 512 units are trained by the same loop as the large networks. A run succeeds if "
        "it fits every training sample; a wide network is compared with several narrow ones of the same total size. Curvatures "
        "come from Hessian-vector products; critical points are minima of the gradient's norm, and count only below a stated "
        "norm. Narrow networks are widened by splitting units, which preserves the function, or by adding new units. Memorising "
        "is tested with true labels, random labels, and noise in place of images.",
    studies=("descent-digits", "descent-mnist", "success-digits", "tickets-digits", "critical-digits", "curvature-digits",
             "escape-digits", "endings-digits", "endings-mnist", "memorise-digits"),
    draw=draw,
    claims=("s2.final-ascent", "s2.barriers", "s2.split-units", "s2.negative-curvature", "s3.minimisers", "s3.random-labels",
            "s3.noise"),
    change_our_mind="Test errors that do not depend on width, or failures as frequent in wide networks as in narrow ones.",
)
