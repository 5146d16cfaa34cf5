"""What width buys, in a sentence a theme: made from the verdicts and numbers of the ledger, so that it changes with them.

The grammar. A :class:`Clause` has a phrase for each way in which its claim can be decided, and a question. Columns that say the
same are joined ("In theory and the toy, ..."); where all of them agree the phrase stands alone. A column that is not decided
says so and asks the question. Behind the words stand the numbers of each column with their settings and seeds.
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
    """What there is to say of one claim.

    Attributes
    ----------
    claim : its id.
    holds, refuted : what is so if the claim holds; if it is contradicted. Without a full stop, lower case.
    question : "whether ...", for what is not decided or depends on the setting.
    no_effect : what is so if there is shown to be no effect; as ``refuted`` if it is not given.
    factor, unit : of the numbers: a share times 100 is "points".
    replicas : what n counts in the column of real networks; "" says "n = ".
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
        """The phrase of a verdict."""
        return {"holds": self.holds, "contradicted": self.refuted, "no effect": self.no_effect or self.refuted,
                "depends": f"it depends on the setting {self.question}",
                "inconclusive": f"it is not decided yet {self.question}",
                "not yet measured": f"it is not measured yet {self.question}"}[verdict]


@dataclass(frozen=True)
class Theme:
    """One sentence of the answer: its heading, and clauses of which the first has its numbers."""

    title: str
    clauses: tuple[Clause, ...]


THEMES = (
    Theme("Features that narrow copies lack", (Clause(
        "s0.narrow-does-not-span-wide",
        "one wide network has features that narrow copies with as many features together do not span",
        "narrow copies together span one wide network as well as a second wide network does",
        "whether narrow copies together span one wide network", unit="points of variance beyond a second wide network"),)),
    Theme("Features that perform better", (Clause(
        "s0.wide-performs-better",
        "a linear probe makes more of the wide network's features than of those of the narrow copies",
        "a linear probe makes as much of the narrow copies' features as of the wide network's",
        "whether the wide network's features perform better", unit="points of the target"),)),
    Theme("At equal training loss", (Clause(
        "s0.gap-survives-matched-training",
        "the gap remains when narrow and wide networks stop at the same training loss: it is more than better training",
        "stopped at the same training loss, narrow copies span the wide network: the gap is one of training",
        "whether the gap remains at equal training loss", unit="points of variance"),)),
    Theme("Reaching the minimum", (Clause(
        "s2.wide-beats-multistart",
        "one wide network reaches the global minimum more often than independent narrow ones with as many neurons",
        "narrow networks with as many neurons in all reach the global minimum as often as one wide network",
        "whether one wide network reaches the minimum more often than narrow ones with as many neurons",
        unit="points of probability"),)),
    Theme("Not an effect of width", (
        Clause("s3.outside-beyond-dimension",
               "test points lie farther outside the hull of the training set than left-out training points do",
               "test points lie outside the hull of the training set no farther than left-out training points do: that is "
               "dimension, at every width",
               "whether test points lie farther outside the hull than left-out training points", factor=100,
               unit="% farther", replicas=""),
        Clause("s3.hull-distance-explains-errors",
               "distance from the hull says which points a network gets wrong",
               "distance from the hull does not say which points a network gets wrong",
               "whether distance from the hull explains errors", factor=1, unit="", replicas=""))),
)


def shown(rows: Iterable[Mapping]) -> list[dict]:
    """Rows of the ledger as the page takes them: None in place of a column without evidence."""
    return [{**row, **{name: row[name] if row[name] and row[name]["evidence"] else None for name in COLUMNS}} for row in rows]


def columns(row: Mapping) -> dict[str, str]:
    """Verdict of every column that can speak to a claim."""
    return {name: row[name]["verdict"] if row[name] else "not yet measured" for name in row["speaks"]}


def statement(clause: Clause, row: Mapping) -> str:
    """What the columns of a claim say, the agreeing ones together."""
    groups: dict[str, list[str]] = {}
    for column, verdict in columns(row).items():
        groups.setdefault(verdict, []).append(column)
    if len(groups) == 1:
        return clause.says(next(iter(groups)))
    said: list[str] = []
    asked = False
    for verdict in sorted(groups, key=lambda word: word in OPEN):
        where = f"in {listed(COLUMN_NAMES[c] for c in groups[verdict])}"
        phrase = clause.says(verdict)
        if verdict in OPEN and (asked or said):  # the question stands already
            phrase = "it is not decided yet" if verdict == "inconclusive" else "it is not measured yet"
        asked = asked or verdict in OPEN
        said.append(f"{where}, {phrase}")
    return "; ".join(said)


def measured(clause: Clause, row: Mapping) -> list[str]:
    """The numbers of toy and real networks, a text each: the foremost number, the range over settings, what is behind it, and
    where it depends on the setting, on which."""
    said = []
    for column in ("toy", "real"):
        if not row[column]:
            continue
        pieces, unit = judged(row[column]), f" {clause.unit}".rstrip()
        first = foremost(row[column])
        text = f"{capital(COLUMN_NAMES[column].removeprefix('the '))} {_number(clause, first['mean'])}"
        if first["low"] is not None and first["low"] < first["high"]:
            text += f" [{_number(clause, first['low'])}, {_number(clause, first['high'])}]"
        text += unit
        if len(pieces) > 1:
            text += f"; {span((p['mean'] for p in pieces), lambda v: _number(clause, v))} over {len(pieces)} settings"
        behind = [_replicas(clause, column, pieces)] + ["pilot: not judged"] * all(p["judgement"] == "pilot" for p in pieces)
        where = f": {row[column].get('summary', '')}".rstrip(": ") if row[column]["verdict"] == "depends" else ""
        said.append(f"{text} ({', '.join(filter(None, behind))}){where}")
    return said


def _number(clause: Clause, value) -> str:
    return number(None if value is None else value * clause.factor, 2)


def _replicas(clause: Clause, column: str, pieces: Sequence[Mapping]) -> str:
    counts = [p["n"] for p in pieces if p["n"]]
    if not counts:
        return ""
    word = "replicas" if column == "toy" else clause.replicas
    return f"{span(counts, lambda n: f'{n:,}')} {word}" if word else f"n = {span(counts, lambda n: f'{n:,}')}"


def answer(rows: Iterable[Mapping], themes: Sequence[Theme] = THEMES) -> list[dict]:
    """A sentence a theme.

    Parameters
    ----------
    rows : of the ledger.
    themes : what is spoken of; those of whose claims there is no row are left out.

    Returns
    -------
    list of dict : ``title``, ``claim`` (id of the row that is linked), ``verdict``, ``statement``, ``numbers`` (a text a column)
        and ``also``: the further clauses, each ``claim, verdict, statement``.
    """
    by_id, said = {row["id"]: row for row in rows}, []
    for theme in themes:
        clauses = [clause for clause in theme.clauses if clause.claim in by_id]
        if clauses:
            first, *others = ({"claim": c.claim, "verdict": by_id[c.claim]["verdict"],
                               "statement": capital(statement(c, by_id[c.claim])) + "."} for c in clauses)
            said.append({"title": theme.title, **first, "numbers": measured(clauses[0], by_id[clauses[0].claim]),
                         "also": others})
    return said


def summary(row: Mapping) -> str:
    """What a row says in a line: the ledger's own words, or the verdicts of its columns where it has none."""
    return row.get("summary") or listed(f"{COLUMN_NAMES[name].removeprefix('the ')}: {word}"
                                        for name, word in columns(row).items())


def tally(rows: Sequence[Mapping]) -> str:
    """``Of 6 claims, 2 hold, 1 depends on the setting and 3 are inconclusive.``"""
    one = {"holds": "holds", "depends": "depends on the setting", "contradicted": "is contradicted",
           "no effect": "shows no effect", "inconclusive": "is inconclusive", "not yet measured": "is not measured yet"}
    many = {"holds": "hold", "depends": "depend on the setting", "contradicted": "are contradicted",
            "no effect": "show no effect", "inconclusive": "are inconclusive", "not yet measured": "are not measured yet"}
    found = {word: sum(row["verdict"] == word for row in rows) for word in one}
    parts = [f"{n} {(one if n == 1 else many)[word]}" for word, n in found.items() if n]
    return f"Of {counted(len(rows), 'claim')}, {listed(parts)}." if len(rows) > 1 else f"The one claim {listed(parts)[2:]}."


def limits(rows: Iterable[Mapping], tables: Iterable[Table], published: Mapping[str, int]) -> str:
    """What the numbers of real networks rest on: seeds, reduced networks, re-encoded images, pilots.

    Parameters
    ----------
    rows : of the ledger.
    tables : all that are shown.
    published : architecture -> base width of the published network.
    """
    pieces = [p for row in rows if row["real"] for p in row["real"]["evidence"]]
    frames = {t.name: t.frame for t in tables if {"arch", "base_width"} <= set(t.frame)}
    seeds = [p["n"] for p in pieces if p["n"] and p["key"].partition("/")[0] in frames]
    reduced = {name for name, frame in frames.items()
               if any(width < published.get(arch, 0) for arch, width in zip(frame.arch, frame.base_width))}
    pilots = sum(p["judgement"] == "pilot" for p in pieces)
    said = [f"{span(seeds)} seeds a real network" if seeds else "no real networks yet"]
    said += [f"{len(reduced)} of {len(frames)} studies of networks narrower than published ones"] * bool(reduced)
    said += ["CIFAR-10 from re-encoded images"] * any("re-encoding" in p["setting"] for p in pieces)
    said += [f"{pilots} of {len(pieces)} real numbers are a pilot's, shown and not judged"] * bool(pilots)
    return "; ".join(said) + "."
