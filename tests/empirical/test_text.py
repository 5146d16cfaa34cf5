"""Sentence pairs: readers against malformed files, the tokenizer, and entailment against brute force."""

import gzip
import itertools
import json
import lzma

import pytest
import torch

from empirical.data import entailment, load, text
from empirical.data.entailment import Sentence, generate, relation
from lab.errors import ArgumentError, InputError

ROWS = [("A man eats.", "A person eats.", "entailment"), ('He said "no".', "He spoke.", "entailment"),
        ("It rains.", "It is dry.", "contradiction"), ("It rains.", "It is Monday.", "neutral")]
NUMBERS = [0, 0, 2, 1]


def tsv(rows=ROWS, header="premise\thypothesis\tlabel"):
    return "\n".join([header, *("\t".join(row) for row in rows)]) + "\n"


@pytest.mark.parametrize("name, raw", [
    ("a.tsv", tsv().encode()),
    ("a.tsv.xz", lzma.compress(tsv().encode())),
    ("a.tsv.gz", gzip.compress(tsv().encode())),
    ("a.tsv", tsv().replace("\n", "\r\n").encode("utf-8-sig")),
    ("a.jsonl", "\n".join(json.dumps({"sentence1": p, "sentence2": h, "gold_label": y}) for p, h, y in ROWS).encode()),
    ("a.tsv", tsv([(str(i), p, h, y) for i, (p, h, y) in enumerate(ROWS)],
                  "index\tsentence1\tsentence2\tgold_label").encode()),
])
def test_every_form_reads_alike(tmp_path, name, raw):
    (tmp_path / name).write_bytes(raw)
    pairs, dropped = text.read_pairs(tmp_path / name)
    assert [p[:2] for p in pairs] == [r[:2] for r in ROWS] and [p[2] for p in pairs] == NUMBERS and dropped == 0


def test_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    columns = {"premise": [r[0] for r in ROWS], "hypothesis": [r[1] for r in ROWS], "label": NUMBERS}
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    pairs, _ = text.read_pairs(tmp_path / "a.parquet")
    assert [p[2] for p in pairs] == NUMBERS
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:100])
    with pytest.raises(InputError, match="Parquet"):
        text.read_pairs(tmp_path / "b.parquet")


@pytest.mark.parametrize("name, raw, message", [
    ("a.tsv", tsv([*ROWS, ("only", "two")]).encode(), "row 6"),
    ("a.tsv", tsv([("a", "b", "maybe")]).encode(), "row 2: label 'maybe'"),
    ("a.tsv", tsv([("", "b", "neutral")]).encode(), "row 2: an empty sentence"),
    ("a.tsv", tsv(header="x\ty\tz").encode(), "needs premise"),
    ("a.tsv", b"", "empty"),
    ("a.tsv", b"premise\thypothesis\tlabel\n\xff\xfe\tb\tneutral\n", "damaged"),
    ("a.tsv.xz", lzma.compress(tsv().encode())[:-20], "truncated"),
    ("a.jsonl", b'{"premise": "a", "hypothesis": "b", "label": "neutral"}\n{"premise"', "row 2"),
    ("a.jsonl", b"[1]", "needs premise"),
    ("a.jsonl", b'{"premise": "a", "hypothesis": "b", "label": "neutral"}\n{"premise": "a"}', "row 2"),
])
def test_malformed_files_name_the_row(tmp_path, name, raw, message):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(InputError, match=message):
        text.read_pairs(tmp_path / name)


def test_rows_without_gold_label_are_dropped(tmp_path):
    (tmp_path / "a.tsv").write_text(tsv([*ROWS, ("a", "b", "-")]))
    pairs, dropped = text.read_pairs(tmp_path / "a.tsv")
    assert len(pairs) == 4 and dropped == 1


def test_pairs_from_a_folder(tmp_path):
    pairs = generate(300, seed=3)
    rows = [(p, h, text.LABELS[y]) for p, h, y in pairs]
    (tmp_path / "train.tsv").write_text(tsv(rows[:240]))
    with pytest.raises(ArgumentError, match="no pairs"):
        load("pairs", data_dir=str(tmp_path))
    (tmp_path / "test.tsv").write_text(tsv(rows[240:]))
    data = load("pairs", data_dir=str(tmp_path), max_length=12)
    assert len(data.splits["test"]) == 60 and data.inputs.shape[1] <= 12 and data.classes == 3
    assert data.facts["pairs_cut_to_length"] > 0
    with pytest.raises(ArgumentError, match="data_dir"):
        load("pairs")


def test_an_empty_class_is_an_error(tmp_path):
    rows = [(p, h, text.LABELS[y]) for p, h, y in generate(300, seed=3) if y != 1]
    (tmp_path / "train.tsv").write_text(tsv(rows))
    (tmp_path / "test.tsv").write_text(tsv(rows))
    with pytest.raises(InputError, match="class 1 has no row"):
        load("pairs", data_dir=str(tmp_path))


def test_tokenizer_sees_training_sentences_alone_and_pairs_are_framed():
    tokenizer = text.train_tokenizer(["the cat sat", "the cat ran"] * 5, 300)
    ids, cut = text.encode_pairs(tokenizer, [("The cat", "sat", 0), ("zebra " * 40, "the cat", 1)], 20)
    assert ids.shape[1] == 20 and cut == 1
    assert ids[0, 0] == text.CLS and (ids[0] == text.SEP).sum() == 2 and (ids[1] == text.SEP).sum() == 2
    short, _ = text.encode_pairs(tokenizer, [("x", "the cat", 0)], 20)
    kept = short[0, short[0].tolist().index(text.SEP):]
    assert torch.equal(ids[1, -len(kept):], kept)  # the shorter sentence is whole


def brute_force(premise: Sentence, hypothesis: Sentence) -> int:
    """Relation by listing all models over up to four individuals (enough: two statements and two presuppositions)."""
    nouns = entailment._upwards(premise.noun, entailment.NOUNS) + entailment._upwards(hypothesis.noun, entailment.NOUNS)
    verbs = entailment._upwards(premise.verb, entailment.VERBS) + entailment._upwards(hypothesis.verb, entailment.VERBS)
    adjectives = [a for a in (premise.adjective, hypothesis.adjective) if a]
    atoms = sorted({*nouns, *verbs, *adjectives})
    wider = entailment.NOUNS | entailment.VERBS
    people = []
    for values in itertools.product((False, True), repeat=len(atoms)):
        has = dict(zip(atoms, values))
        if all(not has[a] or has.get(wider.get(a) or a, True) for a in atoms) and not any(
                has.get(a) and has.get(b) for a, b in (*entailment.DISJOINT, *entailment.DISJOINT_VERBS)):
            people.append(has)

    def truth(s: Sentence, model) -> bool | None:
        some = [p for p in model if p[s.noun] and (not s.adjective or p[s.adjective])]
        if not some:
            return None  # presupposition fails
        does = [p[s.verb] != s.negated for p in some]
        return {"all": all(does), "every": all(does), "no": not any(does), "some": any(does),
                "not all": not all(does), "not every": not all(does)}[s.quantifier]

    both = set()
    patterns = {(tuple(truth(s, [p]) is not None for s in (premise, hypothesis)), p[premise.verb], p[hypothesis.verb]): p
                for p in people}
    people = list(patterns.values())  # individuals that no sentence of the pair tells apart count once
    for size in range(1, 5):
        for model in itertools.combinations(people, min(size, len(people))):
            p, h = truth(premise, model), truth(hypothesis, model)
            if p and h is not None:
                both.add(h)
    return {frozenset({True}): 0, frozenset({False}): 2}.get(frozenset(both), 1)


def test_entailment_agrees_with_brute_force():
    import random

    draw = random.Random(1)

    def sentence():
        return Sentence(draw.choice(list(entailment.QUANTIFIERS)), draw.choice(entailment.ADJECTIVES),
                        draw.choice(list(entailment.NOUNS)), draw.choice(list(entailment.VERBS)), draw.random() < 0.3)

    pairs = [(sentence(), sentence()) for _ in range(250)]
    found = [relation(*pair) for pair in pairs]
    assert found == [brute_force(*pair) for pair in pairs]
    assert set(found) == {0, 1, 2}


@pytest.mark.parametrize("premise, hypothesis, label", [
    (("all", "", "dogs", "run", False), ("some", "", "animals", "move", False), "entailment"),
    (("no", "", "animals", "move", False), ("no", "small", "puppies", "run", False), "entailment"),
    (("all", "", "dogs", "sleep", False), ("some", "old", "dogs", "run", False), "contradiction"),
    (("some", "", "dogs", "run", False), ("all", "", "dogs", "run", False), "neutral"),
    (("not all", "", "cats", "run", True), ("some", "", "cats", "run", False), "entailment"),
    (("all", "", "dogs", "run", False), ("all", "", "cats", "run", False), "neutral"),
])
def test_known_relations(premise, hypothesis, label):
    assert text.LABELS[relation(Sentence(*premise), Sentence(*hypothesis))] == label


def test_generated_pairs_are_distinct_balanced_and_reproducible():
    pairs = generate(300)
    assert pairs == generate(300) and len({p[:2] for p in pairs}) == 300
    assert [sum(p[2] == y for p in pairs) for y in range(3)] == [100, 100, 100]
    data = load("entailment")
    assert data.is_text and data.classes == 3 and len(data.splits["train"]) == 6000
    assert not (data.inputs == text.UNKNOWN).any()
    for rows in data.splits.values():
        shares = torch.bincount(data.labels[rows]) / len(rows)
        assert (shares - 1 / 3).abs().max() < 0.06
