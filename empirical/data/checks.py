"""Checks of the contents of data files, shared by their readers."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lab.errors import ArgumentError, InputError
from lab.files import REMEDY

DATA = None
SMALLEST_IMAGE, LARGEST_IMAGE = 4, 256
SHORTEST_PAIR = 5  # [CLS] word [SEP] word [SEP]


def bytes_of(array, where: str, shape: tuple[int, ...], most: int = 255, remedy: str = REMEDY) -> np.ndarray:
    """The array as uint8, if it has this shape and contains whole numbers from 0 to ``most``.

    Raises
    ------
    InputError
        If it contains anything else: fractions, text, flags, numbers out of range.
    """
    array = np.asarray(array)
    if array.shape != shape:
        raise InputError(f"{where} holds {_times(array.shape)} values instead of {_times(shape)}; {remedy}")
    if array.dtype.kind not in "iu":
        raise InputError(f"{where} holds {array.dtype} instead of whole numbers 0..{most}; {remedy}")
    low, high = array.min(), array.max()
    if low < 0 or high > most:
        raise InputError(f"{where} holds {low if low < 0 else high}, outside 0..{most}; {remedy}")
    return array.astype(np.uint8)


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "()"


def published(digests: Mapping[str, str], contents: Mapping[str, bytes], method: str = "sha256") -> int:
    """The number of named contents that have the published digest."""
    return sum(hashlib.new(method, contents[name], usedforsecurity=False).hexdigest() == digest
               for name, digest in digests.items())


def file_sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def image_size(size: int) -> int:
    """The size, if images can have it; 0 stands for the size in the data.

    Raises
    ------
    ArgumentError
    """
    if size and not SMALLEST_IMAGE <= size <= LARGEST_IMAGE:
        raise ArgumentError(f"image_size {size} is outside {SMALLEST_IMAGE}..{LARGEST_IMAGE}", "image_size")
    return size


def max_length(length: int) -> int:
    """The length, if a pair of sentences can be truncated to it; 0 stands for the default.

    Raises
    ------
    ArgumentError
    """
    if length and length < SHORTEST_PAIR:
        raise ArgumentError(f"max_length {length} is too short: [CLS], two [SEP] and one token of each sentence make "
                            f"{SHORTEST_PAIR}", "max_length")
    return length
