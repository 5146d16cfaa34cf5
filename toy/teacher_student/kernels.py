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

**Batches that fill a block by themselves** (sixteen samples and more) have no recursion: :func:`batch_wide` applies the
activation to all of them in one loop. Inside the recursion an activation costs 41 cycles a vector, most of them for the
constants of its polynomials, which are fetched anew every time; in that loop two vectors share them.

**Layout.** wide: ``W[replica]`` is cut in panels of 64 neurons (the last may have 16, 32 or 48), each [input][neuron];
neurons are padded to a multiple of 16 by zeros, which stay zero. A panel is as wide as a tile of the product, and
:data:`INPUTS` rows of it stay in the first cache while all samples pass. narrow: ``W[group]`` is [input][neuron][16 replicas].

Several replicas (groups) advance together inside a task, because the recursion is a chain of dependent operations and
the processor needs something else to do meanwhile. Nothing is shared between them: results do not depend on it.
"""

import numpy as np
from numba import prange

from lab import kernel_streams as streams
from lab import vector as vec
from lab import vector_math
from lab.compiled import njit
from toy.teacher_student.tile import product, product_lanewise, transpose

LANES = vec.LANES
ERF, RELU, TANH, LINEAR = 0, 1, 2, 3
PANEL = 4 * LANES  # neurons
INPUTS = 64  # of a panel that the forward pass takes at a time
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
def activate(kind, x, value, slope, n):
    """g and g' of the first n numbers, a multiple of sixteen, of x; `value` may be x."""
    if kind == ERF:
        for i in range(0, n - LANES, 2 * LANES):  # two vectors at a time share the constants
            one, slope_of_one = vector_math.erf_pair32(vec.load(x, i))
            two, slope_of_two = vector_math.erf_pair32(vec.load(x, i + LANES))
            vec.store(value, i, one)
            vec.store(value, i + LANES, two)
            vec.store(slope, i, slope_of_one)
            vec.store(slope, i + LANES, slope_of_two)
    for i in range(n // (2 * LANES) * (2 * LANES) if kind == ERF else 0, n, LANES):
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
    activate(kind, rho, rho, spare, k * row)
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
def batch_wide(h, delta, g, y, V, at, m, n, row, rates, kind):
    """As :func:`recursion_wide` for one replica and a block of one step; y becomes rate_v times the errors."""
    rate_w, rate_v, keep_w, keep_v = rates
    activate(kind, h, g, delta, n * m)
    up = rate_w / keep_w
    for s in range(n):
        out = vec.splat(_f(0))
        for c in range(0, m, LANES):
            out = vec.fma(vec.load(V, at + c), vec.load(g, s * m + c), out)
        y[s] -= vec.total(out)
        step = y[s] * up
        for c in range(0, m, LANES):
            slope = vec.mul(vec.load(V, at + c), vec.load(delta, s * m + c))
            vec.store(delta, s * m + c, vec.mul(slope, step))
    if rate_v != _f(0) or keep_v != _f(1):
        scale(y, 0, row, rate_v)
        scale(V, at, m, keep_v)
        product(V, at, m, y, 0, 1, 1, g, 0, m, 1, m // LANES, n, True)
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
    data_streams, noise_streams, order_streams : (replicas * 64,) uint32, one stream a replica.
    teacher : (d * k,) as [input][unit]; amplitudes : (k,).
    inputs, labels : a finite data set (1 or replicas, P, d) and (1 or replicas, P); P = 0 for fresh inputs.
    parameters : rates, decays and noise, at RATE_W, ...
    d, batch : input dimension and batch size; chunk : steps in a block. Of blocks of one step, `together` is 1.
    done : steps of the current block that an earlier call has taken (streams stand at the block's beginning).
    steps : steps to take; kind, teacher_kind : activations; together : replicas a task.

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
        h, delta, g = aligned_zeros(count * row * m), aligned_zeros(count * row * m), aligned_zeros(count * row * m)
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
                shrink = batch_wide(h, delta, g, y, V, r0 * m, m, n, row, rates, kind)
            else:
                shrink = recursion_wide(h, delta, g, gram, y, V, r0 * m, count, m, n, row, low, high, batch, rates, kind)
            # 3. W = (1 - decay_w)^steps (W0 + D X^T)
            for i in range(count):
                update_panels(W, (r0 + i) * d * m, m, d, x, i * drawn + first, row, used, delta, (i * n + first) * m)
                if shrink != _f(1):
                    scale(W, (r0 + i) * d * m, d * m, shrink)
            low = 0


@njit(cache=True, error_model="numpy", parallel=True)
def advance_narrow(W, V, data_streams, noise_streams, order_streams, teacher, amplitudes, inputs, labels, parameters,
                   d, m, batch, chunk, done, steps, kind, teacher_kind, together):
    """As :func:`advance_wide`, but lanes are replicas and rows of the streams are groups of sixteen replicas.

    W is (groups * d * m * 16,), V (groups * m * 16,); `together` counts groups. Where every replica has a data set of
    its own, there are as many as lanes. In the arrays of a block the last index is the replica, sixteen at a time; of gram the
    triangle of earlier samples is filled.
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
