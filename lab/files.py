"""Reading files that may be missing, truncated or corrupt: every failure becomes one line that names the file and a remedy.

A damaged file can raise nearly any error (``zlib.error``, ``LZMAError``, ``BadZipFile``, ``struct.error``, ``MemoryError`` …),
so readers do not list exceptions, but read inside :func:`reading`. Compressed files are read to the end, where their checksum is.
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

MOST_BYTES = 4 * 2**30  # size after unpacking; larger files are a mistake or malicious
REMEDY = "fetch it anew"
_PACKED: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\x00": lzma.open, b"BZh": bz2.open}


@contextmanager
def reading(path, what: str, remedy: str = REMEDY):
    """Context that turns any error of reading a file into an InputError.

    Parameters
    ----------
    path : str or Path
        The file, as named in the message.
    what : str
        What it should be, with an article ("an IDX file").
    remedy : str
        What the user can do.

    Raises
    ------
    InputError
        If the file is missing, truncated, damaged or of another kind; an InputError of the body passes unchanged.
    """
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        if error.errno and error.strerror:  # from the system: no such file, a folder, no permission
            raise InputError(f"cannot read {path}: {error.strerror}; {remedy}") from None
        raise _damaged(path, what, remedy, error) from None
    except Exception as error:
        raise _damaged(path, what, remedy, error) from None


def _damaged(path, what: str, remedy: str, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:100] or type(error).__name__
    return InputError(f"{path} is truncated, damaged or not {what} ({reason}); {remedy}")


@contextmanager
def opened(path: Path):
    """Context with a binary stream of a file's contents, unpacked if its first bytes are those of gzip, xz or bzip2.

    The body need not read everything: the remainder is read at the end, so that the checksum of packed data is verified.
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
    """The arrays of an npz file, without pickle, and with all checksums verified (which NumPy does not do).

    Raises
    ------
    InputError
        If it is damaged, holds anything but arrays of numbers or text, or lacks an array that the reader ``needs``.
    """
    with reading(path, what, remedy), zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
        if sum(m.file_size for m in members) > MOST_BYTES:
            raise InputError(f"{path} holds more than {MOST_BYTES:,} bytes: too much for {what}; {remedy}")
        arrays = {m.filename.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(archive.read(m)), allow_pickle=False)
                  for m in members}
        for name in needs:
            if name not in arrays:
                raise ValueError(f"it lacks the array {name}")
        return arrays


def read_object(path: Path, what: str, remedy: str, needs: Mapping[str, type] = MappingProxyType({})) -> dict | None:
    """A JSON object with the entries that the reader ``needs``, of these types; None if there is no such file.

    Raises
    ------
    InputError
        If the file is damaged or of another kind.
    """
    with reading(path, what, remedy), suppress(FileNotFoundError):
        stored = json.loads(path.read_bytes().decode(), parse_constant=_refuse)
        if not isinstance(stored, dict):
            raise ValueError("no JSON object")
        for key, kind in needs.items():
            if type(stored.get(key)) is not kind:
                raise ValueError(f"{key!r} is " + (f"no {kind.__name__}" if key in stored else "missing"))
        return stored
    return None


def _refuse(constant: str):
    raise ValueError(f"{constant} is not JSON")
