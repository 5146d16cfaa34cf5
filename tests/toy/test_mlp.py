"""The one-hidden-layer engine against a plain NumPy loop."""

from importlib import import_module

import numpy as np
import pytest

from lab.errors import InputError
from lab.streams import generator
from lab.team import Team
from toy.mlp import ADAM, CROSS_ENTROPY, MOMENTUM, SQUARED, initialise, train


def naive_train(W, b, V, c, x, y, orders, batch, rate, decay, momentum, weight_decay, optimizer, loss):
    parameters = [p.astype(np.float64).copy() for p in (W, b, V, c)]
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    step = 0
    for order in orders:
        for start in range(0, len(x), batch):
            pick = order[start:start + batch]
            W, b, V, c = parameters
            h = np.maximum(x[pick] @ W + b, 0)
            o = h @ V + c
            if loss == CROSS_ENTROPY:
                p = np.exp(o - o.max(1, keepdims=True))
                e = p / p.sum(1, keepdims=True)
                e[np.arange(len(pick)), y[pick]] -= 1
            else:
                e = o - y[pick]
            e /= len(pick)
            gh = (e @ V.T) * (h > 0)
            gradients = [x[pick].T @ gh, gh.sum(0), h.T @ e, e.sum(0)]
            step += 1
            for p, g, a, s in zip(parameters, gradients, first, second):
                if optimizer == MOMENTUM:
                    a[:] = momentum * a + g + weight_decay * p
                    p -= rate * a
                else:
                    a[:] = 0.9 * a + 0.1 * g
                    s[:] = 0.999 * s + 0.001 * g * g
                    p -= rate * (a / (1 - 0.9**step) / (np.sqrt(s / (1 - 0.999**step)) + 1e-8) + weight_decay * p)
        rate *= decay
    return parameters


@pytest.mark.parametrize("width, dim, batch", [(1, 1, 1), (2, 3, 4), (5, 7, 17), (17, 2, 5), (9, 13, 30)])
@pytest.mark.parametrize("loss", [CROSS_ENTROPY, SQUARED])
@pytest.mark.parametrize("optimizer", [MOMENTUM, ADAM])
def test_training_against_the_plain_loop(width, dim, batch, loss, optimizer):
    rng = np.random.default_rng([width, dim, batch])
    x = rng.standard_normal((3, 17, dim)).astype(np.float32)
    y = rng.integers(0, 3, (3, 17)) if loss == CROSS_ENTROPY else rng.standard_normal((3, 17, 3)).astype(np.float32)
    start = initialise(dim, width, 3, 3, seed=5)
    done = train(start, x, y, epochs=4, batch_size=batch, learning_rate=0.02, learning_rate_decay=0.9,
                 weight_decay=0.01, optimizer=optimizer,
                 loss=loss, seed=7)
    for r in range(3):
        source = generator(7, "order", width, r)
        orders = [source.permutation(17) for _ in range(4)]
        expected = naive_train(*start.parameters(r), x[r], y[r], orders, batch, 0.02, 0.9, 0.9, 0.01, optimizer, loss)
        for ours, theirs in zip(done.parameters(r), expected):
            np.testing.assert_allclose(ours, theirs, atol=3e-5)
        W, b, V, c = done.parameters(r)
        np.testing.assert_allclose(done(x)[r], np.maximum(x[r] @ W + b, 0) @ V + c, atol=1e-5)


def test_replicas_are_independent_and_keep_their_streams():
    x = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    many = train(initialise(3, 8, 2, 5, seed=1), x, y, epochs=3, batch_size=8, seed=2)
    last = train(initialise(3, 8, 2, 1, seed=1, first_replica=4), x, y, epochs=3, batch_size=8, seed=2, first_replica=4)
    np.testing.assert_array_equal(many.flat[4], last.flat[0])
    assert not np.array_equal(many.flat[0], many.flat[1])


def test_marks_goal_and_frozen_layer():
    x = np.random.default_rng(0).standard_normal((64, 2)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    start = initialise(2, 32, 2, 2)
    done = train(start, x, y, epochs=200, batch_size=16, learning_rate=0.1, target_loss=0.05, marks=(0, 1, 200))
    np.testing.assert_array_equal(done.at(0).flat, start.flat)
    np.testing.assert_array_equal(done.at(2).flat, done.flat)
    assert np.all(done.epochs < 200) and np.all(done.losses[np.arange(2), done.epochs - 1] <= 0.05)
    assert np.isnan(done.losses[0, done.epochs[0]:]).all()
    once = train(start, x, y, epochs=1, batch_size=16, learning_rate=0.1)
    np.testing.assert_array_equal(done.at(1).flat, once.flat)
    frozen = train(start, x, y, epochs=2, train_first_layer=False)
    for r in range(2):
        for ours, theirs in zip(frozen.parameters(r)[:2], start.parameters(r)[:2]):
            np.testing.assert_array_equal(ours, theirs)
    assert not np.array_equal(frozen.flat, start.flat)
    assert done.hidden(0, x).shape == (64, 32)


def test_training_that_is_told_to_stop_ends_after_its_epoch(monkeypatch):
    class Stopped(Team):
        def __init__(self):
            super().__init__()
            self.stop[0] = 1

    monkeypatch.setattr(import_module("toy.mlp.train"), "Team", Stopped)  # by attribute it is the function of that name
    done = train(initialise(1, 2, 2, replicas=3), np.ones((4, 1)), np.zeros(4, dtype=int), epochs=5)
    assert np.all(done.epochs == 1) and np.isnan(done.losses[:, 1:]).all()


def test_divergence_is_reported_per_replica():
    x = np.stack([np.ones((8, 1)), 1e18 * np.ones((8, 1))]).astype(np.float32)
    start = initialise(1, 4, 1, 2)
    for r in range(2):  # every unit is alive, and the step that lowers the others' output raises the last one's
        W, _, V, _ = start.parameters(r)
        W[:], V[:, 0] = 1, (1, 1, 1, -1)
    done = train(start, x, np.ones((8, 1)), epochs=50, batch_size=8, learning_rate=0.01, loss=SQUARED)
    assert list(done.diverged) == [False, True]


def test_initialisation_rules():
    for rule, variance in (("he", 2 / 400), ("glorot", 2 / 900), ("lecun", 1 / 400)):
        W, b, _, c = initialise(400, 500, 2, 1, init=rule, init_scale=2.0).parameters(0)
        assert W.var() == pytest.approx(4 * variance, rel=0.02)
        assert not b.any() and not c.any()


def test_bad_input():
    start, x, y = initialise(2, 3, 2, 2), np.zeros((4, 2), np.float32), np.zeros(4, int)
    for arguments in (dict(x=np.zeros((4, 3))), dict(x=np.full((4, 2), np.nan)), dict(y=np.zeros(3, int)),
                      dict(y=np.full(4, 2)), dict(batch_size=0), dict(learning_rate=0.0), dict(marks=(9,)), dict(loss=7)):
        with pytest.raises(InputError):
            train(start, **{"x": x, "y": y, "epochs": 1, **arguments})
    for wrong in (dict(width=0), dict(init="zero"), dict(init_scale=0.0)):
        with pytest.raises(InputError):
            initialise(**{"dim": 2, "width": 2, "outputs": 2, "replicas": 1, **wrong})
    with pytest.raises(InputError):
        start(np.zeros((4, 3)))


def test_masked_and_complex_inputs_are_refused():
    networks, x = initialise(3, 4, 1, 1), np.ones((5, 3))
    for bad in (np.ma.array(x, mask=x > 0), x + 1j):
        for call in (networks, lambda b: networks.hidden(0, b)):
            with pytest.raises(InputError, match=r"masked|real numbers"):
                call(bad)
