"""Ablation curves' orders, masks and scalars; merging of repeated units."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from theory.measures import correlations
from theory.measures.ablation import (
    GRID,
    SEVENTHS,
    area,
    crossing,
    cumulative_best_order,
    growth_per_doubling,
    keep_masks,
    least_change_order,
    random_orders,
    removed_counts,
    targeted_order,
    unchanged_share,
)
from theory.measures.merging import merge_repeated
from theory.moments import Moments

few = settings(max_examples=40, deadline=None)


@few
@given(st.integers(1, 17), st.integers(0, 2**31))
def test_masks_are_nested_and_remove_as_many_as_asked(units, seed):
    rng = np.random.default_rng(seed)
    orders, counts = random_orders(units, 3, rng), removed_counts(units)
    assert counts[0] == 0 and counts[-1] == units and np.all(np.abs(counts - GRID * units) <= 0.5)
    keep = keep_masks(orders, counts)
    for order, masks in zip(orders, keep):
        for count, mask in zip(counts, masks):
            assert set(np.flatnonzero(~mask)) == set(order[:count])


def test_targeted_order():
    r = np.array([[1, 0.2, -0.9, np.nan], [0.2, 1, 0.1, np.nan], [-0.9, 0.1, 1, np.nan], [np.nan] * 4])
    assert list(targeted_order(r, 0)) == [0, 2, 1, 3]
    assert list(targeted_order(r, 3)) == [3, 0, 1, 2]


def test_best_orders_against_trying_every_next_unit():
    rng = np.random.default_rng(5)
    for units in (1, 2, 5, 9):
        a = rng.standard_normal((40, units, 2)) + 0.3
        gram = np.einsum("nik,njk->ij", a, a) / 40
        gone = []
        for _ in range(units):
            left = [j for j in range(units) if j not in gone]
            cost = [np.mean(np.sum(a[:, [*gone, j]].sum(1) ** 2, -1)) for j in left]
            gone.append(left[int(np.argmin(cost))])
        assert list(least_change_order(gram)) == gone

        def score(keep, gram=gram):
            return -np.einsum("mi,ij,mj->m", ~keep, gram, ~keep)

        assert list(cumulative_best_order(score, units)) == gone
    blocks = cumulative_best_order(lambda keep: keep @ np.arange(7.0), 7, block=3)
    assert list(blocks) == [0, 1, 2, 3, 4, 5, 6]


def test_scalars_of_a_straight_line():
    line = 1 - 0.5 * GRID
    assert area(GRID, line) == pytest.approx(np.mean(1 - 0.5 * SEVENTHS)) and crossing(GRID, line) == pytest.approx(0.4)
    assert crossing(GRID, np.ones(25)) == 1 and crossing(GRID, np.full(25, 0.5)) == 0
    assert area(GRID, np.stack([line, np.ones(25)])).shape == (2,)
    # on the paper's own grid the area is the plain mean
    y = np.random.default_rng(0).random(7)
    assert area(SEVENTHS, y) == pytest.approx(y.mean())


@few
@given(st.floats(0.2, 5), st.floats(0.1, 100), st.lists(st.integers(0, 9), min_size=2, max_size=6, unique=True))
def test_growth_of_a_power_law(g, level, doublings):
    widths = 2.0 ** np.array(doublings)
    assert growth_per_doubling(widths, level * g ** np.log2(widths)) == pytest.approx(g, rel=1e-9)


def test_growth_of_a_constant_share_is_the_null():
    widths = np.array([32, 64, 128])
    assert growth_per_doubling(widths, 0.1 * widths) == pytest.approx(2) and np.isnan(growth_per_doubling(widths, [1, 0, 1]))


def test_unchanged_share():
    assert list(unchanged_share([0, 1, 2, 1], [[0, 1, 2, 1], [0, 0, 0, 0]])) == [1, 0.25]


def units_of_every_kind(rng, n=400):
    """A free unit, its duplicate, a scaled and a negated twin, a dead and a constant unit, another free one."""
    x, y = np.maximum(rng.standard_normal((2, n)), 0)
    return np.stack([x, x, 3 * x, 2 - x, 0 * x, 0 * x + 1.5, y], axis=1)


def test_merging_units_of_every_kind_loses_nothing():
    h = units_of_every_kind(np.random.default_rng(1))
    plan = merge_repeated(Moments.from_samples({"h": h}), "h", threshold=0.99)
    assert plan.kept.sum() == 2 and plan.kept[6] and plan.kept[:4].sum() == 1
    np.testing.assert_allclose(plan.apply(h), h, atol=1e-9)
    assert plan.slope[3] * plan.slope[0] < 0 or plan.representative[0] == 3  # a negated twin has the other sign
    assert (plan.slope[4:6] == 0).all() and plan.offset[5] == pytest.approx(1.5)


def test_merging_is_the_regression_on_the_representative():
    rng = np.random.default_rng(2)
    x = rng.standard_normal(300)
    h = np.stack([x, x + 0.2 * rng.standard_normal(300), rng.standard_normal(300)], axis=1)
    moments = Moments.from_samples({"h": h})
    plan = merge_repeated(moments, "h", threshold=0.9)
    i = plan.representative[0]
    j = 1 - i
    slope, offset = np.polyfit(h[:, i], h[:, j], 1)
    assert plan.slope[j] == pytest.approx(slope) and plan.offset[j] == pytest.approx(offset)
    error = np.var(h[:, j] - plan.apply(h)[:, j]) / np.var(h[:, j])
    assert error == pytest.approx(1 - correlations(moments, "h")[0, 1] ** 2)
    assert merge_repeated(moments, "h", threshold=1.0).kept.all()


def test_merging_respects_what_may_be_merged_and_what_is_removed():
    h = units_of_every_kind(np.random.default_rng(3))
    moments = Moments.from_samples({"h": h})
    removed = np.array([True, False, False, False, False, False, True])
    plan = merge_repeated(moments, "h", among=~removed)
    assert plan.representative[0] == 0 and plan.slope[0] == 1
    rest = plan.without(removed)
    assert rest.kept.sum() == 1 and not rest.kept[[0, 6]].any()
    np.testing.assert_allclose(rest.apply(h), np.where(removed, 0, h), atol=1e-9)
    # a representative that is removed stays for those it stands for
    alone = merge_repeated(moments, "h").without(np.arange(7) == merge_repeated(moments, "h").representative[1])
    assert alone.kept[alone.representative[1]]


def test_bad_input():
    line, r = 1 - 0.5 * GRID, np.eye(3)
    for wrong in (lambda: removed_counts(0), lambda: removed_counts(3, [0, 2]), lambda: random_orders(3, 0, None),
                  lambda: targeted_order(r, 3), lambda: targeted_order(np.ones((2, 3)), 0), lambda: keep_masks([[0, 0, 1]], [1]),
                  lambda: keep_masks([[0, 1]], [3]), lambda: area(GRID, line[:-1]), lambda: area([0, 0.5], [1, 1]),
                  lambda: crossing(GRID, line * np.nan), lambda: growth_per_doubling([2, 2], [1, 1]),
                  lambda: growth_per_doubling([0, 2], [1, 1]), lambda: unchanged_share([], []),
                  lambda: unchanged_share([1], [1, 2]),
                  lambda: least_change_order(np.full((2, 2), np.nan)), lambda: cumulative_best_order(lambda k: [np.nan], 1),
                  lambda: cumulative_best_order(len, 0)):
        with pytest.raises(InputError):
            wrong()
    moments = Moments.from_samples({"h": np.arange(6.0).reshape(3, 2)})
    for threshold, among in itertools.product((0, 1.5, np.nan), (None,)):
        with pytest.raises(InputError):
            merge_repeated(moments, "h", threshold=threshold, among=among)
    with pytest.raises(InputError):
        merge_repeated(moments, "h", among=np.ones(3, bool))
