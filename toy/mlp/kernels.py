"""Kernels of the one-hidden-layer network: minibatch training of one replica, and its outputs.

    h = relu(x W + b),  o = h V + c
with W (d, m), b (m,), V (m, k), c (k,). Losses: the mean over a batch of cross-entropy on softmax(o), or of ½|o − y|².
All parameters of a replica are one flat vector, (W, b, V, c) in this order, so that an optimizer is one loop.

Matrix products are BLAS calls (``np.dot`` with ``out``), except e V^T: with few outputs it is a sum of a few rows.
Numbers below 1e-30 are set to 0 where they arise, in the errors of fitted samples and in the optimizers' running means: otherwise
they shrink to subnormal floats, whose arithmetic is about a hundred times slower.
"""

from enum import IntEnum

import numpy as np

from lab.compiled import njit


class Loss(IntEnum):
    """Loss that is minimised."""

    CROSS_ENTROPY = 0
    SQUARED = 1


class Optimizer(IntEnum):
    """Rule of an optimisation step."""

    MOMENTUM = 0
    ADAM = 1


CROSS_ENTROPY, SQUARED = Loss
MOMENTUM, ADAM = Optimizer
TINY = np.float32(1e-30)

_jit: dict = {"cache": True, "error_model": "numpy", "nogil": True}
_step = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)  # called from the kernels below alone


@_step
def _views(flat, d, m, k):
    """W, b, V, c as views of the flat parameters."""
    a, b = d * m, d * m + m
    e = b + m * k
    return flat[:a].reshape(d, m), flat[a:b], flat[b:e].reshape(m, k), flat[e:]


@_step
def _forward(x, W, b, V, c, h, o):
    """h <- relu(x W + b), o <- h V + c for the rows of x."""
    np.dot(x, W, h)
    for s in range(h.shape[0]):
        for j in range(h.shape[1]):
            z = h[s, j] + b[j]
            h[s, j] = z if z > 0 else np.float32(0)
    np.dot(h, V, o)
    for s in range(o.shape[0]):
        for j in range(o.shape[1]):
            o[s, j] += c[j]


@_step
def _loss_gradient(o, target, label, loss, e):
    """Sum of the losses of a batch; e <- d(mean loss)/d(o)."""
    rows, k = o.shape
    total = 0.0
    for s in range(rows):
        if loss == CROSS_ENTROPY:
            # log-sum-exp about the largest output, so that nothing overflows; e = softmax(o) − one-hot(label)
            top = o[s, 0]
            for j in range(1, k):
                top = max(top, o[s, j])
            mass = np.float32(0)
            for j in range(k):
                e[s, j] = np.exp(o[s, j] - top)
                mass += e[s, j]
            for j in range(k):
                e[s, j] /= mass
            total += np.log(mass) + top - o[s, label[s]]
            e[s, label[s]] -= np.float32(1)
        else:
            for j in range(k):
                e[s, j] = o[s, j] - target[s, j]
                total += 0.5 * e[s, j] * e[s, j]
        for j in range(k):
            mean = e[s, j] / np.float32(rows)
            e[s, j] = mean if abs(mean) > TINY else np.float32(0)
    return total


@_step
def _backward(x, h, e, V, Vt, gW, gb, gV, gc, gh):
    """Gradients gW, gb, gV, gc of the batch's mean loss; Vt (k, m) and gh (rows, m) are scratch.

    gV = h^T e, gc = sum_s e_s, gh = (e V^T) * (h > 0), gb = sum_s gh_s, gW = x^T gh.
    """
    m, k = V.shape
    np.dot(h.T, e, gV)
    for i in range(k):
        for j in range(m):
            Vt[i, j] = V[j, i]
    for j in range(m):
        gb[j] = 0
    for i in range(k):
        gc[i] = 0
    for s in range(h.shape[0]):
        back, up = gh[s], h[s]
        for j in range(m):
            back[j] = 0
        for i in range(k):
            error, row = e[s, i], Vt[i]
            gc[i] += error
            for j in range(m):
                back[j] += error * row[j]
        for j in range(m):
            back[j] = back[j] if up[j] > 0 else np.float32(0)
        for j in range(m):
            gb[j] += back[j]
    np.dot(x.T, gh, gW)


@_step
def _momentum_step(flat, gradient, mean, learning_rate, momentum, weight_decay):
    """mean <- momentum mean + gradient + weight_decay flat; flat <- flat − learning_rate mean."""
    for p in range(flat.size):
        now = momentum * mean[p] + gradient[p] + weight_decay * flat[p]
        mean[p] = now if abs(now) > TINY else np.float32(0)
        flat[p] -= learning_rate * mean[p]


@_step
def _adam_step(flat, gradient, mean, square, step, learning_rate, weight_decay):
    """Adam (Kingma & Ba 2015), decoupled weight decay, betas 0.9 and 0.999."""
    first = learning_rate / (np.float32(1) - np.float32(0.9) ** step)
    second = np.float32(1) / (np.float32(1) - np.float32(0.999) ** step)
    for p in range(flat.size):
        g = gradient[p]
        now = np.float32(0.9) * mean[p] + np.float32(0.1) * g
        mean[p] = now if abs(now) > TINY else np.float32(0)
        size = np.float32(0.999) * square[p] + np.float32(0.001) * g * g
        square[p] = size if size > TINY else np.float32(0)
        flat[p] -= first * mean[p] / (np.sqrt(second * square[p]) + np.float32(1e-8)) + learning_rate * weight_decay * flat[p]


@_step
def _copy(source, target):
    """target <- source, both (p,). A slice assignment would do, but Numba then compiles the text of its error message, string
    formatting included: a fifth of this module's compile time."""
    for p in range(source.size):
        target[p] = source[p]


@njit("(f4[:, ::1], f4[:, ::1], i8[::1], f4[::1], i8, i4[:, ::1], i8, i8, i8, i8, i8, f4, f4, f4, f4, i8[::1], f4[:, ::1],"
      "f8[::1], f8, i8[::1])", open=True, **_jit)
def train_one(x, target, label, flat, frozen, order, batch_size, m, k, loss, optimizer, learning_rate, learning_rate_decay,
              momentum, weight_decay, marks, kept, losses, target_loss, stop):
    """Train one replica in place for ``order.shape[0]`` epochs, or until an epoch's mean loss is at most ``target_loss``.

    x : (n, d) inputs; target : (n, k) for the squared loss; label : (n,) for cross-entropy. order : (epochs, n) sample order of
    every epoch. frozen : number of leading parameters that are not trained (0, or d m + m for random features). marks :
    increasing epochs after which the parameters are copied to ``kept`` (marks[i] = 0: before training). losses : (epochs,) mean
    training loss while the epoch ran; NaN where it did not run. stop : (1,), not 0 once training should end after the current
    epoch.

    Returns the number of epochs that ran; negative if the loss stopped being finite. Plain twin: the NumPy loop of
    tests/toy/test_mlp.py. All steps share the buffers of a batch, which is why this is one function.
    """
    n, d = x.shape
    epochs = order.shape[0]
    W, b, V, c = _views(flat, d, m, k)
    # each way to allocate takes a fifth of a second to compile, and each slice a twentieth: one way, and slices once
    moving = np.zeros((3, flat.size), np.float32)
    gradient, mean, square = moving[0], moving[1], moving[2]
    gW, gb, gV, gc = _views(gradient, d, m, k)
    trained, slope, mean, square = flat[frozen:], gradient[frozen:], mean[frozen:], square[frozen:]
    xb, tb, lb = np.zeros((batch_size, d), np.float32), np.zeros((batch_size, k), np.float32), np.zeros(batch_size, np.int64)
    h, gh = np.zeros((batch_size, m), np.float32), np.zeros((batch_size, m), np.float32)
    o, e, Vt = np.zeros((batch_size, k), np.float32), np.zeros((batch_size, k), np.float32), np.zeros((k, m), np.float32)
    for epoch in range(epochs):
        losses[epoch] = np.nan
    mark = 0
    while mark < marks.size and marks[mark] == 0:
        _copy(flat, kept[mark])
        mark += 1
    step = 0
    for epoch in range(epochs):
        total = 0.0
        for start in range(0, n, batch_size):
            size = min(batch_size, n - start)
            # 1. gather the batch
            for s in range(size):
                i = order[epoch, start + s]
                for j in range(d):
                    xb[s, j] = x[i, j]
                if loss == CROSS_ENTROPY:
                    lb[s] = label[i]
                else:
                    for j in range(k):
                        tb[s, j] = target[i, j]
            # 2. outputs, e = d(mean loss)/do, and the gradients
            xs, hs, os, es = xb[:size], h[:size], o[:size], e[:size]
            _forward(xs, W, b, V, c, hs, os)
            total += _loss_gradient(os, tb, lb, loss, es)
            _backward(xs, hs, es, V, Vt, gW, gb, gV, gc, gh[:size])
            # 3. the step, on the parameters that are trained
            step += 1
            if optimizer == MOMENTUM:
                _momentum_step(trained, slope, mean, learning_rate, momentum, weight_decay)
            else:
                _adam_step(trained, slope, mean, square, step, learning_rate, weight_decay)
        # 4. after the epoch: decay the learning rate, keep marked parameters, stop on divergence or at the target loss
        learning_rate *= learning_rate_decay
        losses[epoch] = total / n
        done = losses[epoch] <= target_loss
        while mark < marks.size and (marks[mark] <= epoch + 1 or done):
            _copy(flat, kept[mark])
            mark += 1
        if not losses[epoch] < np.inf:
            return -(epoch + 1)
        if done or stop[0] != 0:
            return epoch + 1
    while mark < marks.size:
        _copy(flat, kept[mark])
        mark += 1
    return epochs


@njit("(f4[:, ::1], f4[::1], i8, i8, f4[:, ::1])", open=True, **_jit)
def outputs_one(x, flat, m, k, out):
    """Outputs (n, k) of one replica for x (n, d)."""
    W, b, V, c = _views(flat, x.shape[1], m, k)
    h = np.zeros((x.shape[0], m), np.float32)
    _forward(x, W, b, V, c, h, out)
