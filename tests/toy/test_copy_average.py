"""Copy-average points against trained students, and against the general theory of narrow students."""

import itertools

import numpy as np
import pytest

from theory.claims import claims
from theory.span import solution
from theory.span.copy_average import _copying, average_loss, copy_average_loss, copying_loss
from toy.graded_teacher.study_average import STUDY, Equal, run


@pytest.mark.parametrize("k, n, norm", [(4, 2, 1.0), (6, 3, 1.0), (5, 1, 3.0)])
def test_the_general_theory_finds_the_same_loss(k, n, norm):
    assert copy_average_loss(k, n, norm) == pytest.approx(solution((1.0,) * k, norm, n).loss, rel=1e-8)


def test_one_unit_more_leaves_less_and_enough_leave_nothing():
    losses = [copy_average_loss(6, n) for n in range(1, 8)]
    assert losses[0] == average_loss(6) and all(a > b for a, b in itertools.pairwise(losses[:6])) and losses[5:] == [0, 0]
    assert 2 * average_loss(2) > average_loss(3)  # one group is cheaper than two


def test_students_are_told_from_the_point(tmp_path):
    table = STUDY.tabulate([(Equal(4, 2, 8), run(Equal(4, 2, 8), tmp_path))])
    (found,) = STUDY.evidence(table, ())
    assert found.estimate.mean == 0 and found.estimate.n == len(table) > 0 and found.claim in claims()
    (better,) = STUDY.evidence(table.assign(loss=0.9 * table.copy_average), ())
    assert better.estimate.mean == 1 and better.note.startswith("0 of")


def test_copies_of_different_units_are_a_critical_point():
    """By the loss of any student, written out: the same number, and flat in every direction."""
    k, n = 7, 3
    least, (a, b, c), output = _copying(k, n, 1.0)
    point = np.full((n, k), c)
    point[:, :n] = b
    np.fill_diagonal(point, a)

    def loss(weights, readout):
        units = np.vstack([weights, np.eye(k)])
        gram, own = units @ units.T, 1 + (units**2).sum(1)
        outer = np.concatenate([readout, -np.ones(k)])
        return outer @ np.arcsin(gram / np.sqrt(np.outer(own, own))) @ outer / np.pi

    readout, rng = np.full(n, output), np.random.default_rng(0)
    assert loss(point, readout) == pytest.approx(least, rel=1e-12) and least == copying_loss(k, n) > copy_average_loss(k, n)
    for _ in range(10):
        weights, outputs = rng.standard_normal((n, k)), rng.standard_normal(n)
        ends = [loss(point + h * weights, readout + h * outputs) for h in (1e-5, -1e-5)]
        assert abs(ends[0] - ends[1]) / 2e-5 < 1e-7
