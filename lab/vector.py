"""Vectors of sixteen lanes for Numba kernels: the few operations that the fast kernels are written in.

LLVM vectorises plain loops as its cost model sees fit: not at all around a call, and on many Intel processors only to
half of the register. A kernel written with these functions is vectorised by construction: a value is sixteen float32
(one AVX-512 register; LLVM splits it into two AVX2 or four NEON registers elsewhere), sixteen 32-bit words, or a mask.

``load(array, i)`` and ``store(array, i, x)`` move ``array[i:i+16]`` of a flat contiguous array; everything else is
element by element. Scalars are accepted wherever a vector is and stand for sixteen copies; a function of scalars alone
is an ordinary scalar function, so that one text serves vectors and plain (float32 or float64) loops.

Every operation is exactly the IEEE one, and a sum over lanes has a fixed order: results do not depend on the machine's
vector length. With ``NUMBA_DISABLE_JIT=1`` the plain NumPy twins at the end of the file take over.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LANES = 16

_SCALAR = {"f": ir.FloatType(), "u": ir.IntType(32), "m": ir.IntType(1)}


class Lanes(types.Type):
    """Numba type: sixteen lanes of float32 ("f"), 32-bit words ("u") or truth values ("m")."""

    def __init__(self, kind):
        self.kind = kind
        super().__init__(f"lanes16{kind}")


FLOATS, WORDS, MASK = Lanes("f"), Lanes("u"), Lanes("m")
_LLVM = {lanes: ir.VectorType(_SCALAR[lanes.kind], LANES) for lanes in (FLOATS, WORDS, MASK)}


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, lanes):
        super().__init__(manager, lanes, _LLVM[lanes])


def _common(*args):
    """The type an operation works in: lanes if any argument has them, otherwise the widest scalar."""
    for arg in args:
        if isinstance(arg, Lanes) and arg is not MASK:
            return arg
    floats = [a for a in args if isinstance(a, types.Float) and not isinstance(a, types.Literal)]
    if floats:
        return types.float64 if types.float64 in floats else types.float32
    return types.uint64 if types.uint64 in args else types.uint32


def _spread(context, builder, value, source, target):
    """The value in the target type: scalars are cast, and copied to all lanes where lanes are wanted."""
    if isinstance(source, Lanes):
        return value
    if not isinstance(target, Lanes):
        return context.cast(builder, value, source, target)
    value = context.cast(builder, value, source, types.float32 if target is FLOATS else types.uint32)
    zero = ir.Constant(ir.IntType(32), 0)
    one = builder.insert_element(ir.Constant(_LLVM[target], ir.Undefined), value, zero)
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _llvm_name(of):
    return {FLOATS: "v16f32", WORDS: "v16i32", types.float32: "f32", types.float64: "f64", types.uint32: "i32"}[of]


def _call(context, builder, name, of, args, result=None):
    """Call the LLVM intrinsic ``llvm.name`` for a type."""
    llvm = context.get_value_type(of)
    function = ir.FunctionType(context.get_value_type(result or of), [llvm] * len(args))
    return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.{name}.{_llvm_name(of)}"), args)


def _elementwise(arity, emit, result=None, doc=""):
    """An intrinsic of `arity` arguments of one common type; ``emit(context, builder, type, args)`` writes the code."""

    def typed(*args):
        of = _common(*args)
        target = (result or {}).get(of, of)

        def code(context, builder, signature, values):
            values = [_spread(context, builder, v, s, of) for v, s in zip(values, signature.args)]
            return emit(context, builder, of, values)

        return target(*args), code

    if arity == 1:

        def function(typing, a):
            return typed(a)

    elif arity == 2:

        def function(typing, a, b):
            return typed(a, b)

    else:

        def function(typing, a, b, c):
            return typed(a, b, c)

    function.__doc__ = doc
    return intrinsic(function)


def _is_float(of):
    return of is FLOATS or isinstance(of, types.Float)


def _arithmetic(name, doc):
    def emit(context, builder, of, args):
        return getattr(builder, ("f" if _is_float(of) else "") + name)(*args)

    return _elementwise(2, emit, doc=doc)


def _named(name, arity, doc):
    return _elementwise(arity, lambda c, b, of, args: _call(c, b, name, of, args), doc=doc)


def _compare(symbol, doc):
    def emit(context, builder, of, args):
        return builder.fcmp_ordered(symbol, *args) if _is_float(of) else builder.icmp_unsigned(symbol, *args)

    return _elementwise(2, emit, {FLOATS: MASK, WORDS: MASK, types.float32: types.boolean, types.float64: types.boolean,
                                  types.uint32: types.boolean}, doc)


_INT = {FLOATS: ir.VectorType(ir.IntType(32), LANES), types.float32: ir.IntType(32), types.float64: ir.IntType(64)}
_TO_WORDS = {FLOATS: WORDS, types.float32: types.uint32, types.float64: types.uint64}
_TO_FLOATS = {WORDS: FLOATS, types.uint32: types.float32, types.uint64: types.float64}


def _exp2i(context, builder, of, args):
    """2**n by writing the exponent field."""
    bits, bias = (52, 1023) if of is types.float64 else (23, 127)
    n = builder.fptosi(args[0], _INT[of])
    whole = _INT[of]
    constant = (lambda k: ir.Constant(whole, [k] * LANES)) if of is FLOATS else (lambda k: ir.Constant(whole, k))
    return builder.bitcast(builder.shl(builder.add(n, constant(bias)), constant(bits)), context.get_value_type(of))


def _select():
    def select(typing, mask, a, b):
        of = FLOATS if mask is MASK and _common(a, b) is not WORDS else _common(a, b)

        def code(context, builder, signature, values):
            values = [values[0]] + [_spread(context, builder, v, s, of) for v, s in zip(values[1:], signature.args[1:])]
            return builder.select(*values)

        return of(mask, a, b), code

    return intrinsic(select)


def _memory():
    def load(typing, array, i):
        of = FLOATS if array.dtype == types.float32 else WORDS

        def code(context, builder, signature, values):
            pointer = builder.gep(context.make_array(signature.args[0])(context, builder, values[0]).data, [values[1]])
            result = builder.load(builder.bitcast(pointer, _LLVM[of].as_pointer()))
            result.align = 4
            return result

        return of(array, types.intp), code

    def store(typing, array, i, x):
        of = FLOATS if array.dtype == types.float32 else WORDS

        def code(context, builder, signature, values):
            pointer = builder.gep(context.make_array(signature.args[0])(context, builder, values[0]).data, [values[1]])
            value = _spread(context, builder, values[2], signature.args[2], of)
            builder.store(value, builder.bitcast(pointer, _LLVM[of].as_pointer())).align = 4
            return context.get_dummy_value()

        return types.void(array, types.intp, x), code

    return intrinsic(load), intrinsic(store)


def _polynomial():
    def polynomial(typing, x, coefficients):
        """c[0] + c[1] x + c[2] x**2 + ... by Horner's rule; `coefficients` is a tuple of constants."""
        of = _common(x)

        def code(context, builder, signature, values):
            each = cgutils.unpack_tuple(builder, values[1])
            each = [_spread(context, builder, c, types.float64, of) for c in each]
            result = each[-1]
            for c in each[-2::-1]:
                result = _call(context, builder, "fma", of, (result, values[0], c))
            return result

        return of(x, coefficients), code

    return intrinsic(polynomial)


def _total():
    def total(typing, x):
        def code(context, builder, signature, values):
            x, = values
            width = LANES
            while width > 1:  # halves are added: lane i and i + width/2
                width //= 2
                mask = [ir.Constant(ir.IntType(32), i) for i in range(width)]
                index = ir.VectorType(ir.IntType(32), width)
                low = builder.shuffle_vector(x, x, ir.Constant(index, mask))
                high = builder.shuffle_vector(x, x, ir.Constant(index, [ir.Constant(ir.IntType(32), i + width)
                                                                        for i in range(width)]))
                x = builder.fadd(low, high)
            return builder.extract_element(x, ir.Constant(ir.IntType(32), 0))

        return types.float32(x), code

    def some(typing, mask):
        def code(context, builder, signature, values):
            bits = builder.bitcast(values[0], ir.IntType(LANES))
            return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

        return types.boolean(mask), code

    def every(typing, mask):
        def code(context, builder, signature, values):
            bits = builder.bitcast(values[0], ir.IntType(LANES))
            return builder.icmp_unsigned("==", bits, ir.Constant(ir.IntType(LANES), 2**LANES - 1))

        return types.boolean(mask), code

    return intrinsic(total), intrinsic(some), intrinsic(every)


if not config.DISABLE_JIT:
    load, store = _memory()
    total, some, every = _total()
    select = _select()
    polynomial = _polynomial()
    fma = _named("fma", 3, "a*b + c, rounded once.")
    sqrt = _named("sqrt", 1, "Square root.")
    absolute = _named("fabs", 1, "Absolute value.")
    nearest = _named("rint", 1, "The nearest whole number, as a float.")
    copysign = _named("copysign", 2, "The size of a with the sign of b.")
    minimum = _named("minnum", 2, "The smaller one.")
    maximum = _named("maxnum", 2, "The larger one.")
    add = _arithmetic("add", "a + b (words: modulo 2**32).")
    sub = _arithmetic("sub", "a - b.")
    mul = _arithmetic("mul", "a * b.")
    div = _arithmetic("div", "a / b.")
    less = _compare("<", "a < b (words: unsigned).")
    bit_xor = _elementwise(2, lambda c, b, of, args: b.xor(*args), doc="a ^ b.")
    bit_and = _elementwise(2, lambda c, b, of, args: b.and_(*args), doc="a & b.")
    bit_or = _elementwise(2, lambda c, b, of, args: b.or_(*args), doc="a | b.")
    shift_left = _elementwise(2, lambda c, b, of, args: b.shl(*args), doc="a << b.")
    shift_right = _elementwise(2, lambda c, b, of, args: b.lshr(*args), doc="a >> b, zeros from the left.")
    shift_right_signed = _elementwise(2, lambda c, b, of, args: b.ashr(*args), doc="a >> b, the sign bit from the left.")
    exp2i = _elementwise(1, _exp2i, doc="2**n for a whole number n given as a float, within the normal range.")
    bits_of = _elementwise(1, lambda c, b, of, args: b.bitcast(args[0], _INT[of]), _TO_WORDS,
                           "The bits of a float32 as a word.")
    float_of = _elementwise(1, lambda c, b, of, args: b.bitcast(args[0], c.get_value_type(_TO_FLOATS[of])), _TO_FLOATS,
                            "The float32 with these bits.")
    from_signed = _elementwise(1, lambda c, b, of, args: b.sitofp(args[0], c.get_value_type(_TO_FLOATS[of])),
                               _TO_FLOATS, "A word, read as a signed number, as a float32.")
    from_unsigned = _elementwise(1, lambda c, b, of, args: b.uitofp(args[0], c.get_value_type(_TO_FLOATS[of])),
                                 _TO_FLOATS, "A word, read as an unsigned number, as a float32.")
else:  # plain twins: a vector is a NumPy array of sixteen
    def load(array, i):
        return array[i:i + LANES].copy()

    def store(array, i, x):
        array[i:i + LANES] = x

    def total(x):
        while x.size > 1:
            x = x[:x.size // 2] + x[x.size // 2:]
        return x[0]

    def polynomial(x, coefficients):
        result = np.asarray(x).dtype.type(coefficients[-1])
        for c in coefficients[-2::-1]:
            result = result * x + np.asarray(x).dtype.type(c)
        return result

    def exp2i(n):
        return np.exp2(n).astype(np.asarray(n).dtype)[()]

    def _bits(f):
        def word_operation(a, b):
            return f(np.uint32(a) if np.isscalar(a) else a, np.uint32(b) if np.isscalar(b) else b)
        return word_operation

    def fma(a, b, c):
        return a * b + c

    def bits_of(x):
        return np.asarray(x).view(np.uint32 if np.asarray(x).dtype == np.float32 else np.uint64)[()]

    def float_of(x):
        return np.asarray(x).view(np.float32 if np.asarray(x).dtype == np.uint32 else np.float64)[()]

    def from_signed(x):
        return np.asarray(x).view(np.int32).astype(np.float32)[()]

    def from_unsigned(x):
        return np.asarray(x).astype(np.float32)[()]

    def shift_right_signed(a, b):
        return np.asarray(np.asarray(a).view(np.int32) >> int(b)).view(np.uint32)[()]

    select, some, every, sqrt, absolute, nearest, copysign = np.where, np.any, np.all, np.sqrt, np.abs, np.rint, np.copysign
    minimum, maximum, less = np.minimum, np.maximum, operator.lt
    mul, div = operator.mul, operator.truediv

    def add(a, b):
        with np.errstate(over="ignore"):  # scalar words wrap around
            return a + b

    def sub(a, b):
        with np.errstate(over="ignore"):
            return a - b

    bit_xor, bit_and, bit_or = _bits(np.bitwise_xor), _bits(np.bitwise_and), _bits(np.bitwise_or)
    shift_left, shift_right = _bits(np.left_shift), _bits(np.right_shift)
