"""The sentences of the first screen follow from verdicts: made-up ones give the sentence that is true of them."""

import pytest

from figures.answer import THEMES, Clause, Theme, answer, limits, measured, statement, summary, tally
from lab.tables import Table
from theory.verdict.decide import VERDICTS

WORD = {"holds": "holds", "contradicted": "contradicted", "no effect": "no effect", "depends": "undecided",
        "inconclusive": "undecided"}
CLAUSE = Clause("s0.x", "width helps", "width does not help", "whether width helps", no_effect="width makes no difference")


def column(verdict, *means, n=5, judgement=None):
    """A column with one piece of evidence per mean."""
    return {"verdict": verdict, "pooled": None, "evidence": [
        {"setting": f"network {i}", "key": f"study/{i}", "mean": mean, "low": mean - 0.01, "high": mean + 0.01, "n": n,
         "judgement": judgement or WORD[verdict], "primary": False, "runs": [], "note": ""} for i, mean in enumerate(means)]}


def row(verdict, id="s0.x", **columns):
    """A row with columns by their verdict; None: declared and not measured."""
    return {"id": id, "claim": "Width helps.", "verdict": verdict, "speaks": list(columns),
            **dict.fromkeys(("theory", "toy", "real")),
            **{name: word and column(word, 0.1, 0.3) for name, word in columns.items()}}


@pytest.mark.parametrize("verdict, columns, said", [
    ("holds", {"toy": "holds", "real": "holds"}, "width helps"),
    ("contradicted", {"toy": "contradicted", "real": "contradicted"}, "width does not help"),
    ("no effect", {"real": "no effect"}, "width makes no difference"),
    ("depends", {"theory": "holds", "toy": "holds", "real": "contradicted"},
     "in theory and toy models, width helps; in real networks, width does not help"),
    ("depends", {"toy": "holds", "real": "depends"},
     "in toy models, width helps; in real networks, whether width helps depends on the setting"),
    ("inconclusive", {"toy": "holds", "real": "inconclusive"},
     "in toy models, width helps; in real networks, this is still undecided"),
    ("inconclusive", {"toy": "holds", "real": None},
     "in toy models, width helps; in real networks, this has not been measured yet"),
    ("inconclusive", {"toy": "inconclusive", "real": "inconclusive"}, "whether width helps is still undecided"),
    ("inconclusive", {"toy": "inconclusive", "real": None},
     "in toy models, whether width helps is still undecided; in real networks, this has not been measured yet"),
    ("not yet measured", {"toy": None, "real": None}, "whether width helps has not been measured yet")])
def test_each_verdict_has_its_sentence(verdict, columns, said):
    assert statement(CLAUSE, row(verdict, **columns)) == said


@pytest.mark.parametrize("clause", [clause for theme in THEMES for clause in theme.clauses], ids=lambda clause: clause.claim)
def test_the_sentences_of_a_theme_tell_its_verdicts_apart(clause):
    said = {verdict: statement(clause, row(verdict, real=verdict if verdict != "not yet measured" else None))
            for verdict in VERDICTS}
    assert len(set(said.values())) >= len(said) - 1  # no effect may be said as contradicted
    assert said["holds"] not in (said["contradicted"], said["no effect"])
    assert not any(text.endswith(".") for text in said.values())


def test_the_themes_speak_of_claims_that_there_are():
    from theory.claims import claims

    assert {clause.claim for theme in THEMES for clause in theme.clauses} <= set(claims())
    assert 4 <= len(THEMES) <= 5


def test_numbers_say_how_much_in_how_many_settings_with_how_many_seeds():
    toy, real = measured(CLAUSE, row("holds", toy="holds", real="holds"))
    assert toy.startswith("Toy models: 30 [29, 31] points; 10 to 30 over 2 settings (5 replicas") and "seeds" not in toy
    assert real.startswith("Real networks: 30") and real.endswith("(5 seeds)")
    first = row("holds", real="holds")
    first["real"]["evidence"][0]["primary"] = True
    assert measured(CLAUSE, first)[0].startswith("Real networks: 10 [9, 11]")
    pooled = row("holds", real="holds")
    pooled["real"]["pooled"] = {"mean": 0.2, "low": 0.1, "high": 0.3, "n": 6}
    assert measured(CLAUSE, pooled)[0].startswith("Real networks: 20 [10, 30]")
    pilot = row("inconclusive", real=None) | {"real": column("inconclusive", 0.1, n=3, judgement="pilot")}
    assert "pilot: not judged" in measured(CLAUSE, pilot)[0] and "pilot" not in real
    pooled["real"]["evidence"] += pilot["real"]["evidence"]
    assert "over 2 settings (5 seeds)" in measured(CLAUSE, pooled)[0], "a pilot beside what is judged"
    depends = row("depends", real="depends")
    depends["real"]["summary"] = "holds in A; contradicted in B"
    assert measured(CLAUSE, depends)[0].endswith("(5 seeds): holds in A; contradicted in B")


def test_the_answer_leaves_out_what_it_has_no_row_of_and_links_what_it_says():
    themes = (Theme("One", (CLAUSE, Clause("s0.y", "b", "c", "whether b"))),
              Theme("Two", (Clause("s0.z", "d", "e", "whether d"),)))
    (one,) = answer([row("holds", toy="holds"), row("contradicted", "s0.y", real="contradicted")], themes)
    assert (one["title"], one["claim"], one["verdict"], one["statement"]) == ("One", "s0.x", "holds", "Width helps.")
    assert one["also"] == [{"claim": "s0.y", "verdict": "contradicted", "statement": "C."}]


def test_a_row_is_summed_up_by_the_ledgers_words_or_by_its_columns():
    assert summary(row("holds", toy="holds", real=None)) == "toy models: holds and real networks: not yet measured"
    assert summary(row("holds", toy="holds") | {"summary": "holds except here"}) == "holds except here"
    assert tally([row("holds"), row("holds"), row("depends")]) == "Of 3 claims, 2 hold and 1 depends on the setting."
    assert tally([row("no effect")]) == "The only claim shows no effect."
    assert tally([row("holds"), row("holds")]) == "Both claims hold."
    assert tally([row("depends")] * 3) == "All 3 claims depend on the setting."


def test_limits_are_read_off_the_numbers():
    import pandas as pd

    frame = pd.DataFrame({"arch": ["net"], "base_width": [8]})
    rows = [row("holds", real="holds")]
    said = limits(rows, [Table("study", frame, {})], {"net": 64})
    assert said.startswith("5 seeds") and "1 of 1 study with networks narrower" in said and "pilot" not in said
    rows[0]["real"]["evidence"][0] |= {"judgement": "pilot", "n": 3, "setting": "CIFAR-10 (JPEG re-encoding)"}
    said = limits(rows, [Table("study", frame, {})], {"net": 8})
    assert said.startswith("3 to 5 seeds") and "narrower" not in said and "1 of 2 real-network numbers" in said
    assert "re-encoded" in said
