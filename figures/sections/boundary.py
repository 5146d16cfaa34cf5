"""The boundary outside the hull: polynomial classifiers and small networks in the plane."""

from figures.section import Section, picture
from figures.style import SHARE, interval, legend, look, measured, panels, theory_line
from figures.wording import listed

_POLYNOMIALS = {"max-margin": "largest margin", "minimum-norm": "least norm", "gradient-small": "descent, small start",
                "gradient-large": "descent, large start"}
_NETWORKS = {"network-small": "small start", "network-large": "large start"}


def _lines(axis, frame, names, column):
    for place, (regime, name) in enumerate(names.items()):
        rows = frame[(frame.regime == regime) & frame[column].notna()]
        if rows.empty:
            continue
        sizes = sorted(rows["size"].unique())
        means = [interval(rows[rows["size"] == s][column], SHARE) for s in sizes]
        measured(axis, sizes, means, name, **look(place, line=True))


def _starts(table):
    """Agreement by the scale of the start, beside the law of small starts."""
    with panels(3, height=2.4, sharey=True) as (figure, axes):
        for axis, column, what in zip(axes, ("pair_inside", "pair_outside", "truth_outside"),
                                      ("between starts, inside", "between starts, outside", "with the truth, outside")):
            for place, (size, rows) in enumerate(table.frame.groupby("size")):
                by_scale = rows.groupby("init_scale")
                means = [interval(part[column], SHARE) for _, part in by_scale]
                style = look(place)
                theory_line(axis, list(by_scale.groups), by_scale[f"theory_{column}"].mean(), color=style["color"])
                measured(axis, list(by_scale.groups), means, f"degree {size}, {rows.features.iloc[0]} features", **style)
            axis.set(title=what, xlabel="scale of the start", xscale="log", ylim=(0.3, 1.03))
        axes[0].set_ylabel("agreement")
        legend(figure, axes)
        return picture(figure, "What random starts leave to chance",
                       f"Gradient descent on polynomials, {table.frame.samples.iloc[0]} training points. Lines: what follows "
                       "from the response of the descent from zero to its start, exact for small starts; what is orthogonal to "
                       "the features of all samples stays as it started. Intervals over data sets.", table.name)


def findings(tables):
    """How far the law of small starts is from the simulation, by scale."""
    if "polynomial-starts" not in tables:
        return
    frame = tables["polynomial-starts"].frame
    gaps = (frame.pair_outside - frame.theory_pair_outside).groupby(frame.init_scale).mean()
    most = frame[frame["size"] == frame["size"].max()].groupby("init_scale").pair_outside.mean()
    yield (f"<b>Random starts.</b> At degree {frame['size'].max()} two starts agree on "
           f"{listed(f'{share:.1%} (scale {scale:g})' for scale, share in most.items())} of the points outside. The simulated "
           f"agreement minus that of the law is {listed(f'{gap:+.3f} at {scale:g}' for scale, gap in gaps.items())}, averaged "
           "over degrees.").replace("-", "−")


def draw(tables):
    """Agreement with the truth and between starts, inside and outside the hull."""
    if "polynomial" in tables:
        yield from _by_size(tables["polynomial"])
    if "polynomial-starts" in tables:
        yield _starts(tables["polynomial-starts"])


def _by_size(table):
    frame = table.frame[table.frame.truth == 3] if "truth" in table.frame else table.frame
    for names, label, title in ((_POLYNOMIALS, "degree of the polynomial", "Polynomials of growing degree"),
                                (_NETWORKS, "width of the network", "Networks of growing width")):
        with panels(4, height=2.4, sharey=True) as (figure, axes):
            for axis, column, what in zip(axes, ("truth_inside", "truth_outside", "pair_inside", "pair_outside"),
                                          ("with the truth, inside", "with the truth, outside", "between starts, inside",
                                           "between starts, outside")):
                _lines(axis, frame, names, column)
                axis.set(title=what, xlabel=label, xscale="log" if names is _NETWORKS else "linear", ylim=(0.3, 1.03))
                sizes = sorted(frame[frame.regime.isin(names)]["size"].unique())
                axis.set_xticks(sizes, sizes)
                axis.minorticks_off()
            axes[0].set_ylabel("agreement")
            legend(figure, axes)
            yield picture(figure, title, "Share of points on which two classifiers, or a classifier and the truth (of degree 3), "
                          "agree. All of them fit the training points. Intervals over data sets.", table.name)


SECTION = Section(
    order=110, id="boundary",
    title="The boundary outside the hull",
    question="Does over-parameterization control the decision boundary where there are no data, and what is the role of the "
        "training regime?",
    method="Two classes in the plane are separated by a random cubic. Polynomial classifiers of degree 3 to 10 and networks of "
        "width 4 to 256 all separate the 40 training points; we compare their predictions inside the hull of these points and in "
        "a ring outside. For polynomials, how far random starts agree follows from the response of gradient descent to its "
        "start.",
    studies=("polynomial", "polynomial-starts"),
    draw=draw,
    findings=findings,
    claims=("s3.overparameterization-controls", "s3.training-controls", "s3.outside-is-harder"),
    change_our_mind="Larger models that agree outside the hull as well from large starts as from small ones.",
)
