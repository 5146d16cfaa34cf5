"""Training that is followed: by a function, by trackers that need not be installed."""

import sys
import types

import pytest
import torch

from empirical.studies.trained import run
from empirical.trackers import VARIABLE, choose
from empirical.train import train
from lab.errors import ArgumentError
from tests.empirical.test_train import tiny


@pytest.fixture
def wandb(monkeypatch) -> list:
    """What a package of that name is told."""
    told = []

    def init(**settings):
        told.append(settings)
        return types.SimpleNamespace(log=told.append, finish=lambda: told.append("finished"))

    fake = types.ModuleType("wandb")
    fake.init, fake.__spec__ = init, types.SimpleNamespace(name="wandb")
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.setenv(VARIABLE, "wandb")
    return told


def test_a_function_sees_every_look_at_the_loss(tmp_path):
    from empirical.data import dataset

    config, seen = tiny(epochs=2, stack=2), []
    data = dataset(config)
    _, facts = train(config, data, tmp_path, device=torch.device("cpu"), watch=lambda *look: seen.append(look))
    epochs = [epoch for epoch, _ in seen]
    assert epochs == sorted(epochs) and epochs[-1] == 2.0 and all(len(numbers["loss"]) == 2 for _, numbers in seen)
    last = [numbers["loss"][0] for epoch, numbers in seen if epoch > 1]
    assert sum(last) / len(last) == pytest.approx(facts["curve"][-1][0], rel=0.02)  # looks are nearly evenly spaced


def test_a_tracker_is_told_and_changes_nothing(tmp_path, wandb, monkeypatch):
    config = tiny(epochs=1, copy=3)
    followed = run(config, tmp_path, device="cpu")
    settings, *logged, last = wandb
    assert settings["project"] == "widthlab" and settings["config"]["copy"] == 3 and last == "finished"
    assert logged[-1]["epoch"] == 1.0 and set(logged[-1]) == {"epoch", "loss/copy 3"}
    monkeypatch.delenv(VARIABLE)
    assert run(config, tmp_path, device="cpu")["weights"] == followed["weights"]


def test_a_tracker_that_is_not_there_is_refused_before_training(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr("empirical.trackers.find_spec", lambda name: None)
    with pytest.raises(ArgumentError, match="needs the package wandb: pip install 'widthlab\\[logging\\]'"):
        choose("wandb")
    with pytest.raises(ArgumentError, match="use tensorboard or wandb"):
        choose("paper")
