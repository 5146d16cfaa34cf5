"""Eight float64 numbers as one value: the vector type behind kernels that treat eight replicas at a time.

Numba has no vector type, and leaves it to LLVM to find one in a loop; with several arrays in play it must first prove
that they do not overlap, and often gives up. Here a row ``x[i]`` of a C-contiguous ``(rows, 8)`` array is loaded into
one <8 x double> value that supports + − × ÷ (with each other and with floats), and a kernel reads like its scalar
version. Results are the same in every lane: nothing here mixes lanes.

With the JIT switched off (``NUMBA_DISABLE_JIT=1``) the same kernels run on NumPy arrays of eight: each Python function
below is the plain twin of its compiled version.

``load(x, i)``, ``store(x, i, value)``, ``splat(float)``, ``fabs``, ``sqrt``, ``maximum``, ``copysign``,
``select_less(a, b, x, y)``, ``rsqrt``, ``rsqrt_guess``; :func:`asin_and_secant` for the erf integrals.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, overload, register_model

from lab.compiled import njit

LANES = 8
_FLAGS = ("contract",)  # fuse multiply and add; nothing that assumes away NaN or infinity


class Lanes(types.Type):
    """Numba's type of eight float64 numbers."""

    def __init__(self):
        super().__init__(name="Lanes8f64")


lanes = Lanes()
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_BITS = ir.VectorType(ir.IntType(64), LANES)


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, _VECTOR)


def _constant(number):
    return ir.Constant(_VECTOR, [ir.Constant(ir.DoubleType(), number)] * LANES)


def _splat(builder, value):
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [ir.Constant(ir.IntType(32), 0)] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), mask)


def _arithmetic(op, name):
    @infer_global(op)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            if len(args) == 2 and lanes in args and all(a in (lanes, types.float64) for a in args):
                return signature(lanes, *args)

    def lower(context, builder, sig, args):
        a, b = (x if t == lanes else _splat(builder, x) for x, t in zip(args, sig.args))
        return getattr(builder, name)(a, b, flags=_FLAGS)

    for pair in ((lanes, lanes), (lanes, types.float64), (types.float64, lanes)):
        lower_builtin(op, *pair)(lower)


for _op, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")):
    _arithmetic(_op, _name)
for _op, _name in ((operator.iadd, "fadd"), (operator.isub, "fsub"), (operator.imul, "fmul")):
    _arithmetic(_op, _name)


def _is_block(x):
    return isinstance(x, types.Array) and x.ndim == 2 and x.layout == "C" and x.dtype == types.float64


def _row_pointer(context, builder, array_type, array, index):
    from numba.np.arrayobj import make_array

    data = make_array(array_type)(context, builder, array).data
    offset = builder.mul(index, ir.Constant(index.type, LANES))
    return builder.bitcast(builder.gep(data, [offset]), _VECTOR.as_pointer())


@intrinsic
def _load(typingctx, x, i):
    def codegen(context, builder, sig, args):
        return builder.load(_row_pointer(context, builder, sig.args[0], *args), align=8)

    return lanes(x, types.intp), codegen


@intrinsic
def _store(typingctx, x, i, value):
    def codegen(context, builder, sig, args):
        builder.store(args[2], _row_pointer(context, builder, sig.args[0], *args[:2]), align=8)
        return context.get_dummy_value()

    return types.void(x, types.intp, lanes), codegen


@intrinsic
def _splat_intrinsic(typingctx, value):
    def codegen(context, builder, sig, args):
        return _splat(builder, args[0])

    return lanes(types.float64), codegen


@intrinsic
def _select_less(typingctx, a, b, x, y):
    def codegen(context, builder, sig, args):
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[2], args[3])

    return lanes(lanes, lanes, lanes, lanes), codegen


@intrinsic
def _copysign(typingctx, size, sign):
    def codegen(context, builder, sig, args):
        call = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR, _VECTOR]),
                                              f"llvm.copysign.v{LANES}f64")
        return builder.call(call, args)

    return lanes(lanes, lanes), codegen


@intrinsic
def _fabs(typingctx, x):
    def codegen(context, builder, sig, args):
        call = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_VECTOR, [_VECTOR]),
                                              f"llvm.fabs.v{LANES}f64")
        return builder.call(call, args)

    return lanes(lanes), codegen


def _by_lane(name, arity):
    """An LLVM intrinsic of `arity` vectors as a code generator."""

    def codegen(context, builder, sig, args):
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * arity)
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f64"), args)

    return lanes(*[lanes] * arity), codegen


@intrinsic
def _sqrt(typingctx, x):
    return _by_lane("sqrt", 1)


@intrinsic
def _maximum(typingctx, x, y):
    return _by_lane("maxnum", 2)


@intrinsic
def _rsqrt_guess(typingctx, x):
    """1/√x within 3.5 %, from the exponent's bits."""

    def codegen(context, builder, sig, args):
        magic = ir.Constant(_BITS, [ir.Constant(ir.IntType(64), 0x5FE6EB50C7B537A9)] * LANES)
        one = ir.Constant(_BITS, [ir.Constant(ir.IntType(64), 1)] * LANES)
        bits = builder.sub(magic, builder.lshr(builder.bitcast(args[0], _BITS), one))
        return builder.bitcast(bits, _VECTOR)

    return lanes(lanes), codegen


class _Eight(np.ndarray):
    """A vector where nothing is compiled: a value, which ``a += b`` replaces and never changes."""

    def __iadd__(self, other):
        return self + other

    def __isub__(self, other):
        return self - other

    def __imul__(self, other):
        return self * other


def load(x, i):
    """Row i of a (rows, 8) array as a vector."""
    return x[i].copy().view(_Eight)


def store(x, i, value):
    """Write a vector to row i of a (rows, 8) array."""
    x[i] = value


def splat(value):
    """The vector with this float in every lane."""
    return np.full(LANES, float(value)).view(_Eight)


def fabs(x):
    """|x|."""
    return np.abs(x)


def sqrt(x):
    """√x by the processor's own instruction: exact rounding, some twenty cycles that overlap with arithmetic."""
    return np.sqrt(x)


def maximum(x, y):
    """The larger of two; of a number and NaN, the number."""
    return np.fmax(x, y)


def copysign(size, sign):
    """|size| with the sign of ``sign``."""
    return np.copysign(size, sign)


def select_less(a, b, x, y):
    """x where a < b, else y."""
    return np.where(a < b, x, y).view(_Eight)


def rsqrt(x):
    """1/√x for normal positive x, within 2 units in the last place; inf or NaN gives rubbish, 0 a large number."""
    return 1.0 / np.sqrt(x)


def rsqrt_guess(x):
    """1/√x within 3.5 %, from the exponent's bits; for x = 0 a large number."""
    return (np.uint64(0x5FE6EB50C7B537A9) - (np.asarray(x).view(np.uint64) >> np.uint64(1))).view(np.float64).view(_Eight)


@overload(load, inline="always")
def _(x, i):
    if _is_block(x):
        return lambda x, i: _load(x, i)


@overload(store, inline="always")
def _(x, i, value):
    if _is_block(x) and value == lanes:
        return lambda x, i, value: _store(x, i, value)


@overload(splat, inline="always")
def _(value):
    if value == types.float64:
        return lambda value: _splat_intrinsic(value)


@overload(fabs, inline="always")
def _(x):
    if x == lanes:
        return lambda x: _fabs(x)


@overload(sqrt, inline="always")
def _(x):
    if x == lanes:
        return lambda x: _sqrt(x)


@overload(maximum, inline="always")
def _(x, y):
    if x == lanes and y == lanes:
        return lambda x, y: _maximum(x, y)


@overload(copysign, inline="always")
def _(size, sign):
    if size == lanes:
        return lambda size, sign: _copysign(size, sign)


@overload(select_less, inline="always")
def _(a, b, x, y):
    if a == lanes:
        return lambda a, b, x, y: _select_less(a, b, x, y)


@overload(rsqrt_guess, inline="always")
def _(x):
    if x == lanes:
        return lambda x: _rsqrt_guess(x)


@overload(rsqrt, inline="always")
def _(x):
    if x == lanes:
        # hardware roots and divisions take some twenty cycles each; a guess from the bits (3.5 %) and two steps of
        # fourth order (7e-6, then rounding) take seven
        def implementation(x):
            y = _rsqrt_guess(x)
            e = 1.0 - x * y * y
            y = y + y * e * (0.5 + e * (0.375 + 0.3125 * e))
            e = 1.0 - x * y * y
            return y + y * e * (0.5 + e * (0.375 + 0.3125 * e))

        return implementation


# (asin(√z)/√z − 1)/z on 0 ≤ z ≤ ½, interpolated at 19 Chebyshev nodes in 60-digit arithmetic; error of asin below 2e-17
_ASIN = (
    0.166666666666666678, 0.0749999999999841207, 0.0446428571466556356, 0.0303819440849942483, 0.0223721770065556492,
    0.0173522215389713013, 0.0139757301845999388, 0.0113992459564424864, 0.0113109253902674966, -0.0032941967310470427,
    0.0737734600251906441, -0.280994879536111403, 0.952265684934938387, -2.35353039487018187, 4.38471297596676008,
    -5.8832346821428026, 5.43638550830105667, -3.09485528509803377, 0.838767530407027678,
)
(_A0, _A1, _A2, _A3, _A4, _A5, _A6, _A7, _A8, _A9, _A10, _A11, _A12, _A13, _A14, _A15, _A16, _A17, _A18) = _ASIN
_HALF_PI = 1.5707963267948966


@njit(forceinline=True, error_model="numpy")
def asin_and_secant(x):
    """asin(x) and 1/√(1−x²) for −1 < x < 1, both to about 5e-16 and what the rounding of x itself makes of 1 − x².

    The erf integral I2 is an asin and its gradient the matching secant, so that one root serves both. asin takes the
    smaller of |x| and √(1−x²), at most √½, where a polynomial of degree 18 in its square suffices.
    """
    size = fabs(x)
    room = 1.0 - x * x
    secant = rsqrt(room)
    cosine = room * secant
    s = select_less(size, cosine, size, cosine)
    z = s * s
    w = z * z
    even = ((((_A18 * w + _A16) * w + _A14) * w + _A12) * w + _A10) * w + _A8
    even = (((even * w + _A6) * w + _A4) * w + _A2) * w + _A0
    odd = (((((((_A17 * w + _A15) * w + _A13) * w + _A11) * w + _A9) * w + _A7) * w + _A5) * w + _A3) * w + _A1
    angle = s + s * z * (even + z * odd)
    angle = select_less(size, cosine, angle, _HALF_PI - angle)
    return copysign(angle, x), secant
