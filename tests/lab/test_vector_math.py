"""The polynomials against the C library in higher precision, to the stated errors; and that they vectorise."""

import numpy as np
import pytest
from numba import config, njit
from scipy import special

from lab import vector as vec
from lab import vector_math as vm

L = np.longdouble


def wide(low, high, n=4000):
    """Points in [low, high], the ends and points near zero included."""
    rng = np.random.default_rng(0)
    small = np.exp(rng.uniform(np.log(1e-30), np.log(max(high, 1e-3)), n // 4))
    x = np.concatenate([np.linspace(low, high, n), small, -small, [0.0, low, high]])
    return x[(x >= low) & (x <= high)]


def erf_pair(x):
    x = x.astype(np.float64)  # scipy's erf is within an ulp of float64
    return special.erf(x / np.sqrt(2)), np.sqrt(2 / np.pi) * np.exp(-x * x / 2)


def tanh_pair(x):
    return np.tanh(x), 1 / np.cosh(x)**2


PI = L("3.14159265358979323846264338327950288")
CASES = {  # name: (reference, (low, high) for 32, for 64, bound 32, bound 64)
    "erf_pair": (erf_pair, (-40, 40), (-40, 40), 4e-7, 1e-15),
    "tanh_pair": (tanh_pair, (-100, 100), (-400, 400), 3e-7, 4e-16),
    "exp": (np.exp, (-87, 88), (-708, 709), 3e-7, 5e-16),
    "log": (np.log, (1e-37, 1e38), (1e-307, 1e308), 2e-7, 4e-16),
    "sincos_half_turn": (lambda t: (np.sin(PI * t), np.cos(PI * t)), (-.5, .5), (-.5, .5), 3e-7, 5e-16),
    "sincos": (lambda x: (np.sin(x), np.cos(x)), (-1e3, 1e3), (-1e5, 1e5), 4e-7, 5e-16),
    "asin": (np.arcsin, (-1, 1), (-1, 1), 4e-7, 5e-16),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("bits", [32, 64])
def test_error_is_within_the_stated_bound(name, bits):
    reference, range32, range64, bound32, bound64 = CASES[name]
    dtype, (low, high), bound = (np.float32, range32, bound32) if bits == 32 else (np.float64, range64, bound64)
    if name == "log":
        x = np.exp(np.linspace(np.log(low), np.log(high), 5000))
        x = np.concatenate([x, np.linspace(0.5, 2, 3000)]).astype(dtype)
    else:
        x = wide(low, high).astype(dtype)
    f = getattr(vm, f"{name}{bits}")
    values = np.array([f(v) for v in x], dtype=dtype)
    assert values.dtype == dtype
    expected = np.array(reference(x.astype(L))).T
    scale = {"exp": expected, "log": np.maximum(1, np.abs(expected))}.get(name, L(1))
    assert np.max(np.abs((values - expected) / scale)) <= bound


@pytest.mark.parametrize("bits", [32, 64])
def test_atan2(bits):
    rng = np.random.default_rng(1)
    dtype = np.float32 if bits == 32 else np.float64
    xy = rng.standard_normal((4000, 2)) * np.exp(rng.uniform(-15, 15, (4000, 2)))
    edge = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (1e-30, 1), (1e-30, -1)]
    xy = np.concatenate([xy, edge]).astype(dtype)
    f = vm.atan2_32 if bits == 32 else vm.atan2_64
    values = np.array([f(y, x) for y, x in xy])
    expected = np.arctan2(xy[:, 0].astype(L), xy[:, 1].astype(L))
    assert np.max(np.abs(values - expected)) <= (5e-7 if bits == 32 else 9e-16)


@njit(error_model="numpy")
def _lanes(f, x, out):
    a, b = f(vec.load(x, 0))
    vec.store(out, 0, a)
    vec.store(out, 16, b)


@pytest.mark.parametrize("f", [vm.erf_pair32, vm.tanh_pair32, vm.sincos32])
def test_a_vector_gives_what_sixteen_scalars_give(f):
    x = np.linspace(-4, 5, 16).astype(np.float32)
    out = np.empty(32, np.float32)
    _lanes(f, x, out)
    assert np.array_equal(out.reshape(2, 16).T, np.array([f(v) for v in x], np.float32))


@pytest.mark.skipif(config.DISABLE_JIT, reason="there is no machine code without the JIT")
@pytest.mark.parametrize("name", ["erf_pair64", "tanh_pair64", "exp64", "log64", "sincos64", "asin64", "erf_pair32"])
def test_a_plain_loop_is_vectorised(name):
    """The machine code multiplies packed numbers (a pd/ps instruction on vector registers), and calls no library."""
    f = getattr(vm, name)
    pair = "pair" in name or "sincos" in name

    if pair:
        def loop(x, out):
            for i in range(x.size):
                a, b = f(x[i])
                out[i] = a + b
    else:
        def loop(x, out):
            for i in range(x.size):
                out[i] = f(x[i])

    kind = "f4" if name.endswith("32") else "f8"
    code = next(iter(njit(f"void({kind}[::1], {kind}[::1])", error_model="numpy")(loop).inspect_asm().values()))
    packed = "ps" if kind == "f4" else "pd"
    lines = [line for line in code.splitlines() if "mm" in line or "fmla" in line or "fmul" in line]
    wide_lines = [line for line in lines if f"{packed}\t" in line and ("ymm" in line or "zmm" in line or "xmm" in line)]
    if not any("mm" in line for line in lines):
        pytest.skip("not an x86 processor")
    assert any("mul" in line or "fmadd" in line for line in wide_lines)
