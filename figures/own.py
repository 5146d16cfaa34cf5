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
    """What a user's own table shows: of a width sweep, span errors by width."""
    if table.manifest.get("family") != "width":
        return []
    from empirical.studies.width.summary import draw_span_errors, summarise

    with canvas(width=4.6) as (figure, axes):
        draw_span_errors(summarise(table.frame), axes)
        return [picture(figure, f"Span errors of {table.name}", "Narrow copies, concatenated, against one wide network with as "
                        "many features, and the reverse; means and 95 % intervals over replicas.", table.name)]

