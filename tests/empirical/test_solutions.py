"""Solutions of nearly no loss: agreement, matching of units, barriers; what the studies say of their tables."""

import math
from dataclasses import replace

import numpy as np
import pandas
import pytest
import torch

from empirical.data import load
from empirical.models import build
from empirical.models.initialise import initialise
from empirical.solutions import agreement, answers, barrier, matched_units
from empirical.streams import stream
from empirical.studies import STUDIES
from empirical.studies.solutions import descent, endings
from empirical.studies.solutions.plan import hidden_units
from lab.study import CONFIRMATORY
from lab.study import load as load_study
from theory.claims import claims

STUDIES_HERE = ("descent-digits", "descent-mnist", "endings-digits", "endings-mnist", "endings-cifar10", "memorise-cifar10")


def network(depth, seed=0):
    data = load("digits")
    model = build("mlp", alpha=1, base_width=6, data=data, depth=depth)
    initialise(model, [stream(seed, "test")])
    return model.eval(), replace(data, labels=data.labels.clone())


def shuffled(model, seed=1):
    """The same function with the units of every layer in another order."""
    state, generator = {name: x.clone() for name, x in model.state_dict().items()}, torch.Generator().manual_seed(seed)
    readers = [f"hidden.{i}" for i in range(1, len(model.hidden))] + ["readout"]
    for i, reader in enumerate(readers):
        order = torch.randperm(6, generator=generator)
        for name in (f"hidden.{i}.weight", f"hidden.{i}.bias"):
            state[name] = state[name][:, order]
        state[f"{reader}.weight"] = state[f"{reader}.weight"][:, :, order]
    return state


@pytest.mark.parametrize("depth", [1, 3])
def test_matching_finds_the_order_of_units_and_removes_the_barrier(depth):
    model, data = network(depth)
    own = {name: x.clone() for name, x in model.state_dict().items()}
    inputs, rows = data.batch(torch.arange(80)).unsqueeze(0), torch.arange(80)
    data.labels[:80] = model(inputs)[0].argmax(-1)  # the network's own classes: at both ends there is no error
    own["readout.weight"] *= 10
    model.load_state_dict(own)
    other = shuffled(model)
    assert barrier(model, own, other, data, rows)["loss"] > 0.01
    ordered = matched_units(model, own, other, inputs)
    assert all(torch.equal(x, own[name]) for name, x in ordered.items())
    assert barrier(model, own, ordered, data, rows)["loss"] < 1e-6


def test_matching_leaves_the_function_of_the_other_network():
    model, data = network(2)
    own = {name: x.clone() for name, x in model.state_dict().items()}
    other, _ = network(2, seed=5)
    inputs = data.batch(torch.arange(80)).unsqueeze(0)
    model.load_state_dict(matched_units(model, own, other.state_dict(), inputs))
    torch.testing.assert_close(model(inputs), other(inputs))


def test_agreement_is_over_pairs():
    assert agreement([[0, 0], [0, 1], [1, 1]]) == pytest.approx((0.5 + 0.0 + 0.5) / 3)
    data = load("digits")
    stack = build("mlp", alpha=1, base_width=6, data=data, copies=3, depth=1)
    initialise(stack, [stream(i, "test") for i in range(3)])
    rows = data.splits["test"]
    found = answers(stack.eval(), data, rows, batch=50)
    assert found.shape == (3, 197) and (found[1] == stack(data.batch(rows).unsqueeze(0)).argmax(-1)[1].numpy()).all()


def test_descent_says_what_its_curves_say():
    """With wrong labels a valley, a peak at half, and a second descent below the valley; without them a rise at the end."""
    sizes, peaked, rising = (0.1, 0.2, 0.5, 1.5, 6.0), (0.5, 0.2, 0.4, 0.3, 0.1), (0.5, 0.3, 0.2, 0.3, 0.35)
    frame = pandas.DataFrame([
        {"data": "MNIST", "label_noise": noise, "size": size, "seed": CONFIRMATORY + seed, "samples": 1000,
         "test_error": error * (1 + 0.01 * seed)}
        for noise, errors in ((0.4, peaked), (0.0, rising)) for size, error in zip(sizes, errors) for seed in range(6)])
    found = {(e.claim, e.piece): e.estimate for e in descent.evidence(frame, ("a",))}
    assert found["s2.second-descent", "noise0.4"].mean == pytest.approx(0.5) and found["s2.second-descent", "noise0.4"].n == 3
    assert found["s2.second-descent", "noise0"].mean == pytest.approx(0.35 / 0.2)
    assert 0.4 < found["s2.peak-at-interpolation", "noise0.4"].mean < 0.9
    assert found["s2.final-ascent", "noise0.4"].mean == pytest.approx(-0.1 * 1.03) and ("s2.final-ascent", "noise0") not in found


def test_endings_leave_out_replicas_that_did_not_come_to_the_loss():
    frame = pandas.DataFrame([
        {"data": "digits", "regime": "base", "seed": CONFIRMATORY + seed, "hidden": hidden, "copies": 8,
         "reached": 8 - (seed == 0 and hidden == 16), "spread": spread * (1 + seed / 10), "agreement": 0.9 + seed / 100,
         "test_error": 0.1 - hidden / 1000, "barrier": 2.0, "barrier_matched": 0.5 + seed / 10}
        for seed in range(4) for hidden, spread in ((16, 0.02), (64, 0.01))])
    found = {e.claim: e for e in endings.evidence(frame, ())}
    assert found["s2.wide-solutions-agree"].estimate.mean == pytest.approx(0.5)
    assert found["s2.wide-solutions-agree"].note == "3 of 4 replicas reached the loss"
    assert found["s2.width-generalises"].estimate.mean == pytest.approx(0.048)
    assert found["s3.minimisers-differ"].estimate.mean == pytest.approx(0.08)
    assert found["s2.barriers-are-order"].estimate.mean == pytest.approx(0.35)
    of_one_width = endings.evidence(frame[frame.hidden == 64], ())
    assert {e.claim for e in of_one_width} == {"s3.minimisers-differ", "s2.barriers-are-order"}


@pytest.mark.parametrize("name", STUDIES_HERE)
def test_plans_are_confirmatory_and_speak_to_claims(name, monkeypatch):
    monkeypatch.delenv("WIDTHLAB_DATA", raising=False)
    study = load_study(STUDIES[name])
    runs = (study.declared or study.configs)("full")
    assert all(run.seed >= CONFIRMATORY and run.split == run.seed for run in runs) and len({run.seed for run in runs}) >= 6
    assert study.plan("full", 3) != study.plan("full") and (not study.declared or study.configs("full") == [])
    primary = any(claim.primary.get("real", "").startswith(f"{name}/") for claim in claims().values())
    assert primary or name.endswith(("digits", "cifar10"))


def test_widths_straddle_one_parameter_an_equation():
    for data, inputs in (("digits", 64), ("mnist", 196)):
        size = [(inputs * h + h + 10 * h + 10) / (10 * descent.SOURCES[data]["train_size"]) for h in descent.WIDTHS[data]]
        assert min(size) < 0.2 and max(size) > 8 and 0.9 < size[4] < 1.1 and len(size) == 8
    quick = descent._configs("digits", "quick")
    assert {hidden_units(run) for run in quick} == {4, 24, 160} and math.isclose(np.ptp([run.epochs for run in quick]), 0)
