"""The parts of a step of online SGD: activations, passes over the weights, labels and random draws.

:mod:`toy.teacher_student.kernels` has the equations, the layout of the arrays, and the kernels that call these functions. Arrays
are flat; ``x_at`` is the index at which the part of ``x`` that a function works on begins, ``x_row`` the distance of its rows.
"""

import numpy as np

from lab import kernel_streams as streams
from lab import vector as vec
from lab import vector_math
from lab.compiled import njit
from toy.teacher_student.tile import product, transpose

LANES = vec.LANES
ERF, RELU, TANH, LINEAR = 0, 1, 2, 3
PANEL = 4 * LANES  # neurons
INPUTS = 64  # rows of a panel that the forward pass takes at a time
RATE_W, RATE_V, DECAY_W, DECAY_V, NOISE = range(5)  # places in the vector of parameters

_f = np.float32


@njit(cache=True, error_model="numpy")
def aligned_zeros(n):
    """n float32 zeros that begin with a cache line: a vector across two lines is loaded at half the speed."""
    buffer = np.zeros(n + LANES, _f)
    first = -(buffer.ctypes.data // 4) % LANES
    return buffer[first:first + n]


@njit(cache=True, error_model="numpy")
def activation(kind, x):
    """g(x) and g'(x) of a vector; the derivative of ReLU at 0 is 0."""
    if kind == ERF:
        return vector_math.erf_pair32(x)
    if kind == RELU:
        up = vec.less(_f(0), x)
        return vec.select(up, x, _f(0)), vec.select(up, vec.fma(x, _f(0), _f(1)), _f(0))
    if kind == TANH:
        return vector_math.tanh_pair32(x)
    return x, vec.fma(x, _f(0), _f(1))


@njit(cache=True, error_model="numpy")
def activate(kind, x, value, slope, at, n):
    """g and g' of x[at : at + n], a multiple of sixteen numbers, to the same places of the other two; `value` may be x."""
    paired = n // (2 * LANES) * (2 * LANES) if kind == ERF else 0
    for i in range(at, at + paired, 2 * LANES):  # two vectors at a time share the constants
        one, slope_of_one = vector_math.erf_pair32(vec.load(x, i))
        two, slope_of_two = vector_math.erf_pair32(vec.load(x, i + LANES))
        vec.store(value, i, one)
        vec.store(value, i + LANES, two)
        vec.store(slope, i, slope_of_one)
        vec.store(slope, i + LANES, slope_of_two)
    for i in range(at + paired, at + n, LANES):
        one, slope_of_one = activation(kind, vec.load(x, i))
        vec.store(value, i, one)
        vec.store(slope, i, slope_of_one)


@njit(cache=True, error_model="numpy")
def forward_panels(h, h_at, x, x_at, x_row, n, w, w_at, m, d):
    """h[s, :] = W x_s for n samples; x is [input][sample]."""
    for column in range(0, m, PANEL):
        wide = min(PANEL, m - column)
        for j in range(0, d, INPUTS):
            product(h, h_at + column, m, x, x_at + j * x_row, x_row, 1, w, w_at + column * d + j * wide, wide, n, wide // LANES,
                    min(INPUTS, d - j), j > 0)


@njit(cache=True, error_model="numpy")
def forward_sixteen(h, h_at, x, x_at, row, w, w_at, d, turned):
    """As :func:`forward_panels` for sixteen neurons and `row` samples, a multiple of sixteen.

    A tile of one vector of neurons loads an operand for every multiplication. So the lanes are samples here, two vectors of
    them, and h is turned afterwards: 1.3 to 1.7 times as fast.
    """
    product(turned, 0, row, w, w_at, LANES, 1, x, x_at, row, LANES, row // LANES, d, False)
    for s in range(0, row, LANES):
        transpose(h, h_at + s * LANES, LANES, turned, s, row)


@njit(cache=True, error_model="numpy")
def update_panels(w, w_at, m, d, x, x_at, x_row, n, delta, at):
    """W += sum over n samples of delta_s x_s^T."""
    for column in range(0, m, PANEL):
        wide = min(PANEL, m - column)
        product(w, w_at + column * d, wide, x, x_at, 1, x_row, delta, at + column, m, d, wide // LANES, n, True)


@njit(cache=True, error_model="numpy")
def scale(w, at, size, factor):
    """w[at : at + size] *= factor, a multiple of sixteen."""
    for i in range(at, at + size, LANES):
        vec.store(w, i, vec.mul(vec.load(w, i), factor))


@njit(cache=True, error_model="numpy")
def labels_of(y, at, rho, spare, row, k, amplitudes, kind, noise, zeta, n):
    """y[at + s] = sum_m A_m g(rho[m, s]) + noise * zeta[s] for n (a multiple of 16) samples; rho becomes g(rho)."""
    activate(kind, rho, rho, spare, 0, k * row)
    for s in range(0, n, LANES):
        total = vec.mul(vec.load(zeta, s), noise)
        for m in range(k):
            total = vec.fma(vec.load(rho, m * row + s), amplitudes[m], total)
        vec.store(y, at + s, total)


@njit(cache=True, error_model="numpy")
def draw_indices(states, at, out, size):
    """Indices 0 .. size-1, uniform to 2**-32, into a flat int64 array of a multiple of sixteen."""
    word, state = np.empty(LANES, np.uint32), states[at:at + streams.WORDS]
    for i in range(0, out.size, LANES):
        vec.store(word, 0, streams.next_words(state))
        for l in range(LANES):
            out[i + l] = np.int64((np.uint64(word[l]) * np.uint64(size)) >> np.uint64(32))


@njit(cache=True, error_model="numpy")
def keep_streams(before, data, noise, order, r, save):
    """Save the three states of row r, or put them back."""
    for w in range(streams.WORDS):
        at = r * streams.WORDS + w
        if save:
            before[0, w], before[1, w], before[2, w] = data[at], noise[at], order[at]
        else:
            data[at], noise[at], order[at] = before[0, w], before[1, w], before[2, w]
