"""From (covariance, broadcasting index arrays) to the flat arrays the kernels take."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from lab.compiled import njit
from lab.errors import InputError

_SYMMETRY = 1e-9    # relative to the scale of the two diagonal entries
_CORRELATION = 1e-6  # how far rounding may carry |C_ab| beyond √(C_aa C_bb)


@njit("i8(f8[:,:,::1])", cache=True, error_model="numpy")
def fault(C):
    """0: usable; 1: not finite; 2: negative variance; 3: not symmetric; 4: a correlation beyond 1."""
    n = C.shape[1]
    for m in range(C.shape[0]):
        for a in range(n):
            if not np.isfinite(C[m, a, a]):
                return 1
            if C[m, a, a] < 0.0:
                return 2
        for a in range(n):
            for b in range(a):
                if not (np.isfinite(C[m, a, b]) and np.isfinite(C[m, b, a])):
                    return 1
                bound = np.sqrt(C[m, a, a]) * np.sqrt(C[m, b, b])
                if abs(C[m, a, b] - C[m, b, a]) > _SYMMETRY * bound + 1e-300:
                    return 3
                if abs(C[m, a, b]) > (1.0 + _CORRELATION) * bound + 1e-14 * max(C[m, a, a], C[m, b, b]):
                    return 4
    return 0


_FAULTS = {
    1: "the covariance has entries that are not finite",
    2: "the covariance has a negative variance on its diagonal",
    3: "the covariance is not symmetric",
    4: "the covariance has a correlation beyond 1, so it is not positive semi-definite",
}


def evaluate(fill: Callable[..., None], C: npt.ArrayLike, *indices: npt.ArrayLike) -> float | np.ndarray:
    """Validate, flatten, call ``fill(C, *indices, out)``, restore the shape (float for all-scalar input)."""
    C = np.ascontiguousarray(floats(C, "the covariance"))
    if C.ndim < 2 or C.shape[-1] != C.shape[-2] or C.shape[-1] == 0:
        raise InputError(f"the covariance must have shape (..., n, n), not {C.shape}")
    batch, n = C.shape[:-2], C.shape[-1]
    flat = C.reshape(-1, n, n)
    found = fault(flat)
    if found:
        raise InputError(_FAULTS[found])
    arrays = [index if index.size else index.astype(np.int64) for index in map(np.asarray, indices)]
    for index in arrays:
        if index.dtype.kind not in "iu":
            raise InputError("indices into the covariance must be integers")
        if index.size and (index.min() < 0 or index.max() >= n):
            raise InputError(f"an index lies outside 0 … {n - 1}, the rows of the covariance")
    try:
        arrays = list(np.broadcast_arrays(*arrays))
    except ValueError:
        raise InputError(f"index arrays of shapes {[a.shape for a in arrays]} do not broadcast") from None
    shape = arrays[0].shape
    out = np.empty((flat.shape[0], arrays[0].size))
    fill(flat, *(np.ascontiguousarray(index, dtype=np.int64).reshape(-1) for index in arrays), out)
    averages: np.ndarray = out.reshape(batch + shape)
    return float(averages) if averages.ndim == 0 else averages
