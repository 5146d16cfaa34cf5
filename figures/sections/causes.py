"""Why toy and real networks disagree about the gap: two explanations, each tested by an intervention that could refute it."""

from empirical.studies.width.causes import ABOVE, ALL, BELOW, FEW, WRONG, structure_floor
from figures.section import Section, picture
from figures.style import BASELINE, canvas, legend, look
from figures.sweeps import estimates, whole


def _gaps(axis, table, column, levels):
    """The gap against the column that the intervention changes, one series per width of the copies."""
    frame = whole(table)
    frame = frame[frame.width < 1]
    for place, (_, rows) in enumerate(sorted(frame.groupby("width"), reverse=True)):
        groups = [(x + 0.08 * (place - 0.5), rows[rows[column] == value]) for x, (value, _) in enumerate(levels)]
        estimates(axis, groups, "gap", f"copies of width α = {rows.alpha.iloc[0]}", real=True, **look(place))
    axis.set_xticks(range(len(levels)), [label for _, label in levels])
    axis.set(xlim=(-0.5, len(levels) - 0.5), ylabel="span gap (share of variance)")
    axis.axhline(0, color=BASELINE, linewidth=0.8)


_INTERVENTIONS = (
    ("cause-matched-gap", "target_loss", "The gap at a loss that structure explains, and below it",
     ((ABOVE, f"stopped at {ABOVE:g}:\nstructure suffices"), (BELOW, f"stopped at {BELOW:g}:\nlabels memorised")),
     f"ResNet-18 on digits, with {WRONG:.0%} of the labels wrong. Knowing the true classes without memorising any image gives a "
     f"loss of {structure_floor(WRONG):.2f}."),
    ("cause-samples", "train_size", "The gap with few and with many samples",
     ((FEW, f"{FEW:,} pairs"), (ALL, f"{ALL:,} pairs")), "The Transformer on generated entailment, with equally many steps."),
)


def draw(tables):
    """One picture per intervention."""
    for name, column, title, levels, caption in _INTERVENTIONS:
        if name not in tables:
            continue
        with canvas(1, width=4.2, height=2.5) as (figure, axis):
            _gaps(axis, tables[name], column, levels)
            legend(figure, [axis])
            yield picture(figure, title, f"{caption} The gap is the span error of the copies in excess of that between two wide "
                          "networks. 95 % intervals over replicas.", name)


SECTION = Section(
    order=25, id="causes",
    title="Why toy and real networks disagree about the gap",
    question="The gap survives matched losses in the toy but vanishes on digits; wide networks find features that narrow ones "
        "miss in the toy but not in every real setting. Why?",
    method="<b>Matched losses.</b> Hypothesis: the gap comes from capacity, and survives only where the matched loss requires "
        "more than all widths can learn. This is so in the toy, where students stop close to the lowest loss of the narrow "
        "ones. On digits with wrong labels, the structure that all widths can learn gives a known loss; the same networks are "
        "stopped above and below it. If the hypothesis is right, the gap is larger below. <b>Samples.</b> Hypothesis: the toy "
        "trains on the population, whereas with few samples a wide network's extra features are accidents of its sample that "
        "another wide network does not share. The same Transformer is trained for equally many steps on a sixteenth of the "
        "pairs. If the hypothesis is right, the gap is larger with all pairs.",
    studies=("cause-matched-gap", "cause-samples"),
    draw=draw,
    claims=("s0.matched-gap-is-of-capacity", "s0.gap-needs-samples"),
    change_our_mind="A gap as large at a loss that structure alone can reach, or as large with few samples.",
)
