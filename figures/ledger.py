"""The ledger: every claim with its evidence from theory, toy models and real networks, and a verdict computed from the numbers.

A row has ``id, source, claim, statistic, rule, primary, scope, summary, theory, toy, real, verdict`` and, as background,
``refuted_by, bound_reason, moderator, changes, speaks, error``. A column that cannot provide evidence for the claim is None, else
``{"verdict", "scope", "summary", "pooled", "moderator", "error", "evidence"}``. Its evidence is a list of ``setting, key, mean,
low, high, n, judgement, primary, p_holds, p_fails, p_no_effect, error, needed, cluster, levels, runs, note``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from figures.catalogue import is_pilot, look, own_tables, set_aside, study, unfixed
from lab.tables import Table
from theory.claims import COLUMNS, Evidence, claims
from theory.evidence import theory_evidence
from theory.verdict import words
from theory.verdict.decide import Column, Verdict, decide
from theory.verdict.pieces import ERROR, Piece
from theory.verdict.power import replicas_needed
from theory.verdict.rule import Rule

__all__ = ["gather", "rows", "verdicts"]


def gather(tables: Mapping[str, Table], formulas: Iterable[Evidence] | None = None) -> list[Evidence]:
    """The evidence of the formulas and of every table.

    Parameters
    ----------
    tables : mapping of str to Table
        Tables by study, see :func:`figures.catalogue.tables`.
    formulas : iterable of Evidence, optional
        The theory column; by default it is computed here, which takes some seconds.

    Returns
    -------
    list of Evidence
        Tables of another plan than their study declares today give evidence that is shown and not judged.

    Examples
    --------
    >>> from figures.catalogue import tables
    >>> {item.claim for item in gather(tables("a new run store", ["bumps"]), formulas=[])}
    {'s2.width-is-tickets'}
    """
    evidence = list(theory_evidence() if formulas is None else formulas)
    for name, table in tables.items():
        pilot, level = is_pilot(table), look(table.manifest).get("level", ERROR)
        evidence += [replace(item, pilot=item.pilot or pilot, level=min(item.level, level))
                     for item in of_table(table, study(name).evidence)]
    return evidence


def of_table(table: Table, evidence: Callable[..., Iterable[Evidence]]) -> list[Evidence]:
    """The evidence that a study extracts from a table, with the study's name and the table's warning attached."""
    warning = unfixed(table)
    return [replace(item, study=table.name, note="; ".join(filter(None, [item.note, warning])))
            for item in evidence(table.frame, table.runs)]


def unjudged(store: Path) -> dict:
    """The tables of a run store that are not evidence.

    Returns
    -------
    dict : ``set_aside`` (:func:`figures.catalogue.set_aside`), and ``own``, the user's own tables, each with ``table``,
        ``title``, ``command``, ``data``, the number of its ``runs``, and ``numbers``: its evidence on claims, each with
        ``claim``, ``setting``, ``mean``, ``low``, ``high``, ``n``.
    """
    own = [{"table": t.name, "title": t.manifest.get("title", ""), "command": t.manifest["command"],
            "data": t.manifest.get("data"), "runs": len(t.runs), "numbers": t.manifest.get("summary", [])}
           for t in own_tables(store)]
    return {"set_aside": set_aside(store), "own": own}


def notes(tables: Mapping) -> list[str]:
    """The tables of :func:`unjudged` as lines of text."""
    return [*(f"not judged: the {'kept ' * item['kept']}table {item['table']}, {item['reason']} (made by {item['command']})"
              for item in tables["set_aside"]),
            *(f"not judged: your own runs {item['table']} ({item['command']})" for item in tables["own"])]


def verdicts(evidence: Iterable[Evidence]) -> list[Verdict]:
    """The verdict of every claim, by its rule, in the order of the register.

    Parameters
    ----------
    evidence : iterable of Evidence
        See :func:`gather`.

    Returns
    -------
    list of Verdict

    Raises
    ------
    ValueError
        If evidence names an unknown claim, or a column that its claim does not admit.

    Examples
    --------
    >>> from lab import exact
    >>> evidence = Evidence("s2.coin-flips", "theory", "GOE, N = 10", exact(0.1), study="random_landscape")
    >>> verdict = next(verdict for verdict in verdicts([evidence]) if verdict.claim.id == "s2.coin-flips")
    >>> str(verdict.claim.rule), verdict.columns["theory"].verdict, verdict.columns["toy"].verdict
    ('holds above 0.5 and below 2', 'contradicted', 'not yet measured')
    """
    register = claims()
    by_claim: dict[str, list[Evidence]] = {name: [] for name in register}
    for item in evidence:
        if item.claim not in register:
            raise ValueError(f"evidence for an unknown claim: {item.claim}")
        if item.column not in register[item.claim].columns:
            raise ValueError(f"{item.claim} does not admit evidence from the column {item.column}")
        by_claim[item.claim].append(item)
    return [decide(claim, by_claim[name]) for name, claim in register.items()]


def rows(evidence: Iterable[Evidence] | Iterable[Verdict]) -> list[dict]:
    """The ledger: one row per claim, in the order of the register.

    Parameters
    ----------
    evidence : iterable of Evidence or of Verdict
        See :func:`gather` and :func:`verdicts`.

    Returns
    -------
    list of dict
        With the keys in the docstring of the module: numbers, texts and lists of them, ready for JSON.

    Raises
    ------
    ValueError
        As :func:`verdicts`.

    Examples
    --------
    >>> from lab import exact
    >>> evidence = Evidence("s2.coin-flips", "theory", "GOE, N = 10", exact(0.1), study="random_landscape")
    >>> row = next(row for row in rows([evidence]) if row["id"] == "s2.coin-flips")
    >>> row["rule"], row["theory"]["evidence"][0]["mean"], row["toy"]["verdict"]
    ('holds above 0.5 and below 2', 0.1, 'not yet measured')
    """
    items = list(evidence)
    judged = [item for item in items if isinstance(item, Verdict)]
    return [_row(verdict) for verdict in judged or verdicts(item for item in items if isinstance(item, Evidence))]


def _row(verdict: Verdict) -> dict:
    claim, columns = verdict.claim, verdict.columns
    return {
        "id": claim.id,
        "source": claim.source,
        "claim": claim.claim,
        "statistic": claim.statistic,
        "rule": str(claim.rule),
        "primary": dict(claim.primary),
        "scope": words.scope(verdict),
        "summary": words.summary(verdict),
        **{name: _column(claim.rule, columns[name]) if name in columns else None for name in COLUMNS},
        "verdict": verdict.verdict,
        "refuted_by": claim.refuted_by,
        "bound": claim.rule.bound,
        "margin": claim.rule.margin,
        "bound_reason": claim.bound_reason,
        "moderator": claim.moderator,
        "changes": [asdict(change) for change in claim.changes],
        "speaks": list(claim.columns),
        "error": verdict.error,
    }


def _column(rule: Rule, column: Column) -> dict:
    pooled, tested = column.pool, column.moderator
    return {
        "verdict": column.verdict,
        "scope": words.column_scope(column),
        "summary": words.column_summary(rule, column),
        "pooled": pooled and {**pooled.mean.to_json(), "spread": pooled.spread, "prediction": list(pooled.prediction)},
        "moderator": tested and {"name": tested.name, "p": tested.p, "separates": tested.separates,
                                 "means": {level: e.to_json() for level, e in tested.means.items()}},
        "error": column.error,
        "evidence": [_piece(rule, column, piece) for piece in column.pieces],
    }


def _piece(rule: Rule, column: Column, piece: Piece) -> dict:
    item = piece.evidence
    return {
        "setting": item.setting,
        "key": item.key,
        **item.estimate.to_json(),
        "judgement": piece.judgement,
        "primary": piece.primary,
        **{name: getattr(piece, name) for name in ("p_holds", "p_fails", "p_no_effect", "error")},
        "needed": replicas_needed(item.estimate, rule, words.error_of(column, piece)) if piece.is_judged else None,
        "cluster": item.cluster,
        "levels": dict(item.levels),
        "runs": list(item.runs),
        "note": item.note,
    }
