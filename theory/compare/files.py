"""Features in files: ``.npy``, ``.npz`` and ``.safetensors``, all read without pickle.

The last two may hold several arrays. The features are the array ``features``, or else the only array with two axes; ``ids``,
``labels`` and ``groups`` are read by these names. ``FILE:NAME`` selects an array by name.
"""

import os
from pathlib import Path

import numpy as np

from lab.errors import InputError
from lab.files import read_npz, reading
from theory.compare.blocks import Block

SUFFIXES = (".npy", ".npz", ".safetensors")
WORDS = ("ids", "labels", "groups")  # arrays beside the features
_WHAT, _REMEDY = "a file of features", "write it again"
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1", "U8": "<u1",
           "U16": "<u2", "U32": "<u4", "U64": "<u8", "BOOL": "?"}


def read_block(path: str | os.PathLike) -> Block:
    """The features in a file, named after it, with their ids and groups if it has any.

    Parameters
    ----------
    path : str or path
        A file, or ``file:array``.

    Raises
    ------
    InputError
        A file that is missing, damaged, of another kind, or with several arrays that could be the features.
    """
    file, wanted = _parts(path)
    arrays = _arrays(file)
    if wanted is not None:
        rows = _one(arrays, wanted, path)
    else:
        candidates = [name for name, array in arrays.items() if array.ndim == 2 and name not in WORDS]
        name = "features" if "features" in arrays else candidates[0] if len(candidates) == 1 else None
        if name is None:
            raise InputError(f"{file} holds {', '.join(arrays) or 'nothing'}: say which array holds the features, {file}:NAME")
        rows = arrays[name]
    if rows.dtype.kind not in "fiub":
        raise InputError(f"{path} holds {rows.dtype}, not real numbers")
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2:
        raise InputError(f"{path} must have shape (rows, units), got {rows.shape}: pool or flatten it")
    return Block(file.stem if wanted is None else f"{file.stem}:{wanted}", rows, arrays.get("ids"), arrays.get("groups"))


def read_column(path: str | os.PathLike, word: str) -> np.ndarray:
    """Ids, labels or groups in a file: the array of that name, or the only array."""
    file, wanted = _parts(path)
    arrays = _arrays(file)
    if wanted is None and word not in arrays and len(arrays) == 1:
        return next(iter(arrays.values()))
    return _one(arrays, wanted or word, path)


def read_ids(path: str | os.PathLike) -> np.ndarray | None:
    """The ids of the rows in a file, if it holds any."""
    return _arrays(_parts(path)[0]).get("ids")


def in_folder(folder: str | os.PathLike) -> dict[str, Path]:
    """The files of features in a folder, by their names without suffix, in alphabetical order.

    Raises
    ------
    InputError
        Fewer than two, or two of the same name.
    """
    files: dict[str, Path] = {}
    for path in sorted(Path(folder).iterdir()):
        if path.suffix in SUFFIXES and not path.name.startswith("."):
            if path.stem in files:
                raise InputError(f"{folder} has {files[path.stem].name} and {path.name}: give each model a name of its own")
            files[path.stem] = path
    if len(files) < 2:
        raise InputError(f"{folder} holds {len(files)} files of features ({', '.join(SUFFIXES)}): a comparison needs two")
    return files


def _parts(path: str | os.PathLike) -> tuple[Path, str | None]:
    """The file, and the name of an array in it if one is given."""
    if not Path(path).exists():
        file, colon, name = str(path).rpartition(":")
        if colon and Path(file).suffix in SUFFIXES and name:
            return Path(file), name
    return Path(path), None


def _one(arrays: dict, name: str, path) -> np.ndarray:
    if name not in arrays:
        raise InputError(f"{path} has no array {name!r}; there are {', '.join(arrays) or 'none'}")
    return arrays[name]


def _arrays(file: Path) -> dict[str, np.ndarray]:
    if file.suffix not in SUFFIXES:
        raise InputError(f"{file} is not a file of features: give one of {', '.join(SUFFIXES)}")
    if file.suffix == ".npz":
        return read_npz(file, _WHAT, _REMEDY)
    with reading(file, _WHAT, _REMEDY):
        if file.suffix == ".npy":
            return {"features": np.load(file, mmap_mode="r", allow_pickle=False)}
        return _safetensors(file.read_bytes())


def _safetensors(data: bytes) -> dict[str, np.ndarray]:
    from safetensors import deserialize

    arrays = {}
    for name, entry in deserialize(data):
        kind, raw = entry["dtype"], entry["data"]
        if kind == "BF16":  # the upper half of a float32
            array = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        elif kind in _DTYPES:
            array = np.frombuffer(raw, _DTYPES[kind])
        else:
            raise ValueError(f"{name} is of type {kind}")
        arrays[name] = array.reshape(entry["shape"])
    return arrays
