"""MNIST, CIFAR-10 and digits: numbers that are no pictures or classes are refused; a published set is known by its digest."""

import bz2
import gzip
import hashlib
import http.client
import io
import lzma
import pickle
import struct
import tarfile
import urllib.request
import zipfile

import numpy as np
import pytest

from empirical.data import assemble, cifar10, digits, load, mnist
from lab.errors import ArgumentError
from tests.empirical.refusals import refused
from tests.empirical.test_data import write_batches, write_idx

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


@pytest.mark.parametrize("shape", ["(4294967296, 4294967296, 4)", "(8589934592,)", "(-1, 28, 28)", "(80, 28, 28, 2)", "None"])
def test_npz_headers_that_promise_something_else(tmp_path, small_mnist, shape):
    np.savez(tmp_path / "mnist.npz", **mnist_arrays())
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with zipfile.ZipFile(tmp_path / "mnist.npz") as archive:
        members = {m: archive.read(m) for m in archive.namelist()}
    members["x_test.npy"] = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode() + bytes(TEST * 28 * 28)
    with zipfile.ZipFile(tmp_path / "mnist.npz", "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    refused(r"mnist\.npz is truncated, damaged or not", mnist.load, data_dir=str(tmp_path))


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
    assert "train-images-idx3-ubyte" in refused("no MNIST", mnist.load, data_dir=str(tmp_path), error=ArgumentError)
    write_idx(tmp_path / "train-images.idx3-ubyte", np.zeros((2, 28, 28), np.uint8))
    line = refused("it lacks", mnist.load, data_dir=str(tmp_path), error=ArgumentError)
    assert "train-labels-idx1-ubyte" in line and "train-images" not in line


# ---------------------------------------------------------------- CIFAR-10

@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    for name, value in {"BATCH_ROWS": 60, "PROBE_FIT": 100, "PROBE_SCORE": 60}.items():
        monkeypatch.setattr(cifar10, name, value)


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
def test_packed_archives_cut_or_corrupt(tmp_path, pack):
    batches, buffer = write_batches(tmp_path / cifar10.FOLDER), io.BytesIO()
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


@pytest.mark.parametrize("source", ["digits", "mnist", "folder", "cifar10"])
@pytest.mark.parametrize("size", [3, -1, 257])
def test_image_sizes_are_refused_before_anything_is_read(tmp_path, source, size):
    refused(r"outside 4\.\.256", load, source, data_dir=str(tmp_path / "none"), image_size=size, error=ArgumentError)


def test_a_download_that_breaks_off_is_one_line(tmp_path, monkeypatch):
    class Broken(io.BytesIO):
        def read(self, *_):
            raise http.client.IncompleteRead(b"x")

    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Broken())
    refused("cannot download .*; download it by hand", cifar10.download, tmp_path)
    assert not list(tmp_path.iterdir())
