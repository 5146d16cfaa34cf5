"""Measures that do not depend on scale, over two hundred orders of magnitude; what leaves the range is refused."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory import measures as m
from theory.measures.merging import merge_repeated
from theory.measures.nonlinear import logistic_probe, mlp_span_error, nonlinear_span_error
from theory.moments import Moments

RNG = np.random.default_rng(0)
Z = RNG.standard_normal((400, 5))
X = np.maximum(Z @ RNG.standard_normal((5, 6)) + 0.3, 0)
X[:, 5] = 2 * X[:, 4]
Y = np.tanh(Z @ RNG.standard_normal((5, 4))) + 0.2 * RNG.standard_normal((400, 4))


def pair(a=1.0, b=1.0):
    """Fit and score moments, the source times a and the target times b."""
    return [Moments.from_samples({"a": X[rows] * a, "b": Y[rows] * b}) for rows in (slice(0, 250), slice(250, 400))]


def everything(a, b):
    """Every measure of moments that does not depend on scale."""
    fit, score = pair(a, b)
    exact = Moments.exact(fit.widths, fit.mean(fit.names), fit.covariance(fit.names))
    out = {"cka": m.linear_cka(fit, "a", "b"), "debiased": m.debiased_cka(X * a, Y * b),
           "repeated": m.repeated_units(fit, "a").pair_share, "correlations": np.abs(m.correlations(fit, "a")).sum(),
           "slopes": merge_repeated(fit, "a").slope.sum()}
    for ridge in (0.0, 1e-6, [1e-3, 1.0]):
        for given_score in (score, "in-sample"):
            out[f"span {ridge} {given_score}"[:30]] = m.span_error(fit, source="a", target="b", ridge=ridge, score=given_score)
    out["span exact"] = m.span_error(exact, source="a", target="b")
    out["reverse"] = m.span_error(fit, source="b", target="a", score=score, per_unit=True)
    weights, offset = m.ridge_map(fit, source="a", target="b")
    out["map"], out["offset"] = weights * (a / b), offset / b
    left = m.with_residual(fit, source="a", target="b", fit=fit)
    out["residual"] = left.variance("residual") / b**2
    noisy = m.with_noise(fit, units=2, rng=np.random.default_rng(0), scale=b)
    out["noise"] = noisy.variance("noise") / b**2
    for name in "ab":
        out[f"rank {name}"] = [m.effective_rank(fit, name), m.effective_rank(fit, name, kind="entropy")]
        out[f"compressible {name}"] = m.compressibility(fit, name, share=0.1)
        out[f"predictable {name}"] = m.predictability(fit, name, ridge=1e-4, score=score)
    out["spectrum"] = m.spectrum(fit, "b") / b**2
    for given_score in (score, "in-sample"):
        for measure in (m.mean_squared_cca, m.svcca, m.procrustes_similarity, m.procrustes_distance):
            out[f"{measure.__name__} {given_score}"[:35]] = measure(fit, "a", "b", score=given_score)
    return out


REFERENCE = everything(1.0, 1.0)


@settings(deadline=None, max_examples=15)
@given(st.floats(-100, 100), st.floats(-100, 100))
@example(-100, -100)
@example(100, 100)
@example(100, -100)
@example(-20, 20)
def test_measures_do_not_depend_on_scale(first, second):
    found = everything(10.0**first, 10.0**second)
    for name, want in REFERENCE.items():
        np.testing.assert_allclose(found[name], want, rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_power_of_two_changes_no_digit():
    for name, found in everything(2.0**-300, 2.0**250).items():
        np.testing.assert_array_equal(found, REFERENCE[name], err_msg=name)


def test_noise_is_drawn_beside_every_block_at_its_own_scale():
    found = []
    for scale in (1.0, 2.0**-300):
        noisy = m.with_noise(pair(scale)[0], units=3, rng=np.random.default_rng(0))
        found.append(noisy.covariance("a", "noise") / scale)
    np.testing.assert_array_equal(*found)
    assert np.abs(found[0]).max() > 0.01


@pytest.mark.parametrize("scale", [1e-150, 1e-170, 1e-200, 1e-300, 1e150, 1e200, 1e300])
def test_what_cannot_be_squared_is_refused(scale):
    with np.errstate(all="raise", under="ignore"), pytest.raises(InputError, match="squares"):
        pair(scale)[0].variance("a")
    with pytest.raises(InputError, match=r"squares|not a covariance"):
        Moments.exact({"a": 1}, [0.0], [[1e-290]]), Moments.exact({"a": 1}, [0.0], [[1e290]])
    with pytest.raises(InputError, match="squares"):
        pair()[0].transform({"c": {"a": np.eye(6) * scale}})


def test_one_tiny_unit_beside_others_is_constant():
    moments = Moments.from_samples({"a": np.column_stack([X[:, :2], X[:, 2] * 1e-200])})
    assert moments.constant("a").tolist() == [False, False, True]


@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e20, 1e30])
def test_float32_products_stay_in_their_range(scale):
    x = np.random.default_rng(1).standard_normal((300, 400)).astype("f4")
    moments = [Moments.from_samples({"a": x * np.float32(s)}) for s in (1.0, scale)]
    np.testing.assert_allclose(moments[1].covariance("a") / scale**2, moments[0].covariance("a"), atol=1e-5)


@pytest.mark.parametrize("a, b", [(1e-100, 1e100), (1e100, 1e-20), (1e-20, 1e20)])
def test_measures_on_rows_do_not_depend_on_scale(a, b):
    labels = (Z[:, 0] > 0).astype(int)

    def found(a, b):
        fit, score = ({"a": X[r] * a, "b": Y[r] * b, "labels": labels[r]} for r in (slice(0, 250), slice(250, 400)))
        seeded = partial(np.random.default_rng, 0)
        network = mlp_span_error(fit, score, source="a", target="b", rng=seeded(), hidden=8, iterations=20)
        return [nonlinear_span_error(fit, score, source="a", target="b", rng=seeded(), landmarks=50).error, network.linear,
                network.error, logistic_probe(fit, score, features="a").log_loss]

    np.testing.assert_allclose(found(a, b), found(1.0, 1.0), rtol=1e-3)


def test_masked_and_complex_features_are_refused_and_tensors_taken_by_every_measure():
    masked = np.ma.array(X, mask=X > 2)
    tensors = {"a": torch.tensor(X).bfloat16().requires_grad_(), "b": torch.tensor(Y).float()}
    fit, score = ({k: v[rows] for k, v in tensors.items()} for rows in (slice(0, 250), slice(250, 400)))
    on_rows = (lambda f, s: m.debiased_cka(f["a"], f["b"]), lambda f, s: Moments.from_samples(f).variance("a").sum(),
               lambda f, s: nonlinear_span_error(f, s, source="a", target="b", rng=np.random.default_rng(0), landmarks=40).error,
               lambda f, s: m.shuffled_moments(f, np.random.default_rng(0)).variance("b").sum())
    plain = [{"a": x["a"].detach().float().numpy(), "b": x["b"].numpy()} for x in (fit, score)]
    for measure in on_rows:
        assert measure(fit, score) == pytest.approx(measure(*plain), rel=1e-6)
        for bad in (masked, X + 1j):
            with pytest.raises(InputError, match=r"masked|real numbers"):
                measure({"a": bad[:250], "b": Y[:250]}, {"a": bad[250:], "b": Y[250:]})
    with pytest.raises(InputError, match="masked"):
        Moments.exact({"a": 1}, [0.0], np.ma.array([[1.0]], mask=[[True]]))
