"""What a page of the report is made of. Each module of ``figures.sections`` defines one ``SECTION``."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from lab.tables import Table

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

# In the order of the report. A module that is not listed is not shown.
SECTIONS: tuple[str, ...] = ("span", "objections", "starts", "bumps", "memorise", "descent", "landscape", "sgd", "units",
                             "hull", "boundary")


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


def sections() -> list[Section]:
    """All sections in order."""
    return [import_module(f"figures.sections.{name}").SECTION for name in SECTIONS]


def picture(figure: "Figure", title: str, caption: str, table: str = "") -> Picture:
    """Turn a drawn figure into a picture of the report (call it before the canvas closes)."""
    from figures.style import to_svg

    return Picture(title, caption, to_svg(figure), table)
