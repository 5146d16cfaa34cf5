"""Training: stacks against single networks, resume to the bit, matched loss, divergence, a full disk."""

import errno
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from empirical import networks
from empirical.checkpoint import CHECKPOINT
from empirical.data import Dataset, load
from empirical.device import flushes_denormals, pick_device
from empirical.evaluate import evaluate
from empirical.matching import TOLERANCE, Matching
from empirical.networks import load_trained, read_member
from empirical.settings import Network, Setting, recipe
from empirical.train import Diverged, rate, train
from lab import store
from lab.errors import ArgumentError, InputError
from lab.store import run_id

CPU = torch.device("cpu")


def tiny(arch="mlp", **changes):
    data = "entailment" if arch == "transformer" else "digits"
    base = {"base_width": 8, "epochs": 2, "train_size": 200, "alpha": "1/2"}
    return Network(**{**recipe(arch, data), **base, **changes})


def data_of(config):
    return load(config.data, train_size=config.train_size)


def same(a, b):
    return all(torch.equal(x, b[name]) for name, x in a.items())


@pytest.mark.parametrize("arch", ["mlp", "resnet18", "transformer"])
def test_killed_and_resumed_is_equal_to_the_bit(tmp_path, arch):
    config = tiny(arch, epochs=3, stack=2)
    data = data_of(config)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole, facts = train(config, data, tmp_path / "whole", device=CPU)
    train(config, data, tmp_path / "parts", device=CPU, stop_after=1)
    assert (tmp_path / "parts" / CHECKPOINT).exists()
    train(config, data, tmp_path / "parts", device=CPU, stop_after=2)
    parts, again = train(config, data, tmp_path / "parts", device=CPU)
    assert same(whole.state_dict(), parts.state_dict()) and facts == again
    assert not (tmp_path / "parts" / CHECKPOINT).exists()
    assert same(whole.state_dict(), load_trained(config, data, tmp_path / "parts", CPU).state_dict())


def test_damaged_checkpoint_starts_again(tmp_path, capsys):
    config = tiny()
    data = data_of(config)
    (tmp_path / CHECKPOINT).write_bytes(b"PK\x03\x04 nonsense")
    damaged, _ = train(config, data, tmp_path, device=CPU)
    assert "starts again" in capsys.readouterr().err
    (tmp_path / "b").mkdir()
    assert same(damaged.state_dict(), train(config, data, tmp_path / "b", device=CPU)[0].state_dict())
    (tmp_path / "weights.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"weights\.safetensors is missing or damaged"):
        load_trained(config, data, tmp_path, CPU)


@pytest.fixture
def double(monkeypatch):
    """Train in float64, where what differs is a mistake and not rounding that training has amplified."""
    single = networks.prepare
    monkeypatch.setattr(networks, "prepare", lambda *args: single(*args).double())
    batch = Dataset.batch
    monkeypatch.setattr(Dataset, "batch", lambda self, rows: batch(self, rows) if self.is_text
                        else batch(self, rows).double())


@pytest.mark.parametrize("arch", ["mlp", "resnet18", "transformer"])
def test_stacked_training_equals_one_by_one(tmp_path, double, arch):
    config = tiny(arch, epochs=2, stack=3, train_size=400)
    data = data_of(config)
    stack, facts = train(config, data, tmp_path, device=CPU)
    results = evaluate(stack, data, "test")
    for i in range(3):
        (tmp_path / str(i)).mkdir()
        alone, own = train(tiny(arch, epochs=2, copy=i, train_size=400), data, tmp_path / str(i), device=CPU)
        member = read_member(stack, 3, i)
        for name, value in alone.state_dict().items():
            assert torch.allclose(member[name], value, rtol=1e-6, atol=1e-8), name
        assert [epoch[i] for epoch in facts["curve"]] == pytest.approx([epoch[0] for epoch in own["curve"]], rel=1e-6)
        assert results["loss"][i] == pytest.approx(evaluate(alone, data, "test")["loss"][0], rel=1e-6)


@pytest.mark.parametrize("arch", ["mlp", "resnet18", "transformer"])
def test_stacked_training_in_float32_equals_one_by_one_at_first(tmp_path, arch):
    """Stated tolerance: the first steps' mean loss to 1e-4; later ones amplify rounding, as any change of order would."""
    config = tiny(arch, epochs=1, stack=3)
    data = data_of(config)
    facts = train(config, data, tmp_path, device=CPU)[1]
    for i in range(3):
        own = train(tiny(arch, epochs=1, copy=i), data, tmp_path, device=CPU)[1]
        assert facts["curve"][0][i] == pytest.approx(own["curve"][0][0], rel=1e-4)


MATCHED = {"target_loss": 1.8, "schedule": "constant", "learning_rate": 0.05, "epochs": 40, "base_width": 32}


@pytest.mark.parametrize("arch, changes", [
    ("mlp", {}), pytest.param("resnet18", {"base_width": 8, "learning_rate": 0.02}, marks=pytest.mark.slow),
    pytest.param("transformer", {"target_loss": 1.0, "learning_rate": 2e-3}, marks=pytest.mark.slow)])
def test_losses_that_are_called_matched_are(tmp_path, arch, changes):
    """Wide and narrow, each member of a stack: the mean training loss in evaluation, as the stored weights give it."""
    for alpha, stack in (("1", 1), ("1/4", 3)):
        config = tiny(arch, **{**MATCHED, "alpha": alpha, "stack": stack, **changes})
        data = data_of(config)
        (tmp_path / str(stack)).mkdir()
        facts = train(config, data, tmp_path / str(stack), device=CPU)[1]
        stored = load_trained(config, data, tmp_path / str(stack), CPU)
        assert facts["reached"] == [True] * stack and max(facts["epochs"]) < 40
        for found in (evaluate(stored, data, "train")["loss"], facts["losses"]):
            assert found == pytest.approx([config.target_loss] * stack, rel=2 * TOLERANCE)
        assert facts["looks"][0] == pytest.approx(evaluate(networks.prepare(config, data, CPU).eval(), data, "train")["loss"])


@pytest.mark.parametrize("arch", ["mlp", pytest.param("resnet18", marks=pytest.mark.slow)])
def test_a_matched_training_that_is_resumed_is_equal_to_the_bit(tmp_path, arch):
    config = tiny(arch, **{**MATCHED, "learning_rate": 0.02, "base_width": 16, "stack": 2})
    data = data_of(config)
    whole, facts = train(config, data, tmp_path, device=CPU)
    first = int(min(facts["epochs"]))
    assert first + 1 < max(facts["epochs"])  # stopped before, between and after their ends
    (tmp_path / "parts").mkdir()
    for stop in (first - 1, first + 1, None):
        parts, again = train(config, data, tmp_path / "parts", device=CPU, stop_after=stop)
    assert same(whole.state_dict(), parts.state_dict()) and facts == again


def test_looks_leave_training_as_it_is(tmp_path, monkeypatch):
    """A network that is looked at often takes the same steps as one that is not."""
    config = tiny("resnet18", **{**MATCHED, "target_loss": 1e-3, "epochs": 2, "base_width": 8})
    data, states = data_of(config), []
    for always in (True, False):
        monkeypatch.setattr(Matching, "near", always)
        states.append(train(config, data, tmp_path, device=CPU)[0].state_dict())
    states.append(train(replace(config, target_loss=0.0), data, tmp_path, device=CPU)[0].state_dict())
    assert same(states[0], states[1]) and same(states[0], states[2])


def test_matched_loss_stops_each_member_where_it_would_stop_alone(tmp_path):
    changes = MATCHED
    data = data_of(tiny())
    stack, facts = train(tiny(stack=2, **changes), data, tmp_path, device=CPU)
    assert facts["reached"] == [True, True] and max(facts["epochs"]) < 40
    for i in range(2):
        (tmp_path / str(i)).mkdir()
        alone, own = train(tiny(copy=i, **changes), data, tmp_path / str(i), device=CPU)
        assert own["epochs"] == pytest.approx([facts["epochs"][i]], abs=1e-3)
        for name, value in alone.state_dict().items():
            assert torch.allclose(read_member(stack, 2, i)[name], value, rtol=1e-4, atol=1e-5)
    _, never = train(tiny(target_loss=1e-6, epochs=1), data, tmp_path, device=CPU)
    assert never["reached"] == [False] and never["epochs"] == [1.0] and never["losses"] == never["looks"][-1]


def test_divergence_has_a_reason(tmp_path):
    config = tiny(learning_rate=1e6, copy=4)
    with pytest.raises(Diverged, match=r"copy 4 at alpha 1/2 diverged.*smaller learning rate"):
        train(config, data_of(config), tmp_path, device=CPU)


def test_full_disk_is_one_line_and_loses_nothing(tmp_path, monkeypatch):
    config = tiny(epochs=3)
    data = data_of(config)
    train(config, data, tmp_path, device=CPU, stop_after=1)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(store.os, "fsync", full)
        with pytest.raises(InputError, match="No space left on device; free some space") as caught:
            train(config, data, tmp_path, device=CPU, checkpoint_seconds=0.0)
    assert "\n" not in str(caught.value) and (tmp_path / CHECKPOINT).read_bytes() == before
    train(config, data, tmp_path, device=CPU)


def test_missing_device():
    with pytest.raises(ArgumentError, match="use cpu, or leave out the device"):
        pick_device("cuda:77")
    with pytest.raises(ArgumentError, match="use cpu, or leave out the device"):
        pick_device("banana")
    assert pick_device("cpu").type == "cpu"


def test_schedule():
    config = tiny()
    rates = [rate(config, step, 100) for step in range(100)]
    assert rates[0] == 0.1 and max(rates) == 1 and rates[-1] < 1e-3 and rates.index(1.0) == 9
    assert rate(tiny(schedule="constant"), 99, 100) == 1


@pytest.mark.parametrize("changes", [{"optimizer": "lion"}, {"schedule": "steps"}, {"warmup": 1.0}, {"weight_decay": -1},
                                     {"init": "glorot-normal", "parametrisation": "mup"}, {"init": "zero"}])
def test_settings_that_make_no_sense(changes):
    with pytest.raises(ArgumentError):
        Setting(arch="mlp", data="digits", base_width=8, epochs=1, **changes).check()


def test_stack_size_is_measured_and_remembered(tmp_path, monkeypatch):
    from empirical import stacked

    config = tiny()
    data = data_of(config)
    assert stacked.choose_stack(config, data, CPU, 4, tmp_path) == 4
    assert stacked.seconds_per_network(tiny(stack=2), data, CPU, steps=3) > 0
    times = iter([3.0, 2.0])
    monkeypatch.setattr(stacked, "seconds_per_network", lambda *_: next(times))
    meta = torch.device("meta")
    assert [stacked.choose_stack(config, data, meta, 4, tmp_path) for _ in range(2)] == [1, 1]


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("changes", [{"dropout": 0.5}, {"learning_rate": 1e6}], ids=["as it should", "diverging"])
def test_training_gives_the_process_back(tmp_path, before, changes):
    """Denormal numbers, PyTorch's generator and its choice of convolutions are as they were, also after a failure."""
    config, generator = tiny(epochs=1, **changes), torch.get_rng_state()
    torch.set_flush_denormal(before)
    try:
        with nullcontext() if config.dropout else pytest.raises(Diverged):
            train(config, data_of(config), tmp_path, device=CPU)
        assert flushes_denormals() is before
    finally:
        torch.set_flush_denormal(False)
    assert not flushes_denormals()
    assert torch.equal(generator, torch.get_rng_state()) and not torch.backends.cudnn.benchmark


def test_steps_are_timed_to_their_end_on_every_device(monkeypatch):
    from empirical import stacked, steps

    waited = []
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: waited.append(str(device)))
    for name in ("cpu", "mps", "cuda:1"):
        steps.synchronize(torch.device(name))
    assert waited == ["mps", "cuda:1"]
    monkeypatch.setattr(steps, "synchronize", waited.append)
    stacked.seconds_per_network(tiny(), data_of(tiny()), CPU, steps=3)
    assert waited[2:] == [CPU] * 4  # once before, then after every step


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a": 1}', '{"a": {"stack": "2"}}', '{"a": {"stack": 0}}'])
def test_damaged_choices_of_stacks_are_one_line(tmp_path, text):
    from empirical import stacked

    (tmp_path / stacked.CHOICES).write_text(text)
    with pytest.raises(InputError, match=r"stacking\.json is damaged: delete it"):
        stacked.choose_stack(tiny(), data_of(tiny()), torch.device("meta"), 4, tmp_path)


@pytest.mark.parametrize("threads", [0, -1, 10**6, 1.5, True])
def test_threads_that_no_machine_has(threads):
    with pytest.raises(ArgumentError, match="threads must be"):
        tiny(threads=threads).check()


def test_threads_are_part_of_a_network():
    assert run_id(tiny(threads=1)) == run_id(tiny()) != run_id(tiny(threads=2))
