"""Why distance from the hull does not predict errors."""

from figures.section import Section, picture
from figures.style import SHARE, canvas, interval, legend, look, measured

_CORRELATIONS = (("ambiguity_given_nearest", "ambiguity", 1), ("hull_given_nearest", "hull distance", 0),
                 ("hull_given_both", "hull distance, given ambiguity too", 2))
_STEPS = (("changed_towards", "towards another class's hull", 1), ("changed_away", "away from the hull", 0),
          ("changed_random", "at random", 5))


def _panel(axis, groups, columns, within):
    for shift, (column, label, place) in zip((-0.2, 0.0, 0.2), columns):
        means = [interval(rows[column].dropna(), within) if rows[column].notna().any() else (float("nan"),) * 3
                 for _, rows in groups]
        measured(axis, [i + shift for i in range(len(groups))], means, label, real=True, **look(place))
    axis.set_xticks(range(len(groups)), [f"{arch}\n{data}, {size:,}" for (data, arch, size), _ in groups], fontsize=7)
    axis.set_xlim(-0.6, len(groups) - 0.4)


def draw(tables):
    """What errors correlate with, and which steps change a class."""
    table = tables.get("hull-errors")
    if table is None:
        return
    groups = list(table.frame.groupby(["data", "arch", "train_size"], sort=False))
    for columns, title, ylabel, caption, within in (
            (_CORRELATIONS, "What predicts errors", "rank correlation with errors",
             "Partial rank correlations with the errors of a network, given the distance to the nearest training point. "
             "Ambiguity is the distance to the nearest class's hull over that to the second nearest.", (-1.0, 1.0)),
            (_STEPS, "Steps away from the hull, and towards another class", "share of changed classes",
             "Share of test points whose predicted class changes after a step as long as their distance from the hull of all "
             "training points.", SHARE)):
        with canvas(1, width=5.4, height=2.6) as (figure, axis):
            _panel(axis, groups, columns, within)
            axis.set(ylabel=ylabel)
            axis.axhline(0, color="#6b6b6b", linewidth=0.8)
            legend(figure, [axis])
            yield picture(figure, title, f"{caption} Labels: network, data and number of training images. Intervals over "
                          "networks.", table.name)


SECTION = Section(
    order=105, id="hull-errors",
    title="Why hull distance does not predict errors",
    question="A test point's distance from the hull of the training set hardly predicts whether a network gets it wrong. Why?",
    method="Hypothesis: errors lie between classes, but the hull of the training set is that of all classes together, so a point "
        "may lie far outside it and still be close to one class only. We train networks on few images, so that they make enough "
        "errors to analyse. We made three predictions beforehand, each of which could have failed: errors depend more on how "
        "ambiguous a point is between the hulls of two classes than on its distance from the hull of all classes; given the "
        "ambiguity, the distance predicts nothing more; and a step that doubles the distance from the hull changes a network's "
        "class less often than an equally long step towards the hull of another class.",
    studies=("hull-errors",),
    draw=draw,
    claims=("s3.errors-follow", "s3.ambiguity-leaves", "s3.steps-away"),
    change_our_mind="Errors that depend on the distance from the hull at equal ambiguity, or classes that change as often with "
        "steps away from the hull as with steps towards another class.",
)
