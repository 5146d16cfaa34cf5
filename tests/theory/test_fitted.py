"""A fitted measure of sampled moments is scored on other rows, or in-sample by choice."""

import warnings

import numpy as np
import pytest

from lab.errors import InputError
from theory import measures as m
from theory.measures.nonlinear import logistic_probe, mlp_span_error, nonlinear_span_error
from theory.moments import Moments


def unrelated(n, a, b, seed=0):
    rng = np.random.default_rng(seed)
    return Moments.from_samples({"a": rng.standard_normal((n, a)), "b": rng.standard_normal((n, b))})


def gap(fit, **score):
    blocks = fit.concatenate({"a": "a", "b": "b", "other": ["a", "b"]})
    score = {k: s.concatenate({"a": "a", "b": "b", "other": ["a", "b"]}) if isinstance(s, Moments) and s is not fit else s
             for k, s in score.items()}
    return m.span_gap(blocks, narrow="a", wide="b", other_wide="other",
                      **{k: blocks if s is fit else s for k, s in score.items()})


MEASURES = {
    "span error": lambda f, **s: m.span_error(f, source="a", target="b", **s),
    "gap": gap,
    "probe": lambda f, **s: m.probe_error(f, features="a", target="b", **s),
    "predictability": lambda f, **s: m.predictability(f, "a", **s).mean(),
    "cca": lambda f, **s: m.mean_squared_cca(f, "a", "b", **s),
    "svcca": lambda f, **s: m.svcca(f, "a", "b", **s),
    "procrustes": lambda f, **s: m.procrustes_similarity(f, "a", "b", **s),
    "distance": lambda f, **s: m.procrustes_distance(f, "a", "b", **s),
}


@pytest.mark.parametrize("name", MEASURES)
def test_samples_need_a_score_or_a_choice(name):
    measure, fit, other = MEASURES[name], unrelated(200, 6, 4), unrelated(200, 6, 4, seed=1)
    for derived in (fit, fit.select("a", "b"), fit.merge(other), other.take({"a": slice(None), "b": slice(None)})):
        with pytest.raises(InputError, match="samples"):
            measure(derived)
    for bad in ("insample", 3, {"a": 1}):
        with pytest.raises(InputError, match="score must be"):
            measure(fit, score=bad)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measure(fit, score="in-sample") == measure(fit, score=fit) != measure(fit, score=other)
    exact = Moments.exact(fit.widths, fit.mean(["a", "b"]), fit.covariance(["a", "b"]))
    for derived in (exact, exact.select("a", "b"), exact.concatenate({"a": "a", "b": "b"})):
        assert measure(derived) == pytest.approx(measure(fit, score="in-sample"), rel=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_few_rows_are_warned_of(name):
    with pytest.warns(m.FewRows):
        MEASURES[name](unrelated(40, 6, 6), score="in-sample")


@pytest.mark.parametrize("name", ["span error", "gap", "probe", "predictability", "cca"])
def test_rows_that_units_fit_whatever_they_are_are_refused(name):
    with pytest.raises(InputError, match="rows"):
        MEASURES[name](unrelated(30, 40, 4), score="in-sample")


def test_unrelated_features_of_a_hundred_rows():
    # in-sample at a ridge of 1e-6 the share is 7e-14, "spans perfectly"; other rows say what it is
    fit, other = unrelated(100, 512, 64), unrelated(100, 512, 64, seed=1)
    for choice in ({}, {"score": "in-sample"}, {"score": fit}):
        with pytest.raises(InputError):
            m.span_error(fit, source="a", target="b", **choice)
    assert 1.1 < m.span_error(fit, source="a", target="b", score=other) < 1.4


def test_held_out_similarities_of_unrelated_features_are_about_zero():
    fit, other = unrelated(300, 20, 20), unrelated(3000, 20, 20, seed=1)
    assert m.svcca(fit, "a", "b", score=other) < 0.03 and m.mean_squared_cca(fit, "a", "b", score=other) < 0.003
    assert abs(m.procrustes_similarity(fit, "a", "b", score=other)) < 0.03
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 4))
    turn, mix = np.linalg.qr(rng.standard_normal((4, 4)))[0], rng.standard_normal((4, 4))
    fit, score = (Moments.from_samples({"a": r, "turned": 3 * r @ turn, "mixed": r @ mix}) for r in (x[:250], x[250:]))
    assert m.procrustes_similarity(fit, "a", "turned", score=score) == pytest.approx(1)
    np.testing.assert_allclose(m.canonical_correlations(fit, "a", "mixed", score=score), 1, rtol=1e-9)


def test_a_residual_says_what_it_is_fitted_on():
    fit = unrelated(200, 6, 4)
    with pytest.raises(InputError, match="samples"):
        m.with_residual(fit, source="a", target="b")
    assert m.with_residual(fit, source="a", target="b", fit=fit).names == ("a", "b", "residual")
    few = unrelated(30, 40, 4)
    with pytest.raises(InputError, match="30 rows"):
        m.with_residual(few, source="a", target="b", fit=few)
    with pytest.warns(m.FewRows):
        m.with_residual(unrelated(300, 40, 4), fit=(wide := unrelated(300, 40, 4)), source="a", target="b")
        m.with_residual(wide, fit=wide, source="a", target="b")
    with pytest.raises(InputError, match="choose the ridge"):
        m.choose_ridge(fit, fit, source="a", target="b")


def test_measures_on_rows_refuse_the_rows_of_the_fit():
    rng = np.random.default_rng(0)
    rows = {"a": rng.standard_normal((60, 3)), "b": rng.standard_normal((60, 2)), "labels": rng.integers(0, 2, 60)}
    for score in (rows, dict(rows)):
        for call in (lambda s: nonlinear_span_error(rows, s, source="a", target="b", rng=rng),
                     lambda s: mlp_span_error(rows, s, source="a", target="b", rng=rng),
                     lambda s: logistic_probe(rows, s, features="a")):
            with pytest.raises(InputError, match="same rows"):
                call(score)


@pytest.mark.parametrize("ridge", [1e-300, 1e-18, 1e-12, 1e-6])
def test_duplicate_units_predict_each_other_at_any_ridge(ridge):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 60))
    x[:, 30:] = x[:, :30] * rng.uniform(0.5, 2, 30)
    x = np.column_stack([x, rng.standard_normal(500)])
    fit, score = Moments.from_samples({"a": x[:400]}), Moments.from_samples({"a": x[400:]})
    found = m.predictability(fit, "a", ridge=ridge, score=score)
    np.testing.assert_allclose(found[:60], 1, atol=1e-3)
    assert found[60] < 0.1
