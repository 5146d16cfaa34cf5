"""Vectors for Numba kernels: eight float64 or sixteen float32 as one value, with the usual operators.

Numba has no vector type and leaves it to LLVM to find one in a loop: not at all around a call, not where arrays may overlap,
and on many Intel processors only to half of the register. A kernel written with this type is vectorised by construction, and
reads like its scalar version: ``a * b + c``, ``a < b``, ``x & y``. A value fills one AVX-512 register; LLVM splits it into two
AVX2 or four NEON registers elsewhere.

========== ======================== ==========================================
type       numbers                  ``load(array, i)`` and ``store(array, i, x)``
========== ======================== ==========================================
DOUBLES    8 float64                row i of a C-contiguous (rows, 8) array
FLOATS     16 float32               ``array[i:i + 16]`` of a flat array
WORDS      16 32-bit words          the same; arithmetic modulo 2**32
========== ======================== ==========================================

Comparisons give masks, for ``select(mask, a, b)``. A number beside a vector stands for a vector of copies. Lanes never mix
except in ``total``, whose order is fixed, so results do not depend on the machine's vector length.

Rounding. A sum of products of DOUBLES is fused into one instruction, rounded once, where the processor has it. Operators on
FLOATS and WORDS are exactly the IEEE ones, because random draws are made of them; in a kernel compiled with
``fastmath={"contract"}`` their sums of products are fused too, as those of scalars are; not those in the functions that it calls
(:mod:`lab.compiled`). ``fma`` is fused everywhere.

Named functions take scalars as well, so that one text serves vectors and plain float32 or float64 loops. With
``NUMBA_DISABLE_JIT=1`` a vector is a NumPy array, and the plain twins in :mod:`lab.vector_plain` take over.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 16  # of FLOATS and WORDS

_SCALAR = {types.float64: ir.DoubleType(), types.float32: ir.FloatType(), types.uint64: ir.IntType(64),
           types.uint32: ir.IntType(32), types.boolean: ir.IntType(1)}
_AS_WORD = {types.float64: types.uint64, types.float32: types.uint32}
_AS_FLOAT = {word: real for real, word in _AS_WORD.items()}
_INDEX = ir.IntType(32)


class Vector(types.Type):
    """Numba type: a fixed number of values of one dtype."""

    def __init__(self, dtype: types.Type, lanes: int):
        self.dtype: Any = dtype
        self.lanes = lanes
        super().__init__(f"{dtype}x{lanes}")

    def of(self, dtype: types.Type) -> "Vector":
        """The type with as many lanes of another dtype."""
        return Vector(dtype, self.lanes)


DOUBLES, FLOATS, WORDS = Vector(types.float64, 8), Vector(types.float32, LANES), Vector(types.uint32, LANES)
_LOADED = {v.dtype: v for v in (DOUBLES, FLOATS, WORDS)}


def _llvm(of) -> ir.Type:
    return ir.VectorType(_SCALAR[of.dtype], of.lanes) if isinstance(of, Vector) else _SCALAR[of]


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, of):
        super().__init__(manager, of, _llvm(of))


def _is_float(of) -> bool:
    return (of.dtype if isinstance(of, Vector) else of) in _AS_WORD


def _common(*args):
    """The type an operation works in: a vector if any argument is one, otherwise the widest scalar."""
    for arg in args:
        if isinstance(arg, Vector):
            return arg
    floats = [a for a in args if isinstance(a, types.Float)]
    if floats:
        return types.float64 if types.float64 in floats else types.float32
    return types.uint64 if types.uint64 in args else types.uint32


def _recast(of, dtypes: dict):
    """The type with another dtype for each number, by a table of dtypes."""
    return of.of(dtypes[of.dtype]) if isinstance(of, Vector) else dtypes[of]


def _spread(context, builder, value, source, target):
    """The value in the target type: scalars are cast, and copied to all lanes where a vector is wanted."""
    if isinstance(source, Vector):
        return value
    if not isinstance(target, Vector):
        return context.cast(builder, value, source, target)
    value = context.cast(builder, value, source, target.dtype)
    one = builder.insert_element(ir.Constant(_llvm(target), ir.Undefined), value, ir.Constant(_INDEX, 0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_INDEX, target.lanes), [0] * target.lanes))


# --------------------------------------------------------------------------------------------------------- operators
_Emit = Callable[[Any, Any, Any, Any], Any]  # builder, type, left, right -> value


def _vector_of(args) -> Vector | None:
    """The vector type of a pair of vectors, or of a vector and a number."""
    vector = next((arg for arg in args if isinstance(arg, Vector)), None)
    return vector if all(arg == vector or isinstance(arg, types.Number) for arg in args) else None


def _define(op: Callable, emit: _Emit, takes: Callable[[Vector], bool], compares: bool = False) -> None:
    """Teach Numba an operator on two vectors, or a vector and a number."""

    @infer_global(op)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            of = _vector_of(args) if len(args) == 2 else None
            if of is not None and takes(of):
                return signature(of.of(types.boolean) if compares else of, *map(types.unliteral, args))
            return None

    def lower(context, builder, sig, args):
        of = _vector_of(sig.args)
        return emit(builder, of, *(_spread(context, builder, v, s, of) for v, s in zip(args, sig.args)))

    for pair in ((Vector, Vector), (Vector, types.Number), (types.Number, Vector)):
        lower_builtin(op, *pair)(lower)


def _arithmetic(name: str) -> _Emit:
    def emit(builder, of, a, b):
        if not _is_float(of):
            return getattr(builder, name)(a, b)
        return getattr(builder, "f" + name)(a, b, flags=("contract",) if of.dtype == types.float64 else ())

    return emit


def _comparison(symbol: str) -> _Emit:
    return lambda builder, of, a, b: (builder.fcmp_ordered if _is_float(of) else builder.icmp_unsigned)(symbol, a, b)


def _bitwise(name: str) -> _Emit:
    return lambda builder, of, a, b: getattr(builder, name)(a, b)


def _is_number(of: Vector) -> bool:
    return of.dtype != types.boolean


for _op, _in_place, _name in ((operator.add, operator.iadd, "add"), (operator.sub, operator.isub, "sub"),
                              (operator.mul, operator.imul, "mul")):
    _define(_op, _arithmetic(_name), _is_number)
    _define(_in_place, _arithmetic(_name), _is_number)
_define(operator.truediv, _arithmetic("div"), _is_float)
for _op, _name in ((operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.ge, ">=")):
    _define(_op, _comparison(_name), _is_number, compares=True)
for _op, _name in ((operator.and_, "and_"), (operator.or_, "or_"), (operator.xor, "xor"), (operator.lshift, "shl"),
                   (operator.rshift, "lshr")):
    _define(_op, _bitwise(_name), lambda of: not _is_float(of))


@infer_global(operator.neg)
class _Negation(AbstractTemplate):
    def generic(self, args, kws):
        return signature(args[0], *args) if isinstance(args[0], Vector) and _is_float(args[0]) else None


@lower_builtin(operator.neg, Vector)
def _negate(context, builder, sig, args):
    return builder.fneg(args[0])


# -------------------------------------------------------------------------------------------------- named operations
def _call(builder, name: str, of, args):
    """Call the LLVM intrinsic ``llvm.name`` for a type."""
    scalar: Any = of.dtype if isinstance(of, Vector) else of
    letter = ("f" if _is_float(of) else "i") + str(scalar.bitwidth)
    where = f"v{of.lanes}{letter}" if isinstance(of, Vector) else letter
    function = ir.FunctionType(_llvm(of), [_llvm(of)] * len(args))
    return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.{name}.{where}"), args)


def _elementwise(name: str, arity: int, emit, doc: str, result: dict | None = None):
    """An intrinsic of arguments of one common type; ``emit(builder, type, args)`` writes the code, and ``result`` is a
    table of dtypes where the result's is another."""

    def typed(*args):
        of = _common(*args)
        target = _recast(of, result) if result else of

        def code(context, builder, sig, values):
            return emit(builder, of, [_spread(context, builder, v, s, of) for v, s in zip(values, sig.args)])

        return target(*args), code

    by_arity: dict[int, Callable] = {1: lambda typing, a: typed(a), 2: lambda typing, a, b: typed(a, b),
                                     3: lambda typing, a, b, c: typed(a, b, c)}
    function = by_arity[arity]
    function.__name__, function.__doc__ = name, doc
    return intrinsic(function)


def _named(name: str, arity: int, doc: str):
    return _elementwise(name, arity, lambda builder, of, args: _call(builder, name, of, args), doc)


def _binary(name: str, emit: _Emit, doc: str, result: dict | None = None):
    return _elementwise(name, 2, lambda builder, of, args: emit(builder, of, *args), doc, result)


def _exp2i(builder, of, args):
    """2**n by writing the exponent field."""
    bits, bias = (52, 1023) if (of.dtype if isinstance(of, Vector) else of) == types.float64 else (23, 127)
    whole = _llvm(_recast(of, _AS_WORD))

    def constant(k):
        return ir.Constant(whole, [k] * of.lanes if isinstance(of, Vector) else k)

    n = builder.fptosi(args[0], whole)
    return builder.bitcast(builder.shl(builder.add(n, constant(bias)), constant(bits)), _llvm(of))


def _select():
    def select(typing, mask, a, b):
        of = _common(a, b)
        if isinstance(mask, Vector) and not isinstance(of, Vector):
            of = next(v for v in _LOADED.values() if v.lanes == mask.lanes)

        def code(context, builder, sig, values):
            chosen = [_spread(context, builder, v, s, of) for v, s in zip(values[1:], sig.args[1:])]
            return builder.select(values[0], *chosen)

        return of(mask, a, b), code

    return intrinsic(select)


def _place(context, builder, array, of, values):
    """Pointer to the vector at index ``values[1]`` of an array: a row of a matrix, or an offset in a flat array."""
    index = builder.mul(values[1], ir.Constant(values[1].type, of.lanes)) if array.ndim == 2 else values[1]
    pointer = builder.gep(context.make_array(array)(context, builder, values[0]).data, [index])
    return builder.bitcast(pointer, _llvm(of).as_pointer())


def _memory():
    def load(typing, array, i):
        of = _LOADED[array.dtype]

        def code(context, builder, sig, values):
            return builder.load(_place(context, builder, sig.args[0], of, values), align=of.dtype.bitwidth // 8)

        return of(array, types.intp), code

    def store(typing, array, i, x):
        of = _LOADED[array.dtype]

        def code(context, builder, sig, values):
            value = _spread(context, builder, values[2], sig.args[2], of)
            builder.store(value, _place(context, builder, sig.args[0], of, values), align=of.dtype.bitwidth // 8)
            return context.get_dummy_value()

        return types.void(array, types.intp, x), code

    def splat(typing, value):
        of = _LOADED[value if value in _LOADED else types.float64]

        def code(context, builder, sig, values):
            return _spread(context, builder, values[0], sig.args[0], of)

        return of(value), code

    return intrinsic(load), intrinsic(store), intrinsic(splat)


def _polynomial():
    def polynomial(typing, x, coefficients):
        """c[0] + c[1] x + c[2] x**2 + ... by Horner's rule; `coefficients` is a tuple of constants."""
        of = _common(x)

        def code(context, builder, sig, values):
            each = cgutils.unpack_tuple(builder, values[1])
            each = [_spread(context, builder, c, types.float64, of) for c in each]
            result = each[-1]
            for c in each[-2::-1]:
                result = _call(builder, "fma", of, (result, values[0], c))
            return result

        return of(x, coefficients), code

    return intrinsic(polynomial)


def _over_lanes():
    def total(typing, x):
        def code(context, builder, sig, values):
            x, = values
            width = sig.args[0].lanes
            while width > 1:  # halves are added: lane i and i + width/2
                width //= 2
                index = ir.VectorType(_INDEX, width)
                low, high = (builder.shuffle_vector(x, x, ir.Constant(index, [ir.Constant(_INDEX, first + i)
                                                                              for i in range(width)]))
                             for first in (0, width))
                x = builder.fadd(low, high)
            return builder.extract_element(x, ir.Constant(_INDEX, 0))

        return x.dtype(x), code

    def some(typing, mask):
        def code(context, builder, sig, values):
            word = ir.IntType(sig.args[0].lanes)
            return builder.icmp_unsigned("!=", builder.bitcast(values[0], word), ir.Constant(word, 0))

        return types.boolean(mask), code

    def every(typing, mask):
        def code(context, builder, sig, values):
            word = ir.IntType(sig.args[0].lanes)
            return builder.icmp_unsigned("==", builder.bitcast(values[0], word), ir.Constant(word, 2**word.width - 1))

        return types.boolean(mask), code

    return intrinsic(total), intrinsic(some), intrinsic(every)


_TRUTH = dict.fromkeys(_SCALAR, types.boolean)
_settings: Any = config  # a module whose values are set at run time
mul, div = operator.mul, operator.truediv

if not _settings.DISABLE_JIT:
    load, store, splat = _memory()
    total, some, every = _over_lanes()
    select = _select()
    polynomial = _polynomial()
    fma = _named("fma", 3, "a*b + c, rounded once.")
    sqrt = _named("sqrt", 1, "Square root, correctly rounded.")
    absolute = _named("fabs", 1, "Absolute value.")
    nearest = _named("rint", 1, "The nearest whole number, as a float.")
    copysign = _named("copysign", 2, "The size of a with the sign of b.")
    minimum = _named("minnum", 2, "The smaller one; of a number and NaN, the number.")
    maximum = _named("maxnum", 2, "The larger one; of a number and NaN, the number.")
    # of 32-bit words, also as scalars, which Numba's own operators would widen to 64 bits
    add = _binary("add", _arithmetic("add"), "a + b (words: modulo 2**32).")
    sub = _binary("sub", _arithmetic("sub"), "a - b (words: modulo 2**32).")
    less = _binary("less", _comparison("<"), "a < b (words: unsigned).", _TRUTH)
    bit_xor = _binary("bit_xor", _bitwise("xor"), "a ^ b.")
    bit_and = _binary("bit_and", _bitwise("and_"), "a & b.")
    bit_or = _binary("bit_or", _bitwise("or_"), "a | b.")
    shift_left = _binary("shift_left", _bitwise("shl"), "a << b.")
    shift_right = _binary("shift_right", _bitwise("lshr"), "a >> b, zeros from the left.")
    shift_right_signed = _binary("shift_right_signed", _bitwise("ashr"), "a >> b, the sign bit from the left.")
    exp2i = _elementwise("exp2i", 1, _exp2i, "2**n for a whole number n given as a float, within the normal range.")
    bits_of = _elementwise("bits_of", 1, lambda b, of, args: b.bitcast(args[0], _llvm(_recast(of, _AS_WORD))),
                           "The bits of a float as a word.", _AS_WORD)
    float_of = _elementwise("float_of", 1, lambda b, of, args: b.bitcast(args[0], _llvm(_recast(of, _AS_FLOAT))),
                            "The float with these bits.", _AS_FLOAT)
    from_signed = _elementwise("from_signed", 1, lambda b, of, args: b.sitofp(args[0], _llvm(_recast(of, _AS_FLOAT))),
                               "A word, read as a signed number, as a float.", _AS_FLOAT)
    from_unsigned = _elementwise("from_unsigned", 1, lambda b, of, args: b.uitofp(args[0], _llvm(_recast(of, _AS_FLOAT))),
                                 "A word, read as an unsigned number, as a float.", _AS_FLOAT)
else:
    from lab.vector_plain import (  # noqa: F401
        absolute,
        add,
        bit_and,
        bit_or,
        bit_xor,
        bits_of,
        copysign,
        every,
        exp2i,
        float_of,
        fma,
        from_signed,
        from_unsigned,
        less,
        load,
        maximum,
        minimum,
        nearest,
        polynomial,
        select,
        shift_left,
        shift_right,
        shift_right_signed,
        some,
        splat,
        sqrt,
        store,
        sub,
        total,
    )
