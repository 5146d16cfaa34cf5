"""The hull of the training set: are test points outside, and does it matter? (S3)"""

from fractions import Fraction

import pandas as pd

from empirical.studies.hull.summary import over_replicas
from figures.section import Section, picture
from figures.style import BASELINE, NARROW, WIDE, canvas, legend, look, panels, points

_GROUPS = (("test", "test points", NARROW, "o"), ("training", "left-out training points", WIDE, "s"),
           ("gaussian", "Gaussian, same covariance", BASELINE, "D"))


_SETS, _NETWORKS = ("hull-digits", "hull-images"), "hull-resnet18-cifar10"  # data sets; the networks of a width sweep


def _rows(tables, space=None, names=_SETS):
    frames = [over_replicas(tables[name].frame) for name in names if name in tables]
    if not frames:
        return pd.DataFrame()
    frame = pd.concat(frames, ignore_index=True).copy()  # the copy defragments the many columns
    return frame[frame.space == space] if space else frame


def _full(frame):
    """Runs on all training points, in the full space."""
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
            axis.set_xticks(range(len(whole)), [_short(d) for d in whole.data])
            axis.set_xlim(-0.6, len(whole) - 0.4)
        axes[0].set(ylim=(-0.03, 1.06), title="share proved outside the hull")
        axes[1].set(ylim=(0, 1.1 * max(whole[f"{g}_over_mean"].max() for g, *_ in _GROUPS)),
                    title="distance to the hull\nover distance to the mean")
        legend(figure, axes)
        return picture(figure, "Outside, like the training points themselves",
                       "Test points against the full training set in pixels, training points against the hull of all the "
                       "others, and Gaussian points with the same mean and covariance. Every distance is certified by a lower "
                       "and an upper bound. Intervals over splits of the data if there are several, else over points.",
                       "hull-digits, hull-images")


def _dimension(frame):
    pixels = frame[frame.space == "pixels"]
    reduced = pixels[(pixels.components > 0) & (pixels.n == pixels.groupby("data").n.transform("max"))]
    growing = pixels[pixels.components == 0]
    with canvas(2, height=2.6) as (figure, axes):
        for place, (data, rows) in enumerate(reduced.groupby("data")):
            rows = rows.sort_values("components")
            points(axes[0], rows.components, rows.test_outside, rows.test_outside_low, rows.test_outside_high,
                   _short(data), real=True, **look(place, line=True))
        for place, (data, rows) in enumerate(growing.groupby("data")):
            rows = rows.sort_values("n").drop_duplicates("n")
            points(axes[1], rows.n, rows.test_over_mean, rows.test_over_mean_low, rows.test_over_mean_high,
                   _short(data), real=True, **look(place, line=True))
        axes[0].set(xscale="log", xlabel="principal components kept", ylim=(-0.03, 1.06), title="share of test points outside")
        ticks = sorted(reduced.components.unique())
        axes[0].set_xticks(ticks, ticks)
        axes[0].minorticks_off()
        axes[1].set(xscale="log", xlabel="training points", ylim=(0, None),
                    title="distance to the hull\nover distance to the mean")
        legend(figure, axes)
        return picture(figure, "Dimension decides",
                       "Left: in few dimensions most test points lie inside. Right: more training points bring the hull "
                       "closer, but slowly.", "hull-digits, hull-images")


def _features(frame, names):
    features = frame[frame.space == "features"]
    if features.empty:
        return None
    features = features.copy().assign(width=[float(Fraction(str(a))) for a in features.alpha])
    networks = list(features.groupby(["data", "arch"], sort=False))
    looks: dict[str, dict] = {}
    with panels(len(networks), most=3, height=2.4, sharey=True) as (figure, axes):
        for axis, ((data, arch), rows) in zip(axes, networks):
            for (site, components), series in rows.groupby(["site", "components"]):
                series = series.sort_values("width")
                label = f"{site}, {components} components" if components else f"{site}, all dimensions"
                points(axis, series.width, series.test_outside, series.test_outside_low, series.test_outside_high, label,
                       real=True, **looks.setdefault(label, look(len(looks), line=True)))
            axis.set_xscale("log", base=2)
            widths = sorted(set(rows.width))
            axis.set_xticks(widths, [str(Fraction(w)) for w in widths])
            axis.minorticks_off()
            axis.set(title=f"{arch} on {_short(data)}", xlabel="width multiplier α", ylim=(-0.03, 1.06))
        legend(figure, axes)
        axes[0].set_ylabel("share of test points outside")
        return picture(figure, "In learned features, by width",
                       "The wider the network, the more dimensions its features have and the more test points lie outside. "
                       "In a fixed number of principal components the effect of width is much smaller.",
                       ", ".join(n for n in ("hull-digits", _NETWORKS) if n in set(names)))


def _directions(table):
    """By width: does the class change on the way to the hull, is it an adversarial direction, does distance explain errors?"""
    frame = over_replicas(table.frame)
    frame = frame[(frame.space == "pixels") & frame.changed_at_hull.notna()].copy()
    frame = frame.assign(width=[float(Fraction(str(a))) for a in frame.alpha]).sort_values("width")
    hull, random = "step to the hull", "random step of equal length"
    contents = (("class changes", (("changed_at_hull", hull, 1), ("changed_random", random, 5))),
                ("|cos| with adversarial step", (("cosine", hull, 1), ("cosine_random", random, 5))),
                ("rank correlation with errors", (("error_alone", "hull distance", 0),
                                                  ("error_given_nearest", "given the nearest-neighbour distance", 2))))
    with canvas(3, height=2.6) as (figure, axes):
        for axis, (title, columns) in zip(axes, contents):
            for column, label, place in columns:
                points(axis, frame.width, frame[column], frame[f"{column}_low"], frame[f"{column}_high"], label, real=True,
                       **look(place, line=True))
            axis.set_xscale("log", base=2)
            axis.set_xticks(list(frame.width), [str(a) for a in frame.alpha])
            axis.minorticks_off()
            axis.set_title(title, fontsize=9)
            axis.set(xlabel="width multiplier α", ylim=(min(0, axis.get_ylim()[0]), None))
        legend(figure, axes)
        first = frame.iloc[0]
        return picture(figure, "The way to the hull, as networks of every width see it",
                       f"{_short(first['data'])}, {first['arch']}, base width 8: test images and their projections onto the hull "
                       f"of the network's {first['n']:,} training images in pixels. Intervals over networks if there are several "
                       "of a width, else over test images.", table.name)


def _short(data) -> str:
    return data.replace(" (JPEG re-encoding)", "*")


def draw(tables):
    """All pictures whose tables exist."""
    frame = _rows(tables)
    if not frame.empty:
        yield _distances(frame[frame.space == "pixels"])
        yield _dimension(frame)
    everything = _rows(tables, names=(*_SETS, _NETWORKS))
    features = None if everything.empty else _features(everything, list(tables))
    if features is not None:
        yield features
    if _NETWORKS in tables:
        yield _directions(tables[_NETWORKS])


def frames(tables):
    """Tables of distances, controls, hulls of single classes, errors and directions."""
    frame = _rows(tables, "pixels")
    if frame.empty:
        return {}
    rows = []
    for row in _full(frame).drop_duplicates("data").itertuples():
        rows.append({"data": row.data, "training points": row.n, "dimension": row.dim, "test points": int(row.test_outside_n),
                     "outside": row.test_outside, "distance": row.test_distance,
                     "left-out training": row.training_distance, "Gaussian": getattr(row, "gaussian_distance", float("nan")),
                     "over nearest neighbour": row.test_over_nearest, "over median pair": row.test_over_median_pair,
                     "over diameter": row.test_over_diameter, "support": row.test_support,
                     "unconverged": int(row.test_unconverged)})
    out = {"Distances to the hull in pixels (means)": pd.DataFrame(rows)}
    classes = _full(frame)[lambda f: f.own_class_over_whole.notna()]
    if len(classes):
        out["Hulls of single classes, in pixels"] = pd.DataFrame(
            [{"data": row["data"], "distance: own class's hull over full hull": _cell(row, "own_class_over_whole"),
              "nearest class hull is the true class": _cell(row, "nearest_class_hull_is_right")}
             for _, row in classes.iterrows()])
    seen = _rows(tables, names=(*_SETS, _NETWORKS))
    seen = seen[(seen.space == "pixels") & seen.arch.notna() & (seen.arch != "")] if "changed_at_hull" in seen else seen[:0]
    if len(seen):
        out["Networks: errors, and steps to the hull, in pixels"] = pd.DataFrame(
            [{"network": f"{row['arch']} α = {row['alpha']}, {_short(row['data'])}", "points of the hull": int(row["n"]),
              **{label: _cell(row, column) for column, label in (
                  ("error_alone", "errors and hull distance, rank correlation"),
                  ("error_given_nearest", "given the nearest-neighbour distance"),
                  ("changed_at_hull", "class changes at the hull"), ("changed_on_the_way", "anywhere on the way"),
                  ("changed_random", "after a random step of equal length"), ("cosine", "|cos| with the adversarial step"),
                  ("cosine_random", "|cos|, random step"), ("adversarial_over_hull", "adversarial step over hull distance"))}}
             for _, row in seen.iterrows()])
    return out


def _cell(row, name) -> str:
    if name not in row or row[name] != row[name]:
        return "–"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return (f"{row[name]:.3f}" + (f" [{low:.3f}, {high:.3f}]" if low == low else "")).replace("-", "−")


SECTION = Section(
    order=100, id="hull",
    title="The hull of the training set",
    question="Test points lie outside the convex hull of the training set. Does that make them special, and does width change "
        "it?",
    method="Every test point is projected exactly onto the hull of all training points (Wolfe's active-set method, with pricing "
        "by matrix products), with a certificate: a lower and an upper bound on its distance, and a separating hyperplane if it "
        "is outside. We add controls that the literature lacks: left-out training points against the hull of the others, a "
        "Gaussian with the same covariance, fewer training points, principal components, and learned features at every width. "
        "Finally, the networks: do they err where the hull is far, and do their predictions change more on the way to the hull "
        "than under a random step of equal length?",
    studies=(*_SETS, _NETWORKS),
    draw=draw,
    claims=("s3.test-points", "s3.features", "s3.outside-share", "s3.outside-beyond", "s3.low-dimension", "s3.hull-distance",
        "s3.class-changes", "s3.fresh-point", "s3.all-points"),
    change_our_mind="Test points that lie farther from the hull than left-out training points, or a distance from the hull that "
        "predicts errors beyond the distance to the nearest training point.",
    frames=frames,
)
