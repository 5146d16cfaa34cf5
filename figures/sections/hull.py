"""The hull of the training set: are test points outside, and does it mean anything? (S3)"""

from fractions import Fraction

import pandas as pd

from figures.section import Section, picture
from figures.style import BASELINE, NARROW, REVERSE, SERIES, WIDE, canvas, points

_GROUPS = (("test", "test points", NARROW, "o"), ("training", "left-out training points", WIDE, "s"),
           ("gaussian", "Gaussian, same covariance", BASELINE, "D"))


def _rows(tables, space=None):
    frames = [t.frame for t in tables.values()]
    frame = pd.concat(frames, ignore_index=True)
    return frame[frame.space == space] if space else frame


def _full(frame):
    """Runs on all training points, in whole pixel space."""
    return frame[(frame.components == 0) & (frame.n == frame.groupby("data").n.transform("max"))]


def _distances(frame):
    whole = _full(frame).drop_duplicates("data")
    with canvas(2, height=2.6) as (figure, axes):
        for shift, (group, label, colour, marker) in zip((-0.15, 0, 0.15), _GROUPS):
            rows = whole[whole[f"{group}_outside"].notna()]
            where = [i + shift for i, data in enumerate(whole.data) if data in set(rows.data)]
            for axis, key in ((axes[0], "outside"), (axes[1], "over_mean")):
                points(axis, where, rows[f"{group}_{key}"], rows[f"{group}_{key}_low"], rows[f"{group}_{key}_high"], label,
                       color=colour, fmt=marker, real=True)
        for axis in axes:
            axis.set_xticks(range(len(whole)), [d.replace(" (JPEG re-encoding)", "*") for d in whole.data])
            axis.set_xlim(-0.6, len(whole) - 0.4)
        axes[0].set(ylim=(-0.03, 1.06), title="share proved outside the hull")
        axes[1].set(ylim=(0, 1.1 * max(whole[f"{g}_over_mean"].max() for g, *_ in _GROUPS)),
                    title="distance to the hull\nover distance to the mean")
        axes[0].legend(loc="lower left")
        return picture(figure, "Outside, like the training points themselves",
                       "Test points against the whole training set in pixels; training points against the hull of all the "
                       "others; Gaussian points of the same mean and covariance. Every distance is certified between two "
                       "bounds. Wilson and Student-t intervals.", "hull-digits, hull-images")


def _dimension(frame):
    pixels = frame[frame.space == "pixels"]
    reduced = pixels[(pixels.components > 0) & (pixels.n == pixels.groupby("data").n.transform("max"))]
    growing = pixels[pixels.components == 0]
    with canvas(2, height=2.6) as (figure, axes):
        for (data, rows), colour in zip(reduced.groupby("data"), SERIES):
            rows = rows.sort_values("components")
            points(axes[0], rows.components, rows.test_outside, rows.test_outside_low, rows.test_outside_high,
                   data.replace(" (JPEG re-encoding)", "*"), color=colour, real=True, fmt="o-")
        for (data, rows), colour in zip(growing.groupby("data"), SERIES):
            rows = rows.sort_values("n").drop_duplicates("n")
            points(axes[1], rows.n, rows.test_over_mean, rows.test_over_mean_low, rows.test_over_mean_high,
                   data.replace(" (JPEG re-encoding)", "*"), color=colour, real=True, fmt="o-")
        axes[0].set(xscale="log", xlabel="principal components kept", ylim=(-0.03, 1.06), title="share of test points outside")
        ticks = sorted(reduced.components.unique())
        axes[0].set_xticks(ticks, ticks)
        axes[0].minorticks_off()
        axes[1].set(xscale="log", xlabel="training points", ylim=(0, None),
                    title="distance to the hull\nover distance to the mean")
        for axis in axes:
            axis.legend()
        return picture(figure, "Dimension decides",
                       "Left: in few dimensions most test points lie inside. Right: more training points bring the hull "
                       "closer, slowly.", "hull-digits, hull-images")


def _features(frame):
    features = frame[frame.space == "features"]
    if features.empty:
        return None
    features = features.assign(width=[float(Fraction(str(a))) for a in features.alpha])
    panels = [(arch, rows) for arch, rows in features.groupby("arch")]
    with canvas(len(panels), width=3.5 * len(panels), height=2.5, squeeze=False, sharey=True) as (figure, axes):
        for axis, (arch, rows) in zip(axes[0], panels):
            for ((site, components), mine), colour in zip(rows.groupby(["site", "components"]), (NARROW, REVERSE, WIDE, *SERIES)):
                mine = mine.sort_values("width")
                label = f"{site}, {components} components" if components else f"{site}, whole"
                points(axis, mine.width, mine.test_outside, mine.test_outside_low, mine.test_outside_high, label, color=colour,
                       real=True, fmt="o-")
            axis.set_xscale("log", base=2)
            axis.set(title=f"{arch} on digits", xlabel="width multiplier α", ylim=(-0.03, 1.06))
            axis.legend(fontsize=6.5)
        axes[0, 0].set_ylabel("share of test points outside")
        return picture(figure, "In learned features, by width",
                       "The wider the network, the more dimensions its features have, and the more test points are outside; "
                       "in equally many principal components the effect of width is much smaller.", "hull-digits")


def draw(tables):
    """What exists of the three."""
    if not tables:
        return
    frame = _rows(tables)
    yield _distances(frame[frame.space == "pixels"])
    yield _dimension(frame)
    made = _features(frame)
    if made is not None:
        yield made


def frames(tables):
    """Distances and controls in numbers."""
    if not tables:
        return {}
    whole = _full(_rows(tables, "pixels")).drop_duplicates("data")
    rows = []
    for row in whole.itertuples():
        rows.append({"data": row.data, "training points": row.n, "dimension": row.dim, "test points": int(row.test_outside_n),
                     "outside": row.test_outside, "distance": row.test_distance,
                     "left-out training": row.training_distance, "Gaussian": getattr(row, "gaussian_distance", float("nan")),
                     "over nearest neighbour": row.test_over_nearest, "over median pair": row.test_over_median_pair,
                     "support": row.test_support, "unconverged": int(row.test_unconverged)})
    return {"Distances to the hull in pixels (means)": pd.DataFrame(rows)}


SECTION = Section(
    "hull", "The hull of the training set",
    "Test points lie outside the convex hull of the training set. Does that set them apart, and does width change it?",
    "Every test point is projected exactly on the hull of all training points (Wolfe's active sets, priced by matrix products), "
    "with a certificate: a lower and an upper bound on its distance, and a separating hyperplane where it is outside. "
    "Controls that the literature lacks: left-out training points against the hull of the others, a Gaussian with the same "
    "covariance, fewer training points, principal components, learned features at every width.",
    ("hull-digits", "hull-images"), draw,
    ("s3.test-points", "s3.features", "s3.outside-share", "s3.outside-beyond", "s3.low-dimension", "s3.hull-distance",
     "s3.class-changes", "s3.fresh-point", "s3.all-points"),
    "Test points that lie farther from the hull than left-out training points do, or a distance from the hull that predicts "
    "errors beyond the distance to the nearest training point.", frames,
)
