"""Memorise or generalise: regions against a slow reference, data, and the direction of the effects."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lab.errors import InputError
from toy.__main__ import COMMANDS
from toy.memorise import follow, make_data, regions, simulate
from toy.memorise import study_splits as splits
from toy.memorise.study import STUDY, Memorise, run


def naive_arcs(classes):
    """Sets of points on the circle, one per region."""
    n = len(classes)
    cuts = [i for i in range(n) if classes[i] != classes[i - 1]]
    if not cuts:
        return [frozenset(range(n))]
    ends = [*cuts[1:], cuts[0]]
    return [frozenset((start + s) % n for s in range((end - start) % n or n)) for start, end in zip(cuts, ends)]


def naive_follow(looks):
    deaths = births = resplits = chance = 0
    graves = []  # (class, points) of regions that died
    for before, after in itertools.pairwise(looks):
        died = [arc for arc in naive_arcs(before) if all(after[i] != before[i] for i in arc)]
        born = [arc for arc in naive_arcs(after) if all(after[i] != before[i] for i in arc)]
        deaths, births = deaths + len(died), births + len(born)
        # the last region that died over a point is the one that it remembers
        memory = {}
        for value, arc in graves:
            memory.update({i: value for i in arc})
        resplits += sum(any(memory.get(i) == after[i] for i in arc) for arc in born)
        for arc in born:
            value, n = after[min(arc)], len(after)
            windows = [[(first + step) % n for step in range(len(arc))] for first in range(n)]
            free = [w for w in windows if all(before[i] != value for i in w)]
            chance += np.mean([any(memory.get(i) == value for i in w) for w in free])
        graves += [(before[min(arc)], arc) for arc in died]
    return [len(naive_arcs(look)) for look in looks], deaths, births, resplits, chance


@settings(max_examples=150, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(3, 17)), elements=st.integers(0, 2)))
def test_regions_against_the_slow_reference(looks):
    found = follow(looks[None])
    count, deaths, births, resplits, chance = naive_follow(looks)
    assert list(found.count[0]) == count == list(regions(looks))
    assert (found.deaths[0], found.births[0], found.resplits[0]) == (deaths, births, resplits)
    assert found.chance[0] == pytest.approx(chance)


def test_a_merger_that_comes_undone_is_a_resplit():
    a, b = [0, 0, 1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 1, 1]
    found = follow(np.array([[a, b, a, b]]))
    assert (found.deaths[0], found.births[0], found.resplits[0]) == (2, 1, 1)
    elsewhere = [1, 0, 0, 0, 0, 0, 1, 1]
    assert follow(np.array([[a, b, elsewhere]])).births[0] == 0  # a boundary that moves is no birth


def test_chance_counts_the_places_that_a_birth_could_have_had():
    """A region of one point dies, one of two points is born.

    Two of the ten places where it could have been born contain the point of the dead one.
    """
    dead, gone = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0], [0] * 10
    near, far = [0, 0, 1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1, 1, 0, 0]
    for last, again in ((near, 1), (far, 0)):
        found = follow(np.array([[dead, gone, last]]))
        assert (found.births[0], found.resplits[0]) == (1, again) and found.chance[0] == pytest.approx(2 / 10)


def test_label_noise_draws_some_labels_anew():
    clear, some, more, all_of_them = (make_data("structured", 400, seed=1, label_noise=share).y for share in (0, 0.2, 0.5, 1))
    assert 0.05 < np.mean(some != clear) < 0.15 and np.all((some == clear) | (more != clear))
    np.testing.assert_array_equal(all_of_them, make_data("random-labels", 400, seed=1).y)
    with pytest.raises(InputError, match="random already"):
        make_data("random-labels", 10, label_noise=0.5)


def test_only_networks_that_memorised_count():
    config = Memorise("random-labels", 4, 0, replicas=3, epochs=20)
    result = run(config, None)
    assert result["memorised"] == 0 and result["final_regions"] is None and result["deaths"] == 0
    table = STUDY.tabulate([(config, result), (Memorise("structured", 4, 0, replicas=3), run(Memorise(
        "structured", 4, 0, replicas=3, epochs=400, learning_rate=1e-2), None))])
    assert {e.claim for e in STUDY.evidence(table, ())} >= {"s2.width-generalises"}
    assert "s2.memorising-needs-more-regions" not in {e.claim for e in STUDY.evidence(table, ())}


def test_the_study_of_splits_compares_the_same_data_sets():
    rows = []
    for share, rate, resplits in ((0.0, 1e-2, 0), (0.5, 1e-2, 6), (1.0, 1e-2, 9), (1.0, 2e-3, 8)):
        rows += [{"task": "", "width": 128, "data_set": s, "replicas": 5, "memorised": 5, "deaths": 10, "births": 20,
                  "resplits": resplits + s, "chance": 2.0, "random_share": share, "learning_rate": rate}
                 for s in range(3)]
    found = {e.key: e.estimate.mean for e in splits.evidence(pd.DataFrame(rows), ())}
    assert found == pytest.approx({"/share0.5": 0.6, "/share1": 0.9, "/small-steps": 0.9, "/random-labels": 0.4})


def test_data():
    for task in ("structured", "random-labels", "noise-inputs"):
        data = make_data(task, 50, seed=1)
        np.testing.assert_allclose(np.linalg.norm(data.x, axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(data.curve, axis=1), 1, rtol=1e-5)
        assert data.test_x.shape == (2000, 20) and set(data.y) == {0, 1}
    one, two = make_data("structured", 50, seed=1), make_data("random-labels", 50, seed=1)
    np.testing.assert_array_equal(one.x, two.x)
    assert 0.2 < np.mean(one.y != two.y) < 0.8
    with pytest.warns(DeprecationWarning, match=r"Data\.y"):  # this was a dictionary once
        assert one["y"] is one.y
    with pytest.raises(KeyError):
        one["nothing"]


def test_structure_generalises_and_random_labels_do_not():
    structured = simulate("structured", 64, replicas=4, epochs=800)
    random = simulate("random-labels", 64, replicas=4, epochs=800)
    assert structured.train_error[:, -1].mean() < 0.01 and structured.test_error[:, -1].mean() < 0.2
    assert abs(random.test_error[:, -1].mean() - 0.5) < 0.05
    assert random.regions.count[:, -1].mean() > structured.regions.count[:, -1].mean()
    assert structured.true_regions == 6 and not structured.diverged.any()


def test_replicas_can_share_their_data():
    own, shared = (simulate(width=8, replicas=2, epochs=5, looks=2, same_data=s) for s in (False, True))
    assert own.train_error[0, 0] == shared.train_error[0, 0]


def test_bad_input():
    for wrong in (dict(task="none"), dict(harmonics=11), dict(samples=0), dict(looks=1), dict(width=0)):
        with pytest.raises(InputError):
            simulate(**{"epochs": 2, **wrong})
    with pytest.raises(InputError):
        follow(np.zeros((2, 3)))


def test_command(capsys):
    from lab.cli import main

    assert main("toy", COMMANDS, ["memorise", "--quick", "--tasks", "structured", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"][0]["true_regions"] == 6
    assert main("toy", COMMANDS, ["memorise", "--quick", "--tasks", "none"]) == 2
