"""The vector type against NumPy."""

import numpy as np
from numba import njit

from lab.flow import LANES
from lab.vector import absolute, copysign, load, select, splat, store
from lab.vector_math import asin_and_secant, four_asins_and_secants, root_pair, rsqrt
from lab.vector_roots import root
from lab.vector_tile import add_tile, no_sums, store_four


@njit
def _asin(x, angle, secant):
    for i in range(x.shape[0]):
        a, s = asin_and_secant(load(x, i))
        store(angle, i, a)
        store(secant, i, s)


@njit
def _four(x, angle, secant, roots):
    for i in range(0, x.shape[0], 4):
        a, s = four_asins_and_secants(load(x, i), load(x, i + 1), load(x, i + 2), load(x, i + 3), i)
        store_four(angle, i, a)
        store_four(secant, i, s)
    for i in range(x.shape[0]):
        store(roots, i, root_pair(absolute(load(x, i)))[0])


@njit
def _roots(x, out):
    for i in range(x.shape[0]):
        store(out, i, root(load(x, i)))


@njit
def _product(x, y, out, count):
    c0, c1, c2, c3 = add_tile(no_sums(), x, 0, count, 1, y, 0, 4, 1, count)
    store_four(out, 0, c0)
    store_four(out, 4, c1)
    store_four(out, 8, c2)
    store_four(out, 12, c3)


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


def test_roots_from_an_estimate():
    x = np.concatenate([np.linspace(1e-3, 4, 4000), np.logspace(-300, 300, 4000)]).reshape(-1, LANES)
    out = np.empty_like(x)
    _roots(x, out)
    np.testing.assert_allclose(out, np.sqrt(x), rtol=3e-16, atol=0)


def test_four_at_a_time():
    corners = [0.0, 1e-300, -1e-9, 1 - 1e-10, -1 + 1e-12, 0.5**0.5, -0.5**0.5, 0.1]
    x = np.concatenate([np.linspace(-1, 1, 4074)[1:-1], corners, corners]).reshape(-1, LANES)[:508]
    angle, secant, roots, alone, its = (np.empty_like(x) for _ in range(5))
    _four(x, angle, secant, roots)
    _asin(x, alone, its)
    np.testing.assert_allclose(angle, alone, rtol=5e-16, atol=0)
    np.testing.assert_array_equal(secant, its)
    np.testing.assert_allclose(roots, np.sqrt(np.abs(x)), rtol=4e-16, atol=1e-150)


def test_tile_is_a_product():
    for count in (0, 1, 5, 17):
        x, y = np.random.default_rng(count).normal(size=(2, 4, max(count, 1), LANES))
        flat = np.ascontiguousarray(y.transpose(1, 0, 2)).reshape(-1, LANES)  # Y[l, b] in row 4 l + b
        out = np.empty((16, LANES))
        _product(x.reshape(-1, LANES), flat, out, count)
        expected = np.einsum("alr,blr->abr", x[:, :count], y[:, :count])
        np.testing.assert_allclose(out.reshape(4, 4, LANES), expected, rtol=1e-13, atol=1e-13)


def test_arithmetic():
    x, y = np.random.default_rng(0).normal(size=(2, 5, LANES))
    out = np.empty_like(x)
    _mixed(x, y, out)
    c = 2 * x - y / 3 + 1 - x
    c *= np.where(x < y, np.abs(x), np.copysign(y, x))
    np.testing.assert_allclose(out, c + 1 / np.sqrt(1 + x * x), rtol=1e-14)
