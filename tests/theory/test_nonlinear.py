"""Nonlinear span error against scikit-learn's kernel ridge; the logistic probe against its own likelihood."""

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge
from sklearn.preprocessing import KernelCenterer

from lab.errors import InputError
from theory.measures import span_error
from theory.measures.nonlinear import logistic_probe, mlp_span_error, nonlinear_span_error, nystroem_map
from theory.moments import Moments


def rows(n, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 2))
    return {"a": x[:, :1], "a2": x[:, 1:], "b": np.column_stack([x[:, 0] ** 2, np.sin(2 * x[:, 1]), x[:, 0] * x[:, 1]]),
            "labels": (x[:, 0] + x[:, 1] > 0).astype(int) + (x[:, 0] > 1)}


def test_with_every_row_a_landmark_it_is_kernel_ridge():
    fit, score = rows(60), rows(50, seed=1)
    x, x_score = (np.hstack([r["a"], r["a2"]]) for r in (fit, score))
    got = nonlinear_span_error(fit, score, source=["a", "a2"], target="b", rng=np.random.default_rng(0), ridges=[1e-3],
                               bandwidths=[0.8], landmarks=60)
    distance = ((x[:, None] - x) ** 2).sum(-1)
    rate = 1 / (2 * 0.8**2 * np.median(distance[np.triu_indices(60, 1)]))
    kernel = np.exp(-rate * distance)
    centerer = KernelCenterer().fit(kernel)
    centred = centerer.transform(kernel)
    rank = np.sum(np.linalg.eigvalsh(kernel) > 1e-12 * np.linalg.eigvalsh(kernel)[-1])
    alpha = 1e-3 * np.trace(centred) / rank  # trace of the features' co-moments = trace of the centred kernel
    y, y_score = fit["b"] - fit["b"].mean(0), score["b"] - fit["b"].mean(0)
    model = KernelRidge(alpha=alpha, kernel="precomputed").fit(centred, y)
    cross = np.exp(-rate * ((x_score[:, None] - x) ** 2).sum(-1))
    residual = y_score - model.predict(centerer.transform(cross))
    assert got.error == pytest.approx(np.sum(residual**2) / np.sum(y_score**2), rel=1e-5)
    assert (got.ridge, got.bandwidth, got.landmarks) == (1e-3, 0.8, 60)


def test_it_sees_what_linear_ridge_does_not_and_not_what_is_not_there():
    fit, score = rows(1500), rows(700, seed=1)
    rng = np.random.default_rng(0)
    linear = span_error(Moments.from_samples({k: fit[k] for k in ("a", "a2", "b")}), source=["a", "a2"], target="b",
                        score=Moments.from_samples({k: score[k] for k in ("a", "a2", "b")}))
    nonlinear = nonlinear_span_error(fit, score, source=["a", "a2"], target="b", rng=rng, landmarks=200)
    assert linear > 0.7 and nonlinear.error < 0.01
    shuffled = {**fit, "b": fit["b"][rng.permutation(1500)]}
    assert nonlinear_span_error(shuffled, score, source=["a", "a2"], target="b", rng=rng, landmarks=200).error > 0.97
    assert nonlinear_span_error(fit, score, source="a", target="a", rng=rng, landmarks=100).error < 1e-3


def test_invariance_to_rotation_and_scale():
    fit, score = rows(200), rows(100, seed=1)
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]]) * 50
    moved = [{**r, "c": np.hstack([r["a"], r["a2"]]) @ turn + 9} for r in (fit, score)]
    values = [nonlinear_span_error(*moved, source=s, target="b", rng=np.random.default_rng(3), landmarks=80,
                                   ridges=[1e-3, 1e-5]).error for s in (["a", "a2"], "c")]
    assert values[0] == pytest.approx(values[1], rel=1e-4)


def test_logistic_probe():
    fit, score = rows(800), rows(400, seed=1)
    got = logistic_probe(fit, score, features=["a", "a2"])
    assert got.converged and 0.8 < got.accuracy < 1 and 0 < got.log_loss < 0.5
    noise = {"x": np.random.default_rng(0).standard_normal((800, 3)), "labels": fit["labels"]}
    share = np.bincount(fit["labels"]) / 800
    null = logistic_probe(noise, {**noise, "x": noise["x"][::-1]}, features="x")
    assert null.log_loss == pytest.approx(-(share @ np.log(share)), abs=0.03)
    # scale and dead units do not matter; a class that fitting never saw counts as an error
    scaled = [{"x": np.column_stack([r["a"] * 1e4, r["a2"], np.zeros(len(r["a"]))]), "labels": r["labels"]}
              for r in (fit, score)]
    assert logistic_probe(*scaled, features="x").log_loss == pytest.approx(got.log_loss, rel=1e-3)
    unseen = logistic_probe(fit, {**score, "labels": np.full(400, 7)}, features=["a", "a2"])
    assert unseen.accuracy == 0 and unseen.log_loss == pytest.approx(-np.log(1e-15))
    assert not logistic_probe(fit, score, features=["a", "a2"], penalty=1e-6, iterations=1).converged


def test_bad_input():
    fit, score, rng = rows(30), rows(30, seed=1), np.random.default_rng(0)
    for change in ({"ridges": [0.0]}, {"ridges": []}, {"bandwidths": []}, {"bandwidths": [-1.0]}, {"landmarks": 1},
                   {"source": "z"}, {"source": []}, {"validation": 1.0}):
        with pytest.raises(InputError):
            nonlinear_span_error(fit, score, **{"source": "a", "target": "b", "rng": rng, **change})
    for broken in ({**fit, "a": fit["a"] * np.nan}, {**fit, "a": np.ones((30, 2))}, {**fit, "a": fit["a"][:5]}):
        with pytest.raises(InputError):
            nonlinear_span_error(broken, score, source="a", target="b", rng=rng)
    with pytest.raises(InputError, match="all equal"):
        nystroem_map(np.ones((5, 2)), rng)
    for change in ({"labels": "z"}, {"labels": "b"}, {"penalty": 0}):
        with pytest.raises(InputError):
            logistic_probe(fit, score, **{"features": "a", **change})
    with pytest.raises(InputError, match="two classes"):
        logistic_probe({**fit, "labels": np.zeros(30, int)}, score, features="a")


def test_network_on_top_of_ridge():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 3))
    linear, bent = x @ rng.normal(size=(3, 2)), np.abs(x @ rng.normal(size=(3, 2)))

    def split(y):
        return [{"x": x[part], "y": y[part]} for part in (slice(0, 1000), slice(1000, None))]

    found = mlp_span_error(*split(linear), source="x", target="y", rng=np.random.default_rng(1))
    assert found.linear < 1e-6 and found.error < 1e-6
    found = mlp_span_error(*split(bent), source="x", target="y", rng=np.random.default_rng(1))
    assert found.linear > 0.9 and found.error < 0.3 and found.used > 0.8
    found = mlp_span_error(*split(rng.normal(size=(1500, 2))), source="x", target="y", rng=np.random.default_rng(1))
    assert found.used < 0.3 and found.error == pytest.approx(found.linear, abs=0.02) and found.error > 0.95
    with pytest.raises(InputError, match="too few"):
        mlp_span_error({"x": x[:8], "y": linear[:8]}, {"x": x[8:], "y": linear[8:]}, source="x", target="y", rng=rng)
    with pytest.raises(InputError, match="hidden units"):
        mlp_span_error(*split(linear), source="x", target="y", rng=rng, hidden=0)
