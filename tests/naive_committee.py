"""Slow, obvious references for theory.committee: the equations term by term, and online SGD itself."""

import math

import numpy as np
from numba import njit

from theory.gaussian import erf_i2, erf_i3, erf_i4, erf_j2, relu_i2, relu_i3


def derivatives(Q, R, T, v, A, eta, eta_v, sigma, activation="erf", small_rate=False):
    """The right-hand side as it is written in the docstring, one average at a time."""
    i2, i3 = (erf_i2, erf_i3) if activation == "erf" else (relu_i2, relu_i3)
    K, M = R.shape
    C, u = np.block([[Q, R], [R.T, T]]), np.concatenate([v, -A])
    n = K + M
    dQ, dR, dv = np.zeros((K, K)), np.zeros((K, M)), np.zeros(K)
    for i in range(K):
        for b in range(n):
            dv[i] -= eta_v * u[b] * i2(C, i, b)
            for m in range(M):
                dR[i, m] -= eta * v[i] * u[b] * i3(C, i, K + m, b)
        for k in range(K):
            for b in range(n):
                dQ[i, k] -= eta * (v[i] * u[b] * i3(C, i, k, b) + v[k] * u[b] * i3(C, k, i, b))
                if not small_rate:
                    for a in range(n):
                        dQ[i, k] += eta**2 * v[i] * v[k] * u[a] * u[b] * erf_i4(C, i, k, a, b)
            if not small_rate:
                dQ[i, k] += eta**2 * v[i] * v[k] * sigma**2 * erf_j2(C, i, k)
    return dQ, dR, dv


@njit(cache=True)
def sgd(W, B, v, A, eta, eta_v, sigma, steps, every, seed):
    """Online SGD with one fresh Gaussian input a step; Q, R, v after every ``every`` steps (and at the start)."""
    np.random.seed(seed)  # noqa: NPY002 (the generator inside Numba code)
    K, N = W.shape
    M = B.shape[0]
    rows = steps // every + 1
    Q, R, V = np.zeros((rows, K, K)), np.zeros((rows, K, M)), np.zeros((rows, K))
    lam, rho, x = np.zeros(K), np.zeros(M), np.zeros(N)
    for step in range(steps + 1):
        if step % every == 0:
            Q[step // every] = W @ W.T / N
            R[step // every] = W @ B.T / N
            V[step // every] = v
        for j in range(N):
            x[j] = np.random.normal()  # noqa: NPY002
        lam = W @ x / math.sqrt(N)
        rho = B @ x / math.sqrt(N)
        error = sigma * np.random.normal()  # noqa: NPY002
        for m in range(M):
            error += A[m] * math.erf(rho[m] / math.sqrt(2.0))
        for i in range(K):
            error -= v[i] * math.erf(lam[i] / math.sqrt(2.0))
        for i in range(K):
            slope = math.sqrt(2.0 / math.pi) * math.exp(-lam[i] * lam[i] / 2.0)
            old = v[i]
            v[i] += eta_v / N * math.erf(lam[i] / math.sqrt(2.0)) * error
            W[i] += eta / math.sqrt(N) * old * slope * error * x
    return Q, R, V
