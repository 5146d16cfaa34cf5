"""Training of one network or of a stack of them.

The recipe is the same at every width (:class:`~empirical.settings.Setting`); how a device carries a step out is
:class:`empirical.steps.Way`. Data stay on the device as one tensor; order and augmentation of an epoch are drawn before it
from addressed streams; the host waits for the device a few times an epoch, never a step. bfloat16 autocast on CUDA,
float32 elsewhere, channels-last for images. On a CPU a training that is killed and resumed ends in the same bits as one that
was not; an addressed stream needs no saved state, so the epoch's number is all that a checkpoint has to know of random numbers.

A stack's loss is the sum of its members' mean losses, so each member gets the gradient it would get alone. Where there is a
target loss, each stops at it by itself (:mod:`empirical.matching`).
"""

import math
import time
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch

from empirical.checkpoint import CHECKPOINT, read_weights, restore, save, write_weights
from empirical.data import Dataset
from empirical.declared import architecture
from empirical.matching import Matching
from empirical.models import build_for
from empirical.models.initialise import initialise, parameter_groups, take_slices
from empirical.settings import Network
from empirical.steps import Draws, Members, Steps, Way, full_precision, member_state
from empirical.streams import stream
from empirical.trackers import Watch
from lab.errors import ArgumentError, InputError

CHECKS = 4  # times an epoch that the loss is looked at
DEVICES = ("cpu", "cuda", "mps", "xpu")
HOPELESS = 4.0  # a loss of that many times log(classes) after the warm-up will not come back


class Diverged(InputError):
    """A training that has left the rails; the message says where and how."""


def pick_device(name: str | None) -> torch.device:
    """The device of that name; without a name CUDA if there is one, else the CPU.

    Raises
    ------
    ArgumentError
        If it is not there.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in DEVICES:
            raise RuntimeError(f"networks are trained on {', '.join(DEVICES)}")
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ArgumentError(f"device {name!r} is not there ({reason[:90]}): set device to cpu, or leave it out",
                            "device") from None
    return device


def prepare(config: Network, data: Dataset, device: torch.device) -> torch.nn.Module:
    """The stack at its start, on the device.

    Parameters
    ----------
    config : architecture, data, width, copies and start.
    data : its data set.
    device : where the stack is to be.
    """
    if config.stack > 1 and architecture(config.arch).own:
        return members(config, data, device)
    streams = [stream(*config.address(i, "init")) for i in range(config.stack)]
    model = build_for(config, data, copies=config.stack, seed=streams[0].initial_seed())
    if config.slice_of:
        wide = Network(**{**config.shared(), "alpha": config.slice_of})
        slices = wide.width / config.width
        if slices.denominator != 1:
            raise ArgumentError(f"a network of width {config.slice_of} has no slices of width {config.alpha}")
        take_slices(model, prepare(wide, data, torch.device("cpu")), config.copy, int(slices))
    else:
        initialise(model, streams, config.init, config.width, config.parametrisation)
    return model.to(device, memory_format=_layout(model, data))


def _layout(model: torch.nn.Module, data: Dataset) -> torch.memory_format:
    """Channels last for pictures."""
    pictures = data.inputs.dim() == 4 and not any(parameter.dim() == 5 for parameter in model.parameters())
    return torch.channels_last if pictures else torch.preserve_format


def members(config: Network, data: Dataset, device: torch.device) -> Members:
    """:func:`prepare`, with the members of the stack as networks of their own."""
    return Members([prepare(replace(config, copy=config.copy + i, stack=1), data, device) for i in range(config.stack)],
                   grouped=not architecture(config.arch).own)


def start(config: Network, data: Dataset, device: torch.device, way: Way) -> torch.nn.Module:
    """:func:`prepare`, with the members as ``way`` has them."""
    return (members if way.on(device, config).apart else prepare)(config, data, device)


def make_optimizer(config: Network, model: torch.nn.Module, device: torch.device, *,
                   graph: bool = False) -> torch.optim.Optimizer:
    """SGD with momentum or AdamW over the model's parameter groups.

    Parameters
    ----------
    config : optimizer, learning rate, momentum, weight decay and parametrisation.
    model : on the device.
    device : of the model.
    graph : whether its steps are to be captured as a CUDA graph.
    """
    groups = parameter_groups(model, learning_rate=config.learning_rate, weight_decay=config.weight_decay,
                              optimizer=config.optimizer, alpha=config.width, parametrisation=config.parametrisation)
    fused = device.type in ("cpu", "cuda")
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, fused=fused)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=fused, capturable=graph)


def steps_of(config: Network, data: Dataset, device: torch.device, way: Way) -> Steps:
    """A stack at its start, with its optimizer, ready to be trained in that way.

    Parameters
    ----------
    config : what is trained.
    data : on the device.
    device : where it is trained.
    way : how a step is carried out.
    """
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
    model = start(config, data, device, way)
    return Steps(config, data, model, make_optimizer(config, model, device, graph=way.on(device, config).graph), device, way)


def rate(config: Network, step: int, steps: int) -> float:
    """Learning rate at a step, as a share of its peak.

    Parameters
    ----------
    config : schedule, warm-up and epochs.
    step : number of the step, from 0.
    steps : of the whole training.
    """
    warm = max(1, round(config.warmup * steps))
    if step < warm:
        return (step + 1) / warm
    if config.schedule == "exponential":
        return 0.95 ** (config.epochs * step // max(1, steps))
    return 1.0 if config.schedule == "constant" else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def flushes_denormals() -> bool:
    """Whether this thread takes tiny numbers for zero; PyTorch can set this, but does not tell."""
    return bool(torch.tensor(1e-40) * 1.0 == 0)


@contextmanager
def _process_state(device: torch.device):
    """What training sets for the whole process, given back as it was, whatever happens: denormals, the choice of
    convolutions, PyTorch's own generator.

    Tiny numbers are zero on the CPU's vector units: they cost much and mean nothing here. A thread takes this over from the
    one that starts it, so with several threads a run it would hang on what the process did before, and is left as it is.
    """
    flushed, chosen = flushes_denormals(), torch.backends.cudnn.benchmark
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            torch.set_flush_denormal(flushed or torch.get_num_threads() == 1)
            yield
        finally:
            torch.set_flush_denormal(flushed)
            torch.backends.cudnn.benchmark = chosen


def train(config: Network, data: Dataset, folder: Path, *, device: torch.device, way: Way | None = None,
          checkpoint_seconds: float = 120.0, stop_after: int | None = None,
          watch: Watch | None = None) -> tuple[torch.nn.Module, dict]:
    """Train a stack; continue from the folder's checkpoint if there is one.

    Parameters
    ----------
    config : what to train.
    data : on the device.
    way : how the device carries it out; by default as grouped convolutions, step by step.
    folder : for the checkpoint, which is deleted at the end, and the final weights (safetensors).
    checkpoint_seconds : least time between two checkpoints; they are written between epochs.
    stop_after : stop after this many epochs as if killed (for tests); the checkpoint stays.
    watch : called at every look at the loss with the epoch (a fraction between two) and ``{"loss": one number a copy}``; see
        :mod:`empirical.trackers`.

    Returns
    -------
    model : the trained stack, in evaluation mode.
    facts : ``curve`` (mean training loss, epochs x copies), ``epochs`` (copies), ``weights`` (SHA-256 of the file of weights);
        with a target loss ``reached`` (copies: whether it came to it), ``losses`` (copies: what was matched, where each
        stopped) and ``looks`` (the same at the start and after each epoch, (epochs + 1) x copies), else None.

    Raises
    ------
    Diverged
        If a member's loss is not finite, or stays hopeless after the warm-up.
    InputError
        If the checkpoint cannot be written (full disk).
    """
    with _process_state(device):
        steps = steps_of(config, data, device, way or Way())
        model = steps.model
        state = restore(folder / CHECKPOINT, config, model, steps.optimizer, device)
        saved = time.monotonic()
        model.train()
        draws, match = Draws(config, data, state["epoch"]), None
        with nullcontext() if steps.way.half else full_precision():
            if config.target_loss:
                one = build_for(config, data)
                match = Matching(config, data, model, one.to(device, memory_format=_layout(one, data)), state)
            while state["epoch"] < config.epochs and len(state["snapshots"]) < config.stack:
                draws = _epoch(config, data, steps, draws, state, match, watch)
                stop = stop_after is not None and state["epoch"] >= stop_after
                if stop or time.monotonic() - saved > checkpoint_seconds:
                    save(folder / CHECKPOINT, config, model, steps.optimizer, state)
                    saved = time.monotonic()
                if stop:
                    break
        for i, snapshot in state["snapshots"].items():
            _write_member(model, config.stack, int(i), snapshot)
        model.eval()
    facts = {"curve": state["curve"], "epochs": state["epochs"], "reached": None, "losses": None, "looks": None}
    if config.target_loss:
        names = [str(i) for i in range(config.stack)]
        facts |= {"reached": [name in state["snapshots"] for name in names], "looks": state["looks"],
                  "losses": [state["losses"].get(name, last) for name, last in zip(names, state["looks"][-1])]}
    if stop_after is None:
        facts["weights"] = write_weights(folder, model)
        (folder / CHECKPOINT).unlink(missing_ok=True)
    return model, facts


def _epoch(config: Network, data: Dataset, steps: Steps, draws: Draws, state: dict, match: Matching | None,
           watch: Watch | None = None) -> Draws:
    """One pass over the training data; moves ``state`` on and returns the next epoch's draws."""
    number, batches = state["epoch"], len(data.splits["train"]) // min(config.batch_size, len(data.splits["train"]))
    checks = {round(batches * (i + 1) / CHECKS) for i in range(CHECKS)} - {0}
    if config.dropout or architecture(config.arch).own:  # their numbers come from torch's own generator
        torch.manual_seed(stream(*config.address(0, "dropout"), number).initial_seed())
    steps.begin(draws, [rate(config, number * batches + step, batches * config.epochs) for step in range(batches)])
    sums, seen, near = torch.zeros(config.stack), 0, match is not None and match.near
    for step in range(batches):
        steps(step)
        if step + 1 in checks:
            if step + 1 == batches and number + 1 < config.epochs:
                draws = Draws(config, data, number + 1)  # while the device still works
            mean, now = steps.mean(), number + (step + 1) / batches  # the only wait for the device
            if watch is not None:
                watch(now, {"loss": mean.tolist()})
            _refuse_divergence(mean, data.classes, now, config)
            if near or (match and step + 1 == batches):
                match.look(now, ends=step + 1 == batches)
            sums += mean * (step + 1 - seen)
            seen = step + 1
    state["curve"].append((sums / batches).tolist())
    state["epoch"] = number + 1
    return draws


def _refuse_divergence(mean: torch.Tensor, classes: int, epoch: float, config: Network) -> None:
    hopeless = epoch > max(1.0, config.warmup * config.epochs)
    limit = HOPELESS * math.log(classes) if hopeless else math.inf
    bad = (~torch.isfinite(mean)) | (mean > limit)
    if bad.any():
        i = int(bad.nonzero()[0])
        raise Diverged(f"training of copy {config.copy + i} at alpha {config.alpha} diverged: loss {mean[i]:.3g} after "
                       f"{epoch:.2f} epochs; try a smaller learning rate or a longer warm-up")


def read_member(model, copies: int, member: int) -> dict[str, torch.Tensor]:
    """A copy of the state of one network of a stack, as that of a stack of one.

    Parameters
    ----------
    model : a stack, or its members as networks of their own.
    copies : networks in it.
    member : which, from 0.
    """
    return {name: value.clone() for name, value in member_state(model, copies, member).items()}


def _write_member(model, copies: int, member: int, state: dict[str, torch.Tensor]) -> None:
    shared = copies > 1 and not isinstance(model, Members)  # numbers without an axis belong to the whole stack
    for name, value in member_state(model, copies, member).items():
        if value.dim() or not shared:
            value.copy_(state[name])


def load_trained(config: Network, data: Dataset, folder: Path, device: torch.device, *,
                 apart: bool = False) -> torch.nn.Module:
    """The trained stack of a finished run, in evaluation mode.

    Parameters
    ----------
    config : what was trained.
    data : its data set.
    folder : of the run.
    device : where the stack is to be.
    apart : with its members as networks of their own (see ``steps.Way``).

    Raises
    ------
    InputError
        If its weights are missing, damaged, or others than those that the training wrote.
    """
    own = architecture(config.arch).own
    if own and config.stack > 1:
        model = members(config, data, torch.device("cpu"))
    else:
        model = build_for(config, data, copies=config.stack)
    read_weights(folder, model)
    if apart and config.stack > 1 and not own:
        networks = [build_for(config, data) for _ in range(config.stack)]
        for i, network in enumerate(networks):
            network.load_state_dict(member_state(model, config.stack, i))
        model = Members(networks)
    return model.to(device, memory_format=_layout(model, data)).eval()
