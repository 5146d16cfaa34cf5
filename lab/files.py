"""Reading files that may be missing, cut or corrupt: whatever is wrong becomes one line that names file and remedy.

A damaged file can raise nearly anything (``zlib.error``, ``LZMAError``, ``BadZipFile``, ``struct.error``, ``MemoryError`` …),
so readers do not list exceptions: they read inside :func:`reading`. Compressed files are read to their end, where
their checksum stands.
"""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from lab.errors import InputError

MOST_BYTES = 4 * 2**30  # unpacked; nothing that is read here is larger, so more is a mistake or a trap
REMEDY = "fetch it anew"
_PACKED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\x00": lzma.open, b"BZh": bz2.open}


@contextmanager
def reading(path, what: str, remedy: str = REMEDY):
    """Turn whatever reading a file raises into one InputError.

    Parameters
    ----------
    path : the file, as the message names it.
    what : what it should be, with its article ("an IDX file").
    remedy : what the user can do.

    Raises
    ------
    InputError
        If the file is missing, truncated, damaged or something else; an InputError of the body passes as it is.
    """
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        if error.errno and error.strerror:  # the system's word: no such file, a folder, no permission
            raise InputError(f"cannot read {path}: {error.strerror}; {remedy}") from None
        raise _damaged(path, what, remedy, error) from None
    except Exception as error:
        raise _damaged(path, what, remedy, error) from None


def _damaged(path, what: str, remedy: str, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:100] or type(error).__name__
    return InputError(f"{path} is truncated, damaged or not {what} ({reason}); {remedy}")


@contextmanager
def opened(path: Path):
    """A binary stream of a file's contents, unpacked where it is packed by gzip, xz or bzip2 (its first bytes say so).

    The body may leave the rest unread: it is read at the end, so that the checksum of packed data is compared.
    """
    with path.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        unpack = next((unpack for magic, unpack in _PACKED.items() if start.startswith(magic)), None)
        with unpack(file) if unpack else file as stream:
            yield stream
            if unpack:
                for _ in iter(partial(stream.read, 2**20), b""):
                    pass


def read_whole(path: Path, what: str, remedy: str = REMEDY, most: int = MOST_BYTES) -> bytes:
    """A file's contents, unpacked.

    Raises
    ------
    InputError
        If it is damaged, or unpacks to more than ``most`` bytes.
    """
    parts, size = [], 0
    with reading(path, what, remedy), opened(path) as stream:
        for part in iter(partial(stream.read, 2**20), b""):
            size += len(part)
            if size > most:
                raise InputError(f"{path} holds more than {most:,} bytes: too much for {what}; {remedy}")
            parts.append(part)
    return b"".join(parts)


def read_npz(path: Path, what: str, remedy: str = REMEDY, needs: Iterable[str] = ()) -> dict[str, np.ndarray]:
    """The arrays of an npz file; without pickle, and with the checksum of each compared (NumPy stops short of it).

    Raises
    ------
    InputError
        If it is damaged, holds something else than arrays of numbers or text, or lacks one that the reader ``needs``.
    """
    with reading(path, what, remedy), zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
        if sum(m.file_size for m in members) > MOST_BYTES:
            raise InputError(f"{path} holds more than {MOST_BYTES:,} bytes: too much for {what}; {remedy}")
        found = {m.filename.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(archive.read(m)), allow_pickle=False)
                 for m in members}
        for name in needs:
            if name not in found:
                raise ValueError(f"it lacks the array {name}")
        return found


def read_object(path: Path, what: str, remedy: str, needs: Mapping[str, type] = MappingProxyType({})) -> dict | None:
    """A JSON object with the entries that the reader ``needs``, of these types; None where there is no such file.

    Raises
    ------
    InputError
        If the file is damaged or something else.
    """
    with reading(path, what, remedy), suppress(FileNotFoundError):
        found = json.loads(path.read_bytes().decode(), parse_constant=_refuse)
        if not isinstance(found, dict):
            raise ValueError("no JSON object")
        for key, kind in needs.items():
            if type(found.get(key)) is not kind:
                raise ValueError(f"{key!r} is " + (f"no {kind.__name__}" if key in found else "missing"))
        return found
    return None


def _refuse(constant: str):
    raise ValueError(f"{constant} is no JSON")
