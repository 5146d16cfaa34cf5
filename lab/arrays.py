"""One way in for arrays: what is not a plain array of real numbers is refused, and tensors become arrays.

NumPy drops the mask of a masked array, the imaginary part of a complex one and the gradient of nothing at all: whatever
takes numbers from a caller takes them through here. torch is never imported; its tensors are used through their own
methods.
"""

import math

import numpy as np

from lab.errors import InputError


def is_tensor(value) -> bool:
    """Whether this is a torch tensor (or behaves as one), without importing torch."""
    return hasattr(value, "detach") and hasattr(value, "device")


def bits(part) -> int:
    """Bits of a float dtype, of an array or a tensor; 64 for everything else."""
    name = str(part.dtype).removeprefix("torch.")
    return {"float16": 16, "bfloat16": 16, "float32": 32}.get(name, 64)


def checked(value, name: str):
    """The value as a NumPy array of real numbers, or as a detached tensor of real numbers where it is; dtype kept.

    Raises
    ------
    InputError
        A masked array, complex numbers, text or objects, or rows of unequal length.
    """
    if is_tensor(value):
        value = value.detach()
        if "complex" in str(value.dtype):
            raise InputError(f"{name} must hold real numbers, not {value.dtype}: take the real part or the modulus")
        return value.cpu() if value.device.type == "mps" else value  # which has no float64
    if is_masked(value):
        raise InputError(f"{name} is a masked array: leave the masked rows out, or fill them, first")
    try:
        value = np.asarray(value)
    except (ValueError, TypeError):
        raise InputError(f"{name} must be an array of numbers: its rows are of unequal length, or no numbers") from None
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
    """The value as a float64 array, not copied where it is one. Raises as :func:`checked`."""
    return np.asarray(real(value, name), dtype=np.float64)


def power_of_two(size: float) -> float:
    """The power of two p with p <= size < 2 p; 1 for a size that is 0 or not finite.

    Dividing by a power of two is exact, so that taking the scale out of numbers changes no digit of what follows.
    """
    return math.ldexp(1.0, math.frexp(size)[1] - 1) if size > 0 and math.isfinite(size) else 1.0
