"""Gaussian averages of units: the integrals behind every exact toy model.

``erf_*`` (``theory.gaussian.erf``) and ``relu_*`` (``theory.gaussian.relu``): averages over z ~ N(0, C) for any
covariance C, by index; ``*_kernel``: the same from the covariance entries that they need, for use inside Numba code.
Derivations and checks are in ``theory.gaussian.derive`` and ``theory.gaussian.check`` (loaded on demand, since they need
SymPy and SciPy).
"""

from theory.gaussian.erf import (
    erf_i2,
    erf_i2_kernel,
    erf_i3,
    erf_i3_kernel,
    erf_i4,
    erf_i4_kernel,
    erf_j2,
    erf_j2_kernel,
)
from theory.gaussian.relu import (
    relu_i2,
    relu_i2_kernel,
    relu_i3,
    relu_i3_kernel,
    relu_j2,
    relu_j2_kernel,
)

__all__ = [
    "erf_i2",
    "erf_i2_kernel",
    "erf_i3",
    "erf_i3_kernel",
    "erf_i4",
    "erf_i4_kernel",
    "erf_j2",
    "erf_j2_kernel",
    "relu_i2",
    "relu_i2_kernel",
    "relu_i3",
    "relu_i3_kernel",
    "relu_j2",
    "relu_j2_kernel",
]


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
