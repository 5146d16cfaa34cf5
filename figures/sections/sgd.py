"""Online SGD of over-parameterised students: trajectories, final errors, removable and repeated units."""

from figures.section import Section, picture
from figures.style import NARROW, SHARE, WIDE, canvas, legend, look, points, theory_line


def _trajectories(table):
    with canvas(2, height=2.5) as (figure, axes):
        for axis, (layers, cells) in zip(axes, table.frame.groupby("layers", sort=False)):
            for place, ((width, dim), rows) in enumerate(cells.groupby(["width", "dim"])):
                rows = rows[rows.time > 0].sort_values("time")
                theory_line(axis, rows.time, rows.predicted, color=look(place)["color"])
                points(axis, rows.time, rows.error, rows.error_low, rows.error_high, f"K = {width:g}, N = {dim:g}",
                       **look(place), markersize=3)
            axis.set(title=f"{layers} layer{'s' if layers == 'both' else ''} trained", xscale="log", yscale="log",
                     xlabel="steps / N")
            axis.tick_params(axis="x", which="minor", labelbottom=False)
        legend(figure, axes)
        axes[0].set_ylabel("generalisation error")
        return picture(figure, "Online SGD and its order-parameter equations",
                       "Lines: the equations of Saad & Solla and Goldt et al., with the initial conditions of the simulations. "
                       "Markers: mean over replicas with 95 % intervals.", table.name)


def _final(table):
    with canvas(2, height=2.5) as (figure, axes):
        for axis, (layers, cells) in zip(axes, table.frame.groupby("layers", sort=False)):
            for place, ((rate, noise), rows) in enumerate(cells.groupby(["learning_rate", "noise"])):
                rows = rows.sort_values("width")
                theory_line(axis, rows.width, rows.first_order, color=look(place)["color"])
                points(axis, rows.width, rows.error, rows.error_low, rows.error_high, f"η = {rate:g}, σ = {noise:g}",
                       **look(place), markersize=3.5)
            axis.set(title=f"{layers} layer{'s' if layers == 'both' else ''} trained", yscale="log", xlabel="width K")
        legend(figure, axes)
        axes[0].set_ylabel("error at the end")
        return picture(figure, "Does width cost or save error at the end of online SGD?",
                       "If only the first layer is trained, every superfluous unit adds noise; if both layers are trained, width "
                       "averages the noise away. Lines: formulas to first order in the learning rate.", table.name)


def _units(table):
    end = table.frame[table.frame.moment == "end"]
    noises, scales = sorted(end.noise.unique()), sorted(end.init_scale.unique())
    with canvas(len(scales), len(noises), height=1.9, sharex=True, sharey=True, squeeze=False) as (figure, axes):
        for axis, (noise, scale) in zip(axes.flat, ((n, s) for n in noises for s in scales)):
            rows = end[(end.noise == noise) & (end.init_scale == scale)]
            rows = rows.sort_values("width")
            for name, colour, marker in (("removable", NARROW, "o"), ("repeated", WIDE, "s")):
                low, high = (rows[f"{name}_{side}"].clip(*SHARE) for side in ("low", "high"))
                points(axis, rows.width, rows[name], low, high, name, color=colour, fmt=marker)
            axis.set(title=f"noise {noise:g}, start {scale:g}", xscale="log", ylim=(-0.03, 1.03))
            widths = sorted(rows.width.unique())
            axis.set_xticks(widths, [f"{w:g}" for w in widths])
            axis.minorticks_off()
        for axis in axes[:, 0]:
            axis.set_ylabel("share of hidden units")
        for axis in axes[-1]:
            axis.set_xlabel("width K")
        legend(figure, axes.flat)
        return picture(figure, "Which hidden units are removable or repeated?",
                       "Computed exactly from the order parameters at the end of training. A unit is removable if the error does "
                       "not change without it, and repeated if another unit has the same direction.", table.name)


def draw(tables):
    """All pictures whose tables exist."""
    for name, make in (("sgd-trajectory", _trajectories), ("sgd-final-error", _final), ("sgd-units", _units)):
        if name in tables:
            yield make(tables[name])


SECTION = Section(
    order=80, id="sgd",
    title="Online SGD of over-parameterised students",
    question="What becomes of superfluous hidden units, and do they increase or reduce the error?",
    method="Two-layer erf students learn an erf teacher from a stream of Gaussian inputs. In high dimension, the overlaps of "
        "their weights (order parameters) follow closed equations, so we can compare every simulation with its prediction and "
        "count removable and repeated units exactly.",
    studies=("sgd-trajectory", "sgd-final-error", "sgd-units"),
    draw=draw,
    claims=("s1.sgd",),
    change_our_mind="Final errors whose dependence on width differs from that of the formulas.",
)
