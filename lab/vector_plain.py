"""Plain twins of :mod:`lab.vector` for ``NUMBA_DISABLE_JIT=1``: a vector is a NumPy array."""

import operator

import numpy as np

LANES = 16


class _Plain(np.ndarray):
    """A vector without the compiler: a value, which ``a += b`` replaces and never changes in place."""

    def __iadd__(self, other):  # type: ignore[misc]  # a new value, as NumPy's is not
        return self + other

    def __isub__(self, other):  # type: ignore[misc]  # a new value, as NumPy's is not
        return self - other

    def __imul__(self, other):  # type: ignore[misc]  # a new value, as NumPy's is not
        return self * other


def load(array, i):
    return (array[i] if array.ndim == 2 else array[i:i + LANES]).copy().view(_Plain)


def store(array, i, x):
    array[i if array.ndim == 2 else slice(i, i + LANES)] = x


def splat(value):
    dtype = np.float32 if isinstance(value, np.float32) else np.float64
    return np.full(LANES if dtype is np.float32 else 8, value, dtype).view(_Plain)


def select(mask, a, b):
    chosen = np.where(mask, a, b)
    return chosen.view(_Plain) if chosen.ndim else chosen[()]


def total(x):
    while x.size > 1:
        x = x[:x.size // 2] + x[x.size // 2:]
    return x[0]


def polynomial(x, coefficients):
    result = np.asarray(x).dtype.type(coefficients[-1])
    for c in coefficients[-2::-1]:
        result = result * x + np.asarray(x).dtype.type(c)
    return result


def exp2i(n):
    return np.exp2(n).astype(np.asarray(n).dtype)[()]


def _word(x):
    return np.uint32(x) if isinstance(x, int) else x


def _of_words(f):
    return lambda a, b: f(_word(a), _word(b))


def fma(a, b, c):
    return a * b + c


def bits_of(x):
    return np.asarray(x).view(np.uint32 if np.asarray(x).dtype == np.float32 else np.uint64)[()]


def float_of(x):
    return np.asarray(x).view(np.float32 if np.asarray(x).dtype == np.uint32 else np.float64)[()]


def from_signed(x):
    return np.asarray(x).view(np.int32).astype(np.float32)[()]


def from_unsigned(x):
    return np.asarray(x).astype(np.float32)[()]


def shift_right_signed(a, b):
    return np.asarray(np.asarray(a).view(np.int32) >> int(b)).view(np.uint32)[()]

some, every, sqrt, absolute, nearest, copysign = np.any, np.all, np.sqrt, np.abs, np.rint, np.copysign
minimum, maximum, less = np.fmin, np.fmax, operator.lt


def add(a, b):
    with np.errstate(over="ignore"):  # scalar words wrap around
        return a + b


def sub(a, b):
    with np.errstate(over="ignore"):
        return a - b

bit_xor, bit_and, bit_or = _of_words(np.bitwise_xor), _of_words(np.bitwise_and), _of_words(np.bitwise_or)
shift_left, shift_right = _of_words(np.left_shift), _of_words(np.right_shift)
