"""Checkpoints of training and final weights: written atomically, and checked completely before use.

A checkpoint contains the stack's weights, the optimizer's state and the progress of training. Random numbers come from streams
addressed by the epoch, so its number is the only RNG state. :func:`restore` applies a checkpoint only if it belongs to this
training and is intact and complete; otherwise training really starts from the beginning.
"""

import hashlib
import io
import math
from pathlib import Path
from typing import TypedDict

import torch

from empirical.declared import architecture
from empirical.settings import Network
from empirical.steps import member_state, stacked_state
from lab.cli import note
from lab.errors import InputError
from lab.store import read_result, run_id, write_atomically

CHECKPOINT, WEIGHTS = "checkpoint.pt", "weights.safetensors"
_STATE = {"sgd": {"momentum_buffer"}, "adamw": {"step", "exp_avg", "exp_avg_sq"}}  # optimizer state per parameter


class State(TypedDict):
    """The progress of training.

    Attributes
    ----------
    epoch : int
        Number of finished epochs.
    curve : list of list of float
        Mean training loss, epochs x copies.
    epochs : list of float
        Epochs that each copy took to reach its target; all epochs without a target.
    snapshots : dict
        Copy (as text) -> the weights with which it reached its target.
    losses : dict of str to float
        Copy -> loss with these weights.
    looks : list of list of float
        With a target: losses in evaluation mode at the start and after each epoch, (epochs + 1) x copies.
    """

    epoch: int
    curve: list[list[float]]
    epochs: list[float]
    snapshots: dict[str, dict[str, torch.Tensor]]
    losses: dict[str, float]
    looks: list[list[float]]


class Unusable(Exception):
    """Raised, with the reason, when a checkpoint cannot be applied."""


def start_state(config: Network) -> State:
    """The state of training before the first epoch."""
    return {"epoch": 0, "curve": [], "epochs": [float(config.epochs)] * config.stack, "snapshots": {}, "losses": {},
            "looks": []}


def save(path: Path, config: Network, model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
    """Write a checkpoint, replacing the last one."""
    content = {"network": run_id(config), "model": model.state_dict(), "optimizer": optimizer.state_dict(), "state": state}
    buffer = io.BytesIO()
    torch.save({**content, "sha256": _digest(content)}, buffer)
    write_atomically(path, buffer.getvalue())


def restore(path: Path, config: Network, model: torch.nn.Module, optimizer: torch.optim.Optimizer,
            device: torch.device) -> State:
    """Apply the checkpoint if there is a usable one, and return the state of training; otherwise change nothing.

    Parameters
    ----------
    path : Path
        Path of the file.
    config : Network
        Configuration to train.
    model : nn.Module
        Initialised model; changed in place.
    optimizer : torch.optim.Optimizer
        New optimizer; changed in place.
    device : torch.device
        Device of the model.

    Returns
    -------
    State
        State of the checkpoint, or the initial state.
    """
    if not path.exists():
        return start_state(config)
    try:
        stored = torch.load(path, map_location=device, weights_only=True)
        _check(stored, config, model, optimizer)
    except Exception as error:  # damaged or foreign files can raise anything in torch or in the checks
        reason = error if isinstance(error, Unusable) else f"damaged: {type(error).__name__}"
        note(f"{path} cannot be used ({reason}); training starts again from the beginning")
        return start_state(config)
    model.load_state_dict(stored["model"])
    optimizer.load_state_dict(stored["optimizer"])
    return stored["state"]


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise Unusable(reason)


def _check(stored, config: Network, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Check everything that a checkpoint must satisfy.

    Raises
    ------
    Unusable
        If it does not belong to this training, or is not intact and complete.
    """
    _require(isinstance(stored, dict) and set(stored) == {"network", "model", "optimizer", "state", "sha256"},
             "not a checkpoint of this version")
    _require(stored["network"] == run_id(config), f"it belongs to {str(stored['network'])[:120]}")
    _require(stored["sha256"] == _digest({key: value for key, value in stored.items() if key != "sha256"}),
             "its content has been altered")
    own = model.state_dict()
    _check_tensors(stored["model"], own, "weights")
    _check_optimizer(stored["optimizer"], config, optimizer)
    state = stored["state"]
    _require(isinstance(state, dict) and set(state) == set(start_state(config)), "it does not record the progress of training")
    epoch, members = state["epoch"], range(config.stack)
    _require(type(epoch) is int and 0 <= epoch <= config.epochs, f"epoch {epoch!r} of {config.epochs}")
    _require(_is_table(state["curve"], epoch, config.stack), "its loss curve does not fit its epoch")
    _require(_is_table([state["epochs"]], 1, config.stack) and all(0 < e <= config.epochs for e in state["epochs"]),
             "its members' epochs do not fit")
    _require(_is_table(state["looks"], epoch + 1 if config.target_loss else 0, config.stack), "its looks do not fit its epoch")
    snapshots = state["snapshots"]
    _require(isinstance(snapshots, dict) and set(snapshots) <= {str(i) for i in members}
             and (bool(config.target_loss) or not snapshots), "its snapshots do not fit")
    reached = state["losses"]
    _require(isinstance(reached, dict) and set(reached) == set(snapshots) and _is_table([[*reached.values()]], 1, len(snapshots)),
             "its members' losses do not fit")
    for snapshot in snapshots.values():
        _check_tensors(snapshot, member_state(model, config.stack, 0), "snapshots")


def _check_tensors(stored, like: dict[str, torch.Tensor], what: str) -> None:
    _require(isinstance(stored, dict) and set(stored) == set(like), f"its {what} belong to another network")
    for name, own in like.items():
        value = stored[name]
        _require(isinstance(value, torch.Tensor) and value.shape == own.shape and value.dtype == own.dtype,
                 f"its {what} do not fit at {name}")
        infinite = ~torch.isfinite(own)  # some users' networks contain a mask of -inf
        _require(bool((torch.isfinite(value) | infinite.to(value.device)).all()), f"its {what} are not finite at {name}")


def _check_optimizer(stored, config: Network, optimizer: torch.optim.Optimizer) -> None:
    """Compare with the state that an optimizer of this kind will have; a new one has none yet."""
    own = optimizer.state_dict()
    _require(isinstance(stored, dict) and set(stored) == set(own), "it has no optimizer state")
    settings = [[{k: v for k, v in group.items() if k != "lr"} for group in side["param_groups"]] for side in (stored, own)]
    _require(settings[0] == settings[1], "its optimizer has other settings")  # except the rate, which every step sets
    parameters = {i: p for ours, group in zip(own["param_groups"], optimizer.param_groups)
                  for i, p in zip(ours["params"], group["params"])}
    names = _STATE[config.optimizer] if config.optimizer != "sgd" or config.momentum else set()
    _require(isinstance(stored["state"], dict) and set(stored["state"]) <= set(parameters),
             "its optimizer state belongs to another network")
    for i, parameter in parameters.items():
        entry = {k: v for k, v in stored["state"].get(i, {}).items() if v is not None}
        if not entry and architecture(config.arch).own:  # an unused parameter
            continue
        like = {k: parameter.detach() if k != "step" else torch.zeros(()) for k in names}
        _check_tensors(entry, like, "optimizer states")


def _is_table(rows, height: int, width: int) -> bool:
    """Whether this is a list of ``height`` lists of ``width`` finite floats."""
    return (isinstance(rows, list) and len(rows) == height
            and all(isinstance(row, list) and len(row) == width and all(type(x) is float and math.isfinite(x) for x in row)
                    for row in rows))


def _digest(content) -> str:
    """SHA-256 of nested dicts, lists, tensors and plain values, because torch's files do not detect a flipped bit."""
    digest = hashlib.sha256()

    def take(value):
        if isinstance(value, torch.Tensor):
            digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        elif isinstance(value, dict):
            for key, item in value.items():
                digest.update(f"{key!r}:".encode())
                take(item)
        elif isinstance(value, list | tuple):
            digest.update(f"[{len(value)}]".encode())
            for item in value:
                take(item)
        else:
            digest.update(f"{value!r};".encode())

    take(content)
    return digest.hexdigest()


def write_weights(folder: Path, model: torch.nn.Module) -> str:
    """Write the final weights of a stack; returns their SHA-256, which is stored with the run's result."""
    from safetensors.torch import save as as_bytes

    state = stacked_state(model)
    # cloned because layers may share weights, which safetensors files cannot express
    data = as_bytes({name: value.clone(memory_format=torch.contiguous_format) for name, value in state.items()})
    write_atomically(Path(folder) / WEIGHTS, data)
    return hashlib.sha256(data).hexdigest()


def read_weights(folder: Path, model: torch.nn.Module) -> None:
    """Load the final weights of a finished run into the model.

    Raises
    ------
    InputError
        If they are missing or damaged, or do not match the checksum in the run's result.
    """
    from safetensors.torch import load

    path = Path(folder) / WEIGHTS
    remedy = "delete that folder and run again"
    stored = read_result(folder)
    try:
        data = path.read_bytes()
        weights = load(data)
        _check_tensors(weights, model.state_dict(), "weights")
    except Exception as error:  # missing, truncated, or of another shape
        reason = error if isinstance(error, Unusable) else type(error).__name__
        raise InputError(f"{path} is missing or damaged ({reason}); {remedy}") from None
    known = stored["result"].get("weights") if stored else None
    if known and known != hashlib.sha256(data).hexdigest():
        raise InputError(f"{path} is not the file written by training (its checksum differs from that in result.json); {remedy}")
    model.load_state_dict(weights)
