"""The ledger: every claim by theory, toy and real networks, with a verdict that follows from the numbers.

A row has ``id, source, claim, statistic, refuted_by, rule, theory, toy, real, verdict``. A column is None where nothing
was measured (or the claim cannot be spoken to there), else ``{"verdict", "evidence": [{"setting", "mean",
"low", "high", "n", "judgement", "runs", "note"}, ...]}``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from figures.catalogue import is_pilot, own_tables, set_aside, study, unfixed
from lab.tables import Table
from theory.claims import COLUMNS, Claim, Evidence, claims
from theory.evidence import theory_evidence
from theory.verdict.decide import Column, decide


def gather(tables: Mapping[str, Table], formulas: Iterable[Evidence] | None = None) -> list[Evidence]:
    """Evidence of the formulas (worked out here if it is not given) and of every table."""
    found = list(theory_evidence() if formulas is None else formulas)
    for name, table in tables.items():
        pilot, warning = is_pilot(table), unfixed(table)
        found += [replace(item, note="; ".join(filter(None, [item.note, warning])), study=name, pilot=item.pilot or pilot)
                  for item in study(name).evidence(table.frame, table.runs)]
    return found


def unjudged(store: Path) -> dict:
    """What a run store holds beside evidence.

    Returns
    -------
    dict : ``set_aside`` (:func:`figures.catalogue.set_aside`), and ``own``, the user's own tables: ``table, command, data``,
        the number of their ``runs``, and ``numbers``: what they say of the claims, each ``claim, setting, mean, low, high, n``.
    """
    own = [{"table": t.name, "command": t.manifest["command"], "data": t.manifest.get("data"), "runs": len(t.runs),
            "numbers": t.manifest.get("summary", [])} for t in own_tables(store)]
    return {"set_aside": set_aside(store), "own": own}


def notes(beside: Mapping) -> list[str]:
    """:func:`unjudged` as lines for a person."""
    return [*(f"not judged: the {'kept ' * item['kept']}table {item['table']}, {item['reason']} (made by {item['command']})"
              for item in beside["set_aside"]),
            *(f"not judged: your own runs {item['table']} ({item['command']})" for item in beside["own"])]


def rows(evidence: Iterable[Evidence]) -> list[dict]:
    """One row a claim, in the order of the register.

    Raises
    ------
    ValueError
        If evidence names an unknown claim, or a column that its claim says cannot speak to it.
    """
    register = claims()
    by_claim: dict[str, list[Evidence]] = {name: [] for name in register}
    for item in evidence:
        if item.claim not in register:
            raise ValueError(f"evidence for an unknown claim: {item.claim}")
        if item.column not in register[item.claim].columns:
            raise ValueError(f"{item.claim} does not take evidence from {item.column}")
        by_claim[item.claim].append(item)
    return [_row(claim, by_claim[name]) for name, claim in register.items()]


def _row(claim: Claim, evidence: list[Evidence]) -> dict:
    found = decide(claim, evidence)
    return {
        "id": claim.id,
        "source": claim.source,
        "claim": claim.claim,
        "statistic": claim.statistic,
        "refuted_by": claim.refuted_by,
        "rule": str(claim.rule),
        "primary": dict(claim.primary),
        "speaks": list(claim.columns),
        **{name: _column(found.columns[name]) if name in found.columns else None for name in COLUMNS},
        "verdict": found.verdict,
    }


def _column(column: Column) -> dict | None:
    if not column.pieces:
        return None
    return {
        "verdict": column.verdict,
        "pooled": column.pool and {**column.pool.mean.to_json(), "spread": column.pool.spread,
                                   "prediction": list(column.pool.prediction)},
        "evidence": [{"setting": p.evidence.setting, "key": p.evidence.key, **p.evidence.estimate.to_json(),
                      "judgement": p.judgement, "primary": p.primary, "runs": list(p.evidence.runs), "note": p.evidence.note}
                     for p in column.pieces],
    }
