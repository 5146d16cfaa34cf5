"""What a user does, from files, models or an architecture of her own to a result, in a folder that is not the checkout."""

import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import widthlab

MINE = '''
"""A network and data of one's own."""

import numpy as np
from torch import nn


def make(alpha, classes=2):
    width = int(8 * alpha)
    return nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, classes))


def load():
    inputs = np.random.default_rng(0).normal(size=(400, 6)).astype("float32")
    return inputs, (inputs[:, 0] * inputs[:, 1] > 0).astype(int)
'''
COMPARED = {"span_error", "reverse_span_error", "null", "baseline", "cka", "cca", "svcca", "procrustes", "n_over_d"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_two_files_of_features_and_one_command(folder, capsys):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(600, 8))
    for name, width in (("wide", 16), ("other", 16), ("narrow", 4)):
        np.save(f"{name}.npy", np.maximum(inputs @ rng.normal(size=(8, width)), 0))
    np.save("labels.npy", (inputs[:, 0] > 0).astype(int))
    argv = ["compare", "narrow.npy", "wide.npy", "--baseline", "other.npy", "--labels", "labels.npy"]
    assert widthlab.main([*argv, "--json", "--plot", "out.svg"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= COMPARED and "<svg" in (folder / "out.svg").read_text()
    assert all({"mean", "low", "high", "n"} <= set(found[key]) for key in COMPARED - {"n_over_d"})
    assert found["baseline"]["mean"] < found["span_error"]["mean"] < found["null"]["mean"]


def test_two_models_in_five_lines():
    torch.manual_seed(0)
    narrow, wide = (nn.Sequential(nn.Linear(6, width), nn.ReLU(), nn.Linear(width, 2)) for width in (4, 16))
    loader = DataLoader(TensorDataset(torch.randn(500, 6), torch.randint(2, (500,))), batch_size=100)
    # the five lines
    features = widthlab.from_module({"narrow": narrow, "wide": wide}, loader, sites=["1"])
    found = widthlab.compare(features["narrow/1"], features["wide/1"], labels=features.labels, subset=0)
    table = found.table()
    assert 0 < found.span_error.low < found.span_error.mean < found.null.mean and len(table) > 5


def test_an_architecture_of_her_own_becomes_a_finished_sweep(folder, capsys):
    (folder / "mine_for_a_sweep.py").write_text(MINE)
    argv = ["sweep", "--model", "mine_for_a_sweep:make", "--data", "mine_for_a_sweep:load", "--alphas", "1", "1/2", "--seeds",
            "1", "--epochs", "1", "--sites", "penultimate", "--jobs", "1"]
    assert widthlab.main([*argv, "--json", "--plot", "sweep.svg"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["alpha"] for row in found["alphas"]] == ["1", "1/2"] and not found["failed"]
    assert 0 < found["alphas"][1]["span_error"]["mean"] < 1.5 and (folder / found["table"]).exists()
    assert "<svg" in (folder / "sweep.svg").read_text()
    assert widthlab.main([*argv, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == 0  # what is finished is not repeated
