"""A user's own architecture and data in the sweeps of the laboratory."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch

from empirical.__main__ import COMMANDS
from empirical.data import dataset, load
from empirical.models import build_for
from empirical.networks import load_trained, prepare
from empirical.own import names
from empirical.settings import Network, Setting, recipe
from empirical.sweep import planned, sweep, with_sources
from empirical.train import train
from figures.catalogue import own_tables
from figures.ledger import unjudged
from figures.own import own_rows
from figures.report import owned, page_html
from lab.cli import main
from lab.errors import ArgumentError, InputError
from tests.empirical import own_example as example

HERE = "tests.empirical.own_example"
TINY = {"epochs": 1, "train_size": 120, "batch_size": 40}


def network(model: str, data: str = "floats", **changes) -> Network:
    settings = {**recipe(f"{HERE}:{model}", f"{HERE}:{data}"), **TINY, **changes}
    return Network(**settings).check()


def test_the_builtin_sweep_brought_in_as_own_gives_the_builtin_numbers(tmp_path, short_fits):
    shared = {**TINY, "alphas": ["1", "1/2"], "seeds": 1, "stack": 1, "sites": "penultimate",
              "base_width": 16, "init": "he-normal", "jobs": 1}
    rest = {k: v for k, v in recipe("mlp", "digits").items() if k not in ("arch", "data", *TINY, "base_width")}
    one = sweep("mlp", "digits", out=tmp_path / "one", **{**rest, **shared})
    two = sweep(example.mlp, example.digits, out=tmp_path / "two", **{**rest, **shared})
    assert two.setting.arch == f"{HERE}:mlp" and two.setting.model_checksum and two.setting.checksum
    assert one.name == two.name == "mlp-digits" and "span errors by alpha" in repr(two)
    pandas.testing.assert_frame_equal(one.to_frame().drop(columns=["arch"]), two.to_frame().drop(columns=["arch"]),
                                      check_exact=True)
    assert len(two.rows) == 2 and two.rows[-1]["copies"] == 2 and not two.failed
    again = sweep(f"{HERE}:mlp", f"{HERE}:digits", out=tmp_path / "two", **{**rest, **shared})  # resumed: the names hold
    assert again.table.runs == two.table.runs and again.table.manifest["wall_seconds"] == two.table.manifest["wall_seconds"]


def test_members_of_an_own_stack_are_the_networks_one_by_one_and_resume_in_the_same_bits(tmp_path):
    together = network("dense", stack=2, epochs=3, target_loss=1e-6, dropout=0.0)
    data = dataset(together)
    folders = {name: tmp_path / name for name in ("whole", "cut")}
    for folder in folders.values():
        folder.mkdir()
    device = torch.device("cpu")
    whole, facts = train(together, data, folders["whole"], device=device)
    train(together, data, folders["cut"], device=device, stop_after=1)
    _, again = train(together, data, folders["cut"], device=device)
    assert facts["curve"] == again["curve"] and facts["weights"] == again["weights"]
    start = prepare(replace(together, copy=1, stack=1), data, device).state_dict()
    stack = prepare(together, data, device)
    assert all(torch.equal(stack.networks[1].state_dict()[key], value) for key, value in start.items())
    loaded = load_trained(together, data, folders["whole"], device)
    assert all(torch.equal(value, whole.state_dict()[key]) for key, value in loaded.state_dict().items())


@pytest.mark.parametrize("model, data, sites, units", [
    ("dense", "floats", {"2": 16, "4": 16, "6": 16, "penultimate": 16}, {"2": 16, "6": 16}),
    ("Convolutional", "loaders", {"blocks.0.1": 8, "blocks.1.1": 8, "head": 8, "penultimate": 8},
     {"blocks/0/1": 8, "blocks/1/1": 8}),
    ("Tokens", "tokens", {"block": 16, "penultimate": 16}, {}),
])
def test_places_of_an_own_network(model, data, sites, units):
    setting = network(model, data)
    data = dataset(setting)
    found = build_for(setting, data, seed=3).eval()
    assert found.sites == sites and {name: place.count for name, place in found.units.items()} == units
    rows = data.batch(data.splits["test"][:5])
    taps = {}
    with torch.no_grad():
        logits = found(rows.unsqueeze(0), taps)
        direct = found.network(rows)
    direct = direct if isinstance(direct, torch.Tensor) else direct["logits"]
    assert torch.equal(logits[0], direct)
    assert {site: tuple(x.shape) for site, x in taps.items()} == {site: (1, 5, count) for site, count in sites.items()}
    assert torch.allclose(found.network.get_submodule(found.readout)(taps["penultimate"][0]), direct, atol=1e-6)
    other = build_for(setting, data, seed=3)
    assert all(torch.equal(x, y) for x, y in zip(found.state_dict().values(), other.state_dict().values()))
    assert not torch.equal(next(found.parameters()), next(build_for(setting, data, seed=4).parameters()))


@pytest.mark.parametrize("data, rows, classes", [("floats", 600, 10), ("loaders", 600, 10), ("samples", 300, 10),
                                                 ("tokens", 400, 3)])
def test_own_data_of_every_form(data, rows, classes):
    state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    found = load(f"{HERE}:{data}")
    assert len(found.labels) == rows and found.classes == classes and found.is_text == (data == "tokens")
    splits = [set(part.tolist()) for part in found.splits.values()]
    assert sum(map(len, splits)) == len(set().union(*splits)) == rows
    load.cache_clear()
    assert load(f"{HERE}:{data}").checksum == found.checksum  # shuffled loaders too come in one order
    assert torch.equal(torch.get_rng_state(), state[0]) and (np.random.get_state()[1] == state[1]).all()  # noqa: NPY002


def test_inputs_are_those_that_the_loader_gives():
    x, y = example.floats()
    x, found = x.astype(np.float32), load(f"{HERE}:floats")
    order = [int(np.flatnonzero((x == row.numpy()).reshape(len(x), -1).all(1))[0]) for row in found.inputs[:20]]
    assert torch.equal(found.batch(torch.arange(20)), torch.from_numpy(x[order]))
    assert found.labels[:20].tolist() == y[order].tolist()


@pytest.mark.parametrize("model, data, words", [
    ("no_module", "floats", "returns a str, not a torch.nn.Module"),
    ("fails", "floats", r"fails\(alpha=1/4\) fails: RuntimeError: too narrow for this"),
    ("wrong_shape", "floats", r"has the shape \(2, 7\), not \(2, 10\)"),
    ("no_readout", "floats", "has no readout"),
    ("same_width", "floats", "has 12 features before its readout at alpha 1/4, and 12 at 1"),
    ("nowhere", "floats", "has no function nowhere"),
    ("dense", "text_labels", "labels are <U1, not numbers"),
    ("dense", "not_finite", "not finite"),
    ("dense", "four_things", "inputs"),
    ("dense", "breaks", "breaks fails: FileNotFoundError: no such folder: corpus"),
])
def test_what_cannot_be_used_is_refused_in_a_line(tmp_path, model, data, words):
    with pytest.raises(InputError, match=words) as caught:
        sweep(f"{HERE}:{model}", f"{HERE}:{data}", alphas=[1, "1/4"], out=tmp_path, **TINY)
    assert len(str(caught.value).splitlines()) == 1 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("changes, words", [
    ({"start": "slice"}, "leave start at own"), ({"base_width": 8}, "no argument base_width"),
    ({"depth": 3}, "no argument depth"),
    ({"parametrisation": "mup"}, "parametrisation"), ({"max_length": 9}, "max_length"), ({"image_size": 16}, "image_size"),
    ({"alphas": ["1", "2/3"]}, "not a multiple"), ({"widths": 3}, "no field widths"), ({"train_size": 5000}, "train_size"),
])
def test_settings_that_an_own_network_has_no_use_for(tmp_path, changes, words):
    with pytest.raises(ArgumentError, match=words):
        sweep(f"{HERE}:dense", f"{HERE}:floats", **{"alphas": [1, 0.5], "out": tmp_path, **TINY, **changes})


def test_copies_that_have_not_as_many_features_are_named(tmp_path, capsys):
    settings = {**recipe(f"{HERE}:rounded", f"{HERE}:floats"), **TINY}
    plan = planned(settings, [Fraction(1), Fraction(1, 4)], [0], out=tmp_path)
    assert "4 copies of alpha 1/4 have 8 features before the readout, the wide network 10" in capsys.readouterr().err
    assert plan.setting.model_checksum and not list(tmp_path.iterdir())


def test_only_functions_that_another_process_finds_can_be_given():
    for function, words in ((lambda alpha: None, "no name"), (TINY, "no name"), (example.plain.__get__(3), "no name|another")):
        with pytest.raises(ArgumentError, match=words):
            names.name_of(function, "model")
    for name, words in (("nowhere_at_all:make", "no module nowhere_at_all"), ("json:nothing", "has no function nothing"),
                        ("my-module:make", "package.module:function")):
        with pytest.raises(ArgumentError, match=words):
            names.load(name, "model")


def test_a_source_that_changes_is_another_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "parts_of_own.py").write_text("WIDTH = 16\n")
    (tmp_path / "own_of_two.py").write_text(
        "from torch import nn\nfrom parts_of_own import WIDTH\n"
        "def make(alpha):\n    w = int(WIDTH * alpha)\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, w), nn.ReLU(), nn.Linear(w, 10))\n")
    setting = Setting(**{**recipe("own_of_two:make", f"{HERE}:floats"), **TINY})
    planned = with_sources(setting)
    data = dataset(planned)
    build_for(planned, data)
    (tmp_path / "parts_of_own.py").write_text("WIDTH = 8\n")
    names.checksum.cache_clear()
    assert with_sources(setting).model_checksum != planned.model_checksum
    with pytest.raises(InputError, match="has changed since"):
        build_for(planned, data)


FILE = '''
from torch import nn

def make(alpha, classes):
    """Two hidden layers."""
    width = int(16 * alpha)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                         nn.Linear(width, classes))

def load():
    from sklearn.datasets import load_digits
    found = load_digits()
    return found.images[:600] / 16, found.target[:600]
'''


def test_walk_through_an_engineers_own_architecture_in_a_folder_of_her_own(tmp_path):
    (tmp_path / "mine.py").write_text(FILE)
    (tmp_path / "statistics.py").write_text("raise RuntimeError('the working folder is looked in last')\n")
    root = Path(__file__).resolve().parents[2]
    script = "import sys; sys.path.remove(''); from empirical.__main__ import *; sys.exit(main('empirical', COMMANDS))"
    flags = ["--model", "mine:make", "--data", "mine:load", "--alphas", "1", "1/2", "--seeds", "1", "--epochs", "2",
             "--batch-size", "32", "--jobs", "1", "--json"]
    out = subprocess.run([sys.executable, "-c", script, "sweep", *flags], cwd=tmp_path, capture_output=True, text=True,
                         env={**os.environ, "PYTHONPATH": str(root)})
    assert out.returncode == 0, out.stderr
    found = json.loads(out.stdout)
    assert [row["alpha"] for row in found["alphas"]] == ["1", "1/2"] and found["alphas"][1]["span_error"]["n"] == 1
    # in a report of her own the table stands with those of its family, and is judged by the claims' rules
    own = own_tables(tmp_path / "runs")
    assert [(table.name, table.manifest["family"]) for table in own] == [(Path(found["table"]).stem, "width")]
    judged = {row["id"]: row for row in own_rows(own)}
    (piece,) = judged["s0.narrow-does-not-span-wide"]["real"]["evidence"]
    assert "mine:make, load, alpha 1/2" in piece["setting"] and piece["mean"] == found["alphas"][1]["gap"]["mean"]
    html = page_html([], **owned(tmp_path / "runs", unjudged(tmp_path / "runs")["own"]))
    assert 'id="own-s0.narrow-does-not-span-wide"' in html and f"Span errors of {Path(found['table']).stem}" in html
    table = pandas.read_csv(tmp_path / found["table"])
    assert set(table.arch) == {"mine:make"} and set(table.data) == {"load"} and set(table.site) == {"2", "4", "penultimate"}


def call(capsys, out: Path, *flags: str) -> dict:
    code = main("empirical", COMMANDS, [*flags, "--out", str(out), "--json"])
    found, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(found)


def shown(folder: Path, found: dict, family: str) -> list[str]:
    """Claims to which a user's own table of a family speaks; the report shows them, and the table's picture."""
    tables = [table for table in own_tables(folder) if table.name == Path(found["table"]).stem]
    assert [table.manifest["family"] for table in tables] == [family]
    claims = [row["id"] for row in own_rows(tables)]
    html = page_html([], **owned(folder, unjudged(folder)["own"]))
    assert f" of {tables[0].name}.</b>" in html and all(f'id="own-{claim}"' in html for claim in claims)
    return claims


def test_units_of_an_own_network(tmp_path, capsys):
    found = call(capsys, tmp_path, "units", "--model", f"{HERE}:Convolutional", "--data", f"{HERE}:loaders", "--sweep", "init",
                 "--values", "glorot", "--alphas", "1", "--seeds", "1", "--epochs", "1", "--orders", "1", "--images", "20",
                 "--jobs", "1")
    assert {row["site"] for row in found["rows"]} == {"blocks/0/1", "blocks/1/1", "all"} and found["setting"]["model_checksum"]
    shown(tmp_path, found, "units")


def test_hull_of_own_data_and_features(tmp_path, capsys):
    few = ["--data", f"{HERE}:floats", "--queries", "5", "--no-leave-one-out", "--gaussian", "5"]
    learnt = ["--model", f"{HERE}:dense", "--space", "features", "--sites", "2", "--epochs", "1"]
    found = call(capsys, tmp_path, "hull", *learnt, *few)
    assert found["runs"][0]["dim"] == 16
    assert shown(tmp_path, found, "hull") == ["s3.features-outside"]
    pixels = call(capsys, tmp_path, "hull", *few, "--name", "pixels")
    assert pixels["dim"] == 64 and list(pandas.read_csv(pixels["table"]).test_outside) == [pixels["share_outside"]["mean"]]


def test_alpha_is_exact(tmp_path):
    setting = network("dense")
    assert Fraction(setting.alpha) == 1
    with pytest.raises(ArgumentError, match="not a fraction"):
        sweep(f"{HERE}:dense", f"{HERE}:floats", alphas=["one"], out=tmp_path)
