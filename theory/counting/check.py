"""The counts of critical and global subspaces against enumeration and other exact sums."""

import itertools
import math
from collections.abc import Iterator

from theory.counting import critical_subspaces, log_asymptotic, minima_subspaces
from theory.derivation import Prediction


def set_partitions(m: int) -> Iterator[tuple[int, ...]]:
    """All partitions of m things, as restricted growth strings: neuron -> group, groups numbered by first member.

    Parameters
    ----------
    m : int
        Number of things, at least 0.

    Yields
    ------
    tuple of int
        m numbers, the group of each thing.

    Examples
    --------
    >>> list(set_partitions(2))
    [(0, 0), (0, 1)]
    """
    def extend(prefix, groups):
        if len(prefix) == m:
            yield tuple(prefix)
            return
        for g in range(groups + 1):
            yield from extend([*prefix, g], max(groups, g + 1))

    yield from extend([], 0)


def enumerate_minima(r: int, m: int) -> set[frozenset]:
    """Every global-minimum subspace: which neurons copy which of the r, and which cancel together.

    The cost is exponential. This is the independent reference of :func:`~theory.counting.minima_subspaces` and, without
    cancelling groups, of :func:`~theory.counting.critical_subspaces`.

    Parameters
    ----------
    r : int
        Neurons of the irreducible point, at least 0.
    m : int
        Width, at least 0.

    Returns
    -------
    set of frozenset of (int, frozenset of int)
        Each subspace is a set of groups: the neuron that a group copies (-1 for a group that cancels), and its members.

    Examples
    --------
    >>> len(enumerate_minima(2, 4)) == minima_subspaces(2, 4)
    True
    """
    subspaces = set()
    for partition in set_partitions(m):
        groups = max(partition, default=-1) + 1
        for names in itertools.permutations(range(groups), r):
            subspaces.add(frozenset((names.index(g) if g in names else -1,
                                     frozenset(i for i in range(m) if partition[i] == g)) for g in range(groups)))
    return subspaces


def check_counts(rng):
    """Both counts by enumerating the subspaces one by one."""
    for r, m in ((2, 4), (3, 5), (4, 5), (4, 6), (1, 7), (0, 6), (5, 7)):
        subspaces = enumerate_minima(r, m)
        yield Prediction(f"counting/T({r},{m})", minima_subspaces(r, m), len(subspaces), tolerance=0.0,
                         method="enumeration")
        yield Prediction(f"counting/G({r},{m})", critical_subspaces(r, m),
                         sum(all(name >= 0 for name, _ in s) for s in subspaces), method="enumeration", tolerance=0.0)


def check_large(rng):
    """Large counts: alternating sum and convolution in exact integers; the saddle point to its O(1/m)."""
    r, m = 120, 200
    alternating = sum((-1) ** (r - i) * math.comb(r, i) * i**m for i in range(r + 1))
    yield Prediction("counting/G(120,200)", critical_subspaces(r, m) / alternating, 1.0, tolerance=0.0,
                     method="over the alternating sum")
    bell = [1]
    for u in range(m - r):
        bell.append(sum(math.comb(u, j) * bell[j] for j in range(u + 1)))
    convolution = sum(math.comb(m, u) * critical_subspaces(r, m - u) * bell[u] for u in range(m - r + 1))
    yield Prediction("counting/T(120,200)", minima_subspaces(r, m) / convolution, 1.0, tolerance=0.0,
                     method="over the sum over cancelling neurons")
    for minima in (False, True):
        count = minima_subspaces(50, 200) if minima else critical_subspaces(50, 200)
        yield Prediction(f"counting/saddle-point-{'T' if minima else 'G'}(50,200)",
                         math.exp(log_asymptotic(50, 200, minima) - math.log(count)), 1.0, tolerance=2e-3,
                         method="exact count")


CHECKS = {"counting-enumeration": check_counts, "counting-large": check_large}
