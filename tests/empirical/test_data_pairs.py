"""Files of sentence pairs: what is no pair is refused with its row; only the published archive bears the published name."""

import gzip
import hashlib
import json
import lzma
import zipfile

import pytest

from empirical.__main__ import COMMANDS
from empirical.data import checks, load, text
from empirical.data.entailment import generate
from empirical.data.pairs import LABELS, read_pairs
from lab.cli import main
from lab.errors import ArgumentError
from tests.empirical.refusals import refused

ROW = {"premise": "A man eats.", "hypothesis": "A person eats.", "label": "entailment"}
HEADER = "premise\thypothesis\tlabel\n"


def json_row(**changed) -> str:
    return json.dumps(ROW) + "\n" + json.dumps({**ROW, **changed}) + "\n"


@pytest.mark.parametrize("name, content, message", [
    ("a.jsonl", json_row(hypothesis=None), "row 2: a sentence that is null"),
    ("a.jsonl", json_row(premise=["a", "b"]), "row 2: a sentence that is list"),
    ("a.jsonl", json_row(premise=3), "row 2: a sentence that is int"),
    ("a.jsonl", json_row(premise=True), "row 2: a sentence that is bool"),
    ("a.jsonl", json_row(hypothesis="\u2003 "), "row 2: an empty sentence"),
    ("a.jsonl", json_row(label=True), "row 2: label True is none of"),
    ("a.jsonl", json_row(label=False), "row 2: label False"),
    ("a.jsonl", json_row(label=1.5), "row 2: label 1.5"),
    ("a.jsonl", json_row(label=3), "row 2: label 3"),
    ("a.jsonl", json_row(label=[1]), r"row 2: label \[1\]"),
    ("a.jsonl", json_row(label="x" * 5000), "row 2: label 'x+\\.\\.\\."),
    ("a.jsonl", json_row(premise="odd \ud83d sign"), r"row 2: half a surrogate pair \(\\ud83d\)"),
    ("a.jsonl", json.dumps(ROW) + "\n" + "[" * 100_000, "row 2: nested too deeply"),
    ("a.jsonl", json.dumps(ROW) + '\n{"premise": ' + "9" * 5000 + "}", "row 2: not a JSON object"),
    ("a.jsonl", json.dumps(ROW) + '\n{"label": 0, "label": 1}', "row 2: not a JSON object .a field occurs twice"),
    ("a.jsonl", json.dumps(ROW) + '\n\n' + json.dumps(ROW), "row 2: not a JSON object"),
    ("a.jsonl", '"text"', "row 1: not a JSON object"),
    ("a.jsonl", json.dumps({**ROW, "label": None}), "no labelled pair .1 rows have no gold label"),
    ("a.tsv", "premise\tlabel\thypothesis\tlabel\na\tneutral\tb\tentailment\n", "column label twice"),
    ("a.tsv", HEADER, "no labelled pair"),
    ("a.tsv", HEADER + "a\tb\t-\n", "no labelled pair"),
    ("a.tsv", "", "is empty"),
    ("a.tsv", "\n\n", "is empty"),
    ("a.tsv", HEADER + "a\tb\tneutral\n\nc\td\tneutral\n", "row 3: 1 fields"),
    ("a.tsv", HEADER.encode() + b"a\tb\tneutral\n\xff\tb\tneutral\n", "row 3: not UTF-8"),
    ("a.tsv", HEADER.encode("utf-16"), "row 1: not UTF-8"),
])
def test_what_is_no_pair_is_refused_with_its_row(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    line = refused(message, read_pairs, tmp_path / name)
    assert name in line


@pytest.mark.parametrize("label", [None, -1, -1.0, "-", "", " ", float("nan")])
def test_rows_without_gold_label_are_counted(tmp_path, label):
    (tmp_path / "a.jsonl").write_text(json_row(label=label))
    assert read_pairs(tmp_path / "a.jsonl") == ([("A man eats.", "A person eats.", 0)], 1)


def test_blank_lines_at_the_end_are_ignored(tmp_path):
    (tmp_path / "a.jsonl").write_text(json_row(label=2.0) + "\n  \n\r\n")
    (tmp_path / "a.tsv").write_text(HEADER + "a\u2028\tb \U0001f600\tneutral\n\n\t\n")
    assert [y for _, _, y in read_pairs(tmp_path / "a.jsonl")[0]] == [0, 2]
    assert read_pairs(tmp_path / "a.tsv")[0] == [("a\u2028", "b \U0001f600", 1)]


@pytest.mark.parametrize("columns, message", [
    ({"premise": ["a", None], "hypothesis": ["b", "c"], "label": [0, 1]}, "row 2: a sentence that is null"),
    ({"premise": ["a", "b"], "hypothesis": [1, 2], "label": [0, 1]}, "row 1: a sentence that is int"),
    ({"premise": ["a"], "hypothesis": [["b"]], "label": [0]}, "row 1: a sentence that is list"),
    ({"premise": [b"a"], "hypothesis": ["b"], "label": [0]}, "row 1: a sentence that is bytes"),
    ({"premise": ["a"], "hypothesis": ["b"], "label": [True]}, "row 1: label True"),
    ({"premise": ["a"], "hypothesis": ["b"], "label": [None]}, "no labelled pair"),
    ({"premise": ["a"], "text": ["b"]}, "has columns premise, text"),
])
def test_parquet_is_checked_alike(tmp_path, columns, message):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    refused(message, read_pairs, tmp_path / "a.parquet")


def test_parquet_with_a_doubled_column(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pyarrow.Table.from_arrays([["a"], ["b"], [0], [1]], ["premise", "hypothesis", "label", "label"])
    parquet.write_table(table, tmp_path / "a.parquet")
    refused("column label twice", read_pairs, tmp_path / "a.parquet")


PACK = {"gz": gzip.compress, "xz": lzma.compress}


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("damage", ["flip", "cut", "header", "block"])
def test_damaged_compression_of_pairs(tmp_path, ending, damage):
    raw = bytearray(PACK[ending]((HEADER + "a\tb\tneutral\n" * 50).encode()))
    if damage == "cut":
        del raw[len(raw) // 2:]
    elif damage == "block":
        raw[10] |= 6  # in gzip a kind of block that there is not: zlib.error
    else:
        raw[20 if damage == "flip" else 0] ^= 255
    path = tmp_path / f"a.tsv.{ending}"
    path.write_bytes(raw)
    refused(rf"a\.tsv\.{ending}.* (truncated|damaged)", read_pairs, path)


def write_pairs(path, count=300, seed=3, keep=range(3)):
    rows = [f"{p}\t{h}\t{LABELS[y]}\n" for p, h, y in generate(count, seed) if y in keep]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(rows))


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4, -1])
def test_lengths_that_leave_no_word_of_a_sentence_are_refused(tmp_path, length):
    tokenizer = text.train_tokenizer(["the cat sat"] * 5, 300)
    refused("room for 5 tokens", text.encode_pairs, tokenizer, [("the cat", "sat", 0)], length)
    for source in ("entailment", "pairs") if length else ():  # before anything is read: the folder is not there
        refused("too short", load, source, data_dir=str(tmp_path / "none"), max_length=length, error=ArgumentError)


def test_the_shortest_length_keeps_a_token_of_each_sentence():
    tokenizer = text.train_tokenizer(["the cat sat"] * 5, 300)
    for premise, hypothesis in (("the cat sat", "sat"), ("sat", "the cat sat"), ("the cat", "the cat")):
        ids, cut = text.encode_pairs(tokenizer, [(premise, hypothesis, 0)], checks.SHORTEST_PAIR)
        a, b = (tokenizer.encode(s).ids[0] for s in (premise, hypothesis))
        assert ids.tolist() == [[text.CLS, a, text.SEP, b, text.SEP]] and cut == 1


@pytest.mark.parametrize("train, test, message", [
    ("train.tsv", "", "test.tsv is empty"),
    ("", "test.tsv", "train.tsv is empty"),
    ("train.tsv", HEADER, "test.tsv contains no labelled pair"),
    (HEADER, "test.tsv", "train.tsv contains no labelled pair"),
])
def test_files_without_pairs(tmp_path, train, test, message):
    for name, content in (("train.tsv", train), ("test.tsv", test)):
        if content == name:
            write_pairs(tmp_path / name)
        else:
            (tmp_path / name).write_text(content)
    refused(message, load, "pairs", data_dir=str(tmp_path))


def test_a_label_that_never_occurs_does_not_vanish(tmp_path):
    for name in ("train.tsv", "test.tsv"):
        write_pairs(tmp_path / name, keep=(0, 1))
    refused("class 2 has no row", load, "pairs", data_dir=str(tmp_path))


@pytest.mark.parametrize("source, train, test, counts, name", [
    ("snli", "snli_1.0_train.tsv", "snli_1.0_test.tsv", (300, 90), "SNLI (unverified copy)"),
    ("snli", "snli_1.0_train.tsv", "snli_1.0_test.tsv", (301, 90), "SNLI (altered)"),
    ("snli", "snli_train_subset.tsv", "snli_test.tsv", (1, 1), "SNLI (subset)"),
    ("mnli", "nli/train.tsv", "nli/dev_matched.tsv", (1, 1), "MultiNLI (altered)"),
    ("sick", "SICK_train.txt", "SICK_test_annotated.txt", (1, 1), "SICK (altered)"),
    ("pairs", "train.tsv", "dev.tsv", None, "sentence pairs"),
])
def test_loose_files_do_not_bear_the_name_of_a_published_set(tmp_path, monkeypatch, source, train, test, counts, name):
    known = text.SOURCES[source]
    monkeypatch.setitem(text.SOURCES, source, text.Published(known.title, known.train, known.test, counts, known.archive, "x"))
    write_pairs(tmp_path / train)
    write_pairs(tmp_path / test, 90)
    data = load(source, data_dir=str(tmp_path))
    assert data.name == name
    assert data.facts["compared_with_published"] == ("nothing" if name.endswith(("subset)", "pairs")) else "number of pairs")


def test_published_archive_is_known_by_its_digest(tmp_path, monkeypatch):
    path = tmp_path / "snli_1.0.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for split, count in (("train", 300), ("test", 90)):
            rows = [json.dumps({"sentence1": p, "sentence2": h, "gold_label": LABELS[y]}) for p, h, y in generate(count, 3)]
            archive.writestr(f"snli_1.0/snli_1.0_{split}.jsonl", "\n".join(rows) + "\n")
            archive.writestr(f"__MACOSX/snli_1.0/._snli_1.0_{split}.jsonl", b"\0\1")
    for base in (tmp_path, path):
        assert load("snli", data_dir=str(base)).name == "SNLI (altered)"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(text.SOURCES, "snli", text.Published("SNLI", (), (), (300, 90), path.name, ""))
    known = text.Published("SNLI", ("snli_1.0_train",), ("snli_1.0_test",), (300, 90), path.name, digest)
    monkeypatch.setitem(text.SOURCES, "snli", known)
    load.cache_clear()
    data = load("snli", data_dir=str(tmp_path))
    assert data.name == "SNLI" and data.facts["compared_with_published"] == "sha256 of the archive"
    path.write_bytes(path.read_bytes()[:-500])
    load.cache_clear()
    refused(r"snli_1\.0\.zip.*damaged", load, "snli", data_dir=str(tmp_path))


@pytest.mark.parametrize("command", [["sweep", "--arch", "transformer"], ["bench", "--arch", "transformer"],
                                     ["hull", "--space", "features", "--arch", "transformer"]])
def test_commands_end_with_one_line_before_anything_trains(tmp_path, capsys, command):
    write_pairs(tmp_path / "train.tsv")
    raw = bytearray(gzip.compress((tmp_path / "train.tsv").read_bytes()))
    raw[10] |= 6  # a kind of block that there is not
    (tmp_path / "train.tsv").unlink()
    (tmp_path / "train.tsv.gz").write_bytes(raw)
    write_pairs(tmp_path / "test.tsv", 90)
    flags = ["--data", "pairs", "--data-dir", str(tmp_path)]
    out = ["--out", str(tmp_path / "runs")]
    assert main("empirical", COMMANDS, [*command, *flags, *(out if command[0] != "bench" else ())]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "train.tsv.gz" in said.err and not said.out
    assert not (tmp_path / "runs").exists()
