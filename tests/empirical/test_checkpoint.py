"""A checkpoint is applied whole or not at all; final weights are those that the training wrote."""

import os

import pytest
import torch

from empirical import checkpoint
from empirical.checkpoint import CHECKPOINT, WEIGHTS, restore, start_state
from empirical.networks import load_trained, make_optimizer, prepare
from empirical.settings import ARCHITECTURES
from empirical.studies.trained import first_member, trained
from empirical.train import train
from lab.errors import InputError
from lab.store import run_id
from tests.empirical.test_train import CPU, data_of, same, tiny

CONFIG = tiny(epochs=3, stack=2, momentum=0.9)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Weights and facts of a training from its start, and the bytes of its checkpoint after an epoch."""
    folder = tmp_path_factory.mktemp("undisturbed")
    train(CONFIG, data_of(CONFIG), folder, device=CPU, stop_after=1)
    stored = (folder / CHECKPOINT).read_bytes()
    (folder / CHECKPOINT).unlink()
    model, facts = train(CONFIG, data_of(CONFIG), folder, device=CPU)
    return model.state_dict(), facts, stored


def first(tensors: dict) -> str:
    return next(iter(tensors))


def spoil(where: str, value):
    """Put a value in the place of what a checkpoint holds there."""
    def change(content):
        *path, last = where.split(".")
        for key in path:
            content = content[int(key) if key.isdigit() and not isinstance(content, dict) else key]
        if value is ...:
            del content[last]
        else:
            content[last] = value(content[last]) if callable(value) else value
    return change


def in_weights(change):
    def spoiled(content):
        name = first(content["model"])
        content["model"][name] = change(content["model"][name])
    return spoiled


def in_optimizer(change):
    def spoiled(content):
        content["optimizer"]["state"][0]["momentum_buffer"] = change(content["optimizer"]["state"][0]["momentum_buffer"])
    return spoiled


def without_buffers(content):
    content["optimizer"]["state"].clear()


def other_rate_of_decay(content):
    content["optimizer"]["param_groups"][0]["weight_decay"] = 0.5


WRONG = {
    "empty state": spoil("state", {}), "null state": spoil("state", None), "no state": spoil("state", ...),
    "epoch 99": spoil("state.epoch", 99), "epoch -1": spoil("state.epoch", -1), "epoch true": spoil("state.epoch", True),
    "epoch 1.0": spoil("state.epoch", 1.0), "epoch null": spoil("state.epoch", None),
    "another epoch": spoil("state.epoch", 2), "no curve": spoil("state.curve", ...),
    "ragged curve": spoil("state.curve", [[1.0]]), "curve of NaN": spoil("state.curve", [[1.0, float("nan")]]),
    "epochs of members": spoil("state.epochs", [3.0]), "members past the end": spoil("state.epochs", [3.0, 40.0]),
    "snapshots": spoil("state.snapshots", {"0": {}}), "snapshots of text": spoil("state.snapshots", "none"),
    "looks": spoil("state.looks", [[1.0, 1.0]]), "no losses": spoil("state.losses", ...),
    "losses": spoil("state.losses", {"0": 1.0}),
    "no weights": spoil("model", {}), "weights missing": lambda c: c["model"].pop(first(c["model"])),
    "weights of NaN": in_weights(lambda w: w * float("nan")), "weights of float64": in_weights(lambda w: w.double()),
    "weights of another width": in_weights(lambda w: torch.cat([w, w])),
    "weights that are a list": in_weights(lambda w: w.tolist()),
    "no optimizer": spoil("optimizer", None), "optimizer without buffers": without_buffers,
    "infinite buffer": in_optimizer(lambda b: b + float("inf")), "buffer of another shape": in_optimizer(lambda b: b[:1]),
    "buffer is null": in_optimizer(lambda b: None), "another optimizer": other_rate_of_decay,
    "another network's": spoil("network", run_id(tiny(epochs=3, stack=2, seed=1))), "one key more": spoil("more", 1),
}


def continues_from(tmp_path, data: bytes, undisturbed, capsys) -> str:
    """Train on with these bytes as the checkpoint; it must end as the undisturbed training. What was said."""
    (tmp_path / CHECKPOINT).write_bytes(data)
    capsys.readouterr()
    model, facts = train(CONFIG, data_of(CONFIG), tmp_path, device=CPU)
    assert same(model.state_dict(), undisturbed[0]) and facts == undisturbed[1]
    return capsys.readouterr().err


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_does_not_fit_is_not_applied_in_part(tmp_path, undisturbed, capsys, name):
    path = tmp_path / "x"
    path.write_bytes(undisturbed[2])
    content = torch.load(path, weights_only=True)
    content.pop("sha256")
    WRONG[name](content)
    torch.save({**content, "sha256": checkpoint._digest(content)}, path)  # as if written so
    said = continues_from(tmp_path, path.read_bytes(), undisturbed, capsys)
    assert said.count("starts again") == 1 and len(said.splitlines()) == 1 and CHECKPOINT in said


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:len(b) // 2], lambda b: b[:-100], lambda b: b"hello " * 99,
                                    lambda b: b[:len(b) // 2] + bytes([b[len(b) // 2] ^ 1]) + b[len(b) // 2 + 1:],
                                    lambda b: b"PK\x03\x04" + os.urandom(3000)],
                         ids=["empty", "half", "cut", "text", "one bit", "noise"])
def test_a_damaged_file_starts_the_training_again(tmp_path, undisturbed, capsys, damage):
    assert continues_from(tmp_path, damage(undisturbed[2]), undisturbed, capsys).count("starts again") == 1


def test_an_intact_checkpoint_is_used(tmp_path, undisturbed, capsys):
    assert continues_from(tmp_path, undisturbed[2], undisturbed, capsys) == ""


@pytest.mark.parametrize("changes", [*({"arch": arch} for arch in ARCHITECTURES), {"arch": "mlp", "momentum": 0.0},
                                     {"arch": "mlp", "optimizer": "adamw", "learning_rate": 1e-3},
                                     {"arch": "mlp", "parametrisation": "mup"},
                                     {"arch": "mlp", "target_loss": 100.0, "epochs": 2}])
def test_checkpoints_of_every_kind_are_taken_up(tmp_path, changes):
    config = tiny(**{"base_width": 8, "train_size": 64, "epochs": 2, "alpha": "1", "stack": 2, **changes})
    data = data_of(config)
    train(config, data, tmp_path, device=CPU, stop_after=1)
    model = prepare(config, data, CPU)
    state = restore(tmp_path / CHECKPOINT, config, model, make_optimizer(config, model, CPU), CPU)
    assert state["epoch"] == 1 and len(state["snapshots"]) == (2 if config.target_loss else 0)
    assert restore(tmp_path / "none", config, model, make_optimizer(config, model, CPU), CPU) == start_state(config)


def test_swapped_and_altered_weights_are_noticed(tmp_path):
    configs = [tiny(seed=seed, epochs=1) for seed in (0, 1)]
    data = data_of(configs[0])
    for config in configs:
        assert trained(config, tmp_path)["threads"] == 1
        load_trained(config, data, tmp_path / run_id(config), CPU)
    files = [tmp_path / run_id(config) / WEIGHTS for config in configs]
    own = files[0].read_bytes()
    for bad in (files[1].read_bytes(), own[:-1] + bytes([own[-1] ^ 1])):
        files[0].write_bytes(bad)
        with pytest.raises(InputError, match=r"weights\.safetensors is not the file .* delete that folder and run again"):
            first_member(configs[0], tmp_path, data, CPU)
    files[0].write_bytes(own[:100])
    with pytest.raises(InputError, match=r"missing or damaged .* delete that folder"):
        load_trained(configs[0], data, files[0].parent, CPU)
