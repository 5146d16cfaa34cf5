"""CKA, CCA and Procrustes against independent implementations and their invariances."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from sklearn.cross_decomposition import CCA
from statsmodels.multivariate.cancorr import CanCorr

from lab.errors import InputError
from theory.measures import (
    IN_SAMPLE,
    canonical_correlations,
    debiased_cka,
    linear_cka,
    mean_squared_cca,
    permutation_null,
    procrustes_distance,
    procrustes_similarity,
    rows_per_unit,
    span_error,
    svcca,
)
from theory.moments import Moments

FITTED = [partial(f, score=IN_SAMPLE) for f in (mean_squared_cca, svcca, procrustes_similarity, procrustes_distance)]
MEASURES = [linear_cka, *FITTED[:3]]


def pair(n=300, a=5, b=3, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 2))
    return (z @ rng.standard_normal((2, a)) + rng.standard_normal((n, a)) * rng.uniform(0.2, 2, a) + 1,
            z @ rng.standard_normal((2, b)) + rng.standard_normal((n, b)) - 4)


def of(x, y):
    return Moments.from_samples({"a": x, "b": y})


def direct_cka(x, y):
    """HSIC of centred n x n kernels."""
    h = np.eye(len(x)) - 1 / len(x)
    k, l = h @ x @ x.T @ h, h @ y @ y.T @ h
    return np.trace(k @ l) / math.sqrt(np.trace(k @ k) * np.trace(l @ l))


def unbiased_hsic(k, l):
    """Song et al. 2012, eq. 5, as written there."""
    n, one = len(k), np.ones(len(k))
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    return (np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
            - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


@pytest.mark.parametrize("a, b", [(1, 1), (5, 3), (2, 17)])
def test_against_independent_implementations(a, b):
    x, y = pair(a=a, b=b)
    moments = of(x, y)
    assert linear_cka(moments, "a", "b") == pytest.approx(direct_cka(x, y), rel=1e-10)
    rho = canonical_correlations(moments, "a", "b", score=IN_SAMPLE)
    peer = np.sort(CanCorr(y, x).cancorr)[::-1][: min(a, b)] if a * b > 1 else [abs(np.corrcoef(x.T, y.T)[0, 1])]
    np.testing.assert_allclose(rho, peer, rtol=1e-8)
    assert mean_squared_cca(moments, "a", "b", score=IN_SAMPLE) == pytest.approx(np.mean(rho**2))
    kernels = [f @ f.T for f in (x, y)]  # not centred: the unbiased estimate does not need it
    expected = unbiased_hsic(*kernels) / math.sqrt(unbiased_hsic(kernels[0], kernels[0]) *
                                                   unbiased_hsic(kernels[1], kernels[1]))
    assert debiased_cka(x, y) == pytest.approx(expected, rel=1e-7)
    width = max(a, b)
    padded = [np.pad(f - f.mean(0), ((0, 0), (0, width - f.shape[1]))) for f in (x, y)]
    padded = [f / np.linalg.norm(f) for f in padded]
    rotation, _ = orthogonal_procrustes(padded[1], padded[0])
    cosine = np.sum(padded[0] * (padded[1] @ rotation))
    assert procrustes_similarity(moments, "a", "b", score=IN_SAMPLE) == pytest.approx(cosine, rel=1e-10)
    assert procrustes_distance(moments, "a", "b", score=IN_SAMPLE) == pytest.approx(math.acos(cosine), rel=1e-8)


def test_against_sklearn_cca():
    x, y = pair(a=4, b=2)
    u, v = CCA(2, max_iter=5000, tol=1e-12).fit_transform(x, y)
    expected = sorted((np.corrcoef(u[:, k], v[:, k])[0, 1] for k in range(2)), reverse=True)
    np.testing.assert_allclose(canonical_correlations(of(x, y), "a", "b", score=IN_SAMPLE), expected, rtol=1e-6)


def test_svcca_cuts_each_side_to_its_leading_components():
    x, y = pair(a=8, b=6)
    x[:, 3:] *= 0.01

    def cut(f):
        u, s, _ = np.linalg.svd(f - f.mean(0), full_matrices=False)
        kept = np.argmax(np.cumsum(s**2) / np.sum(s**2) >= 0.99) + 1
        return u[:, :kept]

    expected = np.linalg.svd(cut(x).T @ cut(y), compute_uv=False)
    assert len(expected) < 6
    assert svcca(of(x, y), "a", "b", score=IN_SAMPLE) == pytest.approx(expected.mean(), rel=1e-10)
    np.testing.assert_allclose(canonical_correlations(of(x, y), "a", "b", score=IN_SAMPLE, keep=0.99), expected, rtol=1e-10)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 6), st.integers(1, 6), st.floats(1e-3, 1e3), st.integers(0, 999))
def test_invariances(a, b, scale, seed):
    """Rotation, isotropic scaling, permutation, shift, and units that do not vary; CCA any invertible map."""
    x, y = pair(a=a, b=b, seed=seed)
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.standard_normal((a, a)))
    moved = np.column_stack([(x @ rotation * scale + 5)[:, rng.permutation(a)], np.zeros(len(x)), np.full(len(x), 0.3)])
    for measure in [*MEASURES, FITTED[3]]:
        assert measure(of(moved, y), "a", "b") == pytest.approx(measure(of(x, y), "a", "b"), rel=1e-8, abs=1e-9)
        assert measure(of(y, x), "b", "a") == pytest.approx(measure(of(x, y), "a", "b"), rel=1e-8, abs=1e-9)
    assert debiased_cka(moved, y) == pytest.approx(debiased_cka(x, y), rel=1e-8, abs=1e-9)
    mixed = x @ (rotation + 0.5 * np.triu(np.ones((a, a))) + 2 * np.eye(a))
    cca = [mean_squared_cca(of(f, y), "a", "b", score=IN_SAMPLE) for f in (mixed, x)]
    assert cca[0] == pytest.approx(cca[1], rel=1e-6)


def test_a_network_against_itself():
    x, _ = pair()
    for measure in MEASURES:
        assert measure(of(x, x), "a", "b") == pytest.approx(1, abs=1e-12)
    assert debiased_cka(x, x) == pytest.approx(1, abs=1e-12)
    assert procrustes_distance(of(x, x), "a", "b", score=IN_SAMPLE) < 1e-7


def test_shuffled_rows_give_the_null_and_only_debiased_cka_is_centred():
    rng = np.random.default_rng(0)
    n, d = 100, 30
    x = rng.standard_normal((n, d))
    rows = {"a": x, "b": x @ np.linalg.qr(rng.standard_normal((d, d)))[0]}  # the same features, rotated
    for measure in MEASURES:
        null = permutation_null(lambda m, f=measure: f(m, "a", "b"), rows, rng, repeats=10)
        assert null.shape == (10,) and null.max() < 0.75 < 1 - 1e-9 < measure(Moments.from_samples(rows), "a", "b")
    cka = permutation_null(lambda m: linear_cka(m, "a", "b"), rows, rng)
    assert cka.mean() == pytest.approx(d / n / (1 + d / n), rel=0.1)  # E |C_ab|^2 = d^2/n, E |C_aa|^2 = d + d^2/n
    cca = permutation_null(lambda m: mean_squared_cca(m, "a", "b", score=IN_SAMPLE), rows, rng)
    assert cca.mean() == pytest.approx(d / (n - 1), rel=0.1)
    debiased = [debiased_cka(x, x[rng.permutation(n)]) for _ in range(40)]
    assert abs(np.mean(debiased)) < 4 * np.std(debiased) / math.sqrt(40) + 1e-3
    assert rows_per_unit(Moments.from_samples(rows), "a") == pytest.approx(n / d)


def test_the_null_of_span_error_is_fitted_and_scored_on_shuffled_rows():
    x, y = pair(n=600, a=6, b=6)
    fit, score = {"a": x[:400], "b": y[:400]}, {"a": x[400:], "b": y[400:]}
    rng = np.random.default_rng(0)
    null = permutation_null(lambda f, s: span_error(f, source="a", target="b", ridge=[1e-6, 1e-2], score=s), fit, rng,
                            score_rows=score, repeats=8)
    assert null.shape == (8, 2) and np.all(np.abs(null - 1) < 0.08)
    in_sample = permutation_null(lambda m: span_error(m, source="a", target="b", score=IN_SAMPLE), fit, rng)
    assert in_sample.mean() == pytest.approx(1 - 6 / 399, abs=0.01)


def test_exact_moments():
    exact = Moments.exact({"a": 1, "b": 1}, [0, 0], [[4, 1], [1, 1]])
    assert mean_squared_cca(exact, "a", "b") == pytest.approx(0.25)
    assert linear_cka(exact, "a", "b") == pytest.approx(0.25)
    assert procrustes_distance(exact, "a", "b") == pytest.approx(math.pi / 3)
    assert rows_per_unit(exact, "a") == math.inf


def test_bad_input():
    x, y = pair(n=8)
    with pytest.raises(InputError, match="8 rows for 8 directions"):
        mean_squared_cca(of(x, y), "a", "b", score=IN_SAMPLE)
    flat = of(x, np.ones((8, 2)))
    for measure in [*MEASURES, FITTED[3]]:
        with pytest.raises(InputError, match="do not vary"):
            measure(flat, "a", "b")
    with pytest.raises(InputError, match="keep"):
        svcca(of(x, y), "a", "b", score=IN_SAMPLE, keep=0)
    for bad in ((x, y[:5]), (x[:3], y[:3]), (x * np.nan, y), (x[0], y[0]), (x, np.ones((8, 2)))):
        with pytest.raises(InputError):
            debiased_cka(*bad)
    rng = np.random.default_rng(0)
    for kwargs in ({"repeats": 0}, {"blocks": ["z"]}, {"blocks": []}):
        with pytest.raises(InputError):
            permutation_null(lambda m: 0.0, {"a": x, "b": y}, rng, **kwargs)
    with pytest.raises(InputError, match="same number of rows"):
        permutation_null(lambda m: 0.0, {"a": x, "b": y[:5]}, rng)
    with pytest.raises(InputError, match="no second block"):
        permutation_null(lambda m: 0.0, {"a": x}, rng)
