"""Online SGD of two-layer students, float32, all replicas at once.

One step of a replica on a batch of B samples (x, y), with lambda_i = w_i . x and error e = y - sum_i v_i g(lambda_i):

    w_i <- (1 - decay_w) w_i + (rate_w / B) sum_batch e v_i g'(lambda_i) x
    v_i <- (1 - decay_v) v_i + (rate_v / B) sum_batch e g(lambda_i)

(the v on the right are those before the step). Teacher: y = sum_m A_m g(t_m . x) + noise * zeta. Inputs are fresh
standard Gaussians or drawn with replacement from a finite set.

**Steps in blocks.** The inputs do not depend on the weights, so the samples of several steps (`chunk` of them) are
handled together, exactly: with W0 the weights before the block and D_t the step's multiplier of x_t,

    W_s = W0 + sum_{t < s} D_t x_t^T,     so     W_s x_s = W0 x_s + sum_{t < s} D_t (x_t . x_s).

Hence three matrix products per block (W0 X, X^T X, D X^T) and a short recursion in between. The weights pass through the
cache twice per block instead of twice per step, and both passes are products that run at the speed of the multiply units.
With weight decay the multipliers carry the powers of 1 - decay_w.

**Lanes.** ``advance_wide``: the lanes of a vector are sixteen neurons of one replica. ``advance_narrow``: they are
sixteen replicas of one neuron, for students too narrow to fill a vector. The two differ in strides and in one sum.

**Batches that fill a block by themselves** (sixteen samples and more) have no recursion: :func:`batch_wide` applies the
activation to groups of them in one loop. Inside the recursion an activation costs 41 cycles per vector, most of them for the
constants of its polynomials, which are fetched anew every time; in that loop two vectors share them.

**Layout.** wide: ``W[replica]`` is cut in panels of 64 neurons (the last may have 16, 32 or 48), each [input][neuron];
neurons are padded to a multiple of 16 by zeros, which stay zero. A panel is as wide as a tile of the product, and
``INPUTS`` rows of it stay in the first cache while all samples pass. narrow: ``W[group]`` is [input][neuron][16 replicas].

Several replicas (groups) advance together inside a task, because the recursion is a chain of dependent operations and
the processor needs something else to do meanwhile. Nothing is shared between them: results do not depend on it.

The parts of a step are in :mod:`toy.teacher_student.block`, the matrix product in :mod:`toy.teacher_student.tile`.
"""

import numpy as np
from numba import prange

from lab import kernel_streams as streams
from lab import vector as vec
from lab.compiled import njit
from toy.teacher_student.block import (
    DECAY_V,
    DECAY_W,
    LANES,
    NOISE,
    RATE_V,
    RATE_W,
    activate,
    activation,
    aligned_zeros,
    draw_indices,
    forward_panels,
    forward_sixteen,
    keep_streams,
    labels_of,
    scale,
    update_panels,
)
from toy.teacher_student.tile import product, product_lanewise

_f = np.float32


@njit(cache=True, error_model="numpy")
def recursion_wide(h, delta, g, gram, y, V, at, count, m, n, row, low, high, batch, rates, kind):
    """Errors, multipliers and readout of the steps low .. high - 1 of a block, for `count` replicas; lanes are neurons.

    Replica i has its h, delta and g at i n m, gram at i n row, y at i row and its readout at `at` + i m of V.
    Returns the factor that weight decay has applied to W meanwhile.
    """
    rate_w, rate_v, keep_w, keep_v = rates
    first = low * batch
    shrink = _f(1)
    for b in range(low, high):
        known = b * batch  # samples of the block whose multipliers are known
        up = rate_w / (shrink * keep_w)
        for s in range(known, known + batch):
            for i in range(count):
                here, v_at = (i * n + s) * m, at + i * m
                out = vec.mul(vec.load(V, v_at), _f(0))
                # lambda = W_s x_s = W0 x_s + sum over known t of D_t (x_t . x_s), times what decay has left
                for c in range(0, m, LANES):
                    z = vec.load(h, here + c)
                    for t in range(first, known):
                        z = vec.fma(vec.load(delta, (i * n + t) * m + c), gram[(i * n + s) * row + t], z)
                    value, slope = activation(kind, vec.mul(z, shrink))
                    v = vec.load(V, v_at + c)
                    out = vec.fma(v, value, out)
                    vec.store(g, here + c, value)
                    vec.store(delta, here + c, vec.mul(v, slope))
                # error e = y - v . g(lambda), and the multiplier D_s = rate_w e v g'(lambda) in units of the decay
                error = y[i * row + s] - vec.total(out)
                y[i * row + s] = error
                for c in range(0, m, LANES):
                    vec.store(delta, here + c, vec.mul(vec.load(delta, here + c), error * up))
        if rate_v != _f(0) or keep_v != _f(1):
            for i in range(count):
                for c in range(0, m, LANES):
                    change = vec.mul(vec.load(V, at + i * m + c), keep_v)
                    for s in range(known, known + batch):
                        change = vec.fma(vec.load(g, (i * n + s) * m + c), y[i * row + s] * rate_v, change)
                    vec.store(V, at + i * m + c, change)
        shrink = shrink * keep_w
    return shrink


@njit(cache=True, error_model="numpy")
def batch_wide(h, delta, y, V, at, m, n, row, rates, kind):
    """As :func:`recursion_wide` for one replica and a block of one step; h becomes g, and y rate_v times the errors.

    Processors load hardly more than one vector per cycle, and multiply two. So samples are taken in groups that stay in the first
    cache from the activation to the multipliers, and within them by four, which share each vector of V: 0.94 of the time of
    one sample after the other.
    """
    rate_w, rate_v, keep_w, keep_v = rates
    up = rate_w / keep_w
    group = max(4, 1024 // m // 4 * 4)
    for first in range(0, n, group):
        end = min(n, first + group)
        activate(kind, h, h, delta, first * m, (end - first) * m)
        for s in range(first, end, 4):  # the last four may reach into the padding of the block, which nothing reads
            a, b, c, d = s * m, (s + 1) * m, (s + 2) * m, (s + 3) * m
            out_a, out_b, out_c, out_d = vec.splat(_f(0)), vec.splat(_f(0)), vec.splat(_f(0)), vec.splat(_f(0))
            for i in range(0, m, LANES):
                v = vec.load(V, at + i)
                out_a, out_b = vec.fma(v, vec.load(h, a + i), out_a), vec.fma(v, vec.load(h, b + i), out_b)
                out_c, out_d = vec.fma(v, vec.load(h, c + i), out_c), vec.fma(v, vec.load(h, d + i), out_d)
            y[s], y[s + 1] = y[s] - vec.total(out_a), y[s + 1] - vec.total(out_b)
            y[s + 2], y[s + 3] = y[s + 2] - vec.total(out_c), y[s + 3] - vec.total(out_d)
            step_a, step_b, step_c, step_d = y[s] * up, y[s + 1] * up, y[s + 2] * up, y[s + 3] * up
            for i in range(0, m, LANES):
                v = vec.load(V, at + i)
                vec.store(delta, a + i, vec.mul(vec.mul(v, vec.load(delta, a + i)), step_a))
                vec.store(delta, b + i, vec.mul(vec.mul(v, vec.load(delta, b + i)), step_b))
                vec.store(delta, c + i, vec.mul(vec.mul(v, vec.load(delta, c + i)), step_c))
                vec.store(delta, d + i, vec.mul(vec.mul(v, vec.load(delta, d + i)), step_d))
    if rate_v != _f(0) or keep_v != _f(1):
        scale(y, 0, row, rate_v)
        scale(V, at, m, keep_v)
        product(V, at, m, y, 0, 1, 1, h, 0, m, 1, m // LANES, n, True)
    return keep_w


@njit(cache=True, error_model="numpy")
def recursion_narrow(h, delta, g, gram, y, V, at, count, wide, n, row, low, high, batch, rates, kind):
    """As :func:`recursion_wide`; lanes are replicas, and `wide` is sixteen times the number of neurons."""
    rate_w, rate_v, keep_w, keep_v = rates
    first = low * batch
    shrink = _f(1)
    for b in range(low, high):
        known = b * batch
        up = rate_w / (shrink * keep_w)
        for s in range(known, known + batch):
            for i in range(count):
                here, v_at = (i * n + s) * wide, at + i * wide
                error = vec.load(y, i * row + s * LANES)
                for c in range(0, wide, LANES):
                    z = vec.load(h, here + c)
                    for t in range(first, known):
                        z = vec.fma(vec.load(delta, (i * n + t) * wide + c),
                                    vec.load(gram, (i * n + s) * row + t * LANES), z)
                    value, slope = activation(kind, vec.mul(z, shrink))
                    v = vec.load(V, v_at + c)
                    error = vec.fma(vec.mul(v, value), _f(-1), error)
                    vec.store(g, here + c, value)
                    vec.store(delta, here + c, vec.mul(v, slope))
                vec.store(y, i * row + s * LANES, error)
                step = vec.mul(error, up)
                for c in range(0, wide, LANES):
                    vec.store(delta, here + c, vec.mul(vec.load(delta, here + c), step))
        if rate_v != _f(0) or keep_v != _f(1):
            for i in range(count):
                for c in range(0, wide, LANES):
                    change = vec.mul(vec.load(V, at + i * wide + c), keep_v)
                    for s in range(known, known + batch):
                        error = vec.mul(vec.load(y, i * row + s * LANES), rate_v)
                        change = vec.fma(vec.load(g, (i * n + s) * wide + c), error, change)
                    vec.store(V, at + i * wide + c, change)
        shrink = shrink * keep_w
    return shrink


# no signatures here: each of the two is compiled, for the one set of types it is called with, when it is first needed
@njit(cache=True, error_model="numpy", parallel=True)
def advance_wide(W, V, data_streams, noise_streams, order_streams, teacher, amplitudes, inputs, labels, parameters,
                 d, m, batch, chunk, done, steps, kind, teacher_kind, together):
    """Advance every replica by `steps` steps; lanes are neurons. Arrays are changed in place.

    Parameters
    ----------
    W : (replicas * d * m,) float32, in panels; V : (replicas * m,). m is a multiple of 16.
    data_streams, noise_streams, order_streams : (replicas * 64,) uint32, one stream per replica.
    teacher : (d * k,) as [input][unit]; amplitudes : (k,).
    inputs, labels : a finite data set (1 or replicas, P, d) and (1 or replicas, P); P = 0 for fresh inputs.
    parameters : rates, decays and noise, at RATE_W, ...
    d, batch : input dimension and batch size; chunk : steps per block (1 requires together = 1).
    done : steps of the current block that an earlier call has taken (streams stand at the block's beginning).
    steps : steps to take; kind, teacher_kind : activations; together : replicas per task.

    Plain twin: ``sgd`` in tests/naive_sgd.py.
    """
    replicas, k, size = data_streams.size // streams.WORDS, amplitudes.size, inputs.shape[1]
    rates = (parameters[RATE_W] / _f(batch), parameters[RATE_V] / _f(batch), _f(1) - parameters[DECAY_W],
             _f(1) - parameters[DECAY_V])
    noise = parameters[NOISE]
    n = chunk * batch
    row = -(-n // LANES) * LANES
    drawn = -(-d * row // 32) * 32
    for task in prange(-(-replicas // together)):
        r0 = task * together
        count = min(together, replicas - r0)
        x, gram = aligned_zeros(count * drawn), aligned_zeros(count * n * row)
        rho, spare = aligned_zeros(k * row), aligned_zeros(max(k, LANES) * row)
        y, zeta = aligned_zeros(count * row), aligned_zeros(-(-row // 32) * 32)
        h, delta = aligned_zeros(count * row * m), aligned_zeros(count * row * m)
        g = aligned_zeros(count * row * m if chunk > 1 else 0)
        before, index = np.zeros((3, streams.WORDS), np.uint32), np.zeros(row, np.int64)
        low, left = done, steps
        while left > 0:
            high = min(chunk, low + left)
            left -= high - low
            first, used = low * batch, (high - low) * batch  # samples of the block that are used now
            # 1. samples of the block and their labels; W0 X; X^T X
            for i in range(count):
                r, xs = r0 + i, i * drawn
                if high < chunk:  # the block goes on in a later call, which draws it again
                    keep_streams(before, data_streams, noise_streams, order_streams, r, True)
                if size == 0:
                    streams.fill_normal_at(data_streams, r * streams.WORDS, x, xs, drawn)
                    product(rho, 0, row, teacher, 0, k, 1, x, xs, row, k, row // LANES, d, False)
                    if noise > _f(0):
                        streams.fill_normal_at(noise_streams, r * streams.WORDS, zeta, 0, zeta.size)
                    labels_of(y, i * row, rho, spare, row, k, amplitudes, teacher_kind, noise, zeta, row)
                else:
                    draw_indices(order_streams, r * streams.WORDS, index, size)
                    source = r if inputs.shape[0] > 1 else 0
                    for s in range(n):
                        y[i * row + s] = labels[source, index[s]]
                        for j in range(d):
                            x[xs + j * row + s] = inputs[source, index[s], j]
                if high < chunk:
                    keep_streams(before, data_streams, noise_streams, order_streams, r, False)
                if chunk == 1 and m == LANES:
                    forward_sixteen(h, i * n * m, x, xs, row, W, r * d * m, d, spare)
                else:
                    forward_panels(h, (i * n + first) * m, x, xs + first, row, used, W, r * d * m, m, d)
                if high - low > 1:
                    product(gram, (i * n + first) * row, row, x, xs + first, row, 1, x, xs, row, used, row // LANES, d, False)
            # 2. the recursion: errors and multipliers, step by step
            if chunk == 1:
                shrink = batch_wide(h, delta, y, V, r0 * m, m, n, row, rates, kind)
            else:
                shrink = recursion_wide(h, delta, g, gram, y, V, r0 * m, count, m, n, row, low, high, batch, rates, kind)
            # 3. W = (1 - decay_w)^steps (W0 + D X^T)
            for i in range(count):
                update_panels(W, (r0 + i) * d * m, m, d, x, i * drawn + first, row, used, delta, (i * n + first) * m)
                if shrink != _f(1):
                    scale(W, (r0 + i) * d * m, d * m, shrink)
            low = 0


@njit("(f4[::1], f4[::1], u4[::1], u4[::1], u4[::1], f4[::1], f4[::1], f4[:, :, ::1], f4[:, ::1], f4[::1], i8, i8, i8, i8, i8,"
      "i8, i8, i8, i8)", open=True, cache=True, error_model="numpy", parallel=True)
def advance_narrow(W, V, data_streams, noise_streams, order_streams, teacher, amplitudes, inputs, labels, parameters,
                   d, m, batch, chunk, done, steps, kind, teacher_kind, together):
    """As :func:`advance_wide`, but lanes are replicas and rows of the streams are groups of sixteen replicas.

    W is (groups * d * m * 16,), V (groups * m * 16,); `together` counts groups. If every replica has its own data set, there
    must be one for each lane. In the arrays of a block the last index is the replica, sixteen at a time; gram is filled only
    for pairs of a sample and one of an earlier step. Plain twin: ``sgd`` in tests/naive_sgd.py.
    """
    groups, k, size = data_streams.size // streams.WORDS, amplitudes.size, inputs.shape[1]
    rates = (parameters[RATE_W] / _f(batch), parameters[RATE_V] / _f(batch), _f(1) - parameters[DECAY_W],
             _f(1) - parameters[DECAY_V])
    noise = parameters[NOISE]
    n = chunk * batch
    row, wide = n * LANES, m * LANES
    drawn = -(-d * row // 32) * 32
    for task in prange(-(-groups // together)):
        r0 = task * together
        count = min(together, groups - r0)
        x, gram = aligned_zeros(count * drawn), aligned_zeros(count * n * row)
        rho, spare = aligned_zeros(k * row), aligned_zeros(max(k, LANES) * row)
        y, zeta = aligned_zeros(count * row), aligned_zeros(-(-row // 32) * 32)
        h, delta, g = aligned_zeros(count * n * wide), aligned_zeros(count * n * wide), aligned_zeros(count * n * wide)
        before, index = np.zeros((3, streams.WORDS), np.uint32), np.zeros(row, np.int64)
        low, left = done, steps
        while left > 0:
            high = min(chunk, low + left)
            left -= high - low
            first, used = low * batch, (high - low) * batch
            # 1. samples of the block and their labels; W0 X; X^T X
            for i in range(count):
                r, xs = r0 + i, i * drawn
                if high < chunk:
                    keep_streams(before, data_streams, noise_streams, order_streams, r, True)
                if size == 0:
                    streams.fill_normal_at(data_streams, r * streams.WORDS, x, xs, drawn)
                    product(rho, 0, row, teacher, 0, k, 1, x, xs, row, k, n, d, False)
                    if noise > _f(0):
                        streams.fill_normal_at(noise_streams, r * streams.WORDS, zeta, 0, zeta.size)
                    labels_of(y, i * row, rho, spare, row, k, amplitudes, teacher_kind, noise, zeta, row)
                else:
                    draw_indices(order_streams, r * streams.WORDS, index, size)
                    for s in range(row):
                        source = r * LANES + s % LANES if inputs.shape[0] > 1 else 0
                        y[i * row + s] = labels[source, index[s]]
                        for j in range(d):
                            x[xs + j * row + s] = inputs[source, index[s], j]
                if high < chunk:
                    keep_streams(before, data_streams, noise_streams, order_streams, r, False)
                product_lanewise(h, (i * n + first) * wide, wide, x, xs + first * LANES, row, LANES, W, r * d * wide, wide,
                                 used, m, d, False)
                for s in range((low + 1) * batch, first + used):  # the triangle that is used: samples of earlier steps
                    product_lanewise(gram, (i * n + s) * row + first * LANES, row, x, xs + s * LANES, row, LANES, x,
                                     xs + first * LANES, row, 1, s // batch * batch - first, d, False)
            # 2. the recursion
            shrink = recursion_narrow(h, delta, g, gram, y, V, r0 * wide, count, wide, n, row, low, high, batch, rates,
                                      kind)
            # 3. W = (1 - decay_w)^steps (W0 + D X^T)
            for i in range(count):
                product_lanewise(W, (r0 + i) * d * wide, wide, x, i * drawn + first * LANES, LANES, row, delta,
                                 (i * n + first) * wide, wide, d, m, used, True)
                if shrink != _f(1):
                    scale(W, (r0 + i) * d * wide, d * wide, shrink)
            low = 0
