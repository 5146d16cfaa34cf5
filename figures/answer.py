"""What width buys, one sentence per theme, generated from the verdicts and numbers of the ledger.

A :class:`Clause` has a phrase for each verdict that its claim can get, and a question. Columns with the same verdict are joined
("In theory and toy models, ..."); if all columns agree, the phrase stands alone. For an undecided column the sentence names the
question. After the sentence come the numbers of each column, with their settings and seeds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from figures.strips import foremost, judged
from figures.wording import COLUMN_NAMES, capital, counted, listed, number, span
from lab.tables import Table

COLUMNS = tuple(COLUMN_NAMES)
OPEN = ("inconclusive", "not yet measured")


@dataclass(frozen=True)
class Clause:
    """The phrases for one claim.

    Attributes
    ----------
    claim : id of the claim.
    holds, refuted : the statement if the claim holds, and if it is contradicted; lower case, without a full stop.
    question : "whether ...", used where the claim is undecided or depends on the setting.
    no_effect : the statement if an effect is ruled out (default: ``refuted``).
    factor, unit : scale and unit of the numbers: a share times 100 is "points".
    replicas : what n counts in the column of real networks; if empty, the text says "n = ".
    """

    claim: str
    holds: str
    refuted: str
    question: str
    no_effect: str = ""
    factor: float = 100.0
    unit: str = "points"
    replicas: str = "seeds"

    def says(self, verdict: str) -> str:
        """The phrase for a verdict."""
        return {"holds": self.holds, "contradicted": self.refuted, "no effect": self.no_effect or self.refuted,
                "depends": f"{self.question} depends on the setting",
                "inconclusive": f"{self.question} is still undecided",
                "not yet measured": f"{self.question} has not been measured yet"}[verdict]


@dataclass(frozen=True)
class Theme:
    """One sentence of the answer: a heading and clauses; numbers are given for the first clause."""

    title: str
    clauses: tuple[Clause, ...]


THEMES = (
    Theme("Features that narrow copies lack", (Clause(
        "s0.narrow-does-not-span-wide",
        "a wide network has features that narrow copies with the same total number of features do not span",
        "narrow copies together span a wide network as well as a second wide network does",
        "whether narrow copies together span a wide network",
        unit="percentage points of the variance, in excess of a second wide network"),)),
    Theme("Features that perform better", (Clause(
        "s0.wide-performs-better",
        "a linear probe does better on the wide network's features than on those of the narrow copies",
        "a linear probe does as well on the narrow copies' features as on the wide network's",
        "whether the wide network's features perform better", unit="percentage points of the target's variance"),)),
    Theme("At equal training loss", (Clause(
        "s0.gap-survives-matched-training",
        "the gap remains when narrow and wide networks stop at the same training loss, so better training does not explain it",
        "narrow copies that stop at the same training loss span the wide network, so the gap is an effect of training",
        "whether the gap remains at equal training loss", unit="percentage points of the variance"),)),
    Theme("Reaching the minimum", (Clause(
        "s2.wide-beats-multistart",
        "a wide network reaches the global minimum more often than independent narrow ones with as many neurons in total",
        "independent narrow networks with as many neurons in total reach the global minimum as often as a wide network",
        "whether a wide network reaches the global minimum more often than narrow ones with as many neurons in total",
        unit="percentage points"),)),
    Theme("Not an effect of width", (
        Clause("s3.outside-beyond-dimension",
               "test points lie farther outside the hull of the training set than left-out training points do",
               "test points lie no farther outside the hull of the training set than left-out training points do: being outside "
               "is an effect of dimension, at every width",
               "whether test points lie farther outside the hull than left-out training points", factor=100,
               unit="% farther", replicas=""),
        Clause("s3.hull-distance-explains-errors",
               "distance from the hull predicts which points a network gets wrong",
               "distance from the hull does not predict which points a network gets wrong",
               "whether distance from the hull explains errors", factor=1, unit="", replicas=""))),
)


def shown(rows: Iterable[Mapping]) -> list[dict]:
    """Rows of the ledger for the page, with None for columns without evidence."""
    return [{**row, **{name: row[name] if row[name] and row[name]["evidence"] else None for name in COLUMNS}} for row in rows]


def columns(row: Mapping) -> dict[str, str]:
    """The verdict of every column that can provide evidence for a claim."""
    return {name: row[name]["verdict"] if row[name] else "not yet measured" for name in row["speaks"]}


def statement(clause: Clause, row: Mapping) -> str:
    """The verdicts of a claim's columns as one sentence, with columns that agree taken together."""
    groups: dict[str, list[str]] = {}
    for column, verdict in columns(row).items():
        groups.setdefault(verdict, []).append(column)
    if len(groups) == 1:
        return clause.says(next(iter(groups)))
    parts: list[str] = []
    for verdict in sorted(groups, key=lambda word: word in OPEN):
        where = f"in {listed(COLUMN_NAMES[c] for c in groups[verdict])}"
        phrase = clause.says(verdict)
        if verdict in OPEN and parts:  # the sentence has named the question already
            phrase = "this is still undecided" if verdict == "inconclusive" else "this has not been measured yet"
        parts.append(f"{where}, {phrase}")
    return "; ".join(parts)


def measured(clause: Clause, row: Mapping) -> list[str]:
    """The numbers of toy and real networks, one text per column: the main number, the range over settings, the replicas behind
    it and, for a claim that depends on the setting, the settings in which it holds."""
    texts = []
    for column in ("toy", "real"):
        if not row[column]:
            continue
        pieces, unit = judged(row[column]), f" {clause.unit}".rstrip()
        first = foremost(row[column])
        text = f"{capital(COLUMN_NAMES[column])}: {_number(clause, first['mean'])}"
        if first["low"] is not None and first["low"] < first["high"]:
            text += f" [{_number(clause, first['low'])}, {_number(clause, first['high'])}]"
        text += unit
        if len(pieces) > 1:
            text += f"; {span((p['mean'] for p in pieces), lambda v: _number(clause, v))} over {len(pieces)} settings"
        basis = [_replicas(clause, column, pieces)] + ["pilot: not judged"] * all(p["judgement"] == "pilot" for p in pieces)
        where = f": {row[column].get('summary', '')}".rstrip(": ") if row[column]["verdict"] == "depends" else ""
        texts.append(f"{text} ({', '.join(filter(None, basis))}){where}")
    return texts


def _number(clause: Clause, value) -> str:
    return number(None if value is None else value * clause.factor, 2)


def _replicas(clause: Clause, column: str, pieces: Sequence[Mapping]) -> str:
    counts = [p["n"] for p in pieces if p["n"]]
    if not counts:
        return ""
    word = "replicas" if column == "toy" else clause.replicas
    text = span(counts, lambda n: f"{n:,}")
    return f"{text} {word.removesuffix('s') if text == '1' else word}" if word else f"n = {text}"


def answer(rows: Iterable[Mapping], themes: Sequence[Theme] = THEMES) -> list[dict]:
    """One sentence per theme.

    Parameters
    ----------
    rows : rows of the ledger.
    themes : the themes to cover; themes whose claims have no row are left out.

    Returns
    -------
    list of dict : ``title``, ``claim`` (id of the row to link to), ``verdict``, ``statement``, ``numbers`` (one text per column)
        and ``also``: the further clauses, each with ``claim, verdict, statement``.
    """
    by_id, sentences = {row["id"]: row for row in rows}, []
    for theme in themes:
        clauses = [clause for clause in theme.clauses if clause.claim in by_id]
        if clauses:
            first, *others = ({"claim": c.claim, "verdict": by_id[c.claim]["verdict"],
                               "statement": capital(statement(c, by_id[c.claim])) + "."} for c in clauses)
            sentences.append({"title": theme.title, **first, "numbers": measured(clauses[0], by_id[clauses[0].claim]),
                              "also": others})
    return sentences


def summary(row: Mapping) -> str:
    """A row in one line: the ledger's summary if there is one, else the verdicts of the columns."""
    return row.get("summary") or listed(f"{COLUMN_NAMES[name]}: {word}" for name, word in columns(row).items())


def tally(rows: Sequence[Mapping]) -> str:
    """``Of 6 claims, 2 hold, 1 depends on the setting and 3 are inconclusive.``"""
    one = {"holds": "holds", "depends": "depends on the setting", "contradicted": "is contradicted",
           "no effect": "shows no effect", "inconclusive": "is inconclusive", "not yet measured": "has not been measured yet"}
    many = {"holds": "hold", "depends": "depend on the setting", "contradicted": "are contradicted",
            "no effect": "show no effect", "inconclusive": "are inconclusive", "not yet measured": "have not been measured yet"}
    counts = {word: sum(row["verdict"] == word for row in rows) for word in one}
    parts = [f"{n} {(one if n == 1 else many)[word]}" for word, n in counts.items() if n]
    if len(parts) == 1:
        everything = {1: "The only claim", 2: "Both claims"}.get(len(rows), f"All {len(rows)} claims")
        return f"{everything} {parts[0].partition(' ')[2]}."
    return f"Of {len(rows)} claims, {listed(parts)}."


def limits(rows: Iterable[Mapping], tables: Iterable[Table], published: Mapping[str, int]) -> str:
    """The limits of the numbers of real networks: few seeds, reduced networks, re-encoded images, pilots.

    Parameters
    ----------
    rows : rows of the ledger.
    tables : all tables that the report shows.
    published : architecture -> base width of the published network.
    """
    pieces = [p for row in rows if row["real"] for p in row["real"]["evidence"]]
    frames = {t.name: t.frame for t in tables if {"arch", "base_width"} <= set(t.frame)}
    seeds = [p["n"] for p in pieces if p["n"] and p["key"].partition("/")[0] in frames]
    reduced = {name for name, frame in frames.items()
               if any(width < published.get(arch, 0) for arch, width in zip(frame.arch, frame.base_width))}
    pilots = sum(p["judgement"] == "pilot" for p in pieces)
    parts = [f"{span(seeds)} {'seed' if set(seeds) == {1} else 'seeds'} per real network" if seeds else "no real networks yet"]
    parts += [f"{len(reduced)} of {counted(len(frames), 'study', 'studies')} with networks narrower than published ones"
              ] * bool(reduced)
    parts += ["CIFAR-10 from re-encoded JPEG images"] * any("re-encoding" in p["setting"] for p in pieces)
    parts += [f"{pilots} of {counted(len(pieces), 'real-network number')} from pilots, shown but not judged"] * bool(pilots)
    return "; ".join(parts) + "."
