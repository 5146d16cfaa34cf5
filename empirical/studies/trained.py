"""Trained networks: the stage that trains one network or a stack of copies, and the networks in a run store.

All studies that measure networks build on this stage and share its runs: units and hulls are measured in the networks of width
sweeps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.settings import Network, Setting
from lab.console import called
from lab.errors import InputError
from lab.files import reading
from lab.stages import Stage
from lab.store import read_config, read_result

if TYPE_CHECKING:
    import torch

    from empirical.data import Dataset
    from empirical.models.layers import Stack
    from empirical.steps import Way

TRAIN = Stage("train", "empirical.studies.trained:run", Network)


def run(config: Network, folder: Path, *, device: str | None = None, data_dir: str | None = None,
        way: "Way | None" = None, begin: "Callable[[Stack], None] | None" = None) -> dict:
    """Train one network or a stack, and store its weights in the folder.

    Parameters
    ----------
    config : configuration to train.
    folder : folder of the run; training resumes from a checkpoint there.
    device : device, as named by PyTorch; None for CUDA if available.
    data_dir : folder with the data set; None for the one named by the environment.
    way : how to run a step, see :mod:`empirical.steps`.
    begin : called with the initialised stack, see :func:`empirical.train.train`.

    Returns
    -------
    dict
        ``parameters`` of one member, loss and accuracy of each member in ``train`` and ``test``, what
        :func:`empirical.train.train` returns (``curve``, ``epochs``, ``reached``, ...), and the manifest.
    """
    from empirical.data import dataset
    from empirical.device import pick_device
    from empirical.evaluate import evaluate
    from empirical.steps import Way
    from empirical.trackers import tracker
    from empirical.train import train

    target = pick_device(device)
    data = dataset(config, data_dir, str(target))
    way = (way or Way()).on(target, config)
    with tracker(config, Path(folder)) as watch:
        model, facts = train(config, data, Path(folder), device=target, way=way, watch=watch, begin=begin)
    parameters = sum(p.numel() for p in model.parameters()) // config.stack
    recipe_of = {key: value for key, value in config.shared().items() if key not in ("seed", "checksum")}
    return {"parameters": parameters, **facts, **{split: evaluate(model, data, split) for split in ("train", "test")},
            "manifest": {"data": data.facts, "device": str(target), "dtype": way.facts()["dtype"],
                         "training": {**recipe_of, "stack": config.stack, **way.facts()}}}


def finished_networks(experiment: Path) -> list[Network]:
    """The first finished network, or stack of copies, of every setting, width and replica in an experiment.

    Parameters
    ----------
    experiment : folder of the run store, ``runs/<experiment>``.

    Returns
    -------
    list of Network
        Sorted by replica, then from narrow to wide.

    Raises
    ------
    InputError
        If there is none, or files are damaged.
    """
    known = {field.name for field in fields(Network)}
    networks = []
    for folder in (path.parent for path in sorted(Path(experiment).glob("*/config.json"))):
        stored = read_config(folder)
        if stored is None or stored["function"] != TRAIN.run or read_result(folder) is None:
            continue
        with reading(folder / "config.json", "the configuration of a network", "delete that folder and run again"):
            network = Network(**{key: value for key, value in stored["config"].items() if key in known})
            named_so = TRAIN.folder(experiment, network) == folder
        if network.copy == 0 and named_so:
            networks.append(network)
    if not networks:
        raise InputError(f"no trained network in {experiment}: train a width sweep first ({called('empirical sweep')}), and give "
                         "the folder of its runs")
    return sorted(networks, key=lambda network: (network.seed, network.width))


def trained(network: Network, experiment: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """The result of a network's run, which is run now if it is not finished.

    Parameters
    ----------
    network : network to train.
    experiment : folder of the run store.
    device, data_dir : see :func:`run`.

    Returns
    -------
    dict
        As for :func:`run`, and ``threads``, the number it was trained with; None if an older run has not recorded it.

    Raises
    ------
    InputError
        If the training failed.
    """
    stored = TRAIN.obtain(network, experiment, {"device": device, "data_dir": data_dir})
    return {**stored["result"], "threads": stored["manifest"].get("threads")}


def threads_of_record(own: int, *networks: Mapping) -> int | None:
    """Threads for the manifest of a run that measured networks (results of :func:`trained`); None if theirs are unknown."""
    return own if all(network["threads"] for network in networks) else None


@dataclass(frozen=True)
class Ready:
    """The inputs of a run that measures trained networks.

    Attributes
    ----------
    experiment : folder of the run store that holds the networks.
    device : device on which they are measured.
    data : the run's data set, on the device.
    results : results of :func:`trained`, one per network.
    """

    experiment: Path
    device: "torch.device"
    data: "Dataset"
    results: tuple[dict, ...]

    def manifest(self, threads: int) -> dict:
        """The manifest of a run with this number of threads."""
        return {"data": self.data.facts, "device": str(self.device), "threads": threads_of_record(threads, *self.results)}


def ready(config: Setting, networks: Sequence[Network], experiment: Path, *, device: str | None = None,
          data_dir: str | None = None) -> Ready:
    """Train the networks that a run measures, unless they are trained already, and load its data.

    Parameters
    ----------
    config : configuration of the run, which names the data.
    networks : networks that the run measures.
    experiment : folder of the run store.
    device, data_dir : see :func:`run`.
    """
    from empirical.data import dataset
    from empirical.device import pick_device

    target = pick_device(device)
    results = tuple(trained(network, experiment, device=device, data_dir=data_dir) for network in networks)
    return Ready(experiment, target, dataset(config, data_dir, str(target)), results)


def train_from(prepared: Ready, config: Network, folder: Path, begin: "Callable[[Stack], None]", *, device: str | None = None,
               data_dir: str | None = None) -> dict:
    """Train a network that starts from trained ones; its number of threads is recorded only if theirs is.

    Parameters
    ----------
    prepared : the networks from which it starts.
    config, folder, device, data_dir : see :func:`run`.
    begin : called with the initialised stack, see :func:`empirical.train.train`.

    Returns
    -------
    dict
        As :func:`run`.
    """
    result = run(config, folder, device=device, data_dir=data_dir, begin=begin)
    result["manifest"]["threads"] = threads_of_record(config.threads, *prepared.results)
    return result


def first_member(network: Network, experiment: Path, data: "Dataset", target: "torch.device"):
    """The first network of a trained stack as a stack of one, in evaluation mode.

    Parameters
    ----------
    network : the stack.
    experiment : folder of the run store with its run.
    data : data on the device.
    target : the device.
    """
    from empirical.networks import load_trained, prepare, read_member

    stack = load_trained(network, data, TRAIN.folder(experiment, network), target)
    if network.stack == 1:
        return stack
    one = prepare(replace(network, stack=1), data, target)
    one.load_state_dict(read_member(stack, network.stack, 0))
    return one.eval()
