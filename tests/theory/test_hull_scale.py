"""Projections on a hull go along with the scale of points and queries, or refuse it."""

import numpy as np
import pytest
import torch

from lab.errors import InputError
from theory.hull import leave_one_out, project

RNG = np.random.default_rng(0)
POINTS, QUERIES = RNG.standard_normal((40, 5)), 2 * RNG.standard_normal((9, 5))
REFERENCE = project(POINTS, QUERIES, 1e-9)


@pytest.mark.parametrize("scale", [1e-280, 1e-200, 1e-100, 1e-20, 1e-6, 1e6, 1e20, 1e100, 1e200, 1e280])
def test_distances_are_homogeneous(scale):
    found = project(POINTS * scale, QUERIES * scale, 1e-9)
    assert found.status.tolist() == REFERENCE.status.tolist() and {"inside", "outside"} >= set(found.status)
    for bound in ("upper", "lower"):
        np.testing.assert_allclose(getattr(found, bound) / scale, getattr(REFERENCE, bound), rtol=1e-7, atol=1e-9)
    assert found.radius == pytest.approx(REFERENCE.radius * scale, rel=1e-9)
    np.testing.assert_allclose((found.weights @ POINTS), (REFERENCE.weights @ POINTS), atol=1e-6)
    out = leave_one_out(POINTS * scale, [0, 1])
    np.testing.assert_allclose(out.upper / scale, leave_one_out(POINTS, [0, 1]).upper, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e20, 1e30])
def test_float32_too(scale):
    found = project((POINTS * scale).astype("f4"), (QUERIES * scale).astype("f4"), 1e-5)
    np.testing.assert_allclose(found.upper / scale, REFERENCE.upper, rtol=1e-4, atol=1e-6)


def test_what_has_no_digits_is_refused():
    for scale in (1e-300, 1e-310, 1e308):
        with np.errstate(over="ignore", under="ignore"), pytest.raises(InputError, match=r"multiply|too large|NaN"):
            project(POINTS * scale, QUERIES)
    for far in (1e150, 1e300):
        with pytest.raises(InputError, match="so far"):
            project(POINTS, QUERIES * far)


def test_arrays_come_in_one_way():
    for bad in (np.ma.array(POINTS, mask=POINTS > 1), POINTS + 1j, torch.tensor(POINTS) + 1j):
        for call in (lambda b: project(b, QUERIES), lambda b: project(POINTS, b), leave_one_out):
            with pytest.raises(InputError, match=r"masked|real numbers"):
                call(bad)
    narrow = torch.tensor(POINTS).bfloat16().requires_grad_()
    want = project(narrow.detach().float().numpy(), QUERIES).upper
    np.testing.assert_allclose(project(narrow, torch.tensor(QUERIES)).upper, want, rtol=1e-6)
