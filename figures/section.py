"""What a page of the report is made of: the ``SECTION`` of every file in ``figures/sections``, found there."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.discover import by_name, declared
from lab.tables import Table

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

@dataclass(frozen=True)
class Picture:
    """One figure with what is to be seen in it. ``title`` names its file in a gallery; drawn while the style holds."""

    title: str
    caption: str
    svg: str
    table: str = ""


@dataclass(frozen=True)
class Section:
    """A short paper: question, method in a paragraph, pictures, tables, claims.

    Attributes
    ----------
    id : anchor in the page.
    title, question, method : text; plain HTML is allowed in ``method``.
    studies : tables it needs; pictures whose table is missing are left out and named.
    draw : ``{name: Table} -> iterator of Picture``; must cope with missing tables.
    claims : prefixes of the ids of the claims that belong here.
    frames : ``{name: Table} -> {caption: DataFrame}`` shown as tables.
    change_our_mind : what would.
    order : its place in the report; steps of ten leave room between, and a section without one comes last.
    main : title of the picture that stands open (default: the first drawn); the others are folded.
    key : prefixes of the ids of the claims that stand open (default: the first few).
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
    order: int = field(default=1000, kw_only=True)
    main: str = field(default="", kw_only=True)
    key: tuple[str, ...] = field(default=(), kw_only=True)


def sections() -> list[Section]:
    """All sections in order.

    Raises
    ------
    lab.discover.DeclarationError : a file of ``figures/sections`` without ``SECTION``, or an id that is taken.
    """
    found = by_name(declared("figures.sections", "SECTION", Section), lambda section: section.id)
    return sorted(found.values(), key=lambda section: (section.order, section.id))


def picture(figure: "Figure", title: str, caption: str, table: str = "") -> Picture:
    """Turn a drawn figure into a picture of the report (call it before the canvas closes)."""
    from figures.style import described, fit_titles, to_svg

    fit_titles(figure)
    return Picture(title, caption, to_svg(figure, described(figure, title)), table)
