"""Does a concatenation of narrow networks span and match one wide network? Toy and real, side by side (S0)."""

import numpy as np
import pandas as pd

from figures.section import Section, picture
from figures.style import (
    BASELINE,
    NARROW,
    ON_COLOURS,
    POSITIVE,
    REVERSE,
    WIDE,
    canvas,
    legend,
    look,
    panels,
    shade,
    theory_line,
    width_axis,
)
from figures.sweeps import estimates, present, short, sweeps, whole, with_width
from lab.estimate import mean_interval


def _theory(axes, rows, **style):
    """The toy's theory, from one row of the table per alpha: span errors on the first axis, the probe on the second."""
    for axis, column, colour in ((axes[0], "theory_narrow_to_wide", NARROW), (axes[0], "theory_wide_to_narrow", REVERSE),
                                 (axes[1], "theory_narrow_probe", NARROW)):
        theory_line(axis, rows.alpha, rows[column], color=colour, **style)


# column of the toy's table, column of real tables, label, style; first for the upper axis, then for the lower one
_SPANS = (("narrow_to_wide", "span_error", "span error, narrow → wide", {"color": NARROW}),
          ("wide_to_narrow", "reverse_span_error", "wide → narrow", {"color": REVERSE, "fmt": "s"}),
          ("wide_to_wide", "baseline_span_error", "wide → wide", {"color": BASELINE, "fmt": "D", "markersize": 3.5}))
_PROBES = (("narrow_probe", "probe_narrow", "probe on narrow copies", {"color": NARROW, "fmt": "^"}),
           ("wide_probe", "probe_wide", "probe on wide", {"color": WIDE, "fmt": "v", "markersize": 3.5}))


def _sweep(axes, groups, toy: bool):
    """Span errors on the first axis, probes on the second, against the width."""
    narrow = [g for g in groups if g[0] < groups[0][0]]
    for axis, series in zip(axes, (_SPANS, _PROBES)):
        for simulated, measured, label, style in series:
            of_copies = label.endswith(("narrow → wide", "wide → narrow"))
            estimates(axis, narrow if of_copies else groups, simulated if toy else measured, label, within=POSITIVE, real=not toy,
                      **style)
        width_axis(axis, [x for x, _ in groups])
        axis.set(ylim=(0, None), xlabel="α")


def _against_alpha(tables):
    real, toy, free = present(tables), tables.get("graded-width"), None
    if toy is None and not real:
        return
    sweeps_ = [(short(name), whole(tables[name]), "width") for name in real]
    if toy is not None:
        free = toy.frame[(toy.frame.teacher == "graded") & (toy.frame.condition == "free") & (toy.frame.reference_width == 16)]
        theory = free.drop_duplicates("alpha").sort_values("alpha")
        sweeps_.insert(0, ("toy: graded teacher", free, "alpha"))
    columns = min(4, len(sweeps_))
    bands = -(-len(sweeps_) // columns)  # rows of panels, each with its span errors and its probes
    with canvas(columns, 2 * bands, height=1.75, squeeze=False) as (figure, axes):
        for place, (title, frame, column) in enumerate(sweeps_):
            pair = axes[2 * (place // columns):, place % columns][:2]
            groups = sorted(frame.groupby(column), reverse=True)
            _sweep(pair, groups, frame is free)
            if free is not None:
                faint = {} if frame is free else {"linewidth": 0.7, "alpha": 0.45}
                _theory(pair, theory[theory.alpha >= groups[-1][0]], **faint)
            pair[0].set_title(title)
        for axis in axes.reshape(bands, 2, columns)[-1][:, len(sweeps_) - columns * (bands - 1):].flat:
            axis.remove()
        for band in range(bands):
            axes[2 * band, 0].set_ylabel("share of variance")
            axes[2 * band + 1, 0].set_ylabel("unexplained by\na linear probe")
        legend(figure, axes[:2, 0], columns=5)
        yield picture(figure, "Span error and feature performance against width",
                      "1/α concatenated copies of width α against one network of width 1, with the same number of features. "
                      "Lines: theory, with the teacher in place of the wide student. Open markers: exact simulation. Filled "
                      "markers: real networks, fitted and scored on different held-out images or pairs, with the toy's theory as "
                      "a faint line. 95 % intervals over replicas or seeds. * Re-encoded JPEG images.",
                      " ".join(["graded-width", *real]))


def _copies(tables):
    real = present(tables)
    if "graded-copies" not in tables:
        return
    frame = tables["graded-copies"].frame
    with canvas(2, width=7, height=3.3) as (figure, axes):
        for teacher, colour, marker in (("graded", NARROW, "o"), ("square root", REVERSE, "D"), ("equal", WIDE, "s")):
            rows = frame[(frame.teacher == teacher) & (frame.width == frame.width.min())]
            groups = sorted(rows.groupby("copies"))
            if rows.theory_unique.all() or teacher == "equal":
                theory_line(axes[0], [c for c, _ in groups], [g.theory_narrow_to_wide.iloc[0] for _, g in groups],
                            color=colour)
            estimates(axes[0], groups, "narrow_to_wide", f"toy, {teacher} strengths", within=POSITIVE, color=colour, fmt=marker)
        axes[0].set(title=f"toy: copies of width {frame.width.min()}", ylabel="span error, narrow → wide")
        for place, name in enumerate(real):
            sweep = with_width(tables[name])
            sweep = sweep[(sweep.site == "penultimate") & (sweep.width == sweep.width.min())]
            estimates(axes[1], sorted(sweep.groupby("copies")), "span_error",
                      f"{short(name)}, α = {sweep.alpha.iloc[0]}", within=POSITIVE, real=True, **look(place))
        axes[1].set(title="real networks: the narrowest copies")
        for axis in axes:
            axis.set(xlabel="copies", ylim=(0, None))
            axis.set_xscale("log", base=2)
        legend(figure, axes, columns=2)
        yield picture(figure, "More and more narrow copies",
                      "With steeply graded strengths, every copy finds the same strongest units, so pooling adds nothing. With "
                      "equal strengths, copies find different units, and pooling is coupon collecting (line: closed form).",
                      "graded-copies")


def _units(tables):
    if "graded-units" not in tables:
        return
    frame = tables["graded-units"].frame
    teachers, captions = [t for t in ("graded", "square root", "equal") if t in set(frame.teacher)], []
    with panels(len(teachers), height=2.4, sharey=True) as (figure, axes):
        for axis, teacher in zip(axes, teachers):
            rows = frame[frame.teacher == teacher]
            for place, (unit, rows_of_unit) in enumerate(rows.groupby("unit")):
                groups, style = sorted(rows_of_unit.groupby("width")), look(place)
                theory_line(axis, [w for w, _ in groups], [g.theory_span_error.iloc[0] for _, g in groups], color=style["color"],
                            linewidth=0.9)
                estimates(axis, groups, "span_error", f"unit {unit}", within=POSITIVE, markersize=3.5, **style)
            strengths = ", ".join(f"{s:.2g}" for s in rows.drop_duplicates("unit").strength)
            captions.append(f"{teacher}: {strengths}")
            axis.set(title=f"{teacher} strengths", xlabel="width of the student", xscale="log")
            widths = sorted(rows.width.unique())
            axis.set_xticks(widths, widths)
            axis.minorticks_off()
        legend(figure, axes, columns=8)
        axes[0].set_ylabel("span error on this unit")
        yield picture(figure, "Which teacher unit is found by which width",
                      "Span error of one student on each unit of the teacher. Lines: theory. Markers: mean over replicas with "
                      f"95 % intervals. Strengths of the units, in order: {'; '.join(captions)}.", "graded-units")


def _ridge(tables):
    if "graded-ridge" not in tables:
        return
    frame = tables["graded-ridge"].frame
    with canvas(1, width=3.8, height=2.5) as (figure, axis):
        for place, (tol, rows) in enumerate(sorted(frame.groupby("gradient_tol"), reverse=True)):
            estimates(axis, sorted(rows.groupby("ridge")), "narrow_to_unit_3", f"max|∇| ≤ {tol:.0e}", within=POSITIVE,
                      **look(place, line=True))
        axis.set(xscale="log", xlabel="relative ridge", ylabel="span error on unit 3", ylim=(0, 1.02))
        legend(figure, [axis], "stopped at", 2)
        yield picture(figure, "Stopping and ridge matter",
                      "Eight copies of width 2 on the third unit of the graded teacher. Copies that are stopped early differ by "
                      "residual training error, which a small ridge reads as signal. With copies trained to convergence, the "
                      "result does not depend on the ridge.", "graded-ridge")


def _losses(tables):
    real = present(tables)
    if "graded-curves" not in tables:
        return
    frame = tables["graded-curves"].frame
    frame = frame[(frame.teacher == "graded") & (frame.init_scale == 0.1)]
    with canvas(1 + min(len(real), 2), height=2.4) as (figure, axes):
        axes = np.atleast_1d(axes)
        for place, (width, rows) in enumerate(frame.groupby("width")):
            style = shade(place, frame.width.nunique())
            axes[0].plot(rows.time, rows.loss, label=f"toy, K = {width}", **style)
            axes[0].fill_between(rows.time, rows.loss_quarter, rows.loss_three_quarters, color=style["color"], alpha=0.2,
                                 linewidth=0)
            for level in str(rows.theory_plateaus.iloc[0]).split()[-1:]:
                if float(level) > 1e-6:
                    axes[0].axhline(float(level), color=style["color"], linestyle=":", linewidth=0.8)
        axes[0].set(title="toy: graded teacher", xscale="log", yscale="log", xlabel="time", ylabel="loss (median)",
                    ylim=(1e-7, None))
        for axis, name in zip(axes[1:], real):
            main = whole(tables[name])
            main = main[main.curve_narrow.fillna("").astype(str) != ""]
            for place, (_, rows) in enumerate(sorted(main.groupby("width"))):
                curves = np.array([[float(v) for v in str(c).split()] for c in rows.curve_narrow])
                axis.plot(np.arange(1, curves.shape[1] + 1), curves.mean(axis=0), label=f"α = {rows.alpha.iloc[0]}",
                          **shade(place, main.width.nunique()))
            axis.set(title=short(name), yscale="log", xlabel="epoch", ylabel="training loss")
        legend(figure, axes, columns=5)
        yield picture(figure, "Loss along training, narrow and wide",
                      "Left: the loss falls from plateau to plateau as the student finds one unit after another (median and "
                      "quartiles over replicas). Dotted: the last plateau in theory. Right: mean over copies and seeds.",
                      " ".join(["graded-curves", *real[:2]]))


def _phase(tables):
    if "graded-phase" not in tables:
        return
    frame = tables["graded-phase"].frame
    cells = sorted({(r.direction_norm, r.init_scale) for r in frame.itertuples()})
    norms, scales = sorted({n for n, _ in cells}), sorted({s for _, s in cells})
    with canvas(len(scales), len(norms), width=7, height=2.2, squeeze=False, sharex=True, sharey=True) as (figure, axes):
        for i, norm in enumerate(norms):
            for j, scale in enumerate(scales):
                axis = axes[i, j]
                rows = frame[(frame.direction_norm == norm) & (frame.init_scale == scale)]
                grid = rows.pivot_table(index="width", columns="exponent", values="agree")
                image = axis.pcolormesh(grid.columns, grid.index, grid.values, vmin=0, vmax=1, cmap="cividis",
                                        shading="nearest")
                ends = rows.drop_duplicates("width").sort_values("width")
                axis.plot(ends.theory_last, ends.width, "^-", color=ON_COLOURS, markersize=4, linewidth=1)
                axis.plot(ends.theory_nearest, ends.width, "o--", color=ON_COLOURS, markersize=3, linewidth=0.8)
                axis.set_title(f"|B| = {norm:g}, start {scale:g}", fontsize=8)
                axis.grid(False)
        for axis in axes[:, 0]:
            axis.set_ylabel("width K")
        for axis in axes[-1]:
            axis.set_xlabel("exponent γ")
        figure.colorbar(image, ax=axes, label="P(two students agree)", shrink=0.8)
        yield picture(figure, "Where uniqueness ends",
                      f"Teachers of {frame.teacher_width.iloc[0]} units with strengths m<sup>−γ</sup>. Colour: the probability "
                      "that two narrow students find the same solution. White triangles: the largest exponent at which theory "
                      "has a competing minimum (to the right of it the solution is unique from any start). White circles: the "
                      "exponent at which the nearest competitor disappears.", "graded-phase")


def draw(tables):
    """All pictures whose tables exist."""
    for make in (_against_alpha, _copies, _units, _losses, _ridge, _phase):
        yield from make(tables)


def frames(tables):
    """The numbers of the sweeps of real networks."""
    frames_ = {}
    for name, title in sweeps().items():
        if name not in tables:
            continue
        rows = []
        for _, group in sorted(whole(tables[name]).groupby("width"), reverse=True):
            row = {"α": group.alpha.iloc[0], "copies": int(group.all_copies.iloc[0]), "n": len(group)}
            for column, what in (("train_accuracy_narrow", "train accuracy"), ("test_accuracy_narrow", "test accuracy"),
                                 ("span_error", "FSE"), ("reverse_span_error", "reverse FSE"),
                                 ("baseline_span_error", "baseline FSE"), ("probe_narrow", "probe, copies"),
                                 ("probe_wide", "probe, wide"), ("cka", "CKA")):
                e = mean_interval(group[column])
                half = f" ± {e.high - e.mean:.3f}" if e.has_interval else ""
                row[what] = f"{e.mean:.3f}{half}"
            rows.append(row)
        frames_[f"{title}: means and 95 % half-widths over seeds"] = pd.DataFrame(rows)
    return frames_


SECTION = Section(
    order=10, id="span", key=("s0.narrow-does", "s0.wide-performs", "s0.gap-grows"),
    title="One wide network against many narrow ones",
    question="Does a concatenation of narrow networks span, and match, one wide network with the same number of features?",
    method="S0's protocol: the concatenated last-layer features of 1/α independent networks of width α against those of one "
        "network of width 1. The <i>span error</i> is the share of the target features' variance that ridge regression from the "
        "source leaves unexplained, the <i>baseline</i> is the span error between two wide networks, and the <i>gap</i> is the "
        "excess over the baseline. <i>Feature performance</i> is the share of the target (toy) or of the one-hot labels (real "
        "networks) that a linear probe leaves unexplained. The toy is a graded teacher of erf units; its losses, gradients, span "
        "errors and probes are exact functions of inner products, without sampling inputs.",
    studies=("graded-width", "graded-copies", "graded-units", "graded-curves", "graded-ridge", "graded-phase", *sweeps()),
    draw=draw,
    claims=("s0.narrow-does", "s0.wide-does", "s0.wide-performs", "s0.gap-grows", "s0.copies", "s0.equal", "s2.copy-average"),
    change_our_mind="Concatenations of narrow networks that span wide networks as well as wide networks span each other, at "
        "matched training loss and on several data sets; or a span error that keeps falling as copies are added.",
    frames=frames,
)
