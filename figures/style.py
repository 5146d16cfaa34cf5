"""What the pictures of the report share, on top of the look of all pictures (:mod:`lab.pictures`)."""

import io
import re

from lab.pictures import (  # noqa: F401 (the sections' names of them)
    BASELINE,
    EXTRA,
    NARROW,
    REVERSE,
    SERIES,
    WIDE,
    canvas,
    colours,
    points,
    theory_line,
)


def width_axis(axes, alphas) -> None:
    """A logarithmic axis of width multipliers, wide on the left, with fractions as labels."""
    from fractions import Fraction

    values = sorted({float(a) for a in alphas}, reverse=True)
    axes.set_xscale("log", base=2)
    axes.set_xlim(max(values) * 1.25, min(values) / 1.25)
    axes.set_xticks(values, [str(Fraction(v).limit_denominator(256)) for v in values])
    axes.minorticks_off()
    axes.set_xlabel("width multiplier α of a narrow copy (1/α copies)")


def to_svg(figure) -> str:
    """The figure as an inline ``<svg>`` that scales with the page; the same drawing gives the same text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head, count=2)
    # a figure of 7 inches fills the column; narrower ones keep the size of their type
    size = f"--wide:{8 * figure.get_figwidth():.1f}rem;max-width:var(--wide)"
    return head.replace("<svg", f'<svg role="img" style="{size}"', 1) + ">" + re.sub(r"\s*\n\s*", "\n", rest)


def unique_ids(svg: str, prefix: str) -> str:
    """Prefix the ids inside an svg, so that several can stand in one page."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(xlink:href="#|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    return svg


def themed(svg: str) -> str:
    """A picture whose colours are the page's, so that they change in the dark: each is a variable of the page."""
    return _COLOUR.sub(lambda m: _THEME.get(m[0].lower(), m[0]), svg)


_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b(?=[;\"])")
_THEME = {"#ffffff": "var(--paper)", "#000000": "var(--ink)", "#e3e3df": "var(--grid)",
          **{colour: f"var(--s{i})" for i, colour in enumerate(SERIES)},
          NARROW: "var(--s1)", WIDE: "var(--s0)", REVERSE: "var(--s2)", BASELINE: "var(--s5)", EXTRA: "var(--s3)"}
