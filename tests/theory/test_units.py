"""Effective rank, compressibility, predictability and repeated units against obvious loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from lab.errors import InputError
from theory.measures import (
    compressibility,
    correlations,
    effective_rank,
    permutation_null,
    predictability,
    repeated_units,
    spectrum,
    subset_rows,
)
from theory.moments import Moments


def features(n=200, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 2


def of(x):
    return Moments.from_samples({"a": x})


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 9), st.integers(0, 99), st.floats(1e-3, 1e3))
def test_spectrum_and_ranks(d, seed, scale):
    x = features(d=d, seed=seed)
    values = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2 / len(x)
    np.testing.assert_allclose(spectrum(of(x), "a"), values, rtol=1e-7, atol=1e-12 * values[0])
    p = values / values.sum()
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]
    still = np.column_stack([x @ rotation * scale, np.zeros(len(x)), np.ones(len(x))])
    for moments in (of(x), of(still)):  # rotation, scaling, and units that do not vary
        assert effective_rank(moments, "a") == pytest.approx(1 / np.sum(p**2), rel=1e-9)
        assert effective_rank(moments, "a", kind="entropy") == pytest.approx(np.exp(-np.sum(p * np.log(p))), rel=1e-9)
        smallest = np.sort(values)
        largest_k = max(k for k in range(d + 1) if smallest[:k].sum() <= 0.05 * smallest.sum())
        assert compressibility(moments, "a") == pytest.approx(largest_k / d)


def test_known_spectra():
    eye = Moments.exact({"a": 20}, np.zeros(20), np.eye(20))
    assert effective_rank(eye, "a") == pytest.approx(20) and effective_rank(eye, "a", kind="entropy") == pytest.approx(20)
    assert compressibility(eye, "a") == 1 / 20  # one eigenvalue of twenty holds exactly 5 %
    one = Moments.exact({"a": 4}, np.zeros(4), np.ones((4, 4)))
    assert effective_rank(one, "a") == pytest.approx(1) and compressibility(one, "a") == 3 / 4
    assert effective_rank(one, "a", kind="entropy") == pytest.approx(1)


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("ridge", [1e-3, 0.3])
def test_predictability_equals_one_regression_a_unit(held_out, ridge):
    x = features(d=5)
    x[:, 4] = x[:, 3] + 0.1 * features(d=1, seed=1)[:, 0]
    x = np.column_stack([x, np.zeros(200)])
    train, test = x[:120], x[120:] if held_out else x[:120]
    got = predictability(of(train), "a", ridge=ridge, score=of(test) if held_out else "in-sample")
    alpha = ridge * np.mean(np.sum((train - train.mean(0)) ** 2, axis=0))
    for i in range(5):
        others = [j for j in range(6) if j != i]
        model = Ridge(alpha=alpha).fit(train[:, others], train[:, i])
        residual = test[:, i] - model.predict(test[:, others])
        assert got[i] == pytest.approx(1 - np.sum(residual**2) / np.sum((test[:, i] - train[:, i].mean()) ** 2), rel=1e-8)
    assert np.isnan(got[5])
    assert np.isnan(predictability(of(np.ones((5, 2))), "a")).all()
    for bad in (0, -1, [1.0, 2.0]):
        with pytest.raises(InputError):
            predictability(of(train), "a", ridge=bad)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_repeated_shares_equal_a_loop_over_corrcoef(threshold):
    x = features(d=12)
    x[:, 7] = -x[:, 2] + 0.5 * x[:, 1]
    r = np.corrcoef(x.T)
    np.testing.assert_allclose(correlations(of(x), "a"), r, rtol=0, atol=1e-12)
    pairs = [(i, j) for i in range(12) for j in range(12) if i < j and abs(r[i, j]) >= threshold]
    got = repeated_units(of(np.column_stack([x, np.zeros(200)])), "a", threshold=threshold)
    assert got.pair_share == pytest.approx(len(pairs) / 66)
    assert got.twin_share == pytest.approx(len({i for p in pairs for i in p}) / 12)
    assert got.similar_per_unit == pytest.approx(2 * len(pairs) / 12)
    np.testing.assert_allclose(got.nearest[:12], np.abs(r - np.eye(12)).max(axis=1), atol=1e-12)
    assert got.units == 13 and got.varying == 12 and np.isnan(got.nearest[12])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_kind_of_repeat_is_reported_for_what_it_is(dtype):
    x = np.maximum(np.random.default_rng(0).standard_normal((500, 5)), 0)
    x = np.column_stack([x[:, 0], x[:, 1], x[:, 2], x[:, 3], x[:, 4],  # 4 stands alone
                         x[:, 0], 3 * x[:, 1], -x[:, 2], x[:, 3] + 0.5, np.zeros(500), np.full(500, 0.7)])
    got = repeated_units(of(x.astype(dtype)), "a", threshold=0.5)
    assert np.flatnonzero(got.duplicated).tolist() == [0, 5]
    assert np.flatnonzero(got.scaled).tolist() == [1, 3, 6, 8]
    assert np.flatnonzero(got.negated).tolist() == [2, 7]
    assert np.flatnonzero(got.dead).tolist() == [9] and np.flatnonzero(got.constant).tolist() == [10]
    assert got.twin_share == pytest.approx(8 / 9) and got.pair_share == pytest.approx(4 / 36)
    assert got.nearest[:4] == pytest.approx(1, abs=1e-6) and got.nearest[4] < 0.5


def test_nothing_or_one_unit_that_varies():
    got = repeated_units(of(np.zeros((5, 2))), "a")
    assert got.varying == 0 and np.isnan([got.pair_share, got.twin_share, got.similar_per_unit]).all()
    got = repeated_units(of(np.column_stack([np.zeros(5), np.arange(5)])), "a")
    assert got.varying == 1 and got.twin_share == 0 and np.isnan(got.pair_share) and np.isnan(got.nearest).all()
    for measure in (spectrum, effective_rank, compressibility):
        with pytest.raises(InputError, match="do not vary"):
            measure(of(np.zeros((5, 2))), "a")
    for call in (lambda m: repeated_units(m, "a", threshold=0), lambda m: effective_rank(m, "a", kind="x"),
                 lambda m: compressibility(m, "a", share=1)):
        with pytest.raises(InputError):
            call(of(features()))


def test_null_of_repeats_shuffles_each_unit():
    x = features(n=400, d=10)
    rng = np.random.default_rng(0)
    rows = subset_rows({"a": x, "b": x[:, :1]}, 300, rng)
    assert all(len(block) == 300 for block in rows.values())
    np.testing.assert_array_equal(rows["a"][:, :1], rows["b"])  # the same rows of every block
    assert subset_rows(rows, 300, rng)["a"] is rows["a"]
    null = permutation_null(lambda m: [repeated_units(m, "a", threshold=0.3).pair_share,
                                       np.nanmean(predictability(m, "a", score="in-sample"))], rows, rng,
                            blocks=["a"], each_unit=True)
    assert null.shape == (20, 2) and null[:, 0].max() == 0 and null[:, 1].mean() == pytest.approx(9 / 299, rel=0.2)
    assert repeated_units(of(x), "a", threshold=0.3).pair_share > 0.1
    with pytest.raises(InputError):
        subset_rows(rows, 0, rng)
