"""Units of real networks: batched ablation against one hook and one unit at a time, repeated units, merging, the study."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from empirical.__main__ import COMMANDS
from empirical.ablation import ablated_classes, ablated_logits, classes, curves, merged, places, unit_moments
from empirical.data import load
from empirical.models import BUILDERS, build
from empirical.models.initialise import initialise
from empirical.networks import load_trained, read_member
from empirical.settings import Network, Setting, recipe
from empirical.streams import stream
from empirical.studies.units.evidence import evidence
from empirical.studies.units.measure import run
from empirical.studies.units.plan import PLAIN, SWEEPS, plan
from empirical.studies.units.table import tabulate
from empirical.units import best_order, measure
from lab.cli import main
from lab.errors import ArgumentError, InputError
from lab.store import run_id
from theory.measures import repeated_units
from theory.measures.ablation import removed_counts
from theory.measures.merging import merge_repeated

SLIM = {"vgg16": 4, "inception": 2, "resnet56": 4, "alexnet": 2, "resnet18": 4, "transformer": 8, "mlp": 7, "mlp-tanh": 7}


def made(arch, copies=1, first=0):
    data = load("entailment" if arch == "transformer" else "digits")
    model = build(arch, alpha=1, base_width=SLIM[arch], data=data, copies=copies, depth=2 if data.is_text else 0)
    initialise(model, [stream(0, "units", first + i) for i in range(copies)])
    torch.manual_seed(0)
    for module in model.modules():  # statistics as after training, or a deep network's outputs would not differ
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model.eval(), data


def zeroing(place, off):
    """A hook that sets units to zero one after the other."""
    def hook(module, inputs, output):
        output = output.clone()
        for u in off:
            if place.maps:
                output[:, u] = 0
            else:
                output[..., u * place.size:(u + 1) * place.size] = 0
        return output

    return hook


@torch.inference_mode()
def looped(model, inputs, keep, mask):
    handles = [place.register_forward_hook(zeroing(place, np.flatnonzero(~keep[name][mask])))
               for name, place in places(model).items() if name in keep]
    try:
        return model(inputs.unsqueeze(0))[0]
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("arch", BUILDERS)
def test_ablation_equals_a_loop_with_hooks(arch):
    model, data = made(arch)
    inputs, rng = data.batch(data.splits["test"][:3]), np.random.default_rng(0)
    found = places(model)
    everywhere = {name: rng.random((3, place.count)) < 0.7 for name, place in found.items()}
    last = list(found)[-1]
    for keep in (everywhere, {last: everywhere[last]}):
        logits = ablated_logits(model, inputs, keep)
        for i in range(3):
            expected = looped(model, inputs, keep, i)
            torch.testing.assert_close(logits[i], expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert not any(place._forward_hooks for place in found.values())


def test_curves_equal_a_loop_and_batches_do_not_matter():
    model, data = made("alexnet")
    rows, rng = data.splits["test"][:23], np.random.default_rng(1)
    orders = {name: np.stack([rng.permutation(p.count) for _ in range(2)]) for name, p in places(model).items()}
    fractions = np.arange(4) / 3
    unchanged, accuracy = curves(model, data, rows, orders, fractions)
    intact, labels = classes(model, data, rows), data.labels[rows].numpy()
    for i in range(2):
        for j, fraction in enumerate(fractions):
            keep = {name: ~np.isin(np.arange(o.shape[1]), o[i][:removed_counts(o.shape[1], [fraction])[0]])[None]
                    for name, o in orders.items()}
            found = looped(model, data.batch(rows), keep, 0).argmax(-1).numpy()
            assert unchanged[i, j] == np.mean(found == intact) and accuracy[i, j] == np.mean(found == labels)
    keep = {"conv2": rng.random((5, 16)) < 0.5}
    np.testing.assert_array_equal(ablated_classes(model, data, rows, keep), ablated_classes(model, data, rows, keep, batch=7))


@pytest.mark.parametrize("arch", ["alexnet", "resnet56", "inception"])
def test_new_architectures_stack_without_mixing(arch):
    stack, data = made(arch, copies=2)
    inputs = data.batch(data.splits["test"][:4]).unsqueeze(0)
    single = build(arch, alpha=1, base_width=SLIM[arch], data=data).eval()
    taps, alone = {}, {}
    with torch.inference_mode():
        both = stack(inputs, taps)
        for i in range(2):
            single.load_state_dict(read_member(stack, 2, i))
            torch.testing.assert_close(single(inputs, alone)[0], both[i], rtol=1e-4, atol=1e-4)
            for site, units in stack.sites.items():
                torch.testing.assert_close(alone[site][0], taps[site][i], rtol=1e-4, atol=1e-4)
                assert taps[site].shape == (2, 4, units)
    with pytest.raises(InputError, match="one network at a time"):
        places(stack)


def test_response_normalisation_equals_torch():
    from empirical.models.alexnet import ALPHA, BIAS, RADIUS, normalise

    x, size = torch.randn(2, 3 * 5, 4, 4, generator=torch.Generator().manual_seed(0)) * 30, 2 * RADIUS + 1
    for copies in (1, 3):
        parts = [torch.nn.functional.local_response_norm(part, size, alpha=ALPHA * size, beta=0.75, k=BIAS)
                 for part in x.chunk(copies, 1)]
        torch.testing.assert_close(normalise(x, copies), torch.cat(parts, 1), rtol=1e-5, atol=1e-5)


def test_published_widths():
    data = load("digits")
    for arch, base, expected in (("alexnet", 32, [96, 256, 384, 192]), ("resnet56", 16, [16, 16, 32, 64]),
                                 ("inception", 16, [96, 64, 80, 160, 160, 160, 160, 144, 240, 336, 336])):
        assert [p.count for p in places(build(arch, alpha=1, base_width=base, data=data)).values()] == expected
    assert all((m.bias == 0).all() for m in build("alexnet", alpha=1, base_width=4, data=data).convolutions)


def test_repeated_shares_equal_a_direct_corrcoef():
    model, data = made("alexnet")
    rows = data.splits["test"][:40]
    seen = {}
    handles = [p.register_forward_hook(lambda m, i, o, n=n: seen.__setitem__(n, o)) for n, p in places(model).items()]
    with torch.inference_mode():
        model(data.batch(rows).unsqueeze(0))
    for handle in handles:
        handle.remove()
    moments = unit_moments(model, data, rows)
    for name, place in places(model).items():
        x = seen[name].movedim(1, -1).reshape(-1, place.count) if place.maps else seen[name][0]
        x = x.double().numpy()
        x = x[:, x.std(0) > 0]
        pairs = np.abs(np.corrcoef(x.T))[np.triu_indices(x.shape[1], 1)]
        found = repeated_units(moments[name], "units")
        assert found.varying == x.shape[1] and found.pair_share == pytest.approx(np.mean(pairs >= 0.5))
    assert unit_moments(model, data, rows, samples=100)["conv1"].count <= 100


def test_padding_tokens_are_no_samples():
    model, data = made("transformer")
    rows = data.splits["test"][:30]
    tokens = int((data.inputs[rows] != 0).sum())
    assert {m.count for m in unit_moments(model, data, rows).values()} == {tokens}


def planted():
    """An MLP with a duplicate, a scaled twin, a dead and a constant unit in its first layer."""
    model, data = made("mlp")
    layer = model.hidden[0]
    with torch.no_grad():
        layer.weight[0, 1], layer.weight[0, 2] = layer.weight[0, 0], 2 * layer.weight[0, 0]
        layer.weight[0, 3:5] = 0
        layer.bias[0, 3], layer.bias[0, 4] = -1, 2
    return model, data


def test_units_of_every_kind_are_reported_for_what_they_are():
    model, data = planted()
    found = measure(model, model, data, names=["layer1"], orders=1, images=20)["layer1"]
    assert found["varying"] == 5 and found["dead"] == pytest.approx(1 / 7) and found["constant"] == pytest.approx(1 / 7)
    assert found["duplicated"] == pytest.approx(2 / 7) and found["scaled"] == pytest.approx(3 / 7) and found["negated"] == 0


def test_merging_twins_changes_nothing_and_ablation_is_a_merging():
    model, data = planted()
    rows = data.splits["test"][:50]
    inputs = data.batch(rows).unsqueeze(0)
    plan_ = merge_repeated(unit_moments(model, data, rows)["layer1"], "units", threshold=0.9999)
    assert plan_.kept.sum() == 3
    off = np.arange(7) == 6
    with torch.inference_mode():
        intact = model(inputs)
        with merged(model, {"layer1": plan_}) as small:
            torch.testing.assert_close(small(inputs), intact, rtol=1e-4, atol=1e-4)
        with merged(model, {"layer1": plan_.without(off)}) as small:
            without = small(inputs)[0]
        torch.testing.assert_close(model(inputs), intact)
    torch.testing.assert_close(without, ablated_logits(model, inputs[0], {"layer1": ~off[None]})[0], rtol=1e-4, atol=1e-4)


def test_best_order_takes_dead_units_first():
    model, data = planted()
    assert best_order(model, data, data.splits["probe_fit"], "layer1")[0] == 3


def tiny(arch="alexnet", **changes):
    return Setting(**{**recipe(arch, "digits"), **PLAIN, "base_width": 2, "epochs": 1, **changes})


def test_study(tmp_path):
    runs = plan(tiny(), "init", (Fraction(1), Fraction(2)), range(2), values=("he", "glorot"), orders=1, images=30)
    assert len(runs) == 8 and {r.init for r in runs} == {"he-normal", "glorot-normal"} and runs[0].seed == runs[3].seed == 0
    frame = tabulate([(c, run(c, tmp_path / str(i))) for i, c in enumerate(runs)])
    assert len(frame) == 8 * 5 and set(frame["site"]) == {"conv1", "conv2", "full1", "full2", "all"}
    whole = frame[frame["site"] == "all"]
    assert whole[["auc", "kept_share", "agreement", "pair_share_start"]].notna().all().all()
    from theory.claims import claims

    found = evidence(frame, ("a",))
    assert {e.claim for e in found} <= set(claims())
    assert {"s1.width-raises-either", "s1.he-repeats-where-glorot-is-removable"} <= {e.claim for e in found}


def test_networks_of_a_width_sweep_are_measured_as_if_alone(tmp_path):
    from empirical.studies.trained import finished_networks, first_member, trained
    from empirical.studies.units.plan import plan_trained

    data, setting = load("digits", train_size=100), tiny("mlp", base_width=8, train_size=100)
    stacks = [Network(**{**setting.shared(), "alpha": "1/2"}, stack=2), Network(**setting.shared())]
    for network in (*stacks, Network(**setting.shared(), copy=1)):
        trained(network, tmp_path / "sweep")
    (tmp_path / "sweep" / "half").mkdir()
    (tmp_path / "sweep" / "half" / "config.json").write_text((next((tmp_path / "sweep").glob("*/config.json"))).read_text())
    assert finished_networks(tmp_path / "sweep") == stacks
    one, both = (first_member(stacks[0], tmp_path / "sweep", data, torch.device("cpu")),
                 load_trained(stacks[0], data, tmp_path / "sweep" / run_id(stacks[0]), torch.device("cpu")))
    inputs = data.batch(data.splits["test"][:9]).unsqueeze(0)
    with torch.inference_mode():
        torch.testing.assert_close(one(inputs)[0], both(inputs)[0])
    runs = plan_trained(stacks, "sweep", orders=1, images=20)
    found = [run(config, tmp_path / "units" / str(i)) for i, config in enumerate(runs)]
    frame = tabulate(zip(runs, found))
    assert list(frame[frame["site"] == "all"]["width"]) == [0.5, 1] and len(frame["unchanged_best"].iloc[0].split()) == 25
    with pytest.raises(InputError, match="no trained network"):
        finished_networks(tmp_path / "units")


def test_random_labels_have_their_own_checksum():
    from empirical.studies.units.plan import with_checksums

    runs = plan(tiny("mlp"), "labels", (Fraction(1),), (0,))
    assert with_checksums(runs) == runs  # embedded data need none


def test_sweeps_change_what_they_say():
    for name, values in SWEEPS.items():
        runs = plan(tiny(), name, (Fraction(1),), (0,))
        assert len({replace(r, case="") for r in runs}) == len(values)
    rates = plan(tiny(), "learning-rate", (Fraction(1),), (0,))
    assert [r.learning_rate for r in rates] == [0.0025, 0.01, 0.04] and [r.batch_size for r in rates] == [32, 128, 512]


def test_dropout_is_a_function_of_the_seed(tmp_path):
    from empirical.train import train

    data = load("digits", train_size=100)
    (config,) = plan(tiny("mlp", train_size=100, base_width=8), "regulariser", (Fraction(1),), (0,), values=("dropout",))
    ends = []
    for i in range(2):
        torch.manual_seed(i)
        (tmp_path / str(i)).mkdir()
        ends.append(train(config.network(), data, tmp_path / str(i), device=torch.device("cpu"))[0].readout.weight)
    torch.testing.assert_close(*ends, rtol=0, atol=0)


def test_image_folders(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for part in ("train", "val"):
        for i, name in enumerate(("cat", "dog")):
            (tmp_path / part / name).mkdir(parents=True)
            for j in range(20):
                pixels = np.full((20, 30, 3), 60 + 100 * i, np.uint8) + rng.integers(0, 9, (20, 30, 3), dtype=np.uint8)
                image.fromarray(pixels).save(tmp_path / part / name / f"{j}.png")
    data = load("folder", data_dir=str(tmp_path), image_size=8)
    assert data.inputs.shape == (80, 3, 8, 8) and len(data.splits["test"]) == 40 and data.classes == 2
    bright = data.inputs.float().mean((1, 2, 3))
    assert torch.equal(bright > 120, data.labels == 1)
    whole = load("folder", data_dir=str(tmp_path / "train"), image_size=8)
    assert len(whole.splits["test"]) == 8 and len(whole.inputs) == 40
    (tmp_path / "train" / "dog" / "0.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"0\.png"):
        load("folder", data_dir=str(tmp_path / "train"), image_size=10)
    for wrong, error in ((None, ArgumentError), (tmp_path / "none", ArgumentError), (tmp_path / "val" / "cat", InputError)):
        with pytest.raises(error):
            load("folder", data_dir=wrong and str(wrong))


def test_bad_input():
    model, data = made("mlp")
    inputs = data.batch(data.splits["test"][:2])
    for keep in ({"layer1": np.ones((1, 6))}, {"layer1": np.ones((1, 7)), "layer2": np.ones((2, 7))}):
        with pytest.raises(InputError, match="keep masks"):
            ablated_logits(model, inputs, keep)
    with pytest.raises(ArgumentError, match="layer9"):
        ablated_logits(model, inputs, {"layer9": np.ones((1, 7))})
    with pytest.raises(InputError):
        places(torch.nn.Identity())
    with pytest.raises(InputError):
        measure(model, model, data, orders=0)
    for wrong in (lambda: plan(tiny(), "nothing", (1,), (0,)), lambda: plan(tiny(), "init", (1,), (0,), values=("best",)),
                  lambda: replace(tiny(), dropout=1.0).check(),
                  lambda: build("vgg16", alpha=1, base_width=4, data=data, dropout=0.5)):
        with pytest.raises(ArgumentError):
            wrong()


def test_command(tmp_path, capsys):
    arguments = ["units", "--arch", "mlp", "--quick", "--alphas", "1", "2", "--values", "he", "--images", "20", "--jobs", "1",
                 "--out", str(tmp_path), "--json"]
    assert main("empirical", COMMANDS, arguments) == 0
    out = json.loads(capsys.readouterr().out)
    rows = [row for row in out["rows"] if row["site"] == "all"]
    assert [row["alpha"] for row in rows] == [1, 2] and rows[0]["auc"]["n"] == 2
    arguments = ["units", "--trained", out["name"], "--orders", "1", "--images", "20", "--jobs", "1", "--out", str(tmp_path),
                 "--json"]
    assert main("empirical", COMMANDS, arguments) == 0
    again = [row for row in json.loads(capsys.readouterr().out)["rows"] if row["site"] == "all"]
    assert [row["test_accuracy"] for row in again] == [row["test_accuracy"] for row in rows]
    assert main("empirical", COMMANDS, ["units", "--trained", "nothing", "--out", str(tmp_path)]) == 1
    assert main("empirical", COMMANDS, ["units", "--values", "nonsense", "--out", str(tmp_path)]) == 2
    assert main("empirical", COMMANDS, ["units", "--base-width", "3", "--out", str(tmp_path)]) == 2


def test_alexnet_on_files_by_command_with_random_labels(tmp_path, monkeypatch, capsys):
    from empirical.data import cifar10
    from tests.empirical.test_data import ROWS, write_batches

    for name, value in {"BATCH_ROWS": ROWS, "PROBE_FIT": 100, "PROBE_SCORE": 60}.items():
        monkeypatch.setattr(cifar10, name, value)
    write_batches(tmp_path / cifar10.FOLDER)
    arguments = ["units", "--arch", "alexnet", "--data", "cifar10", "--data-dir", str(tmp_path), "--sweep", "labels", "--quick",
                 "--base-width", "2", "--image-size", "16", "--epochs", "1", "--alphas", "1", "2", "--seeds", "1",
                 "--images", "10", "--jobs", "1", "--out", str(tmp_path / "runs"), "--json"]
    assert main("empirical", COMMANDS, arguments) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["case"].split(", ")[-1] for row in rows} == {"true labels", "random labels"}
