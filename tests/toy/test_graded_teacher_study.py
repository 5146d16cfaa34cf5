"""Theory against simulation of the graded teacher; its studies, tables and evidence."""

from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from lab.stages import stage_of
from lab.study import CONFIRMATORY, load
from theory.claims import claims
from theory.measures import span_error
from theory.span import (
    competitors,
    escape_rates,
    first_plateau_time,
    missed_law,
    plateaus,
    power_strengths,
    predict,
    solution,
    uniqueness_boundary,
)
from toy.graded_teacher import Teacher, compare, loss_levels, moments, simulate
from toy.graded_teacher.study import (
    Cell,
    Units,
    configs_copies,
    configs_width,
    evidence_copies,
    evidence_width,
    run_comparison,
    tabulate_comparison,
)
from toy.graded_teacher.study_curves import Curves
from toy.graded_teacher.study_phase import Boundary, Phase, clusters
from toy.studies import STUDIES

FOUR = dict(strengths=(1.0, 0.7, 0.4, 0.2), direction_norm=3.0, dim=10)
HERE = Path(".")


# ------------------------------------------------------------------------------------------- theory and simulation
@pytest.mark.parametrize("width", [1, 2, 3])
def test_unique_solution_is_the_one_predicted(width):
    s, p = simulate(**FOUR, width=width, replicas=24), predict(**FOUR, width=width)
    assert p.unique and len(loss_levels(s)) == 1
    np.testing.assert_allclose(s.loss, p.loss, rtol=1e-9)
    errors = span_error(moments({"s": s.units()}, s.teacher), source="s", target="teacher", per_unit=True)
    np.testing.assert_allclose(errors, p.span_error_per_teacher_unit, atol=1e-4)


def test_all_simulated_levels_are_predicted_solutions():
    A = power_strengths(5, 0.3)
    seen = [level["loss"] for level in loss_levels(simulate(A, 1.0, 8, 3, 96, init_scale=0.5))]
    known = [solution(A, 1.0, 3).loss, *(s.loss for s in competitors(A, 1.0, 3, swaps=2))]
    assert len(seen) > 1
    for loss in seen:
        assert min(abs(loss - k) for k in known) < 1e-6, (loss, known)


def test_above_the_boundary_every_start_agrees():
    last = uniqueness_boundary(6, 1.0, 3, resolution=0.01, both_forms=False)["last"]
    for exponent, several in ((last + 0.05, False), (last - 0.15, True)):
        levels = set()
        for scale in (0.01, 0.3, 1.0):
            s = simulate(power_strengths(6, exponent), 1.0, 8, 3, 64, init_scale=scale)
            levels |= {round(level["loss"], 5) for level in loss_levels(s)}
        assert (len(levels) > 1) == several, (exponent, levels)


def test_equal_strengths_follow_the_coupon_law():
    M, K, groups, copies = 5, 3, 40, 3
    s = simulate((1.0,) * M, 3.0, M, K, groups * copies)
    teacher = Teacher((1.0,) * M, 3.0, M)
    missed = []
    for g in range(groups):
        errors = span_error(moments({"s": s.units(slice(g * copies, (g + 1) * copies))}, teacher), source="s",
                            target="teacher", per_unit=True)
        # about 0 or large, little between: one missed unit is left what the pools do not give of it
        assert np.all((errors < 1e-4) | (errors > 0.05))
        missed.append(int(np.sum(errors > 0.05)))
    law = missed_law(M, K - 1, copies)
    # a lone missed unit can still be spanned by the pools: compare the mean of those that count as missed from above
    counts = Counter(missed)
    expected = law[1:] @ np.arange(1, M + 1)
    error = np.sqrt(law @ (np.arange(M + 1) - expected) ** 2 / groups)
    assert abs(np.mean(missed) - expected) < 4.5 * error, (counts, law)


def test_plateaus_and_first_time():
    times = np.linspace(0.05, 40, 1600)
    for width in (1, 2, 16):
        p = plateaus(FOUR["strengths"], 3.0, width)
        for scale in (0.1, 1e-4):
            s = simulate(**FOUR, width=width, replicas=64, init_scale=scale, times=times, time_cap=40.0)
            half = np.array([times[np.argmax(curve < (p[0] + p[1]) / 2)] for curve in s.curves])
            error = half.std(ddof=1) / 8
            assert abs(half.mean() - first_plateau_time(FOUR["strengths"], 3.0, width, scale)) < 0.7 + 3 * error
    # a width-2 student comes by the width-1 plateau and leaves it at the rate predicted: loss − plateau grows twice as fast
    times, p = np.linspace(1, 120, 500), plateaus(FOUR["strengths"], 3.0, 2)
    s = simulate(**FOUR, width=2, replicas=32, init_scale=1e-2, times=times, time_cap=120.0)
    rates = []
    for curve in p[1] - s.curves:
        leaving = (curve > 1e-4) & (curve < 1e-2)
        if leaving.sum() > 5:
            rates.append(np.polyfit(times[leaving], np.log(curve[leaving]), 1)[0] / 2)
    assert len(rates) > 20 and abs(np.median(rates) / escape_rates(FOUR["strengths"], 3.0, 2)[0] - 1) < 0.15


# ------------------------------------------------------------------------------------------------------- comparison
def test_more_copies_contain_the_fewer():
    few = compare(**FOUR, width=2, copies=2, replicas=2, time_cap=100.0)
    many = compare(**FOUR, width=2, copies=5, replicas=2, time_cap=100.0)
    assert np.array_equal(few.narrow.directions[2:4], many.narrow.directions[5:7])
    assert np.array_equal(few.wide.directions, many.wide.directions)


def test_conditions():
    matched = compare(**FOUR, width=2, copies=2, replicas=2, condition="matched loss")
    np.testing.assert_allclose(matched.wide.loss, matched.narrow.loss[0], rtol=1e-3)
    early = compare(**FOUR, width=2, copies=2, replicas=2, condition="matched loss", above_floor=1.5)
    for students in (early.narrow, early.wide):
        np.testing.assert_allclose(students.loss, 1.5 * matched.narrow.loss[0], rtol=1e-3)
    assert np.all(early.narrow_to_wide - early.wide_to_wide < matched.narrow_to_wide - matched.wide_to_wide)
    with pytest.raises(ValueError, match="floor"):
        compare(**FOUR, condition="matched loss", above_floor=0.9)
    shared = compare(**FOUR, width=8, copies=2, replicas=1, condition="shared start", time_cap=1e-9)
    np.testing.assert_allclose(shared.narrow.units(), shared.wide.units(0), atol=1e-6)
    with pytest.raises(ValueError):
        compare(**FOUR, width=3, copies=2, replicas=1, condition="shared start")
    with pytest.raises(ValueError):
        compare(**FOUR, condition="none of these")


# ---------------------------------------------------------------------------------------------------------- studies
def test_every_study_of_the_graded_teacher_runs():
    tiny = {"graded-width": Cell(replicas=2), "graded-copies": Cell(replicas=2, width=3, copies=2),
            "graded-ridge": Cell(replicas=1, ridges=(1e-3, 1e-6), gradient_tol=1e-3),
            "graded-loss": Cell(replicas=2, condition="matched loss", above_floor=1.5),
            "graded-units": Units(replicas=2), "graded-curves": Curves(replicas=2, points=5, until=100.0),
            "graded-phase": Phase(0.3, 2, teacher_width=4, replicas=8, copies=4, init_scales=(0.1, 1.0))}
    for name, config in tiny.items():
        study = load(STUDIES[name])
        assert study.name == name and study.configs("quick") and study.configs("full")
        also = [Boundary(2, teacher_width=4)] if name == "graded-phase" else []
        finished = []
        for each in (config, *also):
            module, _, function = stage_of(study.stages, each).run.partition(":")
            finished.append((each, getattr(import_module(module), function)(each, HERE)))
        table = study.tabulate(finished)
        assert len(table) > 0 and not table.isna().any().any()


def test_evidence_speaks_of_registered_claims():
    def table(configs):
        small = [Cell(**{**c.__dict__, "replicas": 2}) for c in configs]
        return tabulate_comparison([(c, run_comparison(c, HERE)) for c in small])

    width = [c for c in configs_width("quick") if c.teacher == "graded" and c.width in (1, 16)]
    copies = [c for c in configs_copies("quick") if c.teacher != "square root" and c.width == 2 and c.copies in (1, 4, 8, 16)]
    found = [*evidence_width(table(width), ("a",)), *evidence_copies(table(copies), ("a",))]
    known = claims()
    assert {e.claim for e in found} <= set(known)
    for e in found:
        assert e.column in known[e.claim].columns and (e.runs == ("a",)) == (e.column == "toy")
    gap = next(e for e in found if e.claim == "s0.narrow-does-not-span-wide" and e.column == "toy")
    assert gap.estimate.mean > 0.5
    saturation = {e.piece: e for e in found if e.claim == "s0.copies-saturate"}  # eight have the wide student's features
    assert abs(saturation["graded"].estimate.mean) < 1e-4 and saturation["equal"].estimate.mean > 0.1
    assert all(e.column == "toy" and "4 to 8 copies" in e.setting for e in saturation.values())


@pytest.mark.slow
def test_shared_starts_are_judged_where_they_can_differ():
    """From small starts slices of the wide student find what students of their own find: no evidence of either."""
    configs = [replace(c, replicas=2) for c in configs_width("run") if c.seed == CONFIRMATORY and c.width in (1, 2)
               and c.reference_width == 16 and c.condition != "matched loss" and c.teacher != "graded"]
    table = tabulate_comparison([(c, run_comparison(c, HERE)) for c in configs])
    found = {e.piece: e for e in evidence_width(table, ()) if e.claim == "s0.gap-survives-shared-start"}
    assert set(found) == {"equal, width 2", "square root, width 2, large start"}
    assert set(claims()["s0.gap-survives-shared-start"].primary.values()) & {f"graded-width/{piece}" for piece in found}
    for start in (0.1, 1.0):  # the difference that a shared start makes
        mine = table[(table.teacher == "square root") & (table.width == 2) & (table.init_scale == start)]
        free, shared = (mine[mine.condition == c].narrow_to_wide.to_numpy() for c in ("free", "shared start"))
        assert start < 1 or abs(free - shared).max() > 1e-3


def test_blocks_of_replicas_are_kept_when_there_are_more():
    fewer, more = configs_width("run"), configs_width("full")
    assert set(fewer) < set(more) and {c.seed for c in fewer} == {100, 101} and min(c.seed for c in more) == CONFIRMATORY
    assert set(more) == set(configs_width("full", 32)) < set(configs_width("full", 33))
    cell = Cell(width=16, copies=1, replicas=2)
    table = tabulate_comparison([(replace(cell, seed=s), run_comparison(replace(cell, seed=s), HERE)) for s in (100, 101)])
    assert list(table.replica) == [0, 1, 2, 3] and table.wide_to_wide.nunique() == 4


def test_clusters():
    assert sorted(clusters(np.array([[0.0, 1.0], [0.0, 0.99], [1.0, 0.0], [0.0, 1.0]]))) == [0.25, 0.75]
