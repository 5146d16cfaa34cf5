"""Span error against scikit-learn's Ridge on the same split, and its rules."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge

from lab.errors import InputError
from theory.measures import IN_SAMPLE, choose_ridge, one_hot, probe_error, ridge_map, span_error, span_gap
from theory.moments import Moments


def correlated(n, d, t, seed=0, rank=None, mean=3.0):
    """Source and target features; the source has the given rank, the target is partly a function of it."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, rank or d))
    x = z @ rng.standard_normal((rank or d, d)) + mean
    return x, np.tanh(z @ rng.standard_normal((rank or d, t))) + 0.3 * rng.standard_normal((n, t)) - mean


def by_sklearn(x, y, x_score, y_score, ridge):
    """Residual shares of each unit, and of all."""
    x, y, x_score, y_score = (np.asarray(v, dtype=np.float64) for v in (x, y, x_score, y_score))
    centred = x - x.mean(axis=0)
    model = Ridge(alpha=ridge * np.mean(np.sum(centred**2, axis=0))) if ridge else LinearRegression()
    model.fit(x, y)
    residual = ((y_score - model.predict(x_score).reshape(y_score.shape)) ** 2).sum(axis=0)
    total = ((y_score - y.mean(axis=0)) ** 2).sum(axis=0)
    return residual / total, residual.sum() / total.sum()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("d, t, rank",
                         [(1, 1, None), (1, 5, None), (3, 1, None), (17, 4, None), (12, 3, 4), (40, 40, 9)])
@pytest.mark.parametrize("held_out", [False, True])
def test_equals_sklearn(dtype, d, t, rank, held_out):
    x, y = correlated(400, d, t, rank=rank)
    x, y = x.astype(dtype), y.astype(dtype)
    split = slice(0, 250), slice(250, 400) if held_out else slice(0, 250)
    fit, score = (Moments.from_samples({"a": x[s], "b": y[s]}) for s in split)
    ridges = [1e-4, 1e-2, 1.0]
    shares = span_error(fit, source="a", target="b", ridge=ridges, score=score if held_out else IN_SAMPLE)
    units = span_error(fit, source="a", target="b", ridge=ridges, score=score if held_out else IN_SAMPLE, per_unit=True)
    assert shares.shape == (3,) and units.shape == (3, t)
    for k, ridge in enumerate(ridges):
        expected_units, expected = by_sklearn(x[split[0]], y[split[0]], x[split[1]], y[split[1]], ridge)
        np.testing.assert_allclose(shares[k], expected, rtol=1e-9)
        np.testing.assert_allclose(units[k], expected_units, rtol=1e-9)
    one = span_error(fit, source="a", target="b", ridge=1e-2, score=score)
    assert isinstance(one, float) and one == pytest.approx(by_sklearn(x[split[0]], y[split[0]], x[split[1]],
                                                                      y[split[1]], 1e-2)[1], rel=1e-9)


def test_equals_sklearn_where_products_are_float32():
    x, y = correlated(3000, 450, 8)
    x, y = x.astype("f4"), y.astype("f4")
    fit = Moments.from_samples({"a": x[:2500], "b": y[:2500]})
    score = Moments.from_samples({"a": x[2500:], "b": y[2500:]})
    for ridge in (1e-3, 1e-1):
        assert span_error(fit, source="a", target="b", ridge=ridge, score=IN_SAMPLE) == pytest.approx(
            by_sklearn(x[:2500], y[:2500], x[:2500], y[:2500], ridge)[1], rel=1e-6)
        assert span_error(fit, source="a", target="b", ridge=ridge, score=score) == pytest.approx(
            by_sklearn(x[:2500], y[:2500], x[2500:], y[2500:], ridge)[1], rel=1e-6)


def test_a_tiny_ridge_does_not_read_rounding_as_features():
    """A rank-deficient source after float32 products: without care the share at ridge 1e-10 is 0."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2000, 20))
    a, b = np.maximum(z @ rng.standard_normal((20, 60)), 0), np.maximum(z @ rng.standard_normal((20, 5)), 0)
    a, b = np.hstack([a, a * rng.uniform(0.5, 2, 60), np.zeros((2000, 7))]).astype("f4"), b.astype("f4")
    single, double = ([Moments(precision=p).update({"a": a[s], "b": b[s]}) for s in (slice(0, 1000), slice(1000, 2000))]
                      for p in ("float32", "float64"))
    for ridge, within in ((0, 1e-6), (1e-10, 2e-5), (1e-8, 1e-5), (1e-6, 1e-4), (1e-4, 1e-6), (1e-2, 1e-6)):
        for k in (0, 1):
            value, exact = (span_error(m[0], source="a", target="b", ridge=ridge, score=m[k]) for m in (single, double))
            assert value == pytest.approx(exact, rel=within), (ridge, k)
    grid = np.logspace(-15, -9, 7)  # below what float64 resolves, too
    shares = [span_error(double[0], source="a", target="b", ridge=r, score=double[1]) for r in grid]
    np.testing.assert_allclose(shares, shares[-1], rtol=1e-5)


@pytest.mark.parametrize("rank", [None, 3])
@pytest.mark.parametrize("held_out", [False, True])
def test_many_ridges_take_one_eigendecomposition_and_agree(rank, held_out):
    x, y = correlated(300, 9, 6, rank=rank)
    fit, score = (Moments.from_samples({"a": x[s], "b": y[s]}) for s in (slice(0, 200), slice(200, 300)))
    score = score if held_out else IN_SAMPLE
    many = np.logspace(-6, 2, 13)
    for per_unit in (False, True):
        together = span_error(fit, source="a", target="b", ridge=many, score=score, per_unit=per_unit)
        alone = [span_error(fit, source="a", target="b", ridge=r, score=score, per_unit=per_unit) for r in many]
        np.testing.assert_allclose(together, alone, rtol=1e-8)


@pytest.mark.parametrize("rank", [None, 3])
def test_without_ridge_it_is_least_squares(rank):
    x, y = correlated(200, 8, 3, rank=rank)
    x = np.hstack([x, np.full((200, 1), 0.1), np.zeros((200, 1))])  # a constant and a dead unit
    fit = Moments.from_samples({"a": x[:150], "b": y[:150]})
    score = Moments.from_samples({"a": x[150:], "b": y[150:]})
    for s, rows in ((fit, slice(0, 150)), (score, slice(150, 200))):
        units, whole = by_sklearn(x[:150], y[:150], x[rows], y[rows], 0)
        assert span_error(fit, source="a", target="b", ridge=0, score=s) == pytest.approx(whole, rel=1e-9)
        np.testing.assert_allclose(span_error(fit, source="a", target="b", ridge=0, score=s, per_unit=True), units)


def test_several_names_are_one_set_of_features():
    x, y = correlated(100, 6, 4)
    parts = Moments.from_samples({"a": x[:, :2], "b": y[:, :1], "c": x[:, 2:], "d": y[:, 1:]})
    whole = Moments.from_samples({"ac": x, "bd": y})
    assert span_error(parts, source=["a", "c"], target=["b", "d"], score=IN_SAMPLE) == pytest.approx(
        span_error(whole, source="ac", target="bd", score=IN_SAMPLE), rel=1e-12)


def test_the_map_is_the_regression():
    x, y = correlated(100, 6, 4)
    moments = Moments.from_samples({"a": x, "b": y})
    weights, offset = ridge_map(moments, source="a", target="b", ridge=0.1)
    residual = y - x @ weights - offset
    assert span_error(moments, source="a", target="b", ridge=0.1, score=IN_SAMPLE) == pytest.approx(
        (residual**2).sum() / ((y - y.mean(0)) ** 2).sum(), rel=1e-12)


def test_exact_moments_score_on_themselves():
    x, y = correlated(100, 3, 2)
    sampled = Moments.from_samples({"a": x, "b": y})
    exact = Moments.exact(sampled.widths, sampled.mean(["a", "b"]), sampled.covariance(["a", "b"]))
    for ridge in (0, 1e-6, 0.1):
        value = span_error(exact, source="a", target="b", ridge=ridge)
        in_sample = span_error(sampled, source="a", target="b", ridge=ridge, score=IN_SAMPLE)
        assert value == pytest.approx(in_sample, rel=1e-12)
        copy = Moments.exact(exact.widths, exact.mean(["a", "b"]), exact.covariance(["a", "b"]))
        assert value == pytest.approx(span_error(exact, source="a", target="b", ridge=ridge, score=copy), rel=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(1, 5), st.sampled_from([1e-6, 1e-2, 1.0]), st.integers(0, 999))
def test_invariances(d, t, ridge, seed):
    """Rotation, isotropic scaling, shift and permutation of source units; rotation and scaling of the target."""
    x, y = correlated(60, d, t, seed=seed)
    x_score, y_score = correlated(50, d, t, seed=seed + 1)
    rng = np.random.default_rng(seed)
    rotate = lambda k: np.linalg.qr(rng.standard_normal((k, k)))[0]  # noqa: E731
    left, right, shift, order = rotate(d), rotate(t), rng.standard_normal(d), rng.permutation(d)

    def share(f, g):
        fit = Moments.from_samples({"a": f(x), "b": g(y)})
        score = Moments.from_samples({"a": f(x_score), "b": g(y_score)})
        return np.array([span_error(fit, source="a", target="b", ridge=ridge, score=s) for s in (fit, score)])

    def same(v):
        return v

    expected = share(same, same)
    np.testing.assert_allclose(share(lambda v: v @ left * 100 + shift, lambda v: v @ right * 0.01 + 7), expected,
                               rtol=1e-6)
    np.testing.assert_allclose(share(lambda v: v[:, order], same), expected, rtol=1e-6)


def test_a_network_against_itself_and_against_noise():
    x, _ = correlated(3000, 10, 1)
    noise = np.random.default_rng(9).standard_normal((3000, 10))
    fit = Moments.from_samples({"a": x[:2000], "noise": noise[:2000]})
    score = Moments.from_samples({"a": x[2000:], "noise": noise[2000:]})
    assert span_error(fit, source="a", target="a", ridge=1e-6, score=score) < 1e-6
    assert span_error(fit, source="a", target="a", ridge=0, score=score) < 1e-12
    assert span_error(fit, source="noise", target="a", score=score) == pytest.approx(1, abs=0.03)
    assert span_gap(fit, narrow="noise", wide="a", other_wide="a", score=score) == pytest.approx(1, abs=0.03)


def test_probe_on_labels():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 500)
    x = one_hot(labels, 3) @ rng.standard_normal((3, 5)) + 0.1 * rng.standard_normal((500, 5))
    moments = Moments.from_samples({"x": x, "labels": one_hot(labels, 3), "junk": rng.standard_normal((500, 2))})
    assert probe_error(moments, features="x", target="labels", score=IN_SAMPLE) < 0.1
    assert probe_error(moments, features="junk", target="labels", score=IN_SAMPLE) > 0.95
    assert one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
    for bad in (np.array([3]), np.array([-1]), np.array([0.5]), np.array([[0]])):
        with pytest.raises(InputError):
            one_hot(bad, 3)


def test_choice_of_ridge_on_held_out_rows():
    x, y = correlated(90, 40, 5)
    fit, validate = Moments.from_samples({"a": x[:50], "b": y[:50]}), Moments.from_samples({"a": x[50:], "b": y[50:]})
    choice = choose_ridge(fit, validate, source="a", target="b")
    assert choice.error == min(choice.errors) and choice.ridges[choice.errors.index(choice.error)] == choice.ridge
    assert not choice.at_edge and len(choice.errors) == len(choice.ridges)
    assert choose_ridge(fit, validate, source="a", target="b", ridges=[1.0, 1e-8]).at_edge


def test_rules_for_units_that_do_not_vary():
    x, y = correlated(50, 3, 2)
    dead = np.column_stack([x, np.zeros(50), np.full(50, 0.1)])
    y = np.column_stack([y, np.full(50, 2.0)])
    moments = Moments.from_samples({"a": x, "dead": dead, "b": y, "nothing": np.zeros((50, 2))})
    assert span_error(moments, source="nothing", target="b", score=IN_SAMPLE) == 1.0
    assert ridge_map(moments, source="nothing", target="b")[1] == pytest.approx(y.mean(axis=0))
    # dead units leave lambda times the number of units, the trace, unchanged
    assert span_error(moments, source="dead", target="b", ridge=0.5, score=IN_SAMPLE) == pytest.approx(
        span_error(moments, source="a", target="b", ridge=0.3, score=IN_SAMPLE), rel=1e-12)
    units = span_error(moments, source="a", target="b", per_unit=True, score=IN_SAMPLE)
    assert np.isnan(units).tolist() == [False, False, True]
    for split in ({"fit": moments}, {"fit": moments, "score": moments}):
        with pytest.raises(InputError, match="'nothing' does not vary"):
            span_error(split.pop("fit"), source="a", target="nothing", **split)
    still = Moments.from_samples({"a": x[:5], "b": np.ones((5, 3))})
    with pytest.raises(InputError, match="score split"):
        span_error(moments, source="a", target="b", score=still)


def test_bad_input():
    x, y = correlated(5, 5, 2)
    moments = Moments.from_samples({"a": x, "b": y})
    for ridge in (-1e-9, np.nan, np.inf, [], [[1.0]], [1, -1]):
        with pytest.raises(InputError, match="ridge must be"):
            span_error(moments, source="a", target="b", ridge=ridge)
    with pytest.raises(InputError, match="one ridge"):
        ridge_map(moments, source="a", target="b", ridge=[1.0, 2.0])
    with pytest.raises(InputError, match="5 rows do not determine a regression on 5 units"):
        span_error(moments, source="a", target="b", ridge=0)
    other = Moments.from_samples(dict(zip("ab", correlated(9, 5, 2, seed=1))))
    assert span_error(moments, source="a", target="b", ridge=1e-6, score=other) > 0
    with pytest.raises(InputError, match="no feature block"):
        span_error(moments, source="a", target="c")
    with pytest.raises(InputError, match="at least one"):
        span_error(moments, source=[], target="b")
    with pytest.raises(InputError, match="same units"):
        span_error(moments, source="a", target="b", score=Moments.from_samples({"a": x[:, :3], "b": y}))
