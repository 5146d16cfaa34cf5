"""Track training while it runs, with TensorBoard, Weights & Biases, or a user's own function.

:func:`empirical.train.train` calls its ``watch`` whenever it reads the loss. The tracker named by the environment variable
``WIDTHLAB_LOG`` (``tensorboard`` or ``wandb``; ``--log`` sets it) tracks every network that is trained, in any process. Both are
optional and imported when training begins. Neither changes any number, so runs do not depend on them.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from empirical.settings import Network
from lab.errors import ArgumentError

VARIABLE = "WIDTHLAB_LOG"
TRACKERS = {"tensorboard": "tensorboard", "wandb": "wandb"}  # name -> required package
Watch = Callable[[float, Mapping[str, Sequence[float]]], None]


def named() -> str:
    """The tracker named by the environment, or an empty text.

    Raises
    ------
    ArgumentError
        If the tracker is unknown, or its package is not installed.
    """
    name = os.environ.get(VARIABLE, "")
    if name and name not in TRACKERS:
        raise ArgumentError(f"{VARIABLE}={name} is unknown: use {' or '.join(TRACKERS)}", "log")
    if name and find_spec(TRACKERS[name]) is None:
        raise ArgumentError(f"{VARIABLE}={name} needs the package {TRACKERS[name]}: pip install 'widthlab[logging]'", "log")
    return name


def choose(name: str | None) -> None:
    """Track the networks that are trained from now on, in this process and those that it starts.

    Parameters
    ----------
    name : one of :data:`TRACKERS`; None keeps the choice of the environment.

    Raises
    ------
    ArgumentError
        As for :func:`named`.
    """
    if name is not None:
        os.environ[VARIABLE] = name
    named()


@contextmanager
def tracker(config: Network, folder: Path) -> Iterator[Watch | None]:
    """Context that yields the ``watch`` function for one training run, or None if the environment names no tracker.

    Parameters
    ----------
    config : configuration of the network, which is logged.
    folder : folder of the run; TensorBoard's files go into its subfolder ``tensorboard``, and Weights & Biases uses its name.
    """
    name = named()
    if not name:
        yield None
        return
    write, close = (_tensorboard if name == "tensorboard" else _wandb)(config, Path(folder))

    def watch(epoch: float, numbers: Mapping[str, Sequence[float]]) -> None:
        write(epoch, {f"{key}/copy {config.copy + i}": float(value) for key, values in numbers.items()
                      for i, value in enumerate(values)})

    try:
        yield watch
    finally:
        close()


def _tensorboard(config: Network, folder: Path) -> tuple[Callable, Callable]:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(folder / "tensorboard")
    writer.add_text("settings", "\n".join(f"- {key}: {value}" for key, value in vars(config).items()))

    def write(epoch: float, numbers: Mapping[str, float]) -> None:
        for key, value in numbers.items():
            writer.add_scalar(key, value, round(1000 * epoch))  # steps must be integers, so they count thousandths of an epoch

    return write, writer.close


def _wandb(config: Network, folder: Path) -> tuple[Callable, Callable]:
    import wandb

    run = wandb.init(project="widthlab", group=folder.parent.name, name=folder.name, id=folder.name, resume="allow",
                     dir=str(folder), config=dict(vars(config)), reinit="create_new")
    return lambda epoch, numbers: run.log({"epoch": epoch, **numbers}), run.finish
