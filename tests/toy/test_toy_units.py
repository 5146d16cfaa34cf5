"""Units of one-hidden-layer networks: closed-form ablation against loops, data in law, the start as the null."""

import json

import numpy as np
import pytest

from lab.errors import InputError
from lab.streams import generator
from theory.measures.ablation import GRID, random_orders, removed_counts
from theory.measures.merging import merge_repeated
from theory.moments import Moments
from toy.__main__ import COMMANDS
from toy.units import ablate, curves, make_data, predict, report, simulate, smaller_network
from toy.units.closed_form import contribution_gram
from toy.units.measure import similarity
from toy.units.model import triangular_gaussian
from toy.units.study import STUDY, Cell, evidence, run, tabulate


@pytest.mark.parametrize("m, k", [(1, 2), (3, 2), (7, 3), (17, 5)])
def test_ablation_against_zeroing_one_unit_after_the_other(m, k):
    rng = np.random.default_rng(m)
    x, W, b = rng.standard_normal((37, 4)), rng.standard_normal((4, m)), rng.standard_normal(m)
    V, c, labels = rng.standard_normal((m, k)), rng.standard_normal(k), rng.integers(0, k, 37)
    hidden = np.maximum(x @ W + b, 0)
    orders = random_orders(m, 3, rng)
    unchanged, accuracy = curves(hidden, V, c, orders, labels)
    intact = (hidden @ V + c).argmax(1)
    for i, order in enumerate(orders):
        for j, count in enumerate(removed_counts(m, GRID)):
            h = hidden.copy()
            for unit in order[:count]:
                h[:, unit] = 0
            found = (h @ V + c).argmax(1)
            assert unchanged[i, j] == np.mean(found == intact) and accuracy[i, j] == np.mean(found == labels)
            np.testing.assert_array_equal(ablate(hidden, V, c, ~np.isin(np.arange(m), order[:count])[None], rows=5)[0], found)


def test_change_of_logits_from_second_moments():
    rng = np.random.default_rng(0)
    hidden, V = np.maximum(rng.standard_normal((50, 6)), 0), rng.standard_normal((6, 3))
    G, gone = contribution_gram(hidden, V), [1, 4]
    shift = hidden[:, gone] @ V[gone]
    shift -= shift.mean(1, keepdims=True)
    assert G[np.ix_(gone, gone)].sum() == pytest.approx(np.mean(np.sum(shift**2, 1)))


def test_smaller_network_computes_what_the_merging_says():
    rng = np.random.default_rng(1)
    x, W, b = rng.standard_normal((60, 5)), rng.standard_normal((5, 8)), rng.standard_normal(8)
    W[:, 3], b[3] = 2 * W[:, 0], 2 * b[0]  # a scaled twin
    W[:, 5], b[5] = 0, -1  # dead
    W[:, 6], b[6] = 0, 2  # constant
    V, c = rng.standard_normal((8, 3)), rng.standard_normal(3)
    hidden = np.maximum(x @ W + b, 0)
    removed = np.arange(8) == 7
    plan = merge_repeated(Moments.from_samples({"h": hidden}), "h", threshold=0.999, among=~removed).without(removed)
    small = smaller_network(W, b, V, c, plan)
    assert small[0].shape == (5, 4) and plan.kept.sum() == 4
    outputs = np.maximum(x @ small[0] + small[1], 0) @ small[2] + small[3]
    np.testing.assert_allclose(outputs, np.where(removed, 0, hidden) @ V + c, atol=1e-9)


def test_repeated_shares_equal_a_direct_corrcoef():
    rng = np.random.default_rng(2)
    hidden = np.maximum(rng.standard_normal((300, 3)) @ rng.standard_normal((3, 12)), 0)
    found = similarity(hidden, hidden, threshold=0.4)
    r = np.abs(np.corrcoef(hidden.T))
    pairs = r[np.triu_indices(12, 1)] >= 0.4
    assert found["pair_share"] == pytest.approx(pairs.mean())
    assert found["similar_per_unit"] == pytest.approx(2 * pairs.sum() / 12)
    assert found["twin_share"] == pytest.approx(np.mean(((r >= 0.4).sum(1) - 1) > 0))


def test_rotated_data_have_the_law_of_gaussian_data():
    # products of samples are all that a rotation leaves: chi-square lengths, Gaussian products
    for rows, dim in ((6, 40), (6, 4), (1, 1), (5, 5)):
        x = np.stack([triangular_gaussian(rows, dim, np.random.default_rng(s)) for s in range(4000)]).astype(float)
        assert x.shape == (4000, rows, min(rows, dim))
        gram = np.einsum("sik,sjk->sij", x, x)
        target = dim * np.eye(rows)
        error = np.sqrt(dim * (1 + np.eye(rows)) / 4000)
        assert np.all(np.abs(gram.mean(0) - target) < 4.5 * error)
        variance = dim * (1 + np.eye(rows))
        assert np.all(np.abs(gram.var(0) / variance - 1) < 0.35)


def test_training_in_the_span_of_the_data_is_training_in_all_dimensions():
    """The axes that no training sample has may be left out: same outputs as with them."""
    from toy.mlp import train

    short = simulate(50, 20, 6, replicas=1, epochs=4, batch_size=8, test_samples=12, seed=3)
    data, start = short.data[0], short.start
    assert data.moving == 20 and data.axes == 32
    whole = train(start, data.x, data.y, epochs=4, batch_size=8, learning_rate=0.01, learning_rate_decay=0.95,
                  seed=3, address=("units",))
    np.testing.assert_allclose(short.end(data.test_x), whole(data.test_x), rtol=2e-4, atol=2e-5)
    np.testing.assert_array_equal(short.end.parameters(0)[0][20:], start.parameters(0)[0][20:])


def test_data():
    a, b = make_data(10, 500, seed=1), make_data(10, 500, seed=1, balanced=True)
    np.testing.assert_array_equal(a.x, b.x)
    labels = np.concatenate([b.y, b.test_y])
    assert abs(labels.mean() - 0.5) < 0.001 and set(np.unique(a.y)) <= {0, 1}
    start = simulate(10_000, 30, 16, replicas=1, epochs=0, test_samples=30).start.parameters(0)[0]
    assert start.std() == pytest.approx(np.sqrt(2 / 10_000), rel=0.1)  # fan-in is that of all dimensions


def test_replicas_do_not_depend_on_their_company():
    many = simulate(10, 100, 8, replicas=2, epochs=2, test_samples=50)
    one = simulate(10, 100, 8, replicas=1, first_replica=1, epochs=2, test_samples=50)
    np.testing.assert_array_equal(many.end.flat[1], one.end.flat[0])


def test_small_starts_repeat_units_and_large_ones_are_as_they_started():
    small, large = (report(simulate(10, 4000, 64, scale, replicas=1, epochs=40, balanced=True)).numbers for scale in (0.1, 5.0))
    assert small["pair_share"] > 1.5 * small["pair_share_start"]
    assert large["pair_share"] == pytest.approx(large["pair_share_start"], abs=0.01)
    assert small["pair_share_shuffled"] < 0.01
    assert small["auc"] > large["auc"] and small["compressibility"] > large["compressibility"]
    assert small["kept_share"] < 0.3 and small["agreement"] > 0.85


def test_start_is_as_theory_predicts():
    trained = simulate(10, 50, 256, replicas=1, epochs=0, test_samples=4000)
    found = report(trained).numbers
    assert found["pair_share_start"] == pytest.approx(predict(10, width=256).pair_share, rel=0.1)
    assert found["similar_per_unit"] == pytest.approx(predict(10, width=256).similar_per_unit, rel=0.1)


def test_dead_and_constant_units_are_reported_as_such():
    trained = simulate(10, 100, 8, replicas=1, epochs=1, test_samples=100)
    W, b, _, _ = trained.end.parameters(0)
    W[:, :3] = 0
    b[:3] = -1, -1, 2
    numbers = report(trained).numbers
    assert numbers["dead"] == 0.25 and numbers["constant"] == 0.125 and numbers["dead_start"] == 0
    trained.end.flat[:] = 0
    assert np.isnan(report(trained).numbers["pair_share"]) and report(trained).numbers["dead"] == 1


def test_study(tmp_path):
    finished = [(cell, run(cell, tmp_path)) for cell in (Cell(10, 300, s, w, True, replicas=2, epochs=2)
                                                         for s in (0.1, 5.0) for w in (8, 16, 32))]
    table = tabulate(finished)
    assert len(table) == 12 and table.case.nunique() == 2
    from theory.claims import claims

    found = evidence(table, ("a",))
    assert {"s1.width-raises-either", "s1.small-start-repeats", "s1.large-start-u-shape"} <= {e.claim for e in found}
    assert {e.claim for e in found} <= set(claims()) and all(e.column == "toy" for e in found)
    assert len(STUDY.configs("full")) > 40 and STUDY.configs("run") == []


def test_bad_input():
    for wrong in (dict(width=0), dict(replicas=0), dict(dim=0), dict(samples=0), dict(test_samples=0), dict(init_scale=-1.0),
                  dict(init="none"), dict(samples=100_000, dim=100_000), dict(learning_rate=-1.0)):
        with pytest.raises(InputError):
            simulate(**{"samples": 50, "width": 4, "epochs": 3, "replicas": 1, "test_samples": 20, **wrong})
    h, V, c = np.ones((4, 3)), np.ones((3, 2)), np.ones(2)
    for wrong in (lambda: ablate(h, V, c, np.ones((1, 2))), lambda: ablate(h, V[:2], c, np.ones((1, 3))),
                  lambda: curves(h, V, c, [[0, 1, 2]], np.zeros(3)), lambda: curves(h, V, c, [[0, 0, 2]], np.zeros(4)),
                  lambda: report(simulate(10, 50, 4, replicas=1, epochs=0, test_samples=4))):
        with pytest.raises(InputError):
            wrong()
    assert generator(0, "units", "data", 0).integers(2) in (0, 1)


def test_command(capsys):
    from lab.cli import main

    assert main("toy", COMMANDS, ["units", "--quick", "--widths", "8", "16", "--balanced", "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert [row["width"] for row in out["widths"]] == [8, 16] and len(out["widths"][0]["unchanged"]) == 25
    assert main("toy", COMMANDS, ["units", "--dry-run"]) == 0
    assert main("toy", COMMANDS, ["units", "--widths", "0"]) == 2
