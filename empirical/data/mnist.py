"""MNIST (LeCun, Cortes, Burges) from ``mnist.npz`` (Keras layout) or the four IDX files, compressed or not.

Images and labels are compared with the published ones by digest, whichever files contain them; if any differ, the data set is
named "MNIST (altered)".
"""

import math
import struct
from pathlib import Path

import numpy as np
import torch

from empirical.data import Dataset, assemble, resize
from empirical.data.checks import bytes_of, published
from empirical.declared import Source
from lab.errors import ArgumentError
from lab.files import read_npz, read_whole, reading

DATA = Source("mnist", recipe={"base_width": 16, "epochs": 10})
PROBE_FIT, PROBE_SCORE = 8_000, 2_000
ROWS = {"train": 60_000, "test": 10_000}
IDX = {"x_train": "train-images-idx3-ubyte", "y_train": "train-labels-idx1-ubyte",
       "x_test": "t10k-images-idx3-ubyte", "y_test": "t10k-labels-idx1-ubyte"}
# sha256 of the four published IDX files, uncompressed
SHA256 = {"x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
          "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
          "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
          "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}
_BYTES = 8  # IDX code of unsigned bytes


def to_idx(array: np.ndarray) -> bytes:
    """A uint8 array as the contents of an IDX file."""
    return struct.pack(f">HBB{array.ndim}I", 0, _BYTES, array.ndim, *array.shape) + array.tobytes()


def read_idx(path: Path) -> np.ndarray:
    """A uint8 IDX file, compressed or not.

    Raises
    ------
    InputError
        If it is truncated or not IDX of bytes.
    """
    what = "an IDX file of bytes"
    raw = read_whole(path, what)
    with reading(path, what):
        zero, kind, axes = struct.unpack_from(">HBB", raw)
        shape = struct.unpack_from(f">{axes}I", raw, 4)
        if zero or kind != _BYTES:
            raise ValueError(f"it starts with {raw[:4].hex()}")
        body = np.frombuffer(raw[4 + 4 * axes:], np.uint8)
        if body.size != math.prod(shape):
            raise ValueError(f"{math.prod(shape):,} bytes expected, {body.size:,} found")
        return body.reshape(shape)


def _spellings(name: str) -> list[str]:
    """Names under which one of the four files is distributed."""
    dotted = name.replace("-idx", ".idx")
    return [name, f"{name}.gz", dotted, f"{dotted}.gz"]


def read(base: Path) -> dict[str, np.ndarray]:
    """The arrays under their Keras names, from a folder or the npz file itself.

    Raises
    ------
    ArgumentError
        If there is no MNIST; the message lists the expected names.
    InputError
        If a file is damaged or lacks an array.
    """
    folders = [base, base / "mnist", base / "MNIST" / "raw"]
    npz = next((p for p in (base, *(folder / "mnist.npz" for folder in folders)) if p.is_file()), None)
    if npz:
        arrays = read_npz(npz, "the Keras mnist.npz", needs=IDX)
        return {key: arrays[key] for key in IDX}
    files = {key: next((p for folder in folders for spelling in _spellings(name) if (p := folder / spelling).is_file()), None)
             for key, name in IDX.items()}
    existing = {key: path for key, path in files.items() if path is not None}
    missing = [name for key, name in IDX.items() if key not in existing]
    if missing:
        problem = "lacks" if existing else "has neither mnist.npz nor"
        raise ArgumentError(f"no MNIST in {base}: it {problem} {', '.join(missing)} (a dot as second hyphen, and .gz, are fine)")
    return {key: read_idx(path) for key, path in existing.items()}


def load(*, data_dir: str | None = None, train_size: int = 0, image_size: int = 0, split: int = 0, **_) -> Dataset:
    """MNIST from the folder ``data_dir`` (or the npz file itself), with its digests checked."""
    if data_dir is None:
        raise ArgumentError("MNIST needs data_dir, the folder with mnist.npz or the four IDX files", "data_dir")
    arrays = read(Path(data_dir))
    for key, array in arrays.items():
        rows = ROWS[key.partition("_")[2]]
        shape, most = ((rows, 28, 28), 255) if key.startswith("x") else ((rows,), 9)
        arrays[key] = bytes_of(array, f"{data_dir}: {key}", shape, most)
    as_published = published(SHA256, {key: to_idx(array) for key, array in arrays.items()})
    name = "MNIST" if as_published == len(SHA256) else "MNIST (altered)"
    images = torch.from_numpy(np.concatenate([arrays["x_train"], arrays["x_test"]])).unsqueeze(1)
    labels = np.concatenate([arrays["y_train"], arrays["y_test"]])
    return assemble(name, resize(images, image_size), labels, classes=10, test_rows=ROWS["test"], train_size=train_size,
                    probe_fit=PROBE_FIT, probe_score=PROBE_SCORE, split=split, shift=2,
                    facts={"files_as_published": as_published, "files": len(SHA256)})
