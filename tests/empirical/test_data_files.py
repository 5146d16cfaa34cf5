"""What data files may hold: one clear line for everything that is wrong; the name of a published set goes by its digest."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from empirical.__main__ import COMMANDS
from empirical.data import assemble, checks, cifar10, digits, folder, load, mnist, text
from empirical.data.entailment import generate
from empirical.data.pairs import LABELS, read_pairs
from lab.cli import main
from lab.errors import InputError, UsageError
from tests.empirical.test_data import write_batches, write_idx

Image = pytest.importorskip("PIL.Image")


def refused(message, call, *args, error=InputError, **kwargs):
    """Call, expect one line of error that matches, and return it."""
    with pytest.raises(error, match=message) as caught:
        call(*args, **kwargs)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    return str(caught.value)


# ---------------------------------------------------------------- sentence pairs

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
    ("a.jsonl", json.dumps(ROW) + '\n{"label": 0, "label": 1}', "row 2: not a JSON object .a field is there twice"),
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
@pytest.mark.parametrize("damage", ["flip", "cut", "header"])
def test_damaged_compression_of_pairs(tmp_path, ending, damage):
    raw = bytearray(PACK[ending]((HEADER + "a\tb\tneutral\n" * 50).encode()))
    if damage == "cut":
        del raw[len(raw) // 2:]
    else:
        raw[20 if damage == "flip" else 0] ^= 255
    path = tmp_path / f"a.tsv.{ending}"
    path.write_bytes(raw)
    refused(rf"a\.tsv\.{ending}.* (truncated|damaged)", read_pairs, path)


def write_pairs(path, count=300, seed=3, keep=range(3)):
    rows = [f"{p}\t{h}\t{LABELS[y]}\n" for p, h, y in generate(count, seed) if y in keep]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(rows))


@pytest.mark.parametrize("length", [1, 2, 3, 4, -1])
def test_lengths_that_leave_no_word_of_a_sentence_are_refused(tmp_path, length):
    tokenizer = text.train_tokenizer(["the cat sat"] * 5, 300)
    refused("too short", text.encode_pairs, tokenizer, [("the cat", "sat", 0)], length)
    for source in ("entailment", "pairs"):  # before anything is read: the folder is not there
        refused("too short", load, source, data_dir=str(tmp_path / "none"), max_length=length, error=UsageError)


def test_the_shortest_length_keeps_a_token_of_each_sentence():
    tokenizer = text.train_tokenizer(["the cat sat"] * 5, 300)
    for premise, hypothesis in (("the cat sat", "sat"), ("sat", "the cat sat"), ("the cat", "the cat")):
        ids, cut = text.encode_pairs(tokenizer, [(premise, hypothesis, 0)], checks.SHORTEST_PAIR)
        a, b = (tokenizer.encode(s).ids[0] for s in (premise, hypothesis))
        assert ids.tolist() == [[text.CLS, a, text.SEP, b, text.SEP]] and cut == 1


@pytest.mark.parametrize("train, test, message", [
    ("train.tsv", "", "test.tsv is empty"),
    ("", "test.tsv", "train.tsv is empty"),
    ("train.tsv", HEADER, "test.tsv holds no labelled pair"),
    (HEADER, "test.tsv", "train.tsv holds no labelled pair"),
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


@pytest.mark.parametrize("command", [["sweep", "--arch", "transformer"], ["bench", "--arch", "transformer"], ["hull"]])
def test_commands_end_with_one_line_before_anything_trains(tmp_path, capsys, command):
    write_pairs(tmp_path / "train.tsv")
    raw = bytearray(gzip.compress((tmp_path / "train.tsv").read_bytes()))
    raw[len(raw) // 2] ^= 255
    (tmp_path / "train.tsv").unlink()
    (tmp_path / "train.tsv.gz").write_bytes(raw)
    write_pairs(tmp_path / "test.tsv", 90)
    flags = ["--data", "pairs", "--data-dir", str(tmp_path)]
    out = ["--out", str(tmp_path / "runs")]
    assert main("empirical", COMMANDS, [*command, *flags, *(out if command[0] != "bench" else ())]) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "train.tsv.gz" in said.err and not said.out
    assert not (tmp_path / "runs").exists()


# ---------------------------------------------------------------- MNIST

TRAIN, TEST = 80, 20


@pytest.fixture
def small_mnist(monkeypatch):
    monkeypatch.setattr(mnist, "ROWS", {"train": TRAIN, "test": TEST})
    monkeypatch.setattr(mnist, "PROBE_FIT", 30)
    monkeypatch.setattr(mnist, "PROBE_SCORE", 10)


def mnist_arrays() -> dict:
    rng, order = np.random.default_rng(0), np.random.default_rng(1)
    arrays = {}
    for split, rows in (("train", TRAIN), ("test", TEST)):
        arrays[f"x_{split}"] = rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8)
        arrays[f"y_{split}"] = order.permutation(np.arange(rows) % 10).astype(np.uint8)
    return arrays


def test_mnist_bears_its_name_by_digest_in_every_form(tmp_path, small_mnist, monkeypatch):
    arrays = mnist_arrays()
    np.savez_compressed(tmp_path / "mnist.npz", **arrays)
    for key, name in mnist.IDX.items():
        for i, place in enumerate((name, f"MNIST/raw/{name}.gz", name.replace("-idx", ".idx"))):
            path = tmp_path / str(i) / place
            path.parent.mkdir(parents=True, exist_ok=True)
            write_idx(path, arrays[key], packed=place.endswith(".gz"))
    forms = [tmp_path, tmp_path / "mnist.npz", *(tmp_path / str(i) for i in range(3))]
    found = [mnist.load(data_dir=str(form)) for form in forms]
    assert {data.name for data in found} == {"MNIST (altered)"} and len({data.checksum for data in found}) == 1
    monkeypatch.setattr(mnist, "SHA256", {key: hashlib.sha256((tmp_path / "0" / name).read_bytes()).hexdigest()
                                         for key, name in mnist.IDX.items()})
    assert {mnist.load(data_dir=str(form)).name for form in forms} == {"MNIST"}
    arrays["x_test"][3, 4, 5] ^= 1
    np.savez(tmp_path / "other.npz", **arrays)
    data = mnist.load(data_dir=str(tmp_path / "other.npz"))
    assert data.name == "MNIST (altered)" and data.facts["files_as_published"] == 3


@pytest.mark.parametrize("changed, message", [
    ({"x_train": lambda x: x / np.float32(255)}, "x_train holds float32 instead of whole numbers"),
    ({"x_test": lambda x: x.astype(np.int64) + 100}, "x_test holds 355, outside 0..255"),
    ({"x_train": lambda x: x.astype(str)}, "x_train holds <U3"),
    ({"x_train": lambda x: x > 0}, "x_train holds bool"),
    ({"x_train": lambda x: x[..., None]}, "x_train holds 80x28x28x1 values instead of 80x28x28"),
    ({"x_train": lambda x: x[:5]}, "x_train holds 5x28x28"),
    ({"x_train": lambda x: x.astype(object)}, "mnist.npz .*damaged"),
    ({"y_train": lambda y: np.where(y == 9, 255, y)}, "y_train holds 255, outside 0..9"),
    ({"y_train": lambda y: y.astype(np.int8) - 1}, "y_train holds -1, outside 0..9"),
    ({"y_test": lambda y: y.astype(float)}, "y_test holds float64"),
    ({"y_test": lambda y: y[:3]}, "y_test holds 3 values instead of 20"),
    ({"y_train": lambda y: np.minimum(y, 8)}, "class 9 has no row in the train split"),
    ({"y_test": None}, "lacks the array y_test"),
])
def test_mnist_of_other_numbers_is_refused(tmp_path, small_mnist, changed, message):
    arrays = mnist_arrays()
    for key, change in changed.items():
        values = arrays.pop(key)
        if change:
            arrays[key] = change(values)
    np.savez(tmp_path / "mnist.npz", **arrays)
    refused(message, mnist.load, data_dir=str(tmp_path))


def test_mnist_of_wider_whole_numbers_is_the_same(tmp_path, small_mnist):
    arrays = mnist_arrays()
    np.savez(tmp_path / "a.npz", **arrays)
    np.savez(tmp_path / "b.npz", **{key: x.astype(np.int64) for key, x in arrays.items()})
    a, b = (mnist.load(data_dir=str(tmp_path / name)) for name in ("a.npz", "b.npz"))
    assert a.checksum == b.checksum and a.name == b.name


@pytest.mark.parametrize("raw", [
    b"", b"\0\0", b"\0\0\x08", b"\0\0\x08\x01", b"\0\0\x08\x00\x01\x02", b"\0\0\x0d\x01" + struct.pack(">I", 1) + bytes(4),
    b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1) + bytes(9),
    b"\0\0\x08\x03" + struct.pack(">3I", 2**31, 2**31, 4) + bytes(9),  # 2^64: nothing in 64 bits
    b"\0\0\x08\x02" + struct.pack(">2I", 0, 2**32 - 1) + b"x", b"\0\0\x08\xff" + bytes(8), b"\0\0\x08\x64" + bytes(400) + b"x",
])
def test_idx_headers_that_promise_something_else(tmp_path, raw):
    (tmp_path / "a").write_bytes(raw)
    (tmp_path / "a.gz").write_bytes(gzip.compress(raw))
    for name in ("a", "a.gz"):
        refused("damaged or not an IDX file", mnist.read_idx, tmp_path / name)


def test_mnist_names_that_are_looked_for_are_listed(tmp_path):
    assert "train-images-idx3-ubyte" in refused("no MNIST", mnist.load, data_dir=str(tmp_path), error=UsageError)
    write_idx(tmp_path / "train-images.idx3-ubyte", np.zeros((2, 28, 28), np.uint8))
    line = refused("not whole", mnist.load, data_dir=str(tmp_path), error=UsageError)
    assert "train-labels-idx1-ubyte" in line and "train-images" not in line


# ---------------------------------------------------------------- CIFAR-10, digits

@pytest.fixture
def batches(tmp_path, monkeypatch):
    for name, value in {"BATCH_ROWS": 60, "PROBE_FIT": 100, "PROBE_SCORE": 60}.items():
        monkeypatch.setattr(cifar10, name, value)
    return write_batches(tmp_path / cifar10.FOLDER)


def batch(**changed) -> dict:
    return {"data": np.zeros((60, 3072), np.uint8), "labels": [i % 10 for i in range(60)],
            "filenames": [f"{i}.png" for i in range(60)], **changed}


@pytest.mark.parametrize("changed, message", [
    ({"filenames": 5}, "filenames that are int"),
    ({"filenames": None}, "filenames that are NoneType"),
    ({"filenames": {"a": 1}}, "filenames that are dict"),
    ({"filenames": "a.jpg"}, "filenames that are str"),
    ({"filenames": [5] * 60}, "a name that is int"),
    ({"filenames": np.arange(60)}, "a name that is int64"),
    ({"filenames": []}, None),
    ({5: 1}, "a name that is int"),
    ({"data": np.zeros((60, 3072), np.float32)}, "data holds float32"),
    ({"data": np.zeros((60, 3072), np.int64) - 1}, "data holds -1"),
    ({"data": [[0], [0, 1]]}, "not a CIFAR-10 batch"),
    ({"data": None}, "data holds"),
    ({"labels": [0.5] * 60}, "labels holds float64"),
    ({"labels": [True] * 60}, "labels holds bool"),
    ({"labels": ["cat"] * 60}, "labels holds <U3"),
    ({"labels": [10**30] * 60}, "labels holds object"),
    ({"labels": [-1] * 60}, "labels holds -1, outside 0..9"),
])
@pytest.mark.filterwarnings("error")
def test_batches_of_other_things(changed, message):
    raw = pickle.dumps(batch() | changed, protocol=2)
    if message:
        assert "batch_3" in refused(message, _small_batch, raw)
    else:
        assert not _small_batch(raw)[2]


def _small_batch(raw):
    return cifar10.read_batch(raw, "batch_3")


@pytest.fixture(autouse=True)
def small_rows(monkeypatch):
    monkeypatch.setattr(cifar10, "BATCH_ROWS", 60)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_batches_pickled_anew_are_read_at_every_protocol(protocol):
    images = np.random.default_rng(0).integers(0, 256, (60, 3072), dtype=np.uint8)
    for data in (images, np.asfortranarray(images)):
        found, labels, _ = _small_batch(pickle.dumps(batch(data=data), protocol=protocol))
        assert np.array_equal(found.reshape(60, -1), images) and labels.tolist() == batch()["labels"]


@pytest.mark.filterwarnings("error")
def test_batches_as_python_2_pickled_them_are_read_without_a_warning():
    images = np.random.default_rng(0).integers(0, 256, (60, 3072), dtype=np.uint8)
    raw = pickle.dumps(batch(data=OldArray(images)), protocol=2)
    found, _, _ = _small_batch(raw)
    assert np.array_equal(found.reshape(60, -1), images)


class OldArray:
    """Pickles an array by the names, flags and string of bytes that NumPy used under Python 2."""

    def __init__(self, array):
        self.array = array

    def __reduce__(self):
        state = (1, self.array.shape, OldDtype(), False, self.array.tobytes().decode("latin1"))
        return np.zeros(0).__reduce__()[0], (np.ndarray, (0,), "b"), state


class OldDtype:
    def __reduce__(self):
        return np.dtype, ("u1", 0, 1), (3, "|", None, None, None, -1, -1, 0)


@pytest.mark.parametrize("forged", [(3, "|", None, None, None, 64, 1, 63), (3, "<", ("u1", (9,)), None, None, 9, 1, 0)])
def test_a_forged_dtype_does_not_reach_numpy(monkeypatch, forged):
    monkeypatch.setattr(OldDtype, "__reduce__", lambda self: (np.dtype, ("u1", 0, 1), forged))
    images = np.arange(60 * 3072, dtype=np.int64).astype(np.uint8).reshape(60, 3072)
    assert np.array_equal(_small_batch(pickle.dumps(batch(data=OldArray(images)), 2))[0].reshape(60, -1), images)
    objects = np.array([[None] * 3072] * 60)
    refused("not a CIFAR-10 batch", _small_batch, pickle.dumps(batch(data=objects), 2))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_packed_archives_cut_or_corrupt(tmp_path, batches, pack):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(batches, cifar10.FOLDER)
    raw = pack(buffer.getvalue())
    path = tmp_path / "some.tar.packed"
    path.write_bytes(raw)
    whole = cifar10.load(data_dir=str(path))
    assert whole.checksum == cifar10.load(data_dir=str(tmp_path)).checksum
    for at in (20, len(raw) // 2):
        damaged = bytearray(raw)
        damaged[at] ^= 255
        path.write_bytes(damaged)
        refused(r"some\.tar\.packed.*damaged or not a tar archive", cifar10.load, data_dir=str(path))
        path.write_bytes(raw[:at])
        refused(r"some\.tar\.packed", cifar10.load, data_dir=str(path))


def test_digits_are_those_of_scikit_learn_or_named_as_altered(monkeypatch):
    assert digits.load().name == "digits"
    monkeypatch.setitem(digits.SHA256, "labels", "0")
    assert digits.load().name == "digits (altered)"


@pytest.mark.parametrize("labels", [[-1, 0, 1], [0, 1, 2], [0.0, 1.0, 1.0], [0, 1]])
def test_labels_that_are_no_classes_are_refused_for_every_source(labels):
    refused("its labels are not 3 whole numbers 0..1", assemble, "x", np.zeros((3, 1, 4, 4), np.uint8), np.array(labels),
            classes=2, test_rows=1, train_size=0, probe_fit=1, probe_score=0)


# ---------------------------------------------------------------- folders of images

SIDE = 8


def tree(root, classes=("cat", "dog"), count=10):
    for i, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for j in range(count):
            Image.fromarray(np.full((SIDE, SIDE), 20 * i + j, np.uint8)).save(root / name / f"{j}.png")
    return root


def test_hidden_names_are_no_images(tmp_path):
    whole = load("folder", data_dir=str(tree(tmp_path / "a")), image_size=SIDE)
    root = tree(tmp_path / "b")
    (root / "cat" / "._0.png").write_bytes(b"\0\5\x16\7")
    for place in ("cat/.ipynb_checkpoints", "dog/deeper/__MACOSX", ".ipynb_checkpoints", "__MACOSX/cat", ".git"):
        (root / place).mkdir(parents=True)
        (root / place / "0.png").write_bytes((root / "cat" / "0.png").read_bytes())
    assert load("folder", data_dir=str(root), image_size=SIDE).checksum == whole.checksum


def test_a_class_without_readable_images_is_refused(tmp_path):
    root = tree(tmp_path)
    (root / "hen").mkdir()
    refused("hen has no image.*it is empty", load, "folder", data_dir=str(root), image_size=SIDE)
    (root / "hen" / "0.gif").write_bytes(b"GIF89a")
    refused(r"hen has no image.*\.gif", load, "folder", data_dir=str(root), image_size=SIDE)


@pytest.mark.parametrize("name", folder.TEST_FOLDERS)
def test_every_name_of_a_test_folder_counts(tmp_path, name):
    tree(tmp_path / "train")
    tree(tmp_path / name, count=3)
    data = load("folder", data_dir=str(tmp_path), image_size=SIDE)
    assert len(data.splits["test"]) == 6 and len(data.labels) == 26 and data.facts["notes"] == []


def test_what_is_left_aside_is_said(tmp_path, capsys):
    tree(tmp_path / "train")
    for name in ("val", "test", "extra"):
        tree(tmp_path / name, count=2)
    (tmp_path / "train" / "cat" / "x.gif").write_bytes(b"GIF89a")
    data = load("folder", data_dir=str(tmp_path), image_size=SIDE)
    said = capsys.readouterr().err
    assert len(data.labels) == 24 and len(data.facts["notes"]) == 3
    assert all(f"the folder {name} is not used" in said for name in ("extra", "test")) and "1 files in class folders" in said


@pytest.mark.parametrize("kind", ["I;16", "I", "I;16B"])
def test_deep_grey_images_are_scaled_to_eight_bits(tmp_path, kind):
    levels = np.arange(64, dtype=np.uint16).reshape(SIDE, SIDE) * 1040
    path = tmp_path / "a.png"
    if kind == "I":  # what Pillow makes of a 16-bit PGM
        path = tmp_path / "a.ppm"
        path.write_bytes(b"P5 8 8 65535\n" + levels.astype(">u2").tobytes())
    elif kind == "I;16B":  # told by its contents, whatever its name
        Image.frombytes("I;16B", (SIDE, SIDE), levels.astype(">u2").tobytes()).save(path, format="TIFF")
    else:
        Image.fromarray(levels).save(path)
    with Image.open(path) as image:
        assert image.mode == kind
    found = folder.read_image(path, SIDE)
    assert np.array_equal(found, np.broadcast_to(np.rint(levels / 257).astype(np.uint8), (3, SIDE, SIDE)))


@pytest.mark.parametrize("pixels", [np.full((SIDE, SIDE), 0.5, np.float32), np.full((SIDE, SIDE), 70_000, np.int32),
                                    np.full((SIDE, SIDE), -1, np.int32)])
def test_depths_without_a_fixed_range_are_refused(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.png", format="TIFF")
    refused(r"a\.png.*range is not known", folder.read_image, tmp_path / "a.png", SIDE)


def test_transparency_lies_on_white_and_orientation_is_applied(tmp_path):
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[:, :4] = (255, 0, 0, 255)  # the right half is transparent black
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = folder.read_image(tmp_path / "a.png", SIDE)
    assert (found[:, :, 4:] == 255).all() and (found[1:, :, :4] == 0).all()
    image = Image.fromarray(pixels).convert("RGB")
    exif = image.getexif()
    exif[0x0112] = 6  # the first row is the right side
    image.save(tmp_path / "b.png", exif=exif)
    upright = folder.read_image(tmp_path / "b.png", SIDE)
    assert (upright[0, :4] == 255).all() and (upright[0, 4:] == 0).all()


@pytest.mark.parametrize("size", [(20_000, 10_000), (9_500, 9_500)])
def test_picture_bombs_are_named(tmp_path, size):
    Image.new("1", size).save(tmp_path / "a.png")
    refused(r"a\.png.*pixels", folder.read_image, tmp_path / "a.png", SIDE)


def test_elongated_pictures_are_named(tmp_path):
    Image.new("1", (60_000, 1)).save(tmp_path / "a.png")
    refused(r"a\.png.*60000x1 pixels", folder.read_image, tmp_path / "a.png", 64)


@pytest.mark.parametrize("source", ["digits", "mnist", "folder", "cifar10"])
@pytest.mark.parametrize("size", [3, -1, 257])
def test_image_sizes_are_refused_before_anything_is_read(tmp_path, source, size):
    refused(r"outside 4\.\.256", load, source, data_dir=str(tmp_path / "none"), image_size=size, error=UsageError)
