"""Settings that cannot be carried out are refused before anything runs; networks short of their target are counted."""

from dataclasses import replace
from fractions import Fraction

import pandas
import pytest

from empirical.settings import ARCHITECTURES, Setting, recipe
from empirical.studies.units.plan import plan
from empirical.studies.width.summary import short_of_target
from empirical.widths import check_alphas
from lab.errors import ArgumentError


@pytest.mark.parametrize("arch", [a for a in ARCHITECTURES if a not in ("mlp", "mlp-tanh", "alexnet", "transformer")])
def test_a_batch_of_one_has_no_variance(arch):
    setting = Setting(**recipe(arch, "digits"))
    for changes in ({"batch_size": 1}, {"train_size": 1}):
        with pytest.raises(ArgumentError, match="batch of one"):
            replace(setting, **changes).check()
    assert replace(setting, batch_size=2).check().batch_size == 2
    with pytest.raises(ArgumentError, match="batch of one"):  # a quarter of four
        plan(replace(setting, batch_size=4), "learning-rate", [Fraction(1)], [0])


def test_networks_without_batch_norm_take_single_rows():
    assert Setting(**{**recipe("mlp", "digits"), "batch_size": 1}).check().batch_size == 1


@pytest.mark.parametrize("changes", [
    {"learning_rate": float("nan")}, {"learning_rate": 0}, {"seed": -1}, {"seed": 1.5}, {"base_width": 0}, {"epochs": True},
    {"base_width": 99999999}, {"label_noise": 2}, {"weight_decay": -1}, {"momentum": 1}, {"dropout": "0.5"},
    {"data": "entailment"}, {"depth": 3}, {"target_loss": float("inf")},
])
def test_values_out_of_range(changes):
    with pytest.raises(ArgumentError):
        Setting(**{**recipe("resnet18", "digits"), **changes}).check()


@pytest.mark.parametrize("alphas, message", [
    ((1, Fraction(1, 32)), "smallest alpha"), ((1, Fraction(2, 3)), "not a multiple"), ((Fraction(3, 32),), "multiple"),
    ((8, Fraction(1, 1024)), "8192 copies"),
])
def test_widths_that_no_sweep_has(alphas, message):
    with pytest.raises(ArgumentError, match=message):
        check_alphas([Fraction(a) for a in alphas], 1024 if "copies" in message else 16)


def test_networks_short_of_the_target_loss_are_counted():
    row = {"site": "penultimate", "reference": "1", "target_loss": 0.5, "parameter_copies": 0}
    frame = pandas.DataFrame([
        {**row, "alpha": alpha, "seed": seed, "copies": copies, "all_copies": copies,
         "reached_wide": wide, "reached_narrow": narrow}
        for seed, wide in ((0, 1.0), (1, 0.0))
        for alpha, copies, narrow in (("1", 1, 1.0 - wide), ("1/2", 2, 0.5), ("1/4", 4, 0.25))])
    assert short_of_target(frame) == (1 + 2 * (1 + 3), 2 + 2 * (2 + 4))
    assert short_of_target(frame[frame.seed == 0]) == (1 + 1 + 3, 1 + 1 + 2 + 4)  # the second wide network counts
    assert short_of_target(frame.assign(target_loss=0.0)) == (0, 0)
    second = frame.assign(other_seed=frame.seed + 10_000)  # each has one of its own: both count
    assert short_of_target(second) == (1 + 1 + 2 * (1 + 3), 2 + 2 + 2 * (2 + 4))
    assert short_of_target(frame.assign(other_seed=1 - frame.seed)) == short_of_target(frame)
