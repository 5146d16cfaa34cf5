"""A user's own runs as a report of their own shows them: tables by family, and what they say of the claims by the claims' rules.

They are judged here by themselves alone, and never enter the ledger of the laboratory.
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
    """What a user's own tables (:func:`figures.catalogue.own_tables`) say of the claims.

    Raises
    ------
    InputError
        If a manifest names evidence that the laboratory has not.
    """
    return [item for table in tables for item in _of(table)]


def own_rows(tables: Iterable[Table]) -> list[dict]:
    """Rows as those of :func:`figures.ledger.rows`, of the claims to which a user's own runs speak."""
    found = own_evidence(tables)
    spoken = {item.claim for item in found}
    return [row for row in rows(found) if row["id"] in spoken]


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
        raise InputError(f"the table {table.name} names evidence that there is not, {where[:80]}: compute it again, finished "
                         "runs are kept")
    return of_table(table, function)


def pictures(table: Table) -> list[Picture]:
    """What a user's own table shows, by its family: of sweeps and published networks, span errors by width; of units, how many
    can be removed; of hulls, the share of points outside.

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


_DRAWN = {  # family of a study -> title, caption, what draws its table
    "width": ("Span errors", "Narrow copies, concatenated, against one wide network with as many features, and the reverse; "
              "means and 95 % intervals over replicas.", _span_errors),
    "published": ("Span errors", "Published narrow networks, concatenated, against one wide network with as many features; "
                  "means and 95 % intervals over replicas.", _published),
    "units": ("Prunable units", "The share of the units, taken out in random order, at which a fifth of the answers have "
              "changed, by width; means and 95 % intervals over networks.", _prunability),
    "hull": ("Points outside the hull", "Test points against the hull of the training points, beside training points that are "
             "left out of it and points of a Gaussian with the same covariance; 95 % intervals over replicas where there are "
             "several, else over points.", _outside),
}
