"""Training of one network or a stack of networks.

The recipe is the same at every width (:class:`~empirical.settings.Setting`); :class:`empirical.steps.Way` says how a device runs
a step. Data stay on the device as one tensor. Order and augmentation of an epoch are drawn beforehand from addressed streams, and
the host waits for the device only a few times per epoch. Images are channels-last; the arithmetic is bfloat16 autocast on CUDA
and float32 elsewhere. On a CPU, training that is killed and resumed ends in the same bits as uninterrupted training: streams are
addressed by the epoch, whose number is the only RNG state that a checkpoint stores.

The loss of a stack is the sum of its members' mean losses, so each member gets the gradient that it would get alone. With a
target loss, each member stops there independently (:mod:`empirical.matching`).
"""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from empirical.checkpoint import CHECKPOINT, State, restore, save, write_weights
from empirical.data import Dataset
from empirical.declared import architecture
from empirical.device import pick_device, training_state
from empirical.matching import Matching
from empirical.models import Stack, build_for
from empirical.networks import load_trained, placed, prepare, steps_of, write_member
from empirical.settings import Network
from empirical.steps import Draws, Steps, Way, full_precision
from empirical.streams import stream
from empirical.trackers import Watch
from lab.errors import InputError

__all__ = ["Diverged", "load_trained", "pick_device", "prepare", "rate", "train"]
CHECKS = 4  # number of times per epoch that the host reads the loss
HOPELESS = 4.0  # after the warm-up, a loss above this multiple of log(classes) counts as divergence


class Diverged(InputError):
    """Raised when training diverges; the message names the network, the epoch and the loss.

    Examples
    --------
    >>> issubclass(Diverged, InputError)
    True
    """


def rate(config: Network, step: int, steps: int) -> float:
    """Learning rate at a step, as a share of its peak.

    Parameters
    ----------
    config : Network
        Configuration with schedule, warm-up and epochs.
    step : int
        Number of the step, from 0.
    steps : int
        Total number of training steps.

    Returns
    -------
    float
        Value in (0, 1]; the cosine decreases towards 0 (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts).

    Examples
    --------
    >>> config = Network(arch="mlp", data="digits", base_width=4, epochs=10, warmup=0.2)
    >>> [round(rate(config, step, 10), 2) for step in (0, 1, 2, 6, 9)]
    [0.5, 1.0, 1.0, 0.5, 0.04]
    """
    warm = max(1, round(config.warmup * steps))
    if step < warm:
        return (step + 1) / warm
    if config.schedule == "exponential":
        return 0.95 ** (config.epochs * step // max(1, steps))
    return 1.0 if config.schedule == "constant" else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def train(config: Network, data: Dataset, folder: Path, *, device: torch.device | None = None, way: Way | None = None,
          checkpoint_seconds: float = 120.0, stop_after: int | None = None, watch: Watch | None = None,
          begin: Callable[[Stack], None] | None = None) -> tuple[Stack, dict[str, Any]]:
    """Train a stack, continuing from the folder's checkpoint if there is one.

    Parameters
    ----------
    config : Network
        Configuration to train.
    data : Dataset
        Data on the device.
    folder : Path
        Folder for the checkpoint, which is deleted at the end, and the final weights (safetensors).
    device : torch.device, optional
        Device to train on; by default that of the data.
    way : Way, optional
        How the device runs a step; by default as grouped convolutions, in eager mode.
    checkpoint_seconds : float
        Minimum time between two checkpoints, in seconds; they are written between epochs.
    stop_after : int, optional
        Stop after this many epochs as if killed (for tests); the checkpoint stays.
    watch : callable, optional
        Called whenever the loss is read, with the epoch (a fraction within an epoch) and ``{"loss": one number per copy}``; see
        :mod:`empirical.trackers`.
    begin : callable, optional
        Called with the initialised stack, to replace weights or hold some at zero. The configuration must record this in a field,
        so that checkpoints of different trainings can be distinguished.

    Returns
    -------
    model : Stack
        The trained stack, in evaluation mode.
    facts : dict
        ``curve`` (mean training loss, epochs x copies), ``epochs`` (copies), ``weights`` (SHA-256 of the file of weights);
        with a target loss ``reached`` (copies: whether it was reached), ``losses`` (copies: the loss at which each stopped)
        and ``looks`` (losses in evaluation mode at the start and after each epoch, (epochs + 1) x copies), else None.

    Raises
    ------
    Diverged
        If a member's loss is not finite, or exceeds :data:`HOPELESS` times log(classes) after the warm-up.
    InputError
        If the checkpoint cannot be written (full disk).

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from empirical.tiny import noise, perceptron
    >>> model, facts = train(perceptron(epochs=3, stack=2), noise(), Path(mkdtemp()))
    >>> model.copies, len(facts["curve"]), len(facts["curve"][0])  # one loss per epoch and copy
    (2, 3, 2)
    """
    device = device or data.labels.device
    with training_state(device):
        steps = steps_of(config, data, device, way or Way())
        model = steps.model
        if begin is not None:
            begin(model)
        # a checkpoint stores weights, the optimizer's state and the epoch; random numbers follow from the epoch
        state = restore(folder / CHECKPOINT, config, model, steps.optimizer, device)
        saved = time.monotonic()
        model.train()
        draws, match = Draws(config, data, state["epoch"]), None
        with nullcontext() if steps.way.half else full_precision():  # without bfloat16, true float32 and no TF32
            if config.target_loss:
                match = Matching(config, data, model, placed(build_for(config, data), data, device), state)
            # a member that has reached its target leaves a snapshot; the stack trains on until all have
            while state["epoch"] < config.epochs and len(state["snapshots"]) < config.stack:
                draws = _epoch(config, data, steps, draws, state, match, watch)
                stop = stop_after is not None and state["epoch"] >= stop_after
                if stop or time.monotonic() - saved > checkpoint_seconds:
                    save(folder / CHECKPOINT, config, model, steps.optimizer, state)
                    saved = time.monotonic()
                if stop:
                    break
        for i, snapshot in state["snapshots"].items():  # members that trained on beyond their target return to it
            write_member(model, config.stack, int(i), snapshot)
        model.eval()
    facts = _facts(config, state)
    if stop_after is None:
        facts["weights"] = write_weights(folder, model)
        (folder / CHECKPOINT).unlink(missing_ok=True)  # last, so that a kill before this point loses nothing
    return model, facts


def _epoch(config: Network, data: Dataset, steps: Steps, draws: Draws, state: State, match: Matching | None,
           watch: Watch | None = None) -> Draws:
    """Train for one epoch, update ``state``, and return the draws of the next epoch."""
    number, batches = state["epoch"], len(data.splits["train"]) // min(config.batch_size, len(data.splits["train"]))
    # reading the loss makes the host wait, so it happens rarely, at even distances, and always at the end
    looks = {round(batches * (i + 1) / CHECKS) for i in range(CHECKS)} - {0}
    # dropout and users' networks draw from PyTorch's own generator, seeded per epoch so that checkpoints need not store it
    if config.dropout or architecture(config.arch).own:
        torch.manual_seed(stream(*config.address(0, "dropout"), number).initial_seed())
    steps.begin(draws, [rate(config, number * batches + step, batches * config.epochs) for step in range(batches)])
    sums, seen = torch.zeros(config.stack), 0
    near = match is not None and match.near  # could a member reach its target in this epoch? then look within it, too
    for step in range(batches):
        steps(step)  # forward, backward, update; asynchronous on a GPU
        if step + 1 not in looks:
            continue
        if step + 1 == batches and number + 1 < config.epochs:
            draws = Draws(config, data, number + 1)  # drawn while the device is still working
        mean, now = steps.mean(), number + (step + 1) / batches  # the only place where the host waits for the device
        if watch is not None:
            watch(now, {"loss": mean.tolist()})
        _refuse_divergence(mean, data.classes, now, config)
        if match is not None and (near or step + 1 == batches):  # an epoch ends with a look, so that a resumed one starts with it
            match.look(now, ends=step + 1 == batches)
        sums += mean * (step + 1 - seen)  # each mean is over the steps since the last look
        seen = step + 1
    state["curve"].append((sums / batches).tolist())
    state["epoch"] = number + 1
    return draws


def _refuse_divergence(mean: torch.Tensor, classes: int, epoch: float, config: Network) -> None:
    warmed_up = epoch > max(1.0, config.warmup * config.epochs)
    limit = HOPELESS * math.log(classes) if warmed_up else math.inf
    bad = (~torch.isfinite(mean)) | (mean > limit)
    if bad.any():
        i = int(bad.nonzero()[0])
        raise Diverged(f"training of copy {config.copy + i} at alpha {config.alpha} diverged: loss {mean[i]:.3g} after "
                       f"{epoch:.2f} epochs; try a smaller learning rate or a longer warm-up")


def _facts(config: Network, state: State) -> dict[str, Any]:
    """The facts about a training run, apart from the weights."""
    facts: dict[str, Any] = {"curve": state["curve"], "epochs": state["epochs"], "reached": None, "losses": None, "looks": None}
    if config.target_loss:
        names = [str(i) for i in range(config.stack)]
        facts |= {"reached": [name in state["snapshots"] for name in names], "looks": state["looks"],
                  "losses": [state["losses"].get(name, last) for name, last in zip(names, state["looks"][-1])]}
    return facts
