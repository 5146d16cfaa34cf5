"""A user's own runs in their report: pictures by family of study, and verdicts by the rules of the claims.

The runs are judged on their own and never enter the laboratory's ledger.
"""

from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module

from figures.catalogue import ROOMS
from figures.ledger import of_table, rows
from figures.section import Picture, picture
from lab.errors import InputError
from lab.pictures import canvas
from lab.tables import Table
from theory.claims import Evidence


def own_evidence(tables: Iterable[Table]) -> list[Evidence]:
    """The evidence of a user's own tables (:func:`figures.catalogue.own_tables`).

    Raises
    ------
    InputError
        If a manifest names an evidence function that does not exist.
    """
    return [item for table in tables for item in _of(table)]


def own_rows(tables: Iterable[Table]) -> list[dict]:
    """Rows of :func:`figures.ledger.rows` for the claims on which a user's own runs give evidence."""
    evidence = own_evidence(tables)
    claims = {item.claim for item in evidence}
    return [row for row in rows(evidence) if row["id"] in claims]


def _of(table: Table) -> list[Evidence]:
    where = table.manifest.get("evidence")  # older versions did not write it
    if not where:
        return []
    module, _, name = where.partition(":")
    function = None
    if module.split(".")[0] in ROOMS:
        with suppress(ImportError):
            function = getattr(import_module(module), name, None)
    if function is None:
        raise InputError(f"the table {table.name} names an evidence function that does not exist, {where[:80]}: compute the "
                         "table again (finished runs are kept)")
    return of_table(table, function)


def pictures(table: Table) -> list[Picture]:
    """Pictures of a user's own table, by its family: span errors by width for sweeps and published networks, prunable units for
    units, the share of points outside for hulls.

    Parameters
    ----------
    table : Table
        One of :func:`figures.catalogue.own_tables`.
    """
    drawn = _DRAWN.get(table.manifest.get("family", ""))
    if drawn is None:
        return []
    title, caption, draw = drawn
    with canvas(width=4.6) as (figure, axes):
        draw(table.frame, axes)
        return [picture(figure, f"{title} of {table.name}", caption, table.name)]


def _span_errors(frame, axes) -> None:
    from empirical.studies.width.summary import draw_span_errors, summarise

    draw_span_errors(summarise(frame), axes)


def _published(frame, axes) -> None:
    from empirical.studies.families.summary import draw_families, summarise

    draw_families(summarise(frame), axes)


def _prunability(frame, axes) -> None:
    from empirical.studies.units.summary import draw_prunability, summarise

    draw_prunability(summarise(frame), axes)


def _outside(frame, axes) -> None:
    from empirical.studies.hull.summary import draw_outside, outside

    draw_outside(*outside(frame), axes)


_DRAWN = {  # family of a study -> title, caption, function that draws its table
    "width": ("Span errors", "From concatenated narrow copies to one wide network with as many features, and in reverse. "
              "Means and 95 % intervals over replicas.", _span_errors),
    "published": ("Span errors", "From concatenated published narrow networks to one wide network with as many features. "
                  "Means and 95 % intervals over replicas.", _published),
    "units": ("Prunable units", "The share of units, ablated in random order, at which a fifth of the predictions have changed, "
              "by width. Means and 95 % intervals over networks.", _prunability),
    "hull": ("Points outside the hull", "Test points, left-out training points, and Gaussian points with the same covariance, "
             "against the hull of the training points. 95 % intervals over replicas if there are several, else over points.",
             _outside),
}
