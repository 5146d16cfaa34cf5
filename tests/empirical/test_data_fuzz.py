"""Every small file format, cut and corrupted at random: the reader gives the right data or an InputError, nothing else.

Packed files carry checksums, so there what is read is right to the last byte; in plain ones a flipped byte may be another
valid value, so there what is read has the right form.
"""

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from empirical.data import cifar10, folder, mnist, text
from empirical.data.pairs import LABELS, read_pairs
from lab.errors import InputError
from lab.files import read_npz, read_whole

FUZZ = settings(max_examples=60, deadline=None, derandomize=True, database=None,
                suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
PAIRS = [("A man eats.", "A person eats.", 0), ("It rains: ü €.", "It is dry.", 2), ("It rains.", "It is Monday.", 1)] * 5
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 4), dtype=np.uint8)


def tab_separated() -> bytes:
    return ("premise\thypothesis\tlabel\n" + "".join(f"{p}\t{h}\t{LABELS[y]}\n" for p, h, y in PAIRS)).encode()


def json_lines() -> bytes:
    return "".join(json.dumps({"premise": p, "hypothesis": h, "label": y}) + "\n" for p, h, y in PAIRS).encode()


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=IMAGES)
    return buffer.getvalue()


def batch() -> bytes:
    return pickle.dumps({"data": np.zeros((6, 3072), np.uint8), "labels": list(range(6)), "filenames": ["a.png"] * 6}, 2)


def tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in cifar10.BATCH_MD5:
            member = tarfile.TarInfo(f"{cifar10.FOLDER}/{name}")
            member.size = 9
            archive.addfile(member, io.BytesIO(name.encode()[:9]))
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for split in ("train", "test"):
            archive.writestr(f"snli_1.0/snli_1.0_{split}.jsonl", json_lines())
    return buffer.getvalue()


def parquet() -> bytes:
    pyarrow, writer = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    writer.write_table(pyarrow.table(dict(zip(("premise", "hypothesis", "label"), zip(*PAIRS)))), buffer)
    return buffer.getvalue()


def picture(kind: str) -> bytes:
    image, buffer = pytest.importorskip("PIL.Image"), io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)
    image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def pairs_of(path: Path):
    return read_pairs(path)[0]


def archive_of(path: Path):
    files, _ = text.locate("snli", path)
    return [read_pairs(file)[0] for file in files]


def well_formed_pairs(found) -> bool:
    return bool(found) and all(p.strip() and h.strip() and y in (0, 1, 2) for p, h, y in found)


def well_formed_batch(found) -> bool:
    images, labels, _ = found
    return images.shape == (6, 3, 32, 32) and images.dtype == np.uint8 and labels.max() < 10


def well_formed_picture(found) -> bool:
    return found.shape == (3, 8, 8) and found.dtype == np.uint8


def same(right):
    return lambda found: np.array_equal(found, right)


TAR = {name: name.encode()[:9] for name in cifar10.BATCH_MD5}
FORMATS = {  # name of the file: contents, reader, what must hold of what it gives
    "a.tsv": (tab_separated, pairs_of, well_formed_pairs),
    "a.jsonl": (json_lines, pairs_of, well_formed_pairs),
    "a.parquet": (parquet, pairs_of, well_formed_pairs),
    "a.tsv.gz": (lambda: gzip.compress(tab_separated(), mtime=0), pairs_of, lambda found: found == PAIRS),
    "a.tsv.xz": (lambda: lzma.compress(tab_separated()), pairs_of, lambda found: found == PAIRS),
    "a.jsonl.gz": (lambda: gzip.compress(json_lines(), mtime=0), pairs_of, lambda found: found == PAIRS),
    "snli_1.0.zip": (zipped, archive_of, lambda found: found == [PAIRS, PAIRS]),
    "idx": (lambda: mnist.to_idx(IMAGES), mnist.read_idx, lambda found: found.size == IMAGES.size),
    "idx.gz": (lambda: gzip.compress(mnist.to_idx(IMAGES), mtime=0), mnist.read_idx, same(IMAGES)),
    "a.npz": (npz, lambda path: read_npz(path, "an npz file", needs="x")["x"], same(IMAGES)),
    "batch": (batch, lambda path: cifar10.read_batch(read_whole(path, "a batch"), "batch"), well_formed_batch),
    "a.tar.gz": (lambda: gzip.compress(tar(), mtime=0), cifar10._from_archive, lambda found: found == TAR),
    "a.tar.xz": (lambda: lzma.compress(tar()), cifar10._from_archive, lambda found: found == TAR),
    "a.tar.bz2": (lambda: bz2.compress(tar()), cifar10._from_archive, lambda found: found == TAR),
    "a.tar": (tar, cifar10._from_archive, lambda found: found.keys() == TAR.keys()),
    **{f"a.{kind}": (lambda kind=kind: picture(kind), lambda path: folder.read_image(path, 8), well_formed_picture)
       for kind in ("png", "jpeg", "bmp", "webp", "ppm")},
}


@st.composite
def damaged(draw, raw: bytes) -> bytes:
    """Cut, with some bytes flipped, or with a stretch taken out or doubled."""
    kind, at = draw(st.sampled_from(("cut", "flip", "flip", "less", "more"))), draw(st.integers(0, len(raw) - 1))
    if kind == "cut":
        return raw[:at]
    if kind == "flip":
        found = bytearray(raw)
        for place in [at, *draw(st.lists(st.integers(0, len(raw) - 1), max_size=2))]:
            found[place] ^= draw(st.integers(1, 255))
        return bytes(found)
    end = min(at + draw(st.integers(1, 40)), len(raw))
    return raw[:at] + raw[end:] if kind == "less" else raw[:end] + raw[at:end] + raw[end:]


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_give_right_data_or_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setattr(cifar10, "BATCH_ROWS", 6)
    make, read, right = FORMATS[name]
    raw, path = make(), tmp_path / name
    path.write_bytes(raw)
    assert right(read(path))
    refusals = 0

    @FUZZ
    @given(damaged(raw))
    def run(content):
        nonlocal refusals
        path.write_bytes(content)
        try:
            found = read(path)
        except InputError as error:
            refusals += 1
            assert "\n" not in str(error) and len(str(error)) < 600
        else:
            assert right(found)

    run()
    assert refusals > 0 or name == "a.bmp"  # a bitmap has little that can be wrong
