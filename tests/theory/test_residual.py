"""Residual features and noise controls, against the same things done on rows."""

import numpy as np
import pytest
from scipy.stats import kstest

from lab.errors import InputError
from theory.measures import probe_error, ridge_map, span_error, with_noise, with_residual
from theory.moments import Moments


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 6))
    fixed = np.random.default_rng(42)
    return {"a": z[:, :4] @ fixed.standard_normal((4, 3)) + 1, "a2": z[:, 3:5] ** 2,
            "b": np.tanh(z @ fixed.standard_normal((6, 4))), "y": z[:, 4:5] * z[:, 5:] + z[:, 5:]}


@pytest.mark.parametrize("source, target", [("a", "b"), (["a", "a2"], "b"), ("a", ["b", "y"]), (["a", "b"], ["b"])])
def test_residual_block_equals_rows(source, target):
    fit_rows, score_rows = rows(300), rows(200, seed=1)
    fit, score = Moments.from_samples(fit_rows), Moments.from_samples(score_rows)
    weights, offset = ridge_map(fit, source=source, target=target, ridge=0.01)

    def stack(r, names):
        return np.hstack([r[k] for k in ([names] if isinstance(names, str) else names)])

    for moments, r in ((fit, fit_rows), (score, score_rows)):
        got = with_residual(moments, fit=fit, source=source, target=target, ridge=0.01)
        expected = Moments.from_samples({**r, "residual": stack(r, target) - stack(r, source) @ weights - offset})
        assert got.names == expected.names and got.count == expected.count
        np.testing.assert_allclose(got.covariance(got.names), expected.covariance(got.names), atol=1e-12)
        np.testing.assert_allclose(got.mean(got.names), expected.mean(got.names), atol=1e-12)
    assert np.allclose(with_residual(fit, fit=fit, source=source, target=target).mean("residual"), 0, atol=1e-9)


def test_the_residual_completes_the_span():
    fit, score = Moments.from_samples(rows(4000)), Moments.from_samples(rows(3000, seed=1))
    fit, score = (with_residual(m, fit=fit, source="a", target="b") for m in (fit, score))
    assert span_error(fit, source="a", target="b", score=score) > 0.2
    assert span_error(fit, source=["a", "residual"], target="b", score=score) < 1e-5
    assert span_error(fit, source="a", target="residual", score="in-sample") == pytest.approx(1, abs=1e-6)
    gain = [probe_error(fit, features=f, target="y", score=score) for f in (["a", "residual"], ["a", "b"], "a")]
    assert gain[0] == pytest.approx(gain[1], rel=1e-4) and gain[0] < gain[2] - 0.01
    with pytest.raises(InputError, match="already"):
        with_residual(fit, fit=fit, source="a", target="b")


@pytest.mark.parametrize("n", [5, 40])
def test_noise_has_the_law_of_appended_rows(n):
    """The regression on features plus noise, and the noise's own moments: drawn and done on rows agree in law."""
    base = {k: v for k, v in rows(n).items() if k in ("a", "b")}
    moments = Moments.from_samples(base)
    rng = np.random.default_rng(0)
    drawn, direct = [], []
    for _ in range(400):
        for out, m in ((drawn, with_noise(moments, units=6, rng=rng, scale=3.0)),
                       (direct, Moments.from_samples({**base, "noise": 3 * rng.standard_normal((n, 6))}))):
            weights, _ = ridge_map(m, source=["a", "noise"], target="b", ridge=1e-3)
            out.append([np.linalg.norm(weights), m.variance("noise").sum(),
                        np.linalg.norm(m.covariance("noise")), m.mean("noise")[0], m.covariance("noise", "a")[2, 1]])
    for k in range(5):
        assert kstest(np.array(drawn)[:, k], np.array(direct)[:, k]).pvalue > 1e-3, k


def test_noise_beside_exact_moments_and_bad_input():
    exact = Moments.exact({"a": 2}, [1, 2], [[2, 0], [0, 0]])
    rng = np.random.default_rng(0)
    noisy = with_noise(exact, units=3, rng=rng, scale=2.0)
    np.testing.assert_array_equal(noisy.covariance("noise"), 4 * np.eye(3))
    np.testing.assert_array_equal(noisy.covariance("noise", "a"), np.zeros((3, 2)))
    assert noisy.is_exact
    for kwargs in ({"units": 0}, {"units": 1, "scale": 0}, {"units": 1, "name": "a"}):
        with pytest.raises(InputError):
            with_noise(exact, rng=rng, **kwargs)
    once = Moments.from_samples({"a": np.ones((1, 2))})
    assert with_noise(once, units=2, rng=rng).covariance(["a", "noise"]) == pytest.approx(np.zeros((4, 4)))
