"""MNIST (LeCun, Cortes, Burges) from ``mnist.npz`` (Keras layout) or the four IDX files, gzipped or not."""

import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch

from empirical.data import Dataset, assemble, resize
from lab.errors import InputError, UsageError

PROBE_FIT, PROBE_SCORE, TEST = 8_000, 2_000, 10_000
IDX = {"x_train": "train-images-idx3-ubyte", "y_train": "train-labels-idx1-ubyte",
       "x_test": "t10k-images-idx3-ubyte", "y_test": "t10k-labels-idx1-ubyte"}


def read_idx(path: Path) -> np.ndarray:
    """A uint8 IDX file, gzipped if its name says so.

    Raises
    ------
    InputError
        If it is truncated or not IDX.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        zero, kind, axes = struct.unpack(">HBB", raw[:4])
        shape = struct.unpack(f">{axes}I", raw[4:4 + 4 * axes])
    except (OSError, EOFError, gzip.BadGzipFile, struct.error) as error:
        raise InputError(f"{path} is truncated or not an IDX file ({error}); fetch it anew") from None
    body = np.frombuffer(raw, np.uint8, offset=4 + 4 * axes)
    if zero or kind != 8 or body.size != np.prod(shape):
        raise InputError(f"{path} is truncated or not an IDX file of bytes; fetch it anew")
    return body.reshape(shape)


def load(*, data_dir: str | None = None, train_size: int = 0, image_size: int = 0, **_) -> Dataset:
    """MNIST from the folder ``data_dir`` (or the npz file itself)."""
    if data_dir is None:
        raise UsageError("MNIST needs --data-dir DIR with mnist.npz or the four IDX files")
    base = Path(data_dir)
    npz = base if base.is_file() else base / "mnist.npz"
    if npz.exists():
        try:
            with np.load(npz, allow_pickle=False) as found:
                arrays = {key: found[key] for key in IDX}
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"{npz} is truncated or not the Keras mnist.npz ({error}); fetch it anew") from None
    else:
        files = {key: next((p for p in (base / name, base / f"{name}.gz") if p.exists()), None)
                 for key, name in IDX.items()}
        if None in files.values():
            raise UsageError(f"no MNIST in {base}: it has neither mnist.npz nor the four IDX files")
        arrays = {key: read_idx(path) for key, path in files.items()}
    if any(arrays[f"x_{s}"].shape != (n, 28, 28) or arrays[f"y_{s}"].shape != (n,)
           for s, n in (("train", 60_000), ("test", TEST))):
        raise InputError(f"{base}: not 60,000 and 10,000 images of 28x28 with their labels; fetch it anew")
    images = torch.from_numpy(np.concatenate([arrays["x_train"], arrays["x_test"]])).unsqueeze(1)
    labels = torch.from_numpy(np.concatenate([arrays["y_train"], arrays["y_test"]]).astype(np.int64))
    return assemble("MNIST", resize(images, image_size), labels, test_rows=TEST, train_size=train_size, probe_fit=PROBE_FIT,
                    probe_score=PROBE_SCORE, shift=2)
