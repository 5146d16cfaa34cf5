"""Inner products of rows by BLAS, for a kernel: ``np.dot`` without its checks, which take seconds to compile."""

from typing import Any

from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array
from numba.np.linalg import call_xxgemm, call_xxgemv, ensure_blas

__all__: list[str] = []  # used by `theory.hull` alone


def inner_products_plain(a, b, out):
    """out[i n + j] = a_i . b_j for the rows of a (m, d) and b (n, d), as it is defined (NumPy)."""
    out[:len(a) * len(b)] = (a @ b.T).ravel()


def _inner_products(typing, a, b, out):
    """An intrinsic. One row is multiplied by a matrix, as in ``np.dot``."""
    real, transposed, product = a.dtype, b.copy(layout="F"), types.Array(a.dtype, 2, "C")

    def code(context, builder, signature, values):
        ensure_blas()
        left, right, to = (make_array(kind)(context, builder, value) for kind, value in zip(signature.args, values))
        m, k = cgutils.unpack_tuple(builder, left.shape)
        n, _ = cgutils.unpack_tuple(builder, right.shape)
        one = context.get_constant(types.intp, 1)
        with builder.if_else(builder.icmp_signed("==", m, one)) as (row, rows):
            with row:
                call_xxgemv(context, builder, True, transposed, (k, n), right.data, left.data, to.data)
            with rows:
                call_xxgemm(context, builder, a, (m, k), left.data, transposed, (k, n), right.data, product, (m, n), to.data)
        return context.get_dummy_value()

    if not real == b.dtype == out.dtype:
        return None
    return types.void(a, b, out), code


_jit_is_off = config.DISABLE_JIT  # type: ignore[attr-defined]  # set where Numba is loaded
inner_products: Any = inner_products_plain if _jit_is_off else intrinsic(_inner_products)
