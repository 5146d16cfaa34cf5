"""Features of any origin against each other: numbers as of other libraries, intervals, and what is refused."""

import doctest
import inspect
import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial import procrustes
from sklearn.linear_model import Ridge
from statsmodels.multivariate.cancorr import CanCorr

import theory.compare as package
from lab.errors import InputError
from lab.estimate import mean_interval
from lab.pictures import saved
from tests.theory.test_similarity import direct_cka, unbiased_hsic
from theory import measures as m
from theory.compare import FeatureComparison, compare, compare_all, compare_moments
from theory.compare.resample import Resampling
from theory.compare.splits import mispaired, split_rows
from theory.measures import influence, units
from theory.moments import Moments

RNG = np.random.default_rng(0)
N = 600
INPUTS = RNG.standard_normal((N, 5))
WIDE = np.maximum(INPUTS @ RNG.standard_normal((5, 6)), 0) + 1
NARROW = np.maximum(INPUTS @ RNG.standard_normal((5, 6)), 0)
OTHER = WIDE + 0.3 * RNG.standard_normal(WIDE.shape)
LABELS = INPUTS[:, :3].argmax(1)


def without(**options):
    return compare(NARROW, WIDE, **{"subset": 0, **options})


@pytest.fixture(scope="module")
def found() -> FeatureComparison:
    return compare(NARROW, WIDE, baseline=OTHER, labels=LABELS, subset=60)


def test_numbers_equal_those_of_other_libraries_on_the_same_split():
    rows = np.random.default_rng(1).permutation(N)
    split = {"fit": rows[:300], "tune": rows[300:400], "score": rows[400:]}
    found = compare(NARROW, WIDE, baseline=OTHER, labels=LABELS, split=split, subset=0, ridges=[1e-4, 1e-2, 1.0])
    both, score = rows[:400], rows[400:]

    def left(x, y, fit, on, ridge):
        alpha = ridge * ((x[fit] - x[fit].mean(0)) ** 2).sum() / x.shape[1]
        model = Ridge(alpha=alpha).fit(x[fit], y[fit])
        return ((model.predict(x[on]) - y[on]) ** 2).sum() / ((y[on] - y[fit].mean(0)) ** 2).sum()

    def direct(x, y):
        ridge = min((1e-4, 1e-2, 1.0), key=lambda r: left(x, y, rows[:300], rows[300:400], r))
        return left(x, y, both, score, ridge)

    close = dict(rel=1e-6, abs=1e-9)
    assert found.span_error.mean == pytest.approx(direct(NARROW, WIDE), **close)
    assert found.reverse_span_error.mean == pytest.approx(direct(WIDE, NARROW), **close)
    assert found.baseline.mean == pytest.approx(direct(OTHER, WIDE), **close)
    assert found.probes["source"].mean == pytest.approx(direct(NARROW, np.eye(3)[LABELS]), **close)
    assert found.ridges["span_error"][1].mean == pytest.approx(left(NARROW, WIDE, both, score, 1e-2), **close)
    x, y = NARROW[both], WIDE[both]
    assert found.cka.mean == pytest.approx(direct_cka(x, y), **close)
    kernels = [f @ f.T for f in (x, y)]
    own = math.sqrt(unbiased_hsic(kernels[0], kernels[0]) * unbiased_hsic(kernels[1], kernels[1]))
    assert found.debiased_cka.mean == pytest.approx(unbiased_hsic(*kernels) / own, **close)
    assert found.cca.mean == pytest.approx(np.mean(CanCorr(y, x).cancorr ** 2), **close)
    assert found.procrustes.mean**2 == pytest.approx(1 - procrustes(x, y)[2], **close)
    assert found.n_over_d.mean == 400 / 6 and found.split == "as given"


def test_every_number_has_its_interval_and_is_in_the_table(found):
    out = json.loads(json.dumps(found.to_json(), allow_nan=False))
    for key in ("span_error", "reverse_span_error", "null", "baseline", "gap", "cka", "debiased_cka", "cca", "svcca",
                "procrustes", "nonlinear", "neighbours", "n_over_d"):
        assert out[key]["low"] <= out[key]["mean"] <= out[key]["high"], key
    assert out["null"]["low"] > 0.9 > out["span_error"]["high"] and out["nulls"]["cka"]["mean"] < out["cka"]["low"]
    assert out["gap"]["mean"] == out["span_error"]["mean"] - out["baseline"]["mean"]
    assert out["gap"]["high"] - out["gap"]["low"] < out["span_error"]["high"] - out["span_error"]["low"] + 0.01  # paired
    assert out["probes"]["source_with_residual"]["mean"] < out["probes"]["source"]["mean"]
    assert 1 <= out["residual"]["effective_rank"]["mean"] <= 6 and out["rows"]["score"] == 300 and "bootstrap" in out["interval"]
    assert 0 < out["probes"]["accuracy_target"]["mean"] <= 1 and out["rows"]["subset_fit"] == 60
    table, frame = found.table(), found.to_frame().set_index("name")
    assert table.loc["span error", "value"] == found.span_error.mean and table.loc["CKA", "null"] == found.nulls["cka"].mean
    assert frame.loc["probes.residual", "low"] == found.probes["residual"].low and frame.loc["cka", "method"] == "bootstrap"
    assert len(repr(found)) < 200 and "span error" in repr(found)
    for name in ("cka", "neighbours"):  # against shuffled rows
        score, p = found.calibrated[name], found.calibrated[f"{name}_p"]
        assert score.low <= score.mean <= score.high <= 1 and p.is_exact and p.mean == 0.01
        assert score.mean < 1 and f"calibrated.{name}" in frame.index


def test_pictures(found, tmp_path):
    from theory.compare.picture import draw_comparison

    with saved(tmp_path / "a.svg") as axes:
        draw_comparison(json.loads(json.dumps(found.to_json())), axes)
        assert len(axes.get_yticklabels()) == 11
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize("make", [
    lambda x: torch.tensor(x, requires_grad=True), pd.DataFrame, lambda x: iter(np.array_split(x, 7)), lambda x: x.tolist()])
def test_features_come_as_they_are(make):
    assert compare(make(NARROW), make(WIDE), subset=0) == without()


def test_batches_hold_everything():
    pieces = np.array_split(np.arange(N), 5)
    whole = without(labels=LABELS, groups=np.arange(N) // 3)
    parts = ({"source": NARROW[p], "target": torch.tensor(WIDE[p]), "labels": LABELS[p], "groups": p // 3} for p in pieces)
    assert compare(parts, subset=0) == whole
    assert compare(((NARROW[p], WIDE[p]) for p in pieces), subset=0) == without()
    with pytest.raises(InputError, match="once"):
        compare(iter([]))


def test_copies_lie_side_by_side():
    found = compare([NARROW[:, :2], NARROW[:, 2:]], WIDE, subset=0)
    assert found.span_error.mean == pytest.approx(without().span_error.mean, rel=1e-9)
    assert found.blocks["source"] == "source 1 + source 2" and found.units["source"].mean == 6
    assert found.copies["2"].mean == found.span_error.mean
    assert found.copies["1"].mean == pytest.approx(compare(NARROW[:, :2], WIDE, subset=0).span_error.mean, rel=1e-9)
    assert compare({"a": NARROW[:, :2], "b": NARROW[:, 2:]}, WIDE, subset=0).blocks["source"] == "a + b"


def test_several_pairs_have_intervals_over_pairs():
    sources, targets = [NARROW, NARROW[:, 1:], NARROW[:, 2:]], [WIDE, OTHER, WIDE[:, ::-1]]
    found = compare(sources, targets, baseline="next", subset=0)
    single = [compare(s, t, baseline=b, subset=0) for s, t, b in zip(sources, targets, [*targets[1:], targets[0]])]
    for name in ("span_error", "gap", "cka", "n_over_d"):
        assert getattr(found, name) == mean_interval([getattr(one, name).mean for one in single]), name
    assert "3 pairs" in found.interval and found.span_error.n == 3 and not [name for name in found.calibrated if "_p" in name]


# ----------------------------------------------------------------------------------------------------------- intervals
def influences(x, y):
    moments = Moments.from_samples({"a": x, "b": y})
    rows = influence.PairedRows(*((z - z.mean(0)) / moments.scale(name) for name, z in (("a", x), ("b", y))),
                        influence.PairedRows.covariances(moments, "a", "b"))
    found = {name: measure.influence(moments, "a", "b")(rows) for name, measure in m.compared().items()}
    found["rank"] = units.effective_rank_influence(m.effective_rank(moments, "a"), rows.xx, rows.xcx)
    found["debiased"] = influence.debiased_cka_influence(m.debiased_cka(x, y), rows.xx, rows.yy, rows.xcy, rows.xcx, rows.ycy)
    return found


def values(x, y):
    moments = Moments.from_samples({"a": x, "b": y})
    return {**{name: measure.function(moments, "a", "b") for name, measure in m.compared().items()},
            "rank": m.effective_rank(moments, "a"), "debiased": m.debiased_cka(x, y)}


def test_influences_are_what_a_row_more_adds():
    n = 3000
    rng = np.random.default_rng(2)
    x = rng.standard_normal((n, 4)) * [1, 2, 0.5, 1.5]
    y = np.tanh(x @ rng.standard_normal((4, 3))) + 0.3 * rng.standard_normal((n, 3))
    known, before = influences(x, y), values(x, y)
    for row in (0, 1, 2):
        again = np.append(np.arange(n), row)
        after = values(x[again], y[again])
        for name, column in known.items():
            if name != "debiased":  # a row that comes twice is no fresh row, for which that estimator is made
                near = 0.02 * float(np.abs(column).max())
                assert (after[name] - before[name]) * (n + 1) == pytest.approx(float(column[row]), abs=near), name
    assert np.corrcoef(known["debiased"], known["cka"])[0, 1] > 0.999  # with many rows they are the same
    assert all(abs(column.mean()) < 1e-5 * np.abs(column).max() for column in known.values())


def test_intervals_are_as_wide_as_repetitions_differ():
    def once(seed):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((800, 3))
        y = x @ [[1, 0.2], [0, 1], [0.5, 0.5]] + rng.standard_normal((800, 2))
        return x, y

    found = compare(*once(0), subset=0)
    repeated = [values(*(z[:400] for z in once(seed))) for seed in range(1, 200)]
    for name in ("cka", "cca", "procrustes"):
        spread = 3.92 * np.std([one[name] for one in repeated])
        assert getattr(found, name).high - getattr(found, name).low == pytest.approx(spread, rel=0.25), name


def test_groups_stay_on_one_side_and_are_drawn_together():
    copies = np.repeat(np.arange(60), 10)
    rows = np.random.default_rng(0).permutation(N)
    x, y, groups = (z[rows] for z in (np.repeat(NARROW[:60], 10, axis=0), np.repeat(WIDE[:60], 10, axis=0), copies))
    split = split_rows(N, groups=groups)
    assert not set(groups[split.score]) & set(groups[split.both]) and split.grouped
    grouped = compare(x, y, groups=groups, subset=0)
    alone = compare(x, y, subset=0)
    assert grouped.span_error.n == 30 and not grouped.notes and "by group" in grouped.split
    assert alone.notes and "equal rows of the fit" in alone.notes[0]  # the same rows on both sides, said
    assert grouped.cka.high - grouped.cka.low > 2 * (alone.cka.high - alone.cka.low)


def test_no_row_is_mispaired_with_its_own_group():
    for groups in (None, np.arange(N) // 7, np.array(["a"] * 200 + ["b"] * 250 + ["c"] * 150)):
        split = split_rows(N, groups=groups, seed=3)
        other = mispaired(split, split.score, np.random.default_rng(0))
        assert (sorted(other) == sorted(split.score) and not (split.groups[other] == split.groups[split.score]).any()) or (
            groups is not None and len(set(split.groups[split.score])) == 1)


def test_a_ratio_and_a_mean_are_drawn_as_such():
    rng = np.random.default_rng(0)
    top, bottom = rng.uniform(size=(2, 500))
    draws = Resampling(np.arange(500), np.random.default_rng(1))
    share = draws.shares(top.sum() / bottom.sum(), (1, top, bottom))
    error = np.std(top - share.mean * bottom) / bottom.mean() / math.sqrt(500)
    assert (share.high - share.low) / 3.92 == pytest.approx(error, rel=0.1)
    low, high = share.at(0.5)
    assert share.low < low < share.mean < high < share.high
    assert Resampling(np.zeros(5), rng).shares(1.0, (1, np.ones(5), np.ones(5))).has_interval is False


# ------------------------------------------------------------------------------------------------------------ refused
DEAD = np.zeros((N, 2))
NAN = np.where(np.arange(N)[:, None] == 17, np.nan, NARROW)
IDS = np.arange(N)


@pytest.mark.parametrize("call, says", [
    (lambda: compare(NARROW[:-1], WIDE), "source has 599 rows and target 600"),
    (lambda: without(ids={"source": IDS, "target": IDS[::-1]}), "target by the ids given are in another order .*row 0: 599"),
    (lambda: without(ids={"source": IDS, "target": IDS + 1}), "1 only in source by the ids given .such as 0."),
    (lambda: without(ids={"source": IDS, "target": IDS.astype(str)}), "text in one and numbers"),
    (lambda: without(ids=IDS // 2), "ids of source by the ids given repeat .0 comes 2 times"),
    (lambda: without(ids=IDS[1:]), "599 ids"),
    (lambda: without(ids={"teacher": IDS}), "not of 'teacher'"),
    (lambda: compare(pd.DataFrame(NARROW, index=IDS + 1), pd.DataFrame(WIDE, index=IDS[::-1] + 1), subset=0), "another order"),
    (lambda: without(labels=pd.Series(LABELS, index=IDS + 5), ids=IDS), "only in labels"),
    (lambda: without(split={"fit": IDS[:300], "score": IDS[299:]}), "leaks: parts fit and score share 1 rows"),
    (lambda: without(split={"fit": IDS[:300], "score": IDS[300:]}, groups=IDS // 7), "share 1 groups"),
    (lambda: without(split={"fit": IDS[:300]}), "no part score"), (lambda: without(split=1.5), "split must be a number in"),
    (lambda: without(split={"fit": IDS, "train": IDS}), "not 'train'"), (lambda: without(split=["fit"] * 3), "3 entries"),
    (lambda: without(groups=np.zeros(N)), "smaller groups"), (lambda: without(groups=IDS[1:]), "599 groups"),
    (lambda: compare(np.hstack([NARROW] * 3)[:20], WIDE[:20]), "10 rows to fit on for 18 units of source"),
    (lambda: compare(DEAD, WIDE), "source does not vary"), (lambda: compare(NARROW, DEAD), "target does not vary"),
    (lambda: without(baseline=DEAD), "baseline does not vary"),
    (lambda: compare(NAN, WIDE), "source has 1 row with values that are not finite .*row 17"),
    (lambda: compare(NARROW, NARROW[:, :, None]), r"target must have shape \(rows, units\)"),
    (lambda: compare([NARROW, NARROW], [WIDE]), "1 targets make as many pairs"), (lambda: compare(NARROW), "source and a target"),
    (lambda: compare([NARROW] * 2, [WIDE] * 2, baseline=OTHER), "2 baselines"),
    (lambda: compare([NARROW], [WIDE], baseline="next"), "two pairs or more"),
    (lambda: without(labels=LABELS[1:]), "599 labels"), (lambda: without(labels=np.zeros(N, int)), "all the same"),
    (lambda: without(labels=np.full(N, np.inf)), "finite numbers"),
    (lambda: without(ridges=[-1.0]), "ridges must be"), (lambda: without(subset=-1), "subset must be"),
    (lambda: compare_all({"a": NARROW}), "two models or more"),
    (lambda: compare(np.ones((40, 30_000), np.float32), WIDE[:40]), "30,012 units of all blocks together .* matrices of 7 GB")])
def test_what_cannot_be_compared_is_a_line(call, says):
    with pytest.raises(InputError, match=says) as error:
        call()
    assert "\n" not in str(error.value)


def test_nothing_depends_on_scale(found):
    scaled = compare(NARROW * 2.0**-300, WIDE * 2.0**300, baseline=OTHER * 2.0**300, labels=LABELS, subset=60)
    known = found.numbers()
    for name, estimate in scaled.numbers().items():
        if "with_" in name:  # both sides side by side, under one ridge: that hangs on their scales
            continue
        assert (estimate.mean, estimate.low) == pytest.approx((known[name].mean, known[name].low), rel=1e-6), name


def test_few_rows_by_choice_and_dead_units_in_notes():
    wide = np.hstack([RNG.standard_normal((60, 40)), DEAD[:60]])
    found = compare(wide, wide[:, :30] + 1, subset=0, few_rows=True)
    assert found.cca is None and found.span_error.mean < 1 and found.dead_units["source"].mean == 2
    for says in ("2 of 42 units", "rows to fit on for each unit"):
        assert any(says in line for line in found.notes)


# --------------------------------------------------------------------------------------------------- moments, all pairs
def test_moments_give_the_same_numbers(found):
    split = split_rows(N)
    parts = {part: Moments.from_samples({"n": NARROW[rows], "w": WIDE[rows], "o": OTHER[rows]}, precision="float64")
             for part in ("fit", "tune", "score") for rows in [getattr(split, part)]}
    streamed = compare_moments(parts, source="n", target="w", baseline="o",
                               rows={part: {"n": NARROW[r], "w": WIDE[r], "o": OTHER[r]} for part, r in
                                     (("fit", split.fit[:60]), ("score", split.score[:30]))})
    for name in ("span_error", "gap", "cka", "svcca"):
        assert getattr(streamed, name).mean == pytest.approx(getattr(found, name).mean, rel=1e-9)
        assert not getattr(streamed, name).has_interval
    assert streamed.nonlinear.mean > 0 and streamed.probes is None and streamed.null is None


def test_all_pairs_of_models(tmp_path):
    for name, rows in (("a", NARROW), ("b", WIDE), ("c", OTHER)):
        np.save(tmp_path / f"{name}.npy", rows)
    found = compare_all(tmp_path)
    pair = compare(NARROW, WIDE, subset=0)
    errors = found.matrix("span_error")
    assert list(errors.index) == ["a", "b", "c"] and errors.loc["a", "b"] == pair.span_error.mean and errors.loc["c", "c"] == 0
    assert errors.loc["b", "a"] == pair.reverse_span_error.mean
    assert found.matrix("cka").loc["b", "a"] == found.matrix("cka").loc["a", "b"] == pair.cka.mean
    assert len(found.table()) == 3 and set(found.to_frame()["source"]) == {"a", "b"} and "3 models" in repr(found)
    with saved(tmp_path / "all.svg") as axes:
        found.plot(axes)
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["matrices"]["cka"][0][0] == 1
    with pytest.raises(InputError, match="measure must be"):
        found.matrix("luck")


def test_the_package_shows_its_names():
    assert {"compare", "compare_all", "compare_moments", "FeatureComparison", "FeatureMatrix"} <= set(dir(package))


@pytest.mark.parametrize("function", [compare, compare_all, m.shared_neighbours])
def test_examples_run(function):
    module = inspect.getmodule(function)
    (example,) = doctest.DocTestFinder(recurse=False).find(function, module=module, globs=dict(vars(module)))
    assert example.examples and doctest.DocTestRunner().run(example).failed == 0
