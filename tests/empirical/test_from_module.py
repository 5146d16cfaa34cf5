"""Features of any module on any loader."""

import random
from collections import namedtuple

import numpy as np
import pandas
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from empirical.data import dataset
from empirical.features import extract, probe_parts
from empirical.models import build_for
from empirical.own import from_module
from empirical.own.checkpoints import load_weights, read_state
from empirical.settings import Setting, recipe
from lab.errors import ArgumentError, InputError
from theory.compare import compare, compare_moments
from theory.moments import Moments

Pair = namedtuple("Pair", ["first", "second"])


class Small(nn.Module):
    """Maps, a sequence, a dict, a tuple; dropout and batch norm, which evaluation must silence."""

    def __init__(self, width=6):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
        self.drop = nn.Dropout(0.5)
        self.tokens = nn.Linear(width, width)
        self.both = Both()
        self.twice = nn.ReLU()
        self.fc = nn.Linear(width, 3)

    def forward(self, x, fail=False):
        if fail:
            raise RuntimeError("halfway")
        maps = self.drop(self.conv(x))
        words = self.twice(self.twice(self.tokens(maps.flatten(2).transpose(1, 2))))
        return self.fc(self.both(words)["inner"].first.mean(1))


class Both(nn.Module):
    """A dict with a named tuple in it."""

    def forward(self, x):
        return {"inner": Pair(x, 2 * x[:, 0]), "count": torch.ones(len(x), dtype=torch.long)}


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(90, 1, 4, 4, generator=generator), torch.arange(90) % 3


def test_features_are_those_of_the_module_and_everything_is_as_it_was(rows):
    model = Small()
    model.conv[1].eval()  # one module in another mode than the rest
    model.fc.weight.grad = torch.ones_like(model.fc.weight)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(5)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    loader = DataLoader(TensorDataset(*rows), batch_size=32, shuffle=True)
    found = from_module(model, loader, ["conv", "fc", "both"], maps="pooled", tokens="pooled")
    again = from_module(model, loader, ["conv"], rows=20)
    assert model.training and not model.conv[1].training and not model.conv[1]._forward_hooks
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert torch.equal(model.fc.weight.grad, torch.ones_like(model.fc.weight)) and model.fc.weight.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[2]
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002
    order = [int((rows[0] == x).flatten(1).all(1).nonzero()[0]) for x in _inputs(loader)]
    assert order != sorted(order) and found.labels.tolist() == rows[1][order].tolist()
    model.eval()
    with torch.no_grad():
        direct = model.conv(rows[0][order]).mean((2, 3)).numpy()
    np.testing.assert_allclose(found.rows["conv"], direct, atol=1e-6)
    assert set(found) == {"conv", "fc", "both.inner.first", "both.inner.second"}
    expected = Moments.from_samples({"conv": direct}).covariance("conv")
    np.testing.assert_allclose(found.moments.covariance("conv"), expected, rtol=1e-5)
    kept = again["conv"]
    assert len(kept) == 20 and again.moments.count == 90 and not np.array_equal(kept.index, np.arange(20))
    np.testing.assert_array_equal(kept.to_numpy(), found.rows["conv"][kept.index])
    assert "90 samples" in repr(found) and list(found.to_frame().columns) == ["block", "units", "rows", "kept"]


def _inputs(loader):
    """Inputs in the order of a pass: that of the seed."""
    from empirical.streams import seeded

    with seeded(0):
        return [x for batch, _ in loader for x in batch]


def test_also_on_errors(rows):
    model = Small().train()
    state = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="halfway"):
        from_module(model, [rows[0]], ["conv"], call=lambda module, batch: module(batch, fail=True))
    with pytest.raises(ValueError, match="2 times"):
        from_module(model, [rows[0]], ["twice"])
    assert model.training and torch.equal(torch.get_rng_state(), state)
    assert not any(m._forward_hooks for m in model.modules()) and torch.is_grad_enabled()


def test_locations_and_positions_are_rows_of_their_samples(rows):
    model = Small().eval()
    found = from_module(model, rows[0].split(40), ["conv", "tokens", "fc"], maps="locations", tokens="positions")
    assert found.rows["conv"].shape == found.rows["tokens"].shape == (90 * 16, 6) and found.rows["fc"].shape == (90, 3)
    with torch.no_grad():
        maps = model.conv(rows[0]).flatten(2).transpose(1, 2).flatten(0, 1)
    np.testing.assert_allclose(found.rows["conv"], maps.numpy(), atol=1e-6)
    assert found.ids["conv"][17] == "1:1" and found.groups["conv"][17] == 1 and found.labels is None
    counts = [found.parts[part]["conv"].count for part in ("fit", "tune", "score")]
    assert sum(counts) == 1440 and all(count % 16 == 0 for count in counts)  # samples are whole
    with pytest.raises(InputError, match="do not all have the same rows"):
        _ = found.moments
    assert found.moments_of("tokens").names == ("conv", "tokens")


def test_several_modules_in_one_pass_and_padding(rows):
    class Encoder(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.embed = nn.Embedding(9, width)

        def forward(self, input_ids, attention_mask=None):
            return self.embed(input_ids)

    ids, mask = torch.randint(1, 9, (10, 5)), torch.ones(10, 5, dtype=torch.long)
    mask[:, 3:] = 0
    loader = [{"input_ids": ids, "attention_mask": mask, "labels": torch.arange(10), "key": [f"s{i}" for i in range(10)]}]
    models = {"wide": Encoder(4), "narrow": Encoder(2)}
    found = from_module(models, loader, ["embed"], ids="key")
    assert found.rows["wide/embed"].shape == (30, 4) and found.moments.covariance("wide/embed", "narrow/embed").shape == (4, 2)
    assert found["narrow/embed"].index[4] == "s1:1" and found.labels.tolist() == np.repeat(np.arange(10), 3).tolist()
    mean = from_module(models, loader, {"wide": ["embed"], "narrow": ["embed"]}, tokens="pooled", ids="key")
    with torch.no_grad():
        np.testing.assert_allclose(mean.rows["wide/embed"], models["wide"].embed(ids[:, :3]).mean(1).numpy(), atol=1e-6)


def test_two_models_are_compared_in_five_lines():
    torch.manual_seed(1)
    x = torch.randn(400, 1, 4, 4)
    loader = DataLoader(TensorDataset(x, (x.flatten(1).sum(1) > 0).long()), batch_size=100, shuffle=True)
    found = from_module({"old": Small(), "new": Small(8)}, loader, ["conv"])
    direct = found.compare("old/conv", "new/conv", subset=0)
    again = compare(found["old/conv"], found["new/conv"], labels=found.labels, subset=0)
    pandas.testing.assert_frame_equal(direct.to_frame(), again.to_frame())
    streamed = compare_moments(found.parts_of("old/conv"), source="old/conv", target="new/conv")
    assert 0 < streamed.span_error.mean < 1  # another split of the same rows
    assert streamed.span_error.mean == pytest.approx(direct.span_error.mean, abs=0.1)
    with pytest.raises(InputError, match="another order"):
        compare(found["old/conv"], found["new/conv"].iloc[::-1], subset=0)


def test_a_pass_finds_the_features_that_width_sweeps_find():
    here = "tests.empirical.own_example"
    setting = Setting(**recipe(f"{here}:Convolutional", f"{here}:floats"))
    data = dataset(setting)
    network = build_for(setting, data, seed=1).eval()
    parts, swept = probe_parts(data), extract({"one": network}, data)
    for part in ("fit", "score"):
        batches = [data.batch(rows) for rows in parts[part].split(40)]
        found = from_module(network.network, batches, network.network.sites)
        for site in ("blocks.0.1", "blocks.1.1", "head"):
            np.testing.assert_allclose(found.moments.covariance(site), swept.moments[part][site].covariance("one"), rtol=1e-5,
                                       atol=1e-9)


def test_one_dimensional_convolutions_have_channels_first():
    model = nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU())
    found = from_module(model, [torch.randn(5, 2, 10)], ["0", "1"])
    assert found.rows["0"].shape == found.rows["1"].shape == (5, 3)


def test_checkpoints_on_disk_and_files_for_the_command(rows, tmp_path):
    from safetensors.torch import save_file

    models = [Small().eval() for _ in range(2)]
    torch.save({"state_dict": {f"module.{k}": v for k, v in models[0].state_dict().items()}, "epoch": 3}, tmp_path / "early.pt")
    save_file(models[1].state_dict(), tmp_path / "late.safetensors")
    base = Small()
    found = from_module(base, [rows[0]], ["conv"], checkpoints=[tmp_path / "early.pt", tmp_path / "late.safetensors"])
    for name, model in zip(("early", "late"), models):
        np.testing.assert_array_equal(found.rows[f"{name}/conv"], from_module(model, [rows[0]], ["conv"]).rows["conv"])
    found.save(tmp_path / "features")
    with np.load(tmp_path / "features" / "early-conv.npz") as stored:
        np.testing.assert_array_equal(stored["features"], found.rows["early/conv"])
        assert stored["ids"].tolist() == list(range(90))


class Trap:
    """A pickle that would run code."""

    def __reduce__(self):
        return print, ("run",)


def test_what_cannot_be_read_or_fits_nothing_is_refused_in_a_line(rows, tmp_path, capsys):
    torch.save({"w": Trap()}, tmp_path / "trap.pt")
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    torch.save(Small(8).state_dict(), tmp_path / "wide.pt")
    (tmp_path / "cut.safetensors").write_bytes(b"\x08\x00\x00\x00")
    for name, words in (("trap.pt", "trap.pt"), ("empty.pt", "no state_dict"), ("cut.safetensors", "damaged"),
                        ("none.pt", "No such")):
        with pytest.raises(InputError, match=words) as caught:
            read_state(tmp_path / name)
        assert len(str(caught.value).splitlines()) == 1
    assert capsys.readouterr().out == ""
    with pytest.raises(InputError, match=r"has conv\.0\.weight of shape \(8, 1, 3, 3\), not \(6, 1, 3, 3\)"):
        load_weights(Small(), tmp_path / "wide.pt")


@pytest.mark.parametrize("changes, words", [
    ({"sites": ["layer4"]}, "no module of this network is called 'layer4'"), ({"sites": []}, "at least one"),
    ({"maps": "flat"}, "maps"), ({"loader": []}, "yields no batch"), ({"ids": "key"}, "no 'key'"),
    ({"sites": {"other": ["conv"]}}, "sites and modules do not match"), ({"model": {"a": "Small"}}, "not a torch.nn.Module"),
    ({"rows": -1}, "rows"), ({"checkpoints": ["a/x.pt", "b/x.pt"]}, "same names"),
])
def test_refusals(rows, changes, words):
    arguments = {"model": Small(), "loader": [rows[0]], "sites": ["conv"], **changes}
    with pytest.raises(InputError, match=words) as caught:
        from_module(**arguments)
    assert len(str(caught.value).splitlines()) == 1


def test_features_that_are_not_finite_are_named(rows):
    model = Small()
    model.fc.bias.data[0] = float("nan")
    with pytest.raises(InputError, match="not finite"):
        from_module(model, [rows[0]], ["fc"]).moments.variance("fc")
    with pytest.raises(ArgumentError, match="maps"):
        from_module(model, [rows[0]], ["fc"], maps=3)
