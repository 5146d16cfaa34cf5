"""Square roots of eight float64 at once (:mod:`lab.vector`), from the processor's estimate of 1/√x.

A root of a vector keeps the root unit of an Intel Xeon (Ice Lake) busy for 24 cycles, and blocks a port that multiplications
need. From an estimate of 1/√x to 14 bits, which AVX-512 has an instruction for, it takes nine instructions: the gradient of the
ReLU landscape takes 0.96 of the time that it takes with half of its roots by the root unit. Elsewhere the estimate comes from the
exponent's bits, by seven instructions. The last bit of a root may depend on the processor.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

from lab.compiled import njit
from lab.vector import DOUBLES

_settings: Any = config  # a module whose values are set at run time
_VECTOR, _WORDS = (ir.VectorType(kind, DOUBLES.lanes) for kind in (ir.DoubleType(), ir.IntType(64)))
_BYTE = ir.IntType(8)
_GUESS = 0x5FE6EB50C7B537A9  # less half the bits of x: those of 1/√x within 3.5 %
_CUBIC = (-0.31279811235479366, 1.3146724744150404, -2.190951930273947, 2.189076823178275)  # in x y²: within 8e-7


def _estimate(typing, x):
    """1/√x of DOUBLES to a part in 2^14 or better, x > 0 and not subnormal."""
    if x != DOUBLES:
        raise TypingError("an estimate of 1/√x is one of eight float64")

    def code(context, builder, sig, values):
        x, = values
        if "+avx512f" in context.codegen().magic_tuple()[2]:
            function = ir.FunctionType(_VECTOR, [_VECTOR, _VECTOR, _BYTE])
            estimate = cgutils.get_or_insert_function(builder.module, function, "llvm.x86.avx512.rsqrt14.pd.512")
            return builder.call(estimate, [x, x, ir.Constant(_BYTE, 255)])
        half = builder.lshr(builder.bitcast(x, _WORDS), ir.Constant(_WORDS, [1] * DOUBLES.lanes))
        y = builder.bitcast(builder.sub(ir.Constant(_WORDS, [_GUESS] * DOUBLES.lanes), half), _VECTOR)
        z = builder.fmul(builder.fmul(x, y), y)
        q = ir.Constant(_VECTOR, [_CUBIC[0]] * DOUBLES.lanes)
        for c in _CUBIC[1:]:
            q = builder.fadd(builder.fmul(q, z), ir.Constant(_VECTOR, [c] * DOUBLES.lanes))
        return builder.fmul(y, q)

    return x(x), code


def _estimate_plain(x):
    return 1.0 / np.sqrt(x)


estimate: Any = _estimate_plain if _settings.DISABLE_JIT else intrinsic(_estimate)


@njit(forceinline=True, error_model="numpy")
def root(x):
    """√x of DOUBLES within a unit or two in the last place, x > 0 and not subnormal.

    With y ≈ 1/√x, √x = x y/√(1−e), e = 1 − x y²; the series of the root in e ends with e³, because e⁴ is below a rounding.
    """
    y = estimate(x)
    r = x * y
    e = 1.0 - r * y
    return r + r * (e * (0.5 + e * (0.375 + e * 0.3125)))
