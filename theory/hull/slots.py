"""The state of queries that are solved side by side: one *slot* per query, as arrays over slots.

A slot holds the working set of its query (point numbers and weights), the triangular factor of the points that carry
weight (:mod:`theory.hull.factor`), the direction in which points are priced next, and the best bounds so far. Kernels
take the numbers of a slot as one record of :data:`STATE` (changed in place) and its arrays as a :class:`Slot`.

Lengths are in units of a power of two at least the radius of the points; W is the capacity of a slot, d the dimension.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from lab.compiled import njit

# No nnan/ninf: NaN must stay visible. Reassociation lets the dot products use vector registers.
FLAGS = {"reassoc", "contract", "nsz", "arcp"}
# Steps of a kernel are called from compiled code alone: neither wrapped for Python nor cached, they compile faster. They borrow
# their arrays, without reference counts: those are atomic, and took a tenth of the time of small problems (d = 16), a pair for
# each view of a row. So a step must neither allocate nor return an array; those that do are owners.
helper = njit(error_model="numpy", fastmath=FLAGS, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)
owner = njit(error_model="numpy", fastmath=FLAGS, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=True)

SMALL = 256  # up to this dimension inner products are taken in float64 from the start


class Outcome(IntEnum):
    """Outcome of a round for a slot."""

    CONTINUE = 0
    CONVERGED = 1
    STALLED = 2  # rounding keeps the bounds apart
    OVERFLOW = 3  # the support outgrew the slot


class Precision(IntEnum):
    """Where the inner products of a working set come from; a slot only ever moves up."""

    SINGLE = 0  # float32 products
    DOUBLE = 1  # float64 products
    PIVOTS = 2  # float64, and pivots that would have no digits left are computed from the points


STATE = np.dtype([
    ("members", np.int64),  # points in the working set
    ("passive", np.int64),  # those of them in the factor, with positive weight
    ("fresh", np.int64),  # 1 before the first round
    ("precise", np.int64),  # a Precision
    ("fine", np.int64),  # 1: price in float64
    ("rounds", np.int64), ("tries", np.int64),  # all rounds; rounds without progress in either bound
    ("code", np.int64),  # an Outcome
    ("gamma2", np.float64),  # gamma**2, added to all inner products in the factor
    ("upper", np.float64), ("lower", np.float64),  # bounds on the distance
    ("level", np.float64),  # (x - o) . u of the current combination x
    ("reach", np.float64),  # the largest score (d_j - o) . u in the working set
    ("along", np.float64),  # (q - x) . u
    ("shift", np.float64),  # o . u
    ("kept_size", np.int64), ("kept_upper", np.float64),  # of the working set put aside before a second attempt
])


class Slots(NamedTuple):
    """B slots.

    Attributes
    ----------
    state : (B,) record array of :data:`STATE`.
    index, alpha : (B, W) int64 and float64, numbers of the working set's points and their weights.
    K : (B, W, W) inner products of the working set's points, relative to the origin.
    R : (B, W, W) upper triangular, R^T R = K + gamma^2 on the passive points.
    ones : (B, W) R^-T 1.
    order : (B, W) int64, place in the working set of each column of the factor.
    column : (B, W) int64, the inverse; -1 for points outside the factor.
    origin : (B, d) the point that the working set is relative to.
    query : (B, d) the query relative to it, in units (before the first round: the query itself).
    direction, best : (B, d) unit vectors: to be priced next; the one that certifies ``lower``.
    kept_index, kept_alpha : (B, W) the working set put aside before a second attempt.
    """

    state: np.recarray
    index: np.ndarray  # type: ignore[assignment]  # hides tuple.index, which is not used
    alpha: np.ndarray
    K: np.ndarray
    R: np.ndarray
    ones: np.ndarray
    order: np.ndarray
    column: np.ndarray
    origin: np.ndarray
    query: np.ndarray
    direction: np.ndarray
    best: np.ndarray
    kept_index: np.ndarray
    kept_alpha: np.ndarray


class Factor(NamedTuple):
    """Inner products and triangular factor of one slot: its rows of the arrays in :class:`Slots`."""

    K: np.ndarray
    R: np.ndarray
    ones: np.ndarray
    order: np.ndarray
    column: np.ndarray


class Slot(NamedTuple):
    """The arrays of one slot: its rows of those in :class:`Slots`."""

    index: np.ndarray  # type: ignore[assignment]  # hides tuple.index, which is not used
    alpha: np.ndarray
    factor: Factor
    origin: np.ndarray
    query: np.ndarray
    direction: np.ndarray
    best: np.ndarray
    kept_index: np.ndarray
    kept_alpha: np.ndarray


# Rows of a thread's scratch matrix, by what they hold while a slot is solved.
(BASE,  # weights about which the change is solved for
 RHS,  # b: gradients at BASE, the right-hand side
 REDUCED,  # y = R^-T b
 FACE,  # minimiser over the face's affine hull; scores of candidates; corrections of a direction
 GRADIENT,  # gradients at the current weights
 COLUMN,  # column that is being appended to the factor
 START,  # weights at which the solve began
 REFUSED,  # 1 for points whose pivot was too small
 PULL,  # t: (d_j - o) . r at START, from the points themselves
 RESIDUAL,  # r = q - x
 PROJECTED, LIFTED,  # a point that is made orthogonal to the passive ones: its coefficients, and what remains of it
 SAFE,  # weights to go back to
 ) = range(13)


class Scratch(NamedTuple):
    """Working space of one thread: rows of the working set relative to the origin, and the rows named above."""

    rows32: np.ndarray
    rows64: np.ndarray
    work: np.ndarray


def empty_slots(count: int, capacity: int, dim: int) -> Slots:
    """Free slots."""
    B, W = count, capacity
    state = np.zeros(B, STATE).view(np.recarray)
    state.gamma2 = 1.0
    state.upper = state.kept_upper = np.inf
    state.precise = first_precision(dim)
    return Slots(state, index=np.zeros((B, W), np.int64), alpha=np.zeros((B, W)), K=np.zeros((B, W, W)), R=np.zeros((B, W, W)),
                 ones=np.zeros((B, W)), order=np.zeros((B, W), np.int64), column=np.full((B, W), -1),
                 origin=np.zeros((B, dim)), query=np.zeros((B, dim)), direction=np.zeros((B, dim)), best=np.zeros((B, dim)),
                 kept_index=np.zeros((B, W), np.int64), kept_alpha=np.zeros((B, W)))


def scratch(capacity: int, dim: int) -> Scratch:
    """Working space of a thread; float32 rows only where they are used."""
    single = first_precision(dim) == Precision.SINGLE
    return Scratch(np.empty((capacity if single else 1, dim), np.float32), np.empty((capacity, dim)),
                   np.zeros((SAFE + 1, max(capacity, dim))))


def first_precision(dim: int) -> Precision:
    """In low dimension float64 inner products cost next to nothing and are used from the start."""
    return Precision.DOUBLE if dim <= SMALL else Precision.SINGLE


@owner
def slot_of(slots, s):
    """The arrays of slot s."""
    factor = Factor(slots.K[s], slots.R[s], slots.ones[s], slots.order[s], slots.column[s])
    return Slot(slots.index[s], slots.alpha[s], factor, slots.origin[s], slots.query[s], slots.direction[s], slots.best[s],
                slots.kept_index[s], slots.kept_alpha[s])
