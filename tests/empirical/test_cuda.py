"""A real CUDA device, where there is one, computes what the CPU computes, in every way and without waiting."""

import pytest
import torch

from empirical.device_checks import CHECKS

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_device(check):
    found = list(check(torch.device("cuda")))
    assert found and all(one.passed for one in found), [one for one in found if not one.passed]
