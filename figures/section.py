"""Sections of the report: each file in ``figures/sections`` declares one as ``SECTION``."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.discover import by_name, declared
from lab.tables import Table

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

@dataclass(frozen=True)
class Picture:
    """One figure with its caption. ``title`` also names its file in the gallery."""

    title: str
    caption: str
    svg: str
    table: str = ""


@dataclass(frozen=True)
class Section:
    """A short paper: a question, a paragraph on the method, pictures, tables, claims.

    Attributes
    ----------
    id : anchor in the page.
    title, question, method : texts; ``method`` may contain plain HTML.
    studies : studies whose tables it needs; the page names those that are missing.
    draw : ``{name: Table} -> iterator of Picture``; skips pictures whose table is missing.
    claims : prefixes of the ids of the claims that belong here.
    frames : ``{name: Table} -> {caption: DataFrame}``, shown as tables.
    findings : ``{name: Table} -> iterator of paragraphs`` on what was found (:mod:`figures.findings`).
    change_our_mind : results that would overturn the conclusion.
    order : position in the report, in steps of ten; sections without one come last.
    main : title of the picture that is shown unfolded (default: the first drawn).
    key : prefixes of the ids of the claims that are shown unfolded (default: the first few).
    """

    id: str
    title: str
    question: str
    method: str
    studies: tuple[str, ...]
    draw: Callable[[Mapping[str, Table]], Iterator[Picture]]
    claims: tuple[str, ...]
    change_our_mind: str = ""
    frames: Callable[[Mapping[str, Table]], "dict[str, pandas.DataFrame]"] = field(default=lambda tables: {})
    findings: Callable[[Mapping[str, Table]], Iterable[str]] = field(default=lambda tables: (), kw_only=True)
    order: int = field(default=1000, kw_only=True)
    main: str = field(default="", kw_only=True)
    key: tuple[str, ...] = field(default=(), kw_only=True)


def sections() -> list[Section]:
    """All sections in order.

    Raises
    ------
    lab.discover.DeclarationError : a file of ``figures/sections`` without ``SECTION``, or two sections with one id.
    """
    by_id = by_name(declared("figures.sections", "SECTION", Section), lambda section: section.id)
    return sorted(by_id.values(), key=lambda section: (section.order, section.id))


def picture(figure: "Figure", title: str, caption: str, table: str = "") -> Picture:
    """Turn a drawn figure into a picture of the report (call this before the canvas closes)."""
    from figures.style import described, fit_titles, to_svg

    fit_titles(figure)
    return Picture(title, caption, to_svg(figure, described(figure, title)), table)
