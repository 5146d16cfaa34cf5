"""Copy-average points against trained students, and against the general theory of narrow students."""

import itertools

import pytest

from theory.claims import claims
from theory.span import solution
from theory.span.copy_average import average_loss, copy_average_loss
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
