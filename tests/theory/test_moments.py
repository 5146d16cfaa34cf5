"""Moments against NumPy's covariances, in every way they can be built."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory.moments import Moments, accumulate, sums


def two_blocks(n, a, b, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, a)) @ rng.standard_normal((a, a)) + offset
    return x, x @ rng.standard_normal((a, b)) + rng.standard_normal((n, b)) - 2 * offset


def assert_moments(moments, x, rtol=1e-12):
    """Equal to the direct ones, relative to the standard deviations."""
    x = np.asarray(x, dtype=np.float64)
    expected = np.atleast_2d(np.cov(x.T, bias=True))
    scale = np.sqrt(np.diag(expected))
    assert np.all(np.abs(moments.covariance(moments.names) - expected) <= rtol * np.outer(scale, scale))
    np.testing.assert_allclose(moments.mean(moments.names), x.mean(axis=0), rtol=rtol, atol=rtol * scale.max())
    np.testing.assert_array_equal(moments.variance(moments.names), np.diag(moments.covariance(moments.names)))


@pytest.mark.parametrize("n", [1, 2, 7, 33])
@pytest.mark.parametrize("a, b", [(1, 1), (1, 17), (5, 3), (13, 8)])
def test_streamed_in_odd_batches(n, a, b, monkeypatch):
    monkeypatch.setattr(accumulate, "BLOCK_ROWS", 5)  # several products per batch and several batches per product
    x, y = two_blocks(n, a, b)
    moments = Moments()
    for start in range(0, n, 3):
        moments.update({"a": x[start:start + 3], "b": y[start:start + 3]})
        assert moments.count == min(n, start + 3)
        assert_moments(moments, np.hstack([x, y])[: start + 3])  # reading in between changes nothing
    np.testing.assert_array_equal(moments.covariance("a", "b"), moments.covariance(["a", "b"])[:a, a:])
    np.testing.assert_array_equal(moments.covariance(["b", "a"])[:b, :b], moments.covariance("b"))


def test_a_large_mean_does_not_cancel():
    x, y = two_blocks(4000, 4, 3, offset=1e7)
    moments = Moments()
    for start in range(0, 4000, 900):
        moments.update({"a": x[start:start + 900], "b": y[start:start + 900]})
    assert_moments(moments, np.hstack([x, y]), rtol=1e-7 * 1e-2)  # the data themselves are rounded at 1e7 * 1e-16
    raw = x.T @ x / 4000 - np.outer(x.mean(0), x.mean(0))
    assert np.abs(raw / np.cov(x.T, bias=True) - 1).max() > 1e-4  # what the shift is for


def test_float32_products_keep_their_stated_accuracy():
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((20_000, 60)) @ rng.standard_normal((60, 60)) + 30).astype(np.float32)
    single, double = Moments.from_samples({"x": x}, precision="float32"), Moments.from_samples({"x": x})
    assert_moments(double, x, rtol=1e-12)
    assert_moments(single, x, rtol=5e-7)
    assert np.abs(single.covariance("x") - double.covariance("x")).max() > 0  # it is another path


def test_float32_products_of_relu_features_are_not_biased(monkeypatch):
    """The same nonzero product, added again and again, is rounded in one direction: so frequent values are shifted to 0."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((20_000, 30)) @ rng.standard_normal((30, 80))
    seen = []
    monkeypatch.setattr(sums, "FLOAT32_FROM", 80)
    monkeypatch.setattr(sums, "Stage", lambda origin, single: seen.append(single) or
                        accumulate.Stage(origin, single))
    for x in (np.maximum(z, 0), np.minimum(z, 5) - 0.4, (z > 0) * 4.0 - 1, np.clip(z, 0, 3) / 7 - 1):
        x = x.astype(np.float32)
        single, double = Moments.from_samples({"x": x}), Moments.from_samples({"x": x}, precision="float64")
        error = single.covariance("x") - double.covariance("x")
        largest = np.linalg.eigvalsh(double.covariance("x"))[-1]
        assert np.linalg.norm(error, 2) < 4e-7 * largest
        assert_moments(double, x, rtol=1e-11)
    assert seen[::2] == [True, True, True, False]  # saturating at both ends: no shift helps


def test_wide_float32_goes_by_float32_and_float64_by_float64(monkeypatch):
    monkeypatch.setattr(sums, "FLOAT32_FROM", 6)
    seen = []
    monkeypatch.setattr(sums, "Stage", lambda origin, single: seen.append(single) or
                        accumulate.Stage(origin, single))
    x, y = two_blocks(50, 4, 3)
    moments = Moments().update({"a": x.astype("f4"), "b": y.astype("f4")})
    moments.update({"a": x, "b": y}).update({"a": x.astype("f4"), "b": y.astype("f4")})
    assert seen == [True, False, True]
    assert_moments(moments, np.tile(np.hstack([x, y]), (3, 1)), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8", "bool"])
def test_numpy_types(dtype):
    x = (np.random.default_rng(2).uniform(-3, 3, (40, 3)) if "f" in dtype
         else np.random.default_rng(2).integers(0, 2, (40, 3))).astype(dtype)
    assert_moments(Moments.from_samples({"x": x}), x)
    assert_moments(Moments.from_samples({"x": np.asfortranarray(x)[:, ::-1]}), x[:, ::-1])
    assert_moments(Moments.from_samples({"x": x[:, 0]}), x[:, :1])  # a vector is one unit


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int64"])
@pytest.mark.parametrize("accelerator", [False, True])
def test_torch_types_and_the_path_of_accelerators(dtype, accelerator, monkeypatch):
    torch = pytest.importorskip("torch")
    if accelerator:  # the same code runs on any device
        monkeypatch.setattr(sums, "on_accelerator", lambda part: True)
        monkeypatch.setattr(accumulate, "_WORK_BYTES", 8 * 5 * 7)
    x = (3 * torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) + 5).to(getattr(torch, dtype))
    x = x.requires_grad_() if x.is_floating_point() else x
    y = torch.arange(50) % 3
    moments = Moments()
    for start in range(0, 50, 20):
        moments.update({"x": x[start:start + 20], "y": y[start:start + 20]})
    assert_moments(moments, np.column_stack([x.detach().double().numpy(), y.numpy()]))
    assert_moments(moments.update({"x": x[:9], "y": y[:9]}),  # reading does not end the accumulation
                   np.column_stack([torch.cat([x, x[:9]]).detach().double().numpy(), torch.cat([y, y[:9]]).numpy()]))


@pytest.mark.skipif("not __import__('torch').cuda.is_available()")
def test_cuda_and_cpu_agree():
    import torch

    x, y = (torch.randn(10_000, 20, device="cuda"), torch.randn(10_000, 3, device="cuda", dtype=torch.bfloat16))
    torch.set_float32_matmul_precision("medium")  # must not matter
    gpu, cpu = Moments.from_samples({"x": x, "y": y}), Moments.from_samples({"x": x.cpu(), "y": y.cpu()})
    np.testing.assert_allclose(gpu.covariance(["x", "y"]), cpu.covariance(["x", "y"]), atol=1e-13)


def test_theory_never_loads_torch():
    code = ("import sys, numpy as np; from theory.moments import Moments; "
            "Moments.from_samples({'a': np.eye(3)}).mean('a'); sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 6), st.floats(-1e6, 1e6), st.integers(0, 99))
def test_merge_equals_one_pass(n1, n2, width, offset, seed):
    x = np.random.default_rng(seed).standard_normal((n1 + n2, width)) + offset
    x[n1:] += 10  # the two sets differ
    merged = Moments.from_samples({"x": x[:n1]}).merge(Moments.from_samples({"x": x[n1:]}))
    assert merged.count == n1 + n2
    assert_moments(merged, x, rtol=1e-9)
    assert_moments(merged.update({"x": x}), np.vstack([x, x]), rtol=1e-9)  # and goes on taking samples


def test_exact_moments():
    covariance = np.array([[2.0, 1.0, 0.5], [1.0, 3.0, 0.0], [0.5, 0.0, 0.0 + 1.0]])
    moments = Moments.exact({"student": 2, "teacher": 1}, [1, 2, 3], covariance)
    assert moments.is_exact and moments.count is None and moments.width == 3
    np.testing.assert_array_equal(moments.covariance("teacher", "student"), [[0.5, 0.0]])
    np.testing.assert_array_equal(moments.mean("student"), [1, 2])
    with pytest.raises(InputError, match="no samples to pool"):
        moments.merge(moments)
    with pytest.raises(InputError, match="cannot take samples"):
        moments.update({"student": np.eye(2), "teacher": np.ones(2)})
    for bad in (covariance[:2], np.full((3, 3), np.nan), -covariance, covariance + np.triu(np.ones((3, 3)), 1) * 0.1,
                np.array([[1, 2, 0], [2, 1, 0], [0, 0, 1.0]])):
        with pytest.raises(InputError):
            Moments.exact({"student": 2, "teacher": 1}, [1, 2, 3], bad)


@pytest.mark.parametrize("exact", [False, True])
def test_select_concatenate_take_transform(exact):
    x, y = two_blocks(200, 3, 4, offset=2.0)
    moments = Moments.from_samples({"a": x, "b": y})
    if exact:
        moments = Moments.exact(moments.widths, moments.mean(["a", "b"]), moments.covariance(["a", "b"]))
    assert_moments(moments.select("b"), y)
    both = moments.concatenate({"ba": ["b", "a"], "a": "a"})
    assert both.widths == {"ba": 7, "a": 3} and both.count == moments.count
    assert_moments(both, np.hstack([y, x, x]))
    taken = moments.take({"b": [3, 0], "a": np.array([True, False, True])})
    assert_moments(taken, np.hstack([y[:, [3, 0]], x[:, ::2]]))
    rng = np.random.default_rng(3)
    to_c, to_d, offset = rng.standard_normal((3, 2)), rng.standard_normal((4, 2)), np.array([5.0, -1.0])
    mapped = moments.transform({"b": {"b": None}, "c": {"a": to_c, "b": to_d}}, {"c": offset})
    assert_moments(mapped, np.hstack([y, x @ to_c + y @ to_d + offset]))
    for maps in ({}, {"c": {}}, {"c": {"z": None}}, {"c": {"a": to_d}}, {"c": {"a": None, "b": None}},
                 {"c": {"a": np.full((3, 2), np.nan)}}):
        with pytest.raises(InputError):
            moments.transform(maps)
    with pytest.raises(InputError, match="offset of 'c'"):
        moments.transform({"c": {"a": to_c}}, {"c": [1.0]})
    with pytest.raises(InputError):
        moments.concatenate({})


def test_constant_and_dead_units():
    x = np.random.default_rng(4).standard_normal((100, 4)) * 1e-8 + 1.0
    x[:, 1], x[:, 2] = 0.0, 0.1
    for dtype in ("float32", "float64"):
        sample = x.astype(dtype)
        sample[:, 3] *= 1e6
        moments = Moments.from_samples({"x": sample})
        constant = moments.constant("x").tolist()  # 1 + 1e-8 is 1 in float32
        assert constant == [not np.ptp(unit) for unit in sample.T] and all(constant[1:3])


def test_files(tmp_path):
    x, y = two_blocks(30, 3, 2)
    moments = Moments.from_samples({"a/0 ü": x, "b": y})
    moments.save(tmp_path / "m.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]
    for copy in (Moments.load(tmp_path / "m.npz"), pickle.loads(pickle.dumps(moments.update({"a/0 ü": x, "b": y})))):
        assert copy.names == ("a/0 ü", "b")
        assert_moments(copy, np.tile(np.hstack([x, y]), (copy.count // 30, 1)))
    exact = Moments.exact({"a": 1}, [0], [[2]])
    exact.save(tmp_path / "e.npz")
    assert Moments.load(tmp_path / "e.npz").is_exact
    with pytest.raises(InputError, match="no moments at"):
        Moments.load(tmp_path / "none.npz")
    whole = (tmp_path / "m.npz").read_bytes()
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    np.savez(tmp_path / "pickled.npz", format=np.array([{"a": 1}], dtype=object))
    (tmp_path / "short.npz").write_bytes(whole[:-200])
    (tmp_path / "text.npz").write_text("hello")
    (tmp_path / "flipped.npz").write_bytes(whole[:-700] + bytes([whole[-700] ^ 255]) + whole[-699:])
    for name in ("other", "pickled", "short", "text", "flipped"):
        with pytest.raises(InputError, match="damaged"):
            Moments.load(tmp_path / f"{name}.npz")


def test_bad_input():
    x = np.ones((5, 2))
    for blocks in ({}, {"": x}, {"a": x, "b": x[:3]}, {"a": np.ones((5, 0))}, {"a": np.ones((5, 2, 2))},
                   {"a": np.array(["x"] * 5)}, {"a": x + 1j}, {"a": x[:0]}, {1: x}):
        with pytest.raises(InputError):
            Moments().update(blocks)
    moments = Moments.from_samples({"a": x})
    for blocks in ({"b": x}, {"a": np.ones((5, 3))}, {"a": x, "b": x}):
        with pytest.raises(InputError, match="earlier ones"):
            moments.update(blocks)
    with pytest.raises(InputError, match="no feature block 'z'; there are a"):
        moments.mean("z")
    with pytest.raises(InputError, match="no samples yet"):
        Moments().mean("a")
    with pytest.raises(InputError, match="precision"):
        Moments(precision="half")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("accelerator", [False, True])
def test_values_that_are_not_finite(bad, first, accelerator, monkeypatch):
    x = np.ones((5, 3))
    broken = x.copy()
    broken[2, 1] = bad
    if accelerator:
        torch = pytest.importorskip("torch")
        x, broken = torch.tensor(x), torch.tensor(broken)
        monkeypatch.setattr(sums, "on_accelerator", lambda part: True)
    moments = Moments()
    if not first:
        moments.update({"a": x, "b": x})
    with pytest.raises(InputError, match=r"not finite.*1 units of 'b'"):
        moments.update({"a": x, "b": broken})
        moments.mean("a")  # on an accelerator it shows when the sums are read
    for use in (lambda: moments.mean("a"), lambda: moments.update({"a": x, "b": x}), lambda: moments.select("a")):
        with pytest.raises(InputError, match="build them anew"):
            use()
