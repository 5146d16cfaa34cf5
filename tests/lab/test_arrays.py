"""The one way in for arrays."""

import numpy as np
import pytest
import torch

from lab.arrays import floats, power_of_two, real
from lab.errors import InputError

MASKED = np.ma.array([[1.0, 2.0], [3.0, 1e6]], mask=[[0, 0], [0, 1]])


@pytest.mark.parametrize("value, word", [
    (MASKED, "masked"), ([MASKED, MASKED], "masked"), (np.ones(2) + 1j, "real numbers"), ([1j], "real numbers"),
    (torch.ones(2, dtype=torch.complex64), "real numbers"), (["a"], "real numbers"), ([None], "real numbers"),
    ([[1.0], [1.0, 2.0]], "different lengths"),
])
def test_what_is_no_array_of_real_numbers_is_refused(value, word):
    with pytest.raises(InputError, match=word):
        real(value, "weights")
    with pytest.raises(InputError, match="weights"):
        floats(value, "weights")


def test_tensors_become_arrays():
    x = torch.tensor([[1.5, 2.0]])
    for tensor in (x, x.requires_grad_(), x.bfloat16(), x.half(), x.double()):
        assert floats(tensor).tolist() == [[1.5, 2.0]] and floats(tensor).dtype == np.float64
    assert real(x.bfloat16()).dtype == np.float32 and real(torch.tensor([True, False])).dtype == bool
    own = np.ones(3)
    assert floats(own) is own


def test_power_of_two():
    for size, want in ((1.0, 1.0), (1.99, 1.0), (2.0, 2.0), (0.3, 0.25), (0.0, 1.0), (np.inf, 1.0), (2.0**-1070, 2.0**-1070)):
        assert power_of_two(size) == want
