"""Removable and repeated units by width: S1's cases and ours."""

import numpy as np

from empirical.studies.units.evidence import PUBLISHED
from figures.section import Section, picture
from figures.style import SHARE, canvas, interval, legend, look, measured, panels, shade, theory_line
from figures.sweeps import family
from theory.random_units import similar_pair_share
from theory.unit_evidence import change
from theory.unit_evidence import growth as growth_of

_MLP = "MLP, d = {}, n = {}, {} start"
_EQUAL = ", classes of equal size"
_SMALL, _LARGE = (_MLP.format("10", "10,000", start) + _EQUAL for start in ("small", "large"))
_HIGH = _MLP.format("10,000", "1,000", "standard") + _EQUAL

# S1's numbers as read off its figures (±5 %): case; removable (AUC) from 1/4 to 4 times the width (MLPs: 32 to 512 units);
# similar units per unit, narrowest and widest; compressibility; our table and its case (synthetic data) or value of the swept
# hyperparameter; differences from S1 other than the size
DOUBLINGS = 4
PAPER = (
    ("AlexNet, all regularisers", "0.36 → 0.54", (3, 24), "0.51 → 0.71", "units-alexnet", "all regularisers", ""),
    ("AlexNet, Glorot", "0.34 → 0.55", (0.5, 8), "0.30 → 0.60", "units-alexnet", "glorot", ""),
    ("AlexNet, He", "0.31 → 0.38 → 0.34", (1, 67), "0.54 → 0.77", "units-alexnet", "he", ""),
    ("AlexNet, LeCun", "0.35 → 0.49", (3, 48), "0.32 → 0.67", "units-alexnet", "lecun", ""),
    ("ResNet-56", "0.29 → 0.39", (0.3, 5.5), "0.30 → 0.55", "units-resnet56", "true labels", "digits for CIFAR-10"),
    ("ResNet-56, random labels", "flat", (0.5, 13.5), "0.30 → 0.65", "units-resnet56", "random labels", "digits for CIFAR-10"),
    ("ResNet-18, ImageNet", "0.21 → 0.50", (0.4, 3.7), "0.25 → 0.33", "units-resnet18-cifar10", "", "CIFAR-10 for ImageNet"),
    ("Inception-v3, ImageNet", "rises", (0, 0), "falls", "units-inception", "", "small Inception on digits"),
    ("MLP, d = 10, small start", "0.78 → 0.83", (2, 48), "0.53 → 0.95", "units", _SMALL, ""),
    ("MLP, d = 10, large start", "U-shaped", (4, 15), "0.59 → 0.93", "units", _LARGE, ""),
    ("MLP, d = 10,000", "slightly up", (0, 0), "flat", "units", _HIGH, "n = 1,000"),
)
_SHORT = {_SMALL: "d = 10, small start", _MLP.format("10", "10,000", "standard") + _EQUAL: "d = 10, standard start",
          _LARGE: "d = 10, large start", _MLP.format("10,000", "1,000", "small") + _EQUAL: "d = 10,000, small start",
          _HIGH: "d = 10,000, standard start"}


def _summary(rows, column):
    """The widths, and for each the mean of a share with the ends of its interval."""
    groups = [(w, g[column].dropna()) for w, g in rows.groupby("width")] if column in rows else []
    return [w for w, values in groups if len(values)], [interval(values, SHARE) for _, values in groups if len(values)]


def _panel(axis, rows, column, place, label=None, null=None, real=False):
    """Plot a column by width with intervals, and its values before training as a dashed line."""
    widths, shares = _summary(rows, column)
    if not widths:
        return
    style = look(place)
    measured(axis, widths, shares, label, real=real, linestyle="-", linewidth=0.8, markersize=4, **style)
    if null in rows:
        widths, starts = _summary(rows, null)
        axis.plot(widths, [mean for mean, _, _ in starts], linestyle=(0, (2, 2)), marker="", color=style["color"], linewidth=1)


def _ticks(axis, widths):
    from fractions import Fraction

    axis.set_xscale("log", base=2)
    axis.set_xticks(widths, [str(Fraction(w).limit_denominator(64)) for w in widths])
    axis.minorticks_off()
    axis.set_xlabel("width")


def _curves(rows, column, axis):
    """Plot mean ablation curves with intervals, one per width: light and dashed for narrow, dark for wide."""
    texts = [(w, [t for t in g[column] if isinstance(t, str) and t]) for w, g in rows.groupby("width")]
    texts = [(w, t) for w, t in texts if t]
    for place, (width, group) in enumerate(texts):
        curves = np.array([[float(x) for x in text.split()] for text in group])
        mean, low, high = zip(*(interval(column_, SHARE) for column_ in curves.T))
        x, style = np.linspace(0, 1, len(mean)), shade(place, len(texts))
        axis.plot(x, mean, marker="", label=f"width {width:g}", **style)
        axis.fill_between(x, low, high, color=style["color"], alpha=0.25, linewidth=0)
    axis.axhline(0.8, color="#6b6b6b", linestyle=":", linewidth=1)
    axis.set(xlabel="fraction ablated", ylim=(0, 1.03))


def draw(tables):
    """Curves, numbers by width and pruned networks of the toy; then the real networks."""
    toy = tables.get("units")
    if toy is not None:
        frame = toy.frame
        cases = [c for c in (_SMALL, _LARGE, _HIGH) if c in set(frame.case)] or list(frame.case.unique())[:3]
        with panels(len(cases), height=2.4, sharey=True) as (figure, axes):
            for axis, case in zip(axes, cases):
                _curves(frame[frame.case == case], "curve_unchanged", axis)
                axis.set_title(_SHORT.get(case, case), fontsize=8)
            axes[0].set_ylabel("unchanged predictions")
            legend(figure, axes, columns=5)
            yield picture(figure, "Unchanged predictions when units are ablated at random",
                          "One-hidden-layer networks on synthetic data with balanced classes; units are ablated in nested random "
                          "orders. Bands: 95 % intervals over replicas. Dotted: the level that defines prunability.", toy.name)
        widths = sorted(frame.width.unique())
        shown = [c for c in _SHORT if c in set(frame.case)] or list(frame.case.unique())
        with canvas(3, height=2.6) as (figure, axes):
            for place, case in enumerate(shown):
                rows = frame[frame.case == case]
                _panel(axes[0], rows, "auc", place, _SHORT.get(case, case))
                _panel(axes[1], rows, "pair_share", place, null="pair_share_start")
                _panel(axes[2], rows, "compressibility", place, null="compressibility_start")
            for dim in sorted(set(frame[frame.case.isin(shown)].dim)):
                theory_line(axes[1], widths, [similar_pair_share(int(dim))] * len(widths), color="#6b6b6b", linewidth=1)
            for axis, title in zip(axes, ("removable: AUC", "share of similar pairs", "compressibility")):
                axis.set_title(title, fontsize=9)
                _ticks(axis, widths)
            legend(figure, axes, columns=3)
            yield picture(figure, "Removable and repeated units by width, beside untrained networks",
                          "Dashed: the same networks before training. Grey lines: theory of a random layer. The number of "
                          "similar units per unit, which S1 reports, is the share of similar pairs times the width: at a "
                          "constant share it doubles with width.", toy.name)
        with canvas(2, width=5.4, height=2.4) as (figure, axes):
            for place, case in enumerate(shown):
                _panel(axes[0], frame[frame.case == case], "kept_share", place, _SHORT.get(case, case))
                _panel(axes[1], frame[frame.case == case], "agreement", place)
            for axis, title in zip(axes, ("units kept", "agreement with the original")):
                axis.set_title(title, fontsize=9)
                axis.set_ylim(0, 1.03)
                _ticks(axis, widths)
            legend(figure, axes, columns=3)
            yield picture(figure, "The consequence: a smaller network",
                          "Removable units are taken out (as many as leave 90 % of the predictions unchanged on some inputs), "
                          "and repeated ones (|r| ≥ 0.9) merged. Agreement is measured on other inputs.", toy.name)
    alexnet = _whole(tables, "units-alexnet")
    if alexnet is not None:
        yield _orders(alexnet)
        uniform = _whole(tables, "units-alexnet-uniform")
        starts = {value: rows for frame in (alexnet, uniform) if frame is not None
                  for value, rows in frame.groupby("value", sort=False)}
        yield _numbers(starts, "AlexNet without batch norm: He and Glorot", _sizes(alexnet),
                       "units-alexnet" if uniform is None else "units-alexnet, units-alexnet-uniform")
    others = {f"{study.label} {value}".strip(): rows for name, study in family("units").items()
              if not name.startswith(("units-alexnet", "units-mlp")) and (frame := _whole(tables, name)) is not None
              for value, rows in frame.groupby("value", sort=False)}
    if others:
        sizes = "; ".join(f"{label}: {_size(rows.iloc[0])}" for label, rows in others.items())
        yield _numbers(others, "Other networks", sizes, ", ".join(n for n in family("units") if n in tables))
    mlp = _whole(tables, "units-mlp")
    if mlp is not None:
        wanted = ("he", "glorot", "lecun", "random labels", "dropout", "AdamW", "rate and batch × 4")
        shown = [v for v in wanted if v in set(mlp.value)]
        yield _numbers({value: mlp[mlp.value == value] for value in shown}, "An MLP on digits", _size(mlp.iloc[0]), "units-mlp")


def _whole(tables, name):
    """The rows over all sites together, with the value of a sweep as text."""
    table = tables.get(name)
    if table is None:
        return None
    frame = table.frame[table.frame.site == "all"]
    return frame.assign(value=frame["value"].astype(object).fillna("").astype(str))


def _size(row) -> str:
    """The data and the size of the networks."""
    few = f", {int(row['train_size']):,} training images" if row["train_size"] else ""
    small = f" of {int(row['image_size'])} pixels a side" if row["image_size"] else ""
    return f"{row['data']}{few}{small}, base width {int(row['base_width'])}, {int(row['epochs'])} epochs"


def _sizes(frame) -> str:
    """The size of the first network, and the epochs of values of the sweep that were trained for longer or shorter."""
    first = frame.iloc[0]
    others = frame[frame.epochs != first.epochs].drop_duplicates("value")
    return _size(first) + "".join(f" ({row.value}: {row.epochs})" for row in others.itertuples())


def _orders(frame):
    """Ablation curves by width in three orders, for He and Glorot."""
    values = [v for v in ("he", "glorot") if v in set(frame.value)]
    kinds = (("unchanged", "random order"), ("unchanged_targeted", "most correlated first"),
             ("unchanged_best", "least needed first"))
    with canvas(3, len(values), height=2.2, sharex=True, sharey=True, squeeze=False) as (figure, axes):
        for number, (row, value) in enumerate(zip(axes, values), 1):
            for axis, (column, title) in zip(row, kinds):
                _curves(frame[frame.value == value], column, axis)
                axis.set_title(f"{value.capitalize()}, {title}", fontsize=8)
                if number < len(values):
                    axis.set_xlabel("")
            row[0].set_ylabel("unchanged predictions")
        legend(figure, axes.flat, columns=5)
        return picture(figure, "AlexNet with units ablated in all layers at once",
                       f"{_size(frame.iloc[0])}. Means over seeds and orders; bands: 95 % intervals over seeds. "
                       "Left: nested random orders. Middle: a random unit, then the units most correlated with it. Right: "
                       "greedily, the unit that is needed least first, chosen on other images.", "units-alexnet")


def _numbers(cases, title, size, name):
    """Four numbers by width, one series per case."""
    widths = sorted({w for rows in cases.values() for w in rows.width})
    with canvas(4, height=2.4) as (figure, axes):
        for place, (label, rows) in enumerate(cases.items()):
            _panel(axes[0], rows, "auc", place, label, real=True)
            _panel(axes[1], rows, "pair_share", place, null="pair_share_start", real=True)
            _panel(axes[2], rows, "compressibility", place, null="compressibility_start", real=True)
            _panel(axes[3], rows, "kept_share", place, real=True)
        for axis, what in zip(axes, ("removable: AUC", "similar pairs", "compressibility", "units kept")):
            axis.set_title(what, fontsize=9)
            _ticks(axis, widths)
            axis.set_xlabel("width multiplier")
        legend(figure, axes)
        return picture(figure, title, f"Data: {size}. Means over the measured layers (removable: all layers at once) with 95 % "
                       "intervals over at least three seeds. Dashed: before training.", name)


def frames(tables):
    """S1's cases compared with ours, and the growth in each of our cases."""
    import pandas

    rows = []
    for case, removable, (few, many), compressible, name, ours, note in PAPER:
        table = tables.get(name)
        measured_rows = None
        if table is not None:
            frame = table.frame if name == "units" else _whole(tables, name)
            measured_rows = frame[(frame.case if name == "units" else frame.value) == ours]
        row = {"case": case, "AUC, S1": removable, "AUC, ours": "not yet measured", "change of AUC": "",
               "similar per unit, S1": f"{few:g} → {many:g}" if many else "≈ 0",
               "at a constant share": f"→ {few * 2**DOUBLINGS:g}" if many else "",
               "similar per unit, ours": "", "at a constant share ": "", "before training": "",
               "compressibility, S1": compressible, "compressibility, ours": "", "before training ": "", "ours": ""}
        if measured_rows is not None and len(measured_rows):
            widths = measured_rows.groupby("width").similar_per_unit.mean()
            growth = widths.index[-1] / widths.index[0]
            reduced = note if name == "units" else ", ".join(filter(None, [_reduced(measured_rows.iloc[0]), note]))
            row |= {"AUC, ours": _path(measured_rows, "auc"),
                    "change of AUC": _interval(change(measured_rows, measured_rows.case.iloc[0], "auc")),
                    "similar per unit, ours": _path(measured_rows, "similar_per_unit"),
                    "at a constant share ": f"→ {widths.iloc[0] * growth:.2g}",
                    "before training": _path(measured_rows, "similar_per_unit_start"),
                    "compressibility, ours": _path(measured_rows, "compressibility"),
                    "before training ": _path(measured_rows, "compressibility_start"),
                    "ours": f"{_span(widths.index)}; {reduced}".rstrip("; ")}
        rows.append(row)
    out = {"S1's cases (read off its figures, ±5 %, 1/4 to 4 times the width) and ours, narrowest → widest, 95 % intervals":
           pandas.DataFrame(rows)}
    rows = []
    for name, study in family("units").items():
        frame = _whole(tables, name)
        for value, group in frame.groupby("value", sort=False) if frame is not None else ():
            case = group.case.iloc[0]
            rows.append({"network": f"{study.label} {value}".strip(), "widths": _span(sorted(group.width.unique())),
                         "seeds": group.replica.nunique(), "training accuracy": _path(group, "train_accuracy"),
                         "removable share": _interval(growth_of(group, case, "prunability")),
                         "similar pairs": _interval(growth_of(group, case, "pair_share")),
                         "similar pairs, before training": _interval(growth_of(group, case, "pair_share_start")),
                         "change of AUC": _interval(change(group, case, "auc")),
                         "predictable from the others": _path(group, "predictable"), "dead": _path(group, "dead"),
                         "agreement, smaller network": _path(group, "agreement"), "units kept": _path(group, "kept_share")})
    if rows:
        out["Real networks: growth of shares per doubling of width (1 is constant), 95 % intervals"] = pandas.DataFrame(rows)
    return out


def _span(widths) -> str:
    """The range of widths, as multipliers or as numbers of units."""
    from fractions import Fraction

    first, last = (f"{w:g}" if w > 8 else str(Fraction(w)) for w in (min(widths), max(widths)))
    return f"width {first} to {last}"


def _reduced(row) -> str:
    """How a network or its data are smaller than published."""
    base = PUBLISHED.get(row["arch"])
    parts = [f"base width {int(row['base_width'])} for {base}"] if base and row["base_width"] < base else []
    parts += [f"{int(row['train_size']):,} images"] * bool(row["train_size"])
    parts += [f"{int(row['image_size'])} pixels a side"] * bool(row["image_size"])
    return "reduced: " + ", ".join(parts) if parts else ""


def _interval(e) -> str:
    """An estimate as the text of a table cell."""
    if e is None:
        return "–"
    return f"{e:.2f}".replace("-", "−")


def _path(rows, column) -> str:
    """The values at the narrowest and the widest network, with the middle one if it does not lie between them."""
    means = rows.groupby("width")[column].mean()
    ends, middle = (means.iloc[0], means.iloc[-1]), means.iloc[len(means) // 2]
    inside = min(ends) <= middle <= max(ends)
    return " → ".join(f"{v:.2g}" if abs(v) >= 0.005 else "0" for v in (ends if inside else (ends[0], middle, ends[1])))


SECTION = Section(
    order=90, id="units",
    title="Removable and repeated units",
    question="Does width buy anything that cannot be taken out again?",
    method="A unit is <em>removable</em> if setting it to zero does not change the network's predictions, and "
        "<em>repeated</em> if another unit of its layer correlates with it (|r| ≥ 0.5). Following Casper et al., we ablate "
        "nested random sets of units, measure the share of unchanged predictions, and count similar units. We add two controls. "
        "First, a number that doubles with width is a constant share, so we judge growth by shares. Second, a random layer "
        "already has similar units, so we also measure every network before training. In the toy (ReLU networks of 32 to 512 "
        "units, labels from a random teacher of 32 units, x ~ N(0, I)) ablation has a closed form, and ten thousand dimensions "
        "are simulated exactly in the span of the data. Finally, we test the consequence: we build the smaller network, without "
        "removable units and with repeated ones merged, and compare it with the original.",
    studies=("units", *family("units")),
    draw=draw,
    claims=("s1.width-raises", "s1.removable", "s1.similar", "s1.more-similar", "s1.random-layers", "s1.compress",
        "s1.large-start", "s1.small-start", "s1.high-dim", "s1.he-", "s1.glorot", "s1.smaller", "s1.kept"),
    change_our_mind="A setting in which neither number of units grows would refute the claim as S1 states it. We would "
        "regard it as more than counting if shares, not just numbers, grew in every setting, and if trained networks had more "
        "repeated units than untrained ones in high dimension too. A smaller network that disagrees with the original would show "
        "that units that are removable one by one need not be removable together.",
    frames=frames,
)
