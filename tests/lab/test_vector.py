"""The vector type against NumPy."""

import numpy as np
from numba import njit

from lab.flow import LANES
from lab.vector import absolute, copysign, load, select, splat, store
from lab.vector_math import asin_and_secant, rsqrt


@njit
def _asin(x, angle, secant):
    for i in range(x.shape[0]):
        a, s = asin_and_secant(load(x, i))
        store(angle, i, a)
        store(secant, i, s)


@njit
def _mixed(x, y, out):
    for i in range(x.shape[0]):
        a, b = load(x, i), load(y, i)
        c = splat(2.0) * a - b / 3.0
        c += 1.0
        c -= a
        c *= select(a < b, absolute(a), copysign(b, a))
        store(out, i, c + rsqrt(1.0 + a * a))


def test_asin_and_secant():
    corners = [0.0, 1e-300, -1e-9, 1 - 1e-10, -1 + 1e-12, 0.5**0.5, -0.5**0.5, 0.1]
    x = np.concatenate([np.linspace(-1, 1, 4002)[1:-1], corners]).reshape(-1, LANES)
    angle, secant = np.empty_like(x), np.empty_like(x)
    _asin(x, angle, secant)
    np.testing.assert_allclose(angle, np.arcsin(x), rtol=5e-16, atol=0)
    room = (1 - x) * (1 + x)
    assert np.all(np.abs(secant * np.sqrt(room) - 1) <= 8e-16 + 1.2e-16 / room)  # 1 − x² without a fused operation


def test_arithmetic():
    x, y = np.random.default_rng(0).normal(size=(2, 5, LANES))
    out = np.empty_like(x)
    _mixed(x, y, out)
    c = 2 * x - y / 3 + 1 - x
    c *= np.where(x < y, np.abs(x), np.copysign(y, x))
    np.testing.assert_allclose(out, c + 1 / np.sqrt(1 + x * x), rtol=1e-14)
