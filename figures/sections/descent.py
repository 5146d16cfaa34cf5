"""Double descent: risk against the number of parameters."""

from figures.section import Section, picture
from figures.style import legend, look, panels, points, theory_line

_TITLES = {"least-squares": "least squares", "random-features": "random ReLU features", "network": "trained network"}


def draw(tables):
    """One panel per family."""
    table = tables.get("double-descent")
    if table is None:
        return
    families = [f for f in _TITLES if f in set(table.frame.family)]
    looks: dict[str, dict] = {}
    with panels(len(families), width=2.45 * len(families), height=2.6) as (figure, axes):
        for axis, family in zip(axes, families):
            curves = table.frame[table.frame.family == family].groupby(["noise_variance", "ridge", "teacher_width"])
            for (noise, ridge, teacher), rows in curves:
                x = rows.parameters_per_sample
                label = f"noise {noise:g}" + (f", ridge {ridge:g}" if ridge else "")
                label += f", teacher of {teacher}" if teacher else ", linear teacher" if family == "network" else ""
                style = looks.setdefault(label, look(len(looks)))
                if rows.theory.notna().any():
                    theory_line(axis, x, rows.theory, color=style["color"])
                points(axis, x, rows.risk, rows.risk_low, rows.risk_high, label, **style, markersize=3.5)
            axis.axvline(1, color="#6b6b6b", linestyle=":", linewidth=1)
            top = table.frame[(table.frame.family == family)]["median"].max()
            axis.set(title=_TITLES[family], xscale="log", yscale="log", xlabel="parameters per sample",
                     ylim=(None, 5 * top))
        legend(figure, axes)
        axes[0].set_ylabel("risk")
        yield picture(figure, "Risk against parameters",
                      "Lines: theory (exact at finite size for least squares without ridge, asymptotic otherwise). Markers: "
                      "mean over independent fits with 95 % intervals; near the threshold (dotted) rare fits dominate the mean. "
                      "Least squares: risk including irreducible noise; the others: excess risk. A single ReLU unit with a bias "
                      "can already represent a linear teacher, so more units can only add variance.", table.name)


SECTION = Section(
    order=60, id="descent",
    title="Double descent",
    question="Where does the risk peak as parameters are added, how wide is the peak, and do more parameters than needed help?",
    method="Three families of models with a known truth: least squares on a subset of the features, regression on random ReLU "
        "features, and a trained one-hidden-layer network. The first two are compared with their closed forms.",
    studies=("double-descent",),
    draw=draw,
    claims=("s2.second-descent", "s2.peak-at-interpolation"),
    change_our_mind="A peak away from the threshold, or a lowest risk before it.",
)
