"""All claims on one common scale, and strips of marks on that scale that a page can draw at any width.

The scale is *effect over bound*: 0 is no effect and 1 the smallest effect that matters, so everything to the right of 1 supports
the claim. With the rule's null value, the effect of x is (x − null)/(bound − null). For a claim with one bound and no null value
it is 1 plus the distance inside the bound, in units of the bound's distance to 0 or 1, whichever is nearer and not the bound
itself. For a claim with two bounds it is 1 plus the distance inside the nearer bound, in units of half the distance between them.
The axis is linear near 0 and logarithmic beyond (the inverse hyperbolic sine), from −10 to 100; values outside are drawn as
arrows at its ends.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

from figures.wording import counted
from theory.verdict.rule import Rule

LEAST, MOST = -10.0, 100.0
TICKS = (-10, -1, 0, 1, 10, 100)
LANE = 7  # px between two lines of marks in a strip
# The mark of each word, centred on (0, 0). Shapes differ, so that colour is never needed. The last three are for unjudged pieces.
SHAPES = {
    "holds": "<circle r=4 />",
    "depends": '<path d="M0-5.2 5.2 0 0 5.2-5.2 0Z" class=open /><path d="M0-5.2V5.2L-5.2 0Z" />',
    "contradicted": '<path d="M-4-4 4 4M4-4-4 4" class=stroke />',
    "no effect": "<circle r=3.6 class=open />",
    "inconclusive": '<path d="M-3.6-3.6H3.6V3.6H-3.6Z" class=open />',
    "undecided": '<path d="M-3.6-3.6H3.6V3.6H-3.6Z" class=open />',
    "not yet measured": '<path d="M-3 0H3" class=stroke />',
    "pilot": '<path d="M0-4 4 3-4 3Z" class=open />',
    "too few replicas": '<path d="M0-4V4" class=stroke />',
    "uninformative": '<path d="M0-4V4M-2-4H2M-2 4H2" class=stroke />',
}


def slug(word: str) -> str:
    """A word as a CSS class or id."""
    return word.replace(" ", "-")


def effect(rule: Rule, value: float) -> float:
    """A value of the statistic on the common scale (see the module's docstring)."""
    if rule.null is not None:
        return (value - rule.null) / (rule.bound - rule.null)
    if math.isinf(rule.above) or math.isinf(rule.below):
        unit = min(abs(rule.bound - end) for end in (0, 1) if rule.bound != end)
        return 1 + (value - rule.bound) / unit * (1 if math.isinf(rule.below) else -1)
    return 1 + min(value - rule.above, rule.below - value) / ((rule.below - rule.above) / 2)


def interval(rule: Rule, low: float, high: float) -> tuple[float, float]:
    """The range of effects that an interval of the statistic covers, smallest first."""
    ends = [effect(rule, low), effect(rule, high)]
    middle = (rule.above + rule.below) / 2
    if not math.isinf(middle) and low < middle < high:
        ends.append(effect(rule, middle))
    return min(ends), max(ends)


def place(value: float) -> float:
    """The position of an effect on the axis, in % of its length."""
    clipped = min(max(value, LEAST), MOST)
    return round(100 * (math.asinh(clipped) - math.asinh(LEAST)) / (math.asinh(MOST) - math.asinh(LEAST)), 2)


def _finite(*values) -> bool:
    return all(v is not None and math.isfinite(v) for v in values)


def _mark(rule: Rule, item: Mapping, y: float, word: str, title: str) -> str:
    """The interval and the mark of one number."""
    if not _finite(item["mean"]):
        return ""
    text, e, name = "", effect(rule, item["mean"]), slug(word)
    if _finite(item["low"], item["high"]) and item["low"] < item["high"]:
        low, high = interval(rule, item["low"], item["high"])
        text = f'<line class="{name}" x1="{place(low)}%" x2="{place(high)}%" y1="{y:g}" y2="{y:g}" />'
    if LEAST <= e <= MOST:
        text += f'<use class="{name}" href="#mark-{name}" x="{place(e)}%" y="{y:g}">{title}</use>'
    else:
        text += f'<use class="{name}" href="#{"beyond" if e > MOST else "short"}" x="{place(e)}%" y="{y:g}">{title}</use>'
    return text


def axis(height: float) -> str:
    """The grid lines of the scale: no effect, the bound, powers of ten."""
    kinds = {0: "null", 1: "bound"}
    return "".join(f'<line class="{kinds.get(tick, "tick")}" x1="{place(tick)}%" x2="{place(tick)}%" y1=0 y2="{height:g}" />'
                   for tick in TICKS)


def strip(rule: Rule, pieces: Sequence[Mapping], label: str, lanes: int = 5) -> str:
    """Pieces of evidence as marks on the scale, an inline ``<svg>``.

    Parameters
    ----------
    rule : rule of the claim.
    pieces : each with ``mean, low, high, judgement, setting``.
    label : text for screen readers; the counts by judgement are added to it.
    lanes : number of lines over which the marks are spread.
    """
    lanes = max(1, min(lanes, len(pieces)))
    height = LANE * (lanes + 1)
    order = sorted(pieces, key=lambda p: (not _finite(p["mean"]), effect(rule, p["mean"]) if _finite(p["mean"]) else 0))
    marks = "".join(_mark(rule, p, LANE * (i % lanes + 1), p["judgement"], f"<title>{escape(p['setting'])}</title>")
                    for i, p in enumerate(order))
    return (f'<svg class=strip role=img aria-label="{escape(label)}: {judgements(pieces)}" height="{height}">'
            f"{axis(height)}{marks}</svg>")


def summary(rule: Rule, column: Mapping, label: str) -> str:
    """A column as a single mark (see :func:`foremost`), an inline ``<svg>``."""
    item = foremost(column)
    mark = _mark(rule, item, LANE + 2, column["verdict"], "")
    return (f'<svg class=strip role=img aria-label="{escape(label)}: {column["verdict"]}" height="{2 * LANE + 4}">'
            f"{axis(2 * LANE + 4)}{mark}</svg>")


def foremost(column: Mapping) -> Mapping:
    """The number that represents a column: the mean over settings if there is one, else the primary setting's, else the median
    one; of the judged pieces, if there are any."""
    if column.get("pooled"):
        return column["pooled"]
    pieces = judged(column)
    primary = [p for p in pieces if p.get("primary")]
    order = sorted(primary or pieces, key=lambda p: p["mean"] if _finite(p["mean"]) else -math.inf)
    return order[len(order) // 2]


def judged(column: Mapping) -> Sequence[Mapping]:
    """The judged pieces of a column, or all of them if none is judged."""
    pieces = [p for p in column["evidence"] if p["judgement"] in ("holds", "contradicted", "no effect", "undecided")]
    return pieces or column["evidence"]


def judgements(pieces: Sequence[Mapping]) -> str:
    """The number of pieces by judgement: ``4 settings: 3 holds, 1 undecided``."""
    counts = {word: sum(p["judgement"] == word for p in pieces) for word in SHAPES}
    return f"{counted(len(pieces), 'setting')}: " + ", ".join(f"{n} {word}" for word, n in counts.items() if n)


def symbols() -> str:
    """The definitions of the shapes, needed once in a page with strips."""
    marks = "".join(f'<symbol id="mark-{slug(word)}" overflow=visible>{shape}</symbol>' for word, shape in SHAPES.items())
    return ('<svg width=0 height=0 class=symbols aria-hidden=true>' + marks
            + '<symbol id=beyond overflow=visible><path d="M-6-4 0 0-6 4Z" /></symbol>'
              '<symbol id=short overflow=visible><path d="M6-4 0 0 6 4Z" /></symbol></svg>')
