"""Removable and repeated units against width: S1's cases beside ours."""

import numpy as np

from figures.section import Section, picture
from figures.style import SERIES, canvas, points, theory_line
from theory.random_units import similar_pair_share

_MLP = "MLP, d = {}, n = {}, {} start"
_EQUAL = ", classes of equal size"
_SMALL, _LARGE = (_MLP.format("10", "10,000", start) + _EQUAL for start in ("small", "large"))
_HIGH = _MLP.format("10,000", "1,000", "standard") + _EQUAL

# S1's table as read off its figures (±5 %): case; removable (AUC) from 1/4 to 4 times the width; similar units a unit;
# compressibility; the table and the case of ours that answers it, and what is smaller in it
PAPER = (
    ("AlexNet, all regularisers", "0.36 → 0.54", "3 → 24", "0.51 → 0.71", None, None, ""),
    ("AlexNet, Glorot", "0.34 → 0.55", "0.5 → 8", "0.30 → 0.60", "units-alexnet", "alexnet, cifar10, glorot", "reduced"),
    ("AlexNet, He", "0.31 → 0.38 → 0.34", "1 → 67", "0.54 → 0.77", "units-alexnet", "alexnet, cifar10, he", "reduced"),
    ("AlexNet, LeCun", "0.35 → 0.49", "3 → 48", "0.32 → 0.67", None, None, ""),
    ("ResNet-56", "0.29 → 0.39", "0.3 → 5.5", "0.30 → 0.55", None, None, ""),
    ("ResNet-56, random labels", "flat", "0.5 → 13.5", "0.30 → 0.65", None, None, ""),
    ("ResNet-18, ImageNet", "0.21 → 0.50", "0.4 → 3.7", "0.25 → 0.33", None, None, ""),
    ("Inception-v3", "rises", "≈ 0", "falls", None, None, ""),
    ("MLP, d = 10, small start", "0.78 → 0.83", "2 → 48", "0.53 → 0.95", "units", _SMALL, "32 to 512 units"),
    ("MLP, d = 10, large start", "U-shaped", "4 → 15", "0.59 → 0.93", "units", _LARGE, "32 to 512 units"),
    ("MLP, d = 10,000", "slightly up", "≈ 0", "flat", "units", _HIGH, "32 to 512 units, n = 1,000"),
)
_SHORT = {_SMALL: "d = 10, small start", _MLP.format("10", "10,000", "standard") + _EQUAL: "d = 10, standard start",
          _LARGE: "d = 10, large start", _MLP.format("10,000", "1,000", "small") + _EQUAL: "d = 10,000, small start",
          _HIGH: "d = 10,000, standard start"}


def _summary(rows, column):
    from lab.estimate import mean_interval

    groups = [(w, g[column].dropna()) for w, g in rows.groupby("width")]
    groups = [(w, mean_interval(v)) for w, v in groups if len(v)]
    return [w for w, _ in groups], [e.mean for _, e in groups], [e.low for _, e in groups], [e.high for _, e in groups]


def _panel(axis, rows, column, colour, label=None, null=None, real=False):
    """A column by width with its intervals; the same network before training as a dashed line."""
    if rows.empty or column not in rows:
        return
    widths, mean, low, high = _summary(rows, column)
    if not widths:
        return
    if any(x is None for x in low):
        low = high = None
    points(axis, widths, mean, low, high, label, color=colour, real=real, linestyle="-", linewidth=0.8, markersize=4)
    if null in rows:
        x, start, _, _ = _summary(rows, null)
        axis.plot(x, start, linestyle=(0, (2, 2)), marker="", color=colour, linewidth=1)


def _ticks(axis, widths):
    from fractions import Fraction

    axis.set_xscale("log", base=2)
    axis.set_xticks(widths, [str(Fraction(w).limit_denominator(64)) for w in widths])
    axis.minorticks_off()
    axis.set_xlabel("width")


def _curves(rows, column, axis, fractions):
    """Mean ablation curves, one a width, light for narrow and dark for wide."""
    import matplotlib

    texts = [(w, [t for t in g[column] if isinstance(t, str) and t]) for w, g in rows.groupby("width")]
    texts = [(w, t) for w, t in texts if t]
    for i, (width, group) in enumerate(texts):
        colour = matplotlib.colormaps["viridis_r"](0.15 + 0.8 * i / max(1, len(texts) - 1))
        mean = np.mean([[float(x) for x in text.split()] for text in group], axis=0)
        axis.plot(np.linspace(0, 1, len(mean)) if fractions is None else fractions, mean, marker="", color=colour,
                  label=f"{width:g}")
    axis.axhline(0.8, color="#6b6b6b", linestyle=":", linewidth=1)
    axis.set(xlabel="fraction ablated", ylim=(0, 1.03))


def draw(tables):
    """Toy curves, toy numbers by width, the smaller network; then the real networks."""
    toy = tables.get("units")
    if toy is not None:
        frame = toy.frame
        cases = [c for c in (_SMALL, _LARGE, _HIGH) if c in set(frame.case)] or list(frame.case.unique())[:3]
        with canvas(len(cases), width=2.4 * len(cases), height=2.4, sharey=True, squeeze=False) as (figure, axes):
            for axis, case in zip(axes[0], cases):
                _curves(frame[frame.case == case], "curve_unchanged", axis, None)
                axis.set_title(_SHORT.get(case, case), fontsize=8)
            axes[0, 0].set_ylabel("unchanged predictions")
            axes[0, 0].legend(title="hidden units", fontsize=6.5, title_fontsize=6.5)
            yield picture(figure, "What is left of a network's predictions when units are ablated at random",
                          "One-hidden-layer networks on the synthetic data, classes of equal size; nested random orders. Dotted: "
                          "the level at which prunability is read.", toy.name)
        widths = sorted(frame.width.unique())
        shown = [c for c in _SHORT if c in set(frame.case)] or list(frame.case.unique())
        with canvas(3, height=2.6) as (figure, axes):
            for case, colour in zip(shown, SERIES):
                rows = frame[frame.case == case]
                _panel(axes[0], rows, "auc", colour, _SHORT.get(case, case))
                _panel(axes[1], rows, "pair_share", colour, null="pair_share_start")
                _panel(axes[2], rows, "compressibility", colour, null="compressibility_start")
            for dim in sorted(set(frame[frame.case.isin(shown)].dim)):
                theory_line(axes[1], widths, [similar_pair_share(int(dim))] * len(widths), color="#6b6b6b", linewidth=1)
            for axis, title in zip(axes, ("removable: AUC", "share of similar pairs", "compressibility")):
                axis.set_title(title, fontsize=9)
                _ticks(axis, widths)
            axes[0].legend(fontsize=6)
            yield picture(figure, "Removable and repeated units by width, beside untrained networks",
                          "Dashed: the same networks before training; grey lines: theory of a random layer. The number of "
                          "similar units a unit, which S1 reports, is the share of similar pairs times the width: it doubles "
                          "wherever the share stays as it is.", toy.name)
        with canvas(2, width=5.4, height=2.4) as (figure, axes):
            for case, colour in zip(shown, SERIES):
                _panel(axes[0], frame[frame.case == case], "kept_share", colour, _SHORT.get(case, case))
                _panel(axes[1], frame[frame.case == case], "agreement", colour)
            for axis, title in zip(axes, ("units kept", "agreement with the original")):
                axis.set_title(title, fontsize=9)
                axis.set_ylim(0, 1.03)
                _ticks(axis, widths)
            axes[0].legend(fontsize=6)
            yield picture(figure, "The consequence: a smaller network",
                          "Removable units taken out (as many as leave 90 % of the predictions on some inputs), repeated ones "
                          "(|r| ≥ 0.9) merged; agreement on other inputs.", toy.name)
    for name, title in (("units-alexnet", "AlexNet without batch norm, He against Glorot"),
                        ("units-mlp", "An MLP on digits")):
        yield from _real(tables.get(name), title)


def _real(table, title):
    if table is None:
        return
    frame = table.frame[table.frame.site == "all"]
    widths = sorted(frame.width.unique())
    with canvas(4, width=8.4, height=2.5) as (figure, axes):
        for case, colour in zip(frame.case.unique(), SERIES):
            rows = frame[frame.case == case]
            _panel(axes[0], rows, "auc", colour, rows.value.iloc[0], real=True)
            _panel(axes[1], rows, "pair_share", colour, null="pair_share_start", real=True)
            _panel(axes[2], rows, "compressibility", colour, null="compressibility_start", real=True)
            _panel(axes[3], rows, "kept_share", colour, real=True)
        for axis, name in zip(axes, ("AUC, all layers at once", "similar pairs", "compressibility", "units kept")):
            axis.set_title(name, fontsize=9)
            _ticks(axis, widths)
            axis.set_xlabel("width multiplier")
        axes[0].legend(fontsize=6.5)
        first = table.frame.iloc[0]
        data = table.manifest.get("data")
        data = data.get("name", first["data"]) if isinstance(data, dict) else first["data"]
        size = ((f", {int(first['train_size']):,} training images" if first["train_size"] else "")
                + (f" of {int(first['image_size'])} pixels a side" if first["image_size"] else ""))
        yield picture(figure, title, f"Data: {data}{size}; base width {int(first['base_width'])}; {int(first['epochs'])} epochs. "
                      "Means over the measured layers. Dashed: before training.", table.name)


def frames(tables):
    """S1's table of cases, ours beside it."""
    import pandas

    rows = []
    for case, removable, similar, compressible, name, ours, note in PAPER:
        table = tables.get(name) if name else None
        found = None if table is None else table.frame[table.frame.case == ours]
        if found is not None and "site" in found:
            found = found[found.site == "all"]
        row = {"case": case, "removable, S1": removable, "ours": "not yet measured", "similar a unit, S1": similar,
               "ours ": "", "before training": "", "compressibility, S1": compressible, "ours  ": "", "before training ": "",
               "size of ours": note if found is not None and len(found) else ""}
        if found is not None and len(found):
            row |= {"ours": _path(found, "auc"), "ours ": _path(found, "similar_per_unit"),
                    "before training": _path(found, "similar_per_unit_start"), "ours  ": _path(found, "compressibility"),
                    "before training ": _path(found, "compressibility_start")}
        rows.append(row)
    return {"S1's cases (read off its figures, ±5 %) beside ours, narrowest → widest": pandas.DataFrame(rows)}


def _path(rows, column) -> str:
    """Narrowest, middle and widest value; the middle where it lies outside the other two."""
    means = rows.groupby("width")[column].mean()
    ends, middle = (means.iloc[0], means.iloc[-1]), means.iloc[len(means) // 2]
    inside = min(ends) <= middle <= max(ends)
    return " → ".join(f"{v:.2g}" if abs(v) >= 0.005 else "0" for v in (ends if inside else (ends[0], middle, ends[1])))


SECTION = Section(
    "units", "Removable and repeated units",
    "Does width buy anything that could not be taken out again?",
    "A unit is <em>removable</em> if setting it to zero leaves the network's predictions as they are, "
    "<em>repeated</em> if another unit of its layer correlates with it (|r| ≥ 0.5). Following Casper et al. we ablate "
    "nested random sets of units and read the share of unchanged predictions, and count similar units. Two controls "
    "are added. A number that doubles when width doubles is a constant share: growth is judged on shares. And a "
    "random layer already has similar units: every network is measured before training too. In the toy (ReLU networks "
    "of 32 to 512 units, labels from a random teacher of 32 units, x ~ N(0, I)) ablation is closed-form, and ten "
    "thousand dimensions are simulated exactly in the span of the data. Last, the consequence is tested: the smaller "
    "network, without removable units and with repeated ones merged, is built and compared with the original.",
    ("units", "units-alexnet", "units-mlp"), draw,
    ("s1.width-raises", "s1.removable", "s1.similar", "s1.more-similar", "s1.random-layers", "s1.compress", "s1.large-start",
     "s1.small-start", "s1.high-dim", "s1.he-", "s1.glorot", "s1.smaller", "s1.kept"),
    "A setting in which neither number of units grows would refute the claim as S1 states it. We would take it for more than "
    "counting if shares, not numbers, grew in every setting, and if trained networks repeated more than untrained ones in high "
    "dimension as well. A smaller network that disagrees with its original would show that removable one by one does not mean "
    "removable together.",
    frames,
)
