"""Random streams addressed by (seed, *address): the numbers do not depend on threads, batching or order.

An address says what a stream is for, from the general to the particular: the model, the purpose, whatever distinguishes such
streams from each other (a width, a role, a copy), and the replica last::

    generator(seed, "graded-teacher", "weights", width, "narrow", replica, copy)
    open_streams(seed, "teacher-student", "data", width, replicas=1000)  # one stream per replica, whose number comes last

Parts are strings, whole numbers and fractions. Different addresses have different spellings, so no two purposes can share a
stream. :func:`key` hashes an address to 128 bits, from which every kind of stream starts, so that each can be opened without the
others:

* :func:`generator` is NumPy's Philox, :func:`normal` its Gaussians; ``empirical.streams.stream`` is a torch generator;
* :mod:`lab.kernel_streams` has those that compiled kernels draw from, vectors at a time.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np

from lab import checks
from lab.errors import InputError

VERSION = 2  # part of the id of every run: raised when the same address gives other numbers than before

_recorders: list[list[tuple]] = []


@contextmanager
def recorded() -> Iterator[list[tuple]]:
    """Context that records every address that is opened in a list, as ``(seed, *address)``, replicas included.

    Tests use it to check that no two purposes share a stream.
    """
    addresses: list[tuple] = []
    _recorders.append(addresses)
    try:
        yield addresses
    finally:
        _recorders.pop()


def _spelling(part) -> str:
    """One part of an address, with its type and length, so that different addresses have different spellings."""
    if isinstance(part, str):
        return f"s{len(part)}:{part}"
    if isinstance(part, Fraction):
        return f"q{part.numerator}/{part.denominator};"
    return f"i{checks.whole_number('a number in an address', part, 0, 2**64 - 1)};"


def _bits(seed, address: tuple) -> int:
    if not any(isinstance(part, str) for part in address):
        raise InputError(f"the address of a random stream must say in words what it is for, got {address}")
    text = "".join([_spelling(checks.seed(seed)), *map(_spelling, address)])
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest(), "little")


def key(seed: int, *address) -> int:
    """The 128 bits that a stream starts from.

    Parameters
    ----------
    seed : int in 0 .. 2**64 - 1
        Seed of the whole experiment.
    *address : str, int in 0 .. 2**64 - 1, or Fraction
        What the stream is for; at least one string.

    Raises
    ------
    InputError
        If a part is out of range or of another type.
    """
    for recorder in _recorders:
        recorder.append((seed, *address))
    return _bits(seed, address)


def keys(seed: int, *address, replicas: int, first_replica: int = 0) -> int:
    """The 128 bits that the streams of replicas ``first_replica .. first_replica + replicas - 1`` start from, together with
    their number."""
    first_replica = checks.whole_number("first_replica", first_replica, 0, 2**48 - 1)
    for recorder in _recorders:
        recorder += [(seed, *address, replica) for replica in range(first_replica, first_replica + replicas)]
    return _bits(seed, address)


def generator(seed: int, *address) -> np.random.Generator:
    """NumPy generator (Philox) of the stream (seed, *address); see :func:`key`.

    Parameters
    ----------
    seed : int in 0 .. 2**64 - 1
        Seed of the whole experiment.
    *address : str, int or Fraction
        What the stream is for; at least one string.

    Returns
    -------
    numpy.random.Generator
        The same numbers for the same address, regardless of other draws.

    Raises
    ------
    InputError
        If a part is out of range or of another type.

    Examples
    --------
    >>> first, again = (generator(0, "demo", "weights", 8).random(2) for _ in range(2))
    >>> bool(np.all(first == again)), bool(np.any(first == generator(0, "demo", "noise", 8).random(2)))
    (True, False)
    """
    bits = key(seed, *address)
    return np.random.Generator(np.random.Philox(key=np.array([bits & (2**64 - 1), bits >> 64], dtype=np.uint64)))


def normal(seed: int, *address, shape, dtype=np.float64) -> np.ndarray:
    """Standard Gaussians of the stream (seed, *address); see :func:`key`."""
    return generator(seed, *address).standard_normal(shape, dtype=dtype)
