"""Files that are missing, cut or corrupt: one line that names file and remedy."""

import bz2
import gzip
import lzma
import zipfile

import numpy as np
import pytest

from lab.errors import InputError
from lab.files import opened, read_npz, read_whole, reading


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress, lambda raw: gzip.compress(raw) * 2])
def test_packed_files_are_told_by_their_first_bytes(tmp_path, pack):
    (tmp_path / "a").write_bytes(pack(b"some text"))
    assert read_whole(tmp_path / "a", "text") in (b"some text", b"some text" * 2)


def test_a_checksum_counts_even_if_the_end_is_not_read(tmp_path):
    raw = bytearray(gzip.compress(bytes(10_000)))
    raw[-6] ^= 1  # of the checksum
    (tmp_path / "a.gz").write_bytes(raw)
    with pytest.raises(InputError, match=r"a\.gz is truncated, damaged or not zeros \(CRC"), \
            reading(tmp_path / "a.gz", "zeros"), opened(tmp_path / "a.gz") as stream:
        assert stream.read(10) == bytes(10)


def test_what_unpacks_to_too_much_is_refused(tmp_path):
    (tmp_path / "a.xz").write_bytes(lzma.compress(bytes(2**22)))
    with pytest.raises(InputError, match=r"a\.xz holds more than 1,000,000 bytes"):
        read_whole(tmp_path / "a.xz", "text", most=10**6)


@pytest.mark.parametrize("error", [ValueError("first\n second"), RecursionError(), MemoryError(), EOFError("x" * 999),
                                   zipfile.BadZipFile("bad"), OSError("no errno"), KeyError("x"), lzma.LZMAError("cut")])
def test_every_error_becomes_one_line(error):
    with pytest.raises(InputError, match=r"^FILE is truncated, damaged or not a list") as caught, \
            reading("FILE", "a list", "mend it"):
        raise error
    line = str(caught.value)
    assert "\n" not in line and line.endswith("; mend it") and len(line) < 300


def test_files_that_cannot_be_opened(tmp_path):
    for path, reason in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=f"cannot read .*{reason}.*; fetch it anew"):
            read_whole(path, "text")
        with pytest.raises(InputError, match=f"cannot read .*{reason}"):
            read_npz(path, "arrays")


def test_npz_files(tmp_path):
    path = tmp_path / "a.npz"
    arrays = {"x": np.arange(600.0).reshape(20, 30), "part/ü": np.array("text"), "e": np.zeros((0, 3))}
    np.savez_compressed(path, **arrays)
    found = read_npz(path, "arrays", needs=("x", "e"))
    assert found.keys() == arrays.keys() and all(np.array_equal(found[key], x) for key, x in arrays.items())
    with pytest.raises(InputError, match="lacks the array y"):
        read_npz(path, "arrays", needs="y")
    raw = path.read_bytes()
    for damaged in (raw[:len(raw) // 2], b"", raw[:200] + bytes([raw[200] ^ 255]) + raw[201:]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"a\.npz is truncated, damaged or not arrays"):
            read_npz(path, "arrays")
    np.savez(path, x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="allow_pickle"):
        read_npz(path, "arrays")
