"""CIFAR-10 (Krizhevsky 2009) from its published Python batches: the folder ``cifar-10-batches-py`` or the tar.gz.

Nothing is downloaded unless requested. Batches are pickles, and pickles can run code, so the unpickler here accepts only NumPy
arrays and plain containers. Every file's digest is compared with the published one, and files that are not the originals give the
data set another name.
"""

import hashlib
import http.client
import io
import pickle
import tarfile
import urllib.request
from functools import partial
from pathlib import Path
from typing import IO, cast

import numpy as np
import torch

from empirical.data import Dataset, assemble, resize
from empirical.data.checks import bytes_of, published
from empirical.declared import Source
from lab.errors import ArgumentError, InputError
from lab.files import opened, read_whole, reading
from lab.store import write_atomically

DATA = Source("cifar10")
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
BATCH_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
FOLDER, ARCHIVE = "cifar-10-batches-py", "cifar-10-python.tar.gz"
BATCH_ROWS, PROBE_FIT, PROBE_SCORE = 10_000, 8_000, 2_000
MOST_BATCH_BYTES = 64 * 2**20


class _Dtype:
    """Stands in for a NumPy dtype in a pickle; of its state only the byte order is used (flags and sizes could be forged)."""

    def __init__(self, spec, *_):
        self.dtype = np.dtype(spec)

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands in for a NumPy array in a pickle, whose state is its shape, dtype, order and bytes."""

    def __init__(self, *_):
        self.array = np.zeros(0)

    def __setstate__(self, state):
        _, shape, dtype, fortran, raw = state
        raw = raw.encode("latin1") if isinstance(raw, str) else raw  # as Python 2 wrote bytes
        self.array = _from_buffer(raw, dtype, shape, "F" if fortran else "C").array


def _from_buffer(buffer, dtype: _Dtype, shape, order) -> _Array:
    """An array from bytes, the form in which pickles of protocol 5 store it."""
    made = _Array()
    made.array = np.frombuffer(buffer, dtype.dtype).reshape(shape, order=order)  # refuses dtypes of Python objects
    return made


def _bytes(text: str, coding: str) -> bytes:
    """Bytes in the form in which Python 3 writes them in old protocols."""
    if coding != "latin1":
        raise ValueError(f"bytes in the coding {coding}")
    return text.encode("latin1")


class _BatchUnpickler(pickle.Unpickler):
    """Reads plain containers, and NumPy arrays from their bytes; refuses everything else."""

    ALLOWED = {  # noqa: RUF012
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy.core.numeric", "_frombuffer"): _from_buffer,
        ("numpy._core.numeric", "_frombuffer"): _from_buffer,
        ("numpy", "ndarray"): _Array,
        ("numpy", "dtype"): _Dtype,
        ("_codecs", "encode"): _bytes,
    }

    def find_class(self, module, name):
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise InputError(f"asks to run {module}.{name}") from None


def read_batch(raw: bytes, where: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Images and labels of one batch file, and whether its file names say that the images were JPEG.

    Returns
    -------
    images : uint8 (10000, 3, 32, 32).
    labels : uint8 (10000,), 0..9.
    jpeg : bool.

    Raises
    ------
    InputError
        If the file is truncated, altered, or wants to run code; the message names the file.
    """
    with reading(where, "a CIFAR-10 batch"):
        try:
            batch = _BatchUnpickler(io.BytesIO(raw), encoding="latin1").load()
        except InputError as error:
            raise InputError(f"{where} {error}: not a CIFAR-10 batch, refused; download the data again") from None
        batch = {_text(key): value.array if isinstance(value, _Array) else value for key, value in batch.items()}
        images = bytes_of(batch["data"], f"{where}: data", (BATCH_ROWS, 3072))
        labels = bytes_of(batch["labels"], f"{where}: labels", (BATCH_ROWS,), 9)
        names = batch.get("filenames", ())  # optional, but of a known form if present
        if not isinstance(names, list | tuple | np.ndarray):
            raise TypeError(f"filenames that are {type(names).__name__}, not a list")
        jpeg = len(names) > 0 and all(_text(name).lower().endswith((".jpg", ".jpeg")) for name in names)
        return images.reshape(-1, 3, 32, 32), labels, jpeg


def _text(name) -> str:
    name = name.decode("latin1") if isinstance(name, bytes) else name
    if not isinstance(name, str):
        raise TypeError(f"a name that is {type(name).__name__}, not text")
    return name


def _from_folder(folder: Path) -> dict[str, bytes]:
    remedy = "the folder needs data_batch_1 ... 5 and test_batch"
    return {name: read_whole(folder / name, "a CIFAR-10 batch", remedy, MOST_BATCH_BYTES) for name in BATCH_MD5}


def _from_archive(path: Path) -> dict[str, bytes]:
    contents = {}
    with (reading(path, "a tar archive", "download it again"), opened(path) as stream,
          tarfile.open(fileobj=stream, mode="r|") as archive):
        for member in archive:  # read in memory, so that nothing is unpacked to disk
            name = Path(member.name).name
            if name in BATCH_MD5 and member.isfile() and member.size < MOST_BATCH_BYTES:
                with cast(IO[bytes], archive.extractfile(member)) as file:  # a regular file has one
                    contents[name] = file.read()
    missing = [name for name in BATCH_MD5 if name not in contents]
    if missing:
        raise InputError(f"{path} lacks {missing[0]}: truncated, or not the CIFAR-10 python archive; download it again")
    return contents


def download(folder: Path) -> Path:
    """Download the archive from its publisher, check it, and store it in ``folder``; returns its path.

    Raises
    ------
    InputError
        If it cannot be downloaded or is not the published file.
    """
    path = folder / ARCHIVE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(URL, timeout=60) as response:
            raw = b"".join(iter(partial(response.read, 2**20), b""))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise InputError(f"cannot download {URL}: {getattr(error, 'reason', error)}; download it by hand and give its folder "
                         "as data_dir", "data_dir") from None
    if hashlib.sha256(raw).hexdigest() != ARCHIVE_SHA256:
        raise InputError(f"the file from {URL} ({len(raw)} bytes) is not the published archive (sha256 differs): it was not "
                         "stored")
    write_atomically(path, raw)
    return path


def locate(data_dir: str | None, fetch: bool = False) -> Path:
    """The folder of batches or the archive in ``data_dir``.

    Raises
    ------
    ArgumentError
        If no folder is given, or it has no CIFAR-10.
    """
    if data_dir is None and not fetch:
        raise ArgumentError(f"CIFAR-10 needs data_dir, the folder with {FOLDER}/ or {ARCHIVE}, or download", "data_dir",
                            "download")
    base = Path(data_dir or "data")
    if base.is_file():
        return base
    for path in (base / FOLDER, base / ARCHIVE):
        if path.exists():
            return path
    if (base / "data_batch_1").exists() or (base.name == FOLDER and base.is_dir()):
        return base
    if fetch:
        return download(base)
    raise ArgumentError(f"no CIFAR-10 in {base}: it has neither {FOLDER}/ nor {ARCHIVE} (or add download)", "data_dir",
                        "download")


def load(*, data_dir: str | None = None, train_size: int = 0, image_size: int = 0, split: int = 0, download: bool = False,
         **_) -> Dataset:
    """CIFAR-10 with its digests checked; the probe splits are taken from the 50,000 training images."""
    path = locate(data_dir, download)
    files = _from_archive(path) if path.is_file() else _from_folder(path)
    as_published = published(BATCH_MD5, files, "md5")
    batches = {name: read_batch(raw, f"{path}/{name}") for name, raw in files.items()}  # test_batch comes last
    if as_published == len(files):
        name = "CIFAR-10"
    elif all(jpeg for _, _, jpeg in batches.values()):
        name = "CIFAR-10 (JPEG re-encoding)"
    else:
        name = "CIFAR-10 (not the original files)"
    images = resize(torch.from_numpy(np.concatenate([batches[n][0] for n in BATCH_MD5])), image_size)
    labels = np.concatenate([batches[n][1] for n in BATCH_MD5])
    facts = {"files_as_published": as_published, "files": len(files)}
    return assemble(name, images, labels, classes=10, test_rows=BATCH_ROWS, train_size=train_size, probe_fit=PROBE_FIT,
                    probe_score=PROBE_SCORE, split=split, shift=max(1, images.shape[-1] // 8), flip=True, facts=facts)
