"""Validation of arrays: anything but real numbers is refused, and tensors become arrays.

NumPy silently drops the mask of a masked array and the imaginary part of a complex one. So every function that takes arrays
from a caller passes them through here. torch is never imported; its tensors are used through their own methods.
"""

import math

import numpy as np

from lab.errors import InputError


def is_tensor(value) -> bool:
    """Whether this is a torch tensor (or behaves as one), without importing torch."""
    return hasattr(value, "detach") and hasattr(value, "device")


def bits(part) -> int:
    """Bits of the float dtype of an array or a tensor; 64 for other dtypes."""
    name = str(part.dtype).removeprefix("torch.")
    return {"float16": 16, "bfloat16": 16, "float32": 32}.get(name, 64)


def checked(value, name: str):
    """The value as a NumPy array of real numbers, or, if it is a tensor, as a detached one on its device; the dtype is kept.

    Raises
    ------
    InputError
        A masked array, complex numbers, text or objects, or rows of unequal length.
    """
    if is_tensor(value):
        value = value.detach()
        if "complex" in str(value.dtype):
            raise InputError(f"{name} must hold real numbers, not {value.dtype}: take the real part or the modulus")
        return value.cpu() if value.device.type == "mps" else value  # mps has no float64
    if is_masked(value):
        raise InputError(f"{name} is a masked array: leave the masked rows out, or fill them, first")
    try:
        value = np.asarray(value)
    except (ValueError, TypeError):
        raise InputError(f"{name} must be an array of numbers: its rows have different lengths, or are not numbers") from None
    if value.dtype.kind not in "fiub":
        hint = ": take the real part or the modulus" if value.dtype.kind == "c" else ""
        raise InputError(f"{name} must hold real numbers, not {value.dtype}{hint}")
    return value


def is_masked(value) -> bool:
    """Whether the value is a masked array, or a list or tuple with one in it."""
    if isinstance(value, list | tuple):
        return any(is_masked(part) for part in value)
    return isinstance(value, np.ma.MaskedArray)


def on_host(part) -> np.ndarray:
    """A checked array or tensor as a NumPy array; 16-bit floats of a tensor become float32."""
    if is_tensor(part):
        return (part.float() if bits(part) == 16 else part).cpu().numpy()
    return part


def real(value, name: str = "the array") -> np.ndarray:
    """The value as a NumPy array of real numbers, its dtype kept. Raises as :func:`checked`."""
    return on_host(checked(value, name))


def floats(value, name: str = "the array") -> np.ndarray:
    """The value as a float64 array, without a copy if it is one. Raises as :func:`checked`."""
    return np.asarray(real(value, name), dtype=np.float64)


def power_of_two(size: float) -> float:
    """The power of two p with p <= size < 2 p; 1 for a size that is 0 or not finite.

    Dividing by a power of two is exact, so removing the scale changes no digit of the results.
    """
    return math.ldexp(1.0, math.frexp(size)[1] - 1) if size > 0 and math.isfinite(size) else 1.0
