"""What the studies of small networks say of their tables: success, tickets, escape, critical points."""

import math

import numpy as np
import pandas
import pytest

from empirical.studies import STUDIES
from empirical.studies.solutions import (
    adversarial,
    critical,
    descent_more,
    escape,
    readouts,
    success,
    tickets,
    tickets_conv,
)
from empirical.studies.solutions.plan import of_width
from lab.stages import complete
from lab.store import RunStore
from lab.study import CONFIRMATORY, compute, load
from theory.claims import claims

FACTS = {"data": "digits", "samples": 300, "hidden": 8}


def test_success_is_a_number_of_each_replica():
    frame = pandas.DataFrame([{**FACTS, "seed": CONFIRMATORY + s, "hidden": h, "copies": 16, "failed": f + s}
                              for s in range(3) for h, f in ((6, 7), (7, 6), (12, 1), (24, 0))])
    found = {(e.claim, e.piece): e.estimate for e in success.evidence(frame, ())}
    assert found["s2.success-grows-with-width", "n12"].mean == pytest.approx(6 / 16)
    groups = [math.comb(7 + s, 2) / math.comb(16, 2) - (1 + s) / 16 for s in range(3)]
    assert found["s2.wide-beats-multistart", "n12"].mean == pytest.approx(sum(groups) / 3)
    assert ("s2.wide-beats-multistart", "n7") not in found and ("s2.tickets-are-not-independent", "n12") not in found
    tenth = [math.log((7.5 + s) / 17) / math.log((6.5 + s) / 17) for s in range(3)]
    assert found["s2.tickets-are-not-independent", "n7"].mean == pytest.approx(7 * math.prod(tenth) ** (1 / 3))
    assert all(e.n == 3 for e in found.values())


def test_groups_fail_as_independent_networks_would():
    """Over all numbers of failures the estimate has the mean of independent failures."""
    p, copies, group = 0.3, 10, 3
    mean = sum(math.comb(copies, f) * p**f * (1 - p) ** (copies - f) * success.all_fail(f, copies, group)
               for f in range(copies + 1))
    assert mean == pytest.approx(p**group)


def test_tickets_are_compared_with_fresh_networks():
    shares = {"alone": 0.25, "fresh wide": 0.9, "redrawn rest": 0.85, "failed rest": 0.6, "fresh narrow": 0.0}
    frame = pandas.DataFrame([{**FACTS, "seed": CONFIRMATORY + s, "rewind": rewind, "arm": arm, "left": 0.5,
                               "wins": wins + s / 100 * (arm != "alone")}
                              for s in range(3) for rewind in (0, 5) for arm, wins in shares.items()
                              if rewind == 0 or arm == "alone"])
    found = {(e.claim, e.piece): e.estimate.mean for e in tickets.evidence(frame, ())}
    assert found["s2.tickets-need-their-rest", "start"] == pytest.approx(0.66)
    assert found["s2.perturbed-rest-spoils-tickets", "start"] == pytest.approx(-0.05)
    assert found["s2.adversarial-rest-spoils-tickets", "start"] == pytest.approx(-0.3)
    assert found["s2.tickets-beat-fresh-starts", "early"] == pytest.approx(0.24)
    assert ("s2.perturbed-rest-spoils-tickets", "early") not in found
    other = tickets_conv.evidence_vgg16(frame, ())
    assert [e.estimate.mean for e in other] == list(found.values()) and "VGG-16 of base width 8" in other[0].setting
    assert {e.levels["architecture"] for e in other} == {"convolutional"}


@pytest.mark.parametrize("arch", ["mlp", pytest.param("resnet18", marks=pytest.mark.slow)])
def test_tickets_of_which_nothing_is_pruned_are_the_dense_network(arch, tmp_path):
    """Rewound, with any rest, with any mask: there is nothing to redraw, and nothing to shuffle."""
    config = of_width(tickets.Tickets, 2, 0, arch=arch, depth=int(arch == "mlp"), rounds=1, share=0.0, stack=2,
                      **{**tickets.BUDGET, "epochs": 1, "train_size": 50})
    arms = tickets.run(config, tmp_path / "tickets" / "run", device="cpu")["arms"]
    fresh = arms.pop("fresh wide")
    dense = {name: arms["dense"][name] for name in ("train", "test")}
    assert arms.pop("fresh narrow")["train"] != dense["train"] != fresh["train"] and set(arms) >= {"round 1", "redrawn rest"}
    assert all(arm["left"] == 1 and {name: arm[name] for name in dense} == dense for arm in arms.values())


def test_escape_is_a_ratio_of_losses_and_critical_points_pass_their_numbers():
    frame = pandas.DataFrame([{**FACTS, "seed": CONFIRMATORY + s, "way": way, "train_loss": loss * (1 + s)}
                              for s in range(3) for way, loss in (("not at all", .4), ("split units", .1), ("new units", .05))])
    found = {e.claim: e.estimate.mean for e in escape.evidence_widened(frame, ())}
    assert found == {"s2.split-units-escape": pytest.approx(0.25), "s2.split-units-match-new-ones": pytest.approx(2.0)}
    points = pandas.DataFrame([{"data": "digits", "hidden": 3, "seed": s, "found": 5, "searches": 9, "fall": 0.1 + s / 100,
                                "coins": math.nan if s else 0.4, "loss": i, "index": 0} for s in range(3) for i in range(2)])
    said = {e.claim: e for e in critical.evidence(points, ())}
    assert said["s2.index-falls-with-loss"].estimate.mean == pytest.approx(0.11) and said["s2.coin-flips"].estimate.n == 1
    assert said["s2.coin-flips"].note == "15 of 27 searches ended at a critical point"
    curve = pandas.DataFrame([{**FACTS, "seed": s, "epochs": e, "negative": 0.3 / e + s / 100} for s in range(3) for e in (1, 4)])
    (gone,) = escape.evidence_curvature(curve, ())
    assert gone.estimate.mean == pytest.approx(0.225)


def test_a_point_is_critical_only_below_the_stated_norm(monkeypatch, tmp_path):
    bound = critical.CRITICAL
    monkeypatch.setattr("theory.critical_points.search", lambda slopes, starts, *_: (starts, np.array([0.9, 1.1]) * bound))
    config = of_width(critical.Critical, 1, 0, **critical.SMALL, looks=(1,), scales=(1.0,), stack=1)
    ends = critical.run(config, tmp_path / "critical" / "run", device="cpu")
    assert (ends["searches"], ends["found"], len(ends["loss"])) == (2, 1, 1) and bound == 1e-8


def test_a_hump_along_training_is_a_rise_and_a_fall():
    curves = {0.4: (0.8, 0.2, 0.5, 0.3), 0.0: (0.8, 0.4, 0.2, 0.1)}
    frame = pandas.DataFrame([
        {**FACTS, "seed": CONFIRMATORY + s, "label_noise": noise, "epochs": 2**i, "test_error": error + s / 100}
        for noise, curve in curves.items() for s in range(4) for i, error in enumerate(curve)])
    found = {e.piece: e.estimate for e in descent_more.evidence_epochs(frame, ())}
    assert found["h8-noise0.4"].mean == pytest.approx(0.2) and found["h8-noise0.4"].n == 2
    assert found["h8-noise0"].mean < 0


def test_a_wide_network_is_compared_with_several_by_their_training_losses():
    losses = {"wide": 0.01, "best": 0.04, "ensemble": 0.1, "concatenated": 0.02, "retrained": 0.005}
    frame = pandas.DataFrame([{**FACTS, "seed": CONFIRMATORY + s, "way": way, "train_loss": loss * (1 + s)}
                              for s in range(3) for way, loss in losses.items()])
    found = {e.piece: e.estimate.mean for e in readouts.evidence(frame, ())}
    assert found == {way: pytest.approx(0.01 / losses[way]) for way in readouts.WAYS}


def test_steps_grow_or_shrink_with_width_and_are_told_with_their_bounds():
    frame = pandas.DataFrame([{**FACTS, "seed": CONFIRMATORY + s, "hidden": h, "reached": s > 0, "found": found + s / 10,
                               "certified": found / 2, "test_error": error, "nearest": 0.8, "found_there": 0.4}
                              for s in range(4) for h, found, error in ((16, 0.3, 0.2), (32, 0.4, 0.1), (64, 0.6, 0.15))])
    said = {e.claim: e for e in adversarial.evidence(frame, ())}
    grows, follows, gives = (said[f"s3.{name}"].estimate for name in (
        "width-moves-the-boundary-away", "larger-steps-fewer-errors", "answers-give-way-to-small-changes"))
    assert 1.5 < grows.mean < 2 and follows.mean == pytest.approx(-0.5) and gives.mean == pytest.approx(0.5) and grows.n == 3
    assert said["s3.larger-steps-fewer-errors"].note.startswith("3 of 4 replicas reached the loss; certified steps are")


@pytest.mark.parametrize("module, name, replicas", [
    (success, "s2.success-grows-with-width", 8), (tickets, "s2.tickets-need-their-rest", 8),
    (critical, "s2.coin-flips", 6), (escape, "s2.split-units-escape", 8)])
def test_plans_are_confirmatory(module, name, replicas):
    configs = module._configs_widened if module is escape else module._configs
    runs = configs("full")
    assert {run.seed for run in runs} == set(range(CONFIRMATORY, CONFIRMATORY + replicas)) and configs("run") == []
    assert all(run.split == run.seed for run in runs) and "real" in claims()[name].columns


@pytest.mark.parametrize("name", [name for name, where in STUDIES.items() if ".solutions." in where])
def test_no_run_bears_the_name_of_another(name, monkeypatch):
    """A run's name says what differs from its class's defaults, so each kind needs a field of its own without one."""
    study = load(STUDIES[name])
    kinds = complete(study.stages, (study.declared or study.configs)("full"))
    names = [stage.id(config) for stage in study.stages for config in kinds[stage.name]]
    assert len(set(names)) == len(names) >= 12


@pytest.mark.slow
@pytest.mark.parametrize("name", ["descent-digits", "endings-digits", "success-digits", "tickets-digits", "critical-digits",
                                  "escape-digits", "curvature-digits", "memorise-digits", "adversarial-digits",
                                  "readouts-digits", "descent-resnet18-digits", "descent-epochs-digits",
                                  "tickets-resnet18-digits", "tickets-vgg16-digits"])
def test_a_quick_study_is_carried_out_and_its_table_read(name, tmp_path):
    study = load(STUDIES[name])
    table = compute(study, "quick", store=RunStore(tmp_path), jobs=1)
    assert table.manifest["whole"] and len(table.frame) and table.frame.seed.min() == CONFIRMATORY
    for item in study.evidence(table.frame, table.runs):
        assert "real" in claims()[item.claim].columns and item.runs and item.estimate.n <= 2
