"""Online SGD of two-layer students, float32, all replicas at once.

One step of a replica on a batch of B samples (x, y), with lambda_i = w_i . x and error e = y - sum_i v_i g(lambda_i):

    w_i <- (1 - decay_w) w_i + (rate_w / B) sum_batch e v_i g'(lambda_i) x
    v_i <- (1 - decay_v) v_i + (rate_v / B) sum_batch e g(lambda_i)

(the v on the right are those before the step). Teacher: y = sum_m A_m g(t_m . x) + noise * zeta. Inputs are fresh
standard Gaussians or drawn with replacement from a finite set.

**Steps in blocks.** The inputs do not depend on the weights, so the samples of several steps (`chunk` of them) are
handled together, exactly: with W0 the weights before the block and D_t the step's multiplier of x_t,

    W_s = W0 + sum_{t < s} D_t x_t^T,     so     W_s x_s = W0 x_s + sum_{t < s} D_t (x_t . x_s).

Hence three matrix products a block (W0 X, X^T X, D X^T) and a short recursion in between. The weights pass through the
cache twice a block instead of twice a step, and both passes are products that run at the speed of the multiply units.
With weight decay the multipliers carry the powers of 1 - decay_w.

**Lanes.** ``advance_wide``: the lanes of a vector are sixteen neurons of one replica. ``advance_narrow``: they are
sixteen replicas of one neuron, for students too narrow to fill a vector. The two differ in strides and in one sum.

**Layout.** wide: ``W[replica]`` is cut in panels of 32 neurons (the last may have 16), each [input][neuron]; neurons are
padded to a multiple of 16 by zeros, which stay zero. narrow: ``W[group]`` is [input][neuron][16 replicas].

Several replicas (groups) advance together inside a task, because the recursion is a chain of dependent operations and
the processor needs something else to do meanwhile. Nothing is shared between them: results do not depend on it.
"""

import numpy as np
from numba import njit, prange

from lab import streams, vector_math
from lab import vector as vec
from toy.teacher_student.tile import product, product_lanewise

LANES = vec.LANES
ERF, RELU, TANH, LINEAR = 0, 1, 2, 3
RATE_W, RATE_V, DECAY_W, DECAY_V, NOISE = range(5)  # places in the vector of parameters

_f = np.float32


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


@njit("void(f4[::1], i8, f4[::1], i8, i8, f4[::1], i8, i8, f4[::1], i8)", cache=True, error_model="numpy")
def forward_panels(h, h_at, x, x_row, n, w, m, d, unused, first):
    """h[s, :] = W x_s for n samples; x is [input][sample]."""
    for column in range(0, m, 2 * LANES):
        wide = min(2, (m - column) // LANES)
        product(h, h_at + column, m, x, first, x_row, 1, w, column * d, wide * LANES, n, wide, d, False)


@njit("void(f4[::1], i8, i8, f4[::1], i8, i8, i8, f4[::1], i8)", cache=True, error_model="numpy")
def update_panels(w, m, d, x, first, x_row, n, delta, at):
    """W += sum over n samples of delta_s x_s^T."""
    for column in range(0, m, 2 * LANES):
        wide = min(2, (m - column) // LANES)
        product(w, column * d, wide * LANES, x, first, 1, x_row, delta, at + column, m, d, wide, n, True)


@njit(cache=True, error_model="numpy")
def scale(w, factor):
    """w *= factor, for a flat array of a multiple of sixteen."""
    for i in range(0, w.size, LANES):
        vec.store(w, i, vec.mul(vec.load(w, i), factor))


@njit(cache=True, error_model="numpy")
def labels_of(y, rho, row, k, amplitudes, kind, noise, zeta, n):
    """y[s] = sum_m A_m g(rho[m, s]) + noise * zeta[s] for n (a multiple of 16) samples."""
    for s in range(0, n, LANES):
        total = vec.mul(vec.load(zeta, s), noise)
        for m in range(k):
            g, _ = activation(kind, vec.load(rho, m * row + s))
            total = vec.fma(g, amplitudes[m], total)
        vec.store(y, s, total)


@njit(cache=True, error_model="numpy")
def draw_indices(state, out, size):
    """Indices 0 .. size-1, uniform to 2**-32, into a flat int64 array of a multiple of sixteen."""
    word = np.empty(LANES, np.uint32)
    for i in range(0, out.size, LANES):
        vec.store(word, 0, streams.next_words(state))
        for l in range(LANES):
            out[i + l] = np.int64((np.uint64(word[l]) * np.uint64(size)) >> np.uint64(32))


_STATES = "u4[:, ::1], u4[:, ::1], u4[:, ::1]"
_SIGNATURE = (f"void(f4[:, ::1], f4[:, ::1], {_STATES}, f4[::1], f4[::1], f4[:, :, ::1], f4[:, ::1], f4[::1],"
              " i8, i8, i8, i8, i8, i8, i8, i8)")


@njit(_SIGNATURE, cache=True, error_model="numpy", parallel=True)
def advance_wide(W, V, data_streams, noise_streams, order_streams, teacher, amplitudes, inputs, labels, parameters,
                 d, batch, chunk, done, steps, kind, teacher_kind, together):
    """Advance every replica by `steps` steps; lanes are neurons. Arrays are changed in place.

    Parameters
    ----------
    W : (replicas, d * m) float32, in panels; V : (replicas, m). m is a multiple of 16.
    data_streams, noise_streams, order_streams : (replicas, 64) uint32, one stream a replica.
    teacher : (d * k,) as [input][unit]; amplitudes : (k,).
    inputs, labels : a finite data set (1 or replicas, P, d) and (1 or replicas, P); P = 0 for fresh inputs.
    parameters : rates, decays and noise, at RATE_W, ...
    d, batch : input dimension and batch size; chunk : steps in a block.
    done : steps of the current block that an earlier call has taken (streams stand at the block's beginning).
    steps : steps to take; kind, teacher_kind : activations; together : replicas a task.
    """
    replicas, m = V.shape
    k = amplitudes.size
    size = inputs.shape[1]
    rate_w, rate_v = parameters[RATE_W] / _f(batch), parameters[RATE_V] / _f(batch)
    keep_w, keep_v, noise = _f(1) - parameters[DECAY_W], _f(1) - parameters[DECAY_V], parameters[NOISE]
    n = chunk * batch
    row = -(-n // LANES) * LANES
    even = -(-d * row // 32) * 32
    for task in prange(-(-replicas // together)):
        r0 = task * together
        count = min(together, replicas - r0)
        x, gram, rho = np.zeros((count, even), _f), np.zeros((count, n * row), _f), np.zeros(k * row, _f)
        y, zeta = np.zeros((count, row), _f), np.zeros(-(-row // 32) * 32, _f)
        h, delta = np.zeros((count, n * m), _f), np.zeros((count, n * m), _f)
        g, dv = np.zeros(m, _f), np.zeros((count, m), _f)
        before = np.zeros((3, streams.WORDS), np.uint32)
        index = np.zeros(row, np.int64)
        low, left = done, steps
        while left > 0:
            high = min(chunk, low + left)
            left -= high - low
            first, last = low * batch, high * batch  # samples of the block that are used now
            for i in range(count):
                r = r0 + i
                if high < chunk:  # the block goes on in a later call, which draws it again
                    before[0], before[1], before[2] = data_streams[r], noise_streams[r], order_streams[r]
                if size == 0:
                    streams.fill_normal(data_streams[r], x[i])
                    product(rho, 0, row, teacher, 0, k, 1, x[i], 0, row, k, row // LANES, d, False)
                    if noise > _f(0):
                        streams.fill_normal(noise_streams[r], zeta)
                    labels_of(y[i], rho, row, k, amplitudes, teacher_kind, noise, zeta, row)
                else:
                    draw_indices(order_streams[r], index, size)
                    source = r if inputs.shape[0] > 1 else 0
                    for s in range(n):
                        y[i, s] = labels[source, index[s]]
                        for j in range(d):
                            x[i, j * row + s] = inputs[source, index[s], j]
                if high < chunk:
                    data_streams[r], noise_streams[r], order_streams[r] = before[0], before[1], before[2]
                forward_panels(h[i], first * m, x[i], row, last - first, W[r], m, d, h[i], first)
                if high - low > 1:
                    product(gram[i], first * row, row, x[i], first, row, 1, x[i], 0, row, last - first, row // LANES, d,
                            False)
            shrink = _f(1)
            for b in range(low, high):
                known = b * batch  # samples of the block whose multipliers are known
                grow = _f(1) / (shrink * keep_w)
                for s in range(known, known + batch):
                    for i in range(count):
                        out = vec.mul(vec.load(V[r0 + i], 0), _f(0))
                        for c in range(0, m, LANES):
                            z = vec.load(h[i], s * m + c)
                            for t in range(first, known):
                                z = vec.fma(vec.load(delta[i], t * m + c), gram[i, s * row + t], z)
                            value, slope = activation(kind, vec.mul(z, shrink))
                            v = vec.load(V[r0 + i], c)
                            out = vec.fma(v, value, out)
                            vec.store(g, c, value)
                            vec.store(delta[i], s * m + c, vec.mul(v, slope))
                        error = y[i, s] - vec.total(out)
                        for c in range(0, m, LANES):
                            vec.store(delta[i], s * m + c,
                                      vec.mul(vec.load(delta[i], s * m + c), error * rate_w * grow))
                            vec.store(dv[i], c, vec.fma(vec.load(g, c), error * rate_v, vec.load(dv[i], c)))
                if rate_v != _f(0) or keep_v != _f(1):
                    for i in range(count):
                        for c in range(0, m, LANES):
                            vec.store(V[r0 + i], c, vec.fma(vec.load(V[r0 + i], c), keep_v, vec.load(dv[i], c)))
                            vec.store(dv[i], c, vec.mul(vec.load(dv[i], c), _f(0)))
                shrink = shrink * keep_w
            for i in range(count):
                update_panels(W[r0 + i], m, d, x[i], first, row, last - first, delta[i], first * m)
                if keep_w != _f(1):
                    scale(W[r0 + i], shrink)
            low = 0


@njit(_SIGNATURE, cache=True, error_model="numpy", parallel=True)
def advance_narrow(W, V, data_streams, noise_streams, order_streams, teacher, amplitudes, inputs, labels, parameters,
                   d, batch, chunk, done, steps, kind, teacher_kind, together):
    """As :func:`advance_wide`, but lanes are replicas: W is (groups, d * m * 16), V (groups, m * 16), streams of lanes.

    `together` counts groups. A data set of its own for every replica has the replicas padded to groups of sixteen.
    """
    groups, m = V.shape[0], V.shape[1] // LANES
    k = amplitudes.size
    size = inputs.shape[1]
    rate_w, rate_v = parameters[RATE_W] / _f(batch), parameters[RATE_V] / _f(batch)
    keep_w, keep_v, noise = _f(1) - parameters[DECAY_W], _f(1) - parameters[DECAY_V], parameters[NOISE]
    n = chunk * batch
    row, wide = n * LANES, m * LANES
    even = -(-d * row // 32) * 32
    for task in prange(-(-groups // together)):
        r0 = task * together
        count = min(together, groups - r0)
        x, gram, rho = np.zeros((count, even), _f), np.zeros((count, n * row), _f), np.zeros(k * row, _f)
        y, zeta = np.zeros((count, row), _f), np.zeros(-(-row // 32) * 32, _f)
        h, delta = np.zeros((count, n * wide), _f), np.zeros((count, n * wide), _f)
        g, dv = np.zeros(wide, _f), np.zeros((count, wide), _f)
        before = np.zeros((3, streams.WORDS), np.uint32)
        index = np.zeros(row, np.int64)
        low, left = done, steps
        while left > 0:
            high = min(chunk, low + left)
            left -= high - low
            first, last = low * batch, high * batch
            for i in range(count):
                r = r0 + i
                if high < chunk:
                    before[0], before[1], before[2] = data_streams[r], noise_streams[r], order_streams[r]
                if size == 0:
                    streams.fill_normal(data_streams[r], x[i])
                    product(rho, 0, row, teacher, 0, k, 1, x[i], 0, row, k, n, d, False)
                    if noise > _f(0):
                        streams.fill_normal(noise_streams[r], zeta)
                    labels_of(y[i], rho, row, k, amplitudes, teacher_kind, noise, zeta, row)
                else:
                    draw_indices(order_streams[r], index, size)
                    for s in range(row):
                        source = r * LANES + s % LANES if inputs.shape[0] > 1 else 0
                        y[i, s] = labels[source, index[s]]
                        for j in range(d):
                            x[i, j * row + s] = inputs[source, index[s], j]
                if high < chunk:
                    data_streams[r], noise_streams[r], order_streams[r] = before[0], before[1], before[2]
                product_lanewise(h[i], first * wide, wide, x[i], first * LANES, row, LANES, W[r], 0, wide, last - first,
                                 m, d, False)
                for s in range((low + 1) * batch, last):  # the triangle that is used: samples of earlier steps
                    product_lanewise(gram[i], s * row + first * LANES, row, x[i], s * LANES, row, LANES, x[i],
                                     first * LANES, row, 1, s // batch * batch - first, d, False)
            shrink = _f(1)
            for b in range(low, high):
                known = b * batch
                grow = _f(1) / (shrink * keep_w)
                for s in range(known, known + batch):
                    for i in range(count):
                        error = vec.load(y[i], s * LANES)
                        for c in range(0, wide, LANES):
                            z = vec.load(h[i], s * wide + c)
                            for t in range(first, known):
                                z = vec.fma(vec.load(delta[i], t * wide + c), vec.load(gram[i], s * row + t * LANES), z)
                            value, slope = activation(kind, vec.mul(z, shrink))
                            v = vec.load(V[r0 + i], c)
                            error = vec.fma(vec.mul(v, value), _f(-1), error)
                            vec.store(g, c, value)
                            vec.store(delta[i], s * wide + c, vec.mul(v, slope))
                        for c in range(0, wide, LANES):
                            vec.store(delta[i], s * wide + c,
                                      vec.mul(vec.load(delta[i], s * wide + c), vec.mul(error, rate_w * grow)))
                            vec.store(dv[i], c, vec.fma(vec.mul(error, rate_v), vec.load(g, c), vec.load(dv[i], c)))
                if rate_v != _f(0) or keep_v != _f(1):
                    for i in range(count):
                        for c in range(0, wide, LANES):
                            vec.store(V[r0 + i], c, vec.fma(vec.load(V[r0 + i], c), keep_v, vec.load(dv[i], c)))
                            vec.store(dv[i], c, vec.mul(vec.load(dv[i], c), _f(0)))
                shrink = shrink * keep_w
            for i in range(count):
                product_lanewise(W[r0 + i], 0, wide, x[i], first * LANES, LANES, row, delta[i], first * wide, wide, d, m,
                                 last - first, True)
                if keep_w != _f(1):
                    scale(W[r0 + i], shrink)
            low = 0
