"""Trained networks: the stage that trains one, or a stack of copies, and the networks that a run store holds.

All studies that measure networks build on this stage and share its runs: units and hulls are measured of the networks of width
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
    """Train one network, or a stack; its weights are left in the folder.

    Parameters
    ----------
    config : what is trained.
    folder : of the run; a checkpoint there is taken up.
    device : as for PyTorch; None for CUDA if there is one.
    data_dir : folder with the data set; None for the one that the environment names.
    way : how a step is carried out, see :mod:`empirical.steps`.
    begin : what is done to the stack at its start, see :func:`empirical.train.train`.

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
    """The first network, or stack of copies, of every setting, width and replica that is finished in an experiment.

    Parameters
    ----------
    experiment : folder of the run store, ``runs/<experiment>``.

    Returns
    -------
    list of Network
        By replica, then from narrow to wide.

    Raises
    ------
    InputError
        If there is none, or one whose files are damaged.
    """
    known = {field.name for field in fields(Network)}
    found = []
    for folder in (path.parent for path in sorted(Path(experiment).glob("*/config.json"))):
        stored = read_config(folder)
        if stored is None or stored["function"] != TRAIN.run or read_result(folder) is None:
            continue
        with reading(folder / "config.json", "the configuration of a network", "delete that folder and run again"):
            network = Network(**{key: value for key, value in stored["config"].items() if key in known})
            named_so = TRAIN.folder(experiment, network) == folder
        if network.copy == 0 and named_so:
            found.append(network)
    if not found:
        raise InputError(f"no trained network in {experiment}: train a width sweep first ({called('empirical sweep')}), and name "
                         "the folder of its runs")
    return sorted(found, key=lambda network: (network.seed, network.width))


def trained(network: Network, experiment: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """The result of a network's run, which is carried out now if it is not finished.

    Parameters
    ----------
    network : what is trained.
    experiment : folder of the run store.
    device, data_dir : see :func:`run`.

    Returns
    -------
    dict
        As :func:`run`; and ``threads``, those that it was trained with, None where its run does not know (an older one).

    Raises
    ------
    InputError
        If the training failed.
    """
    stored = TRAIN.obtain(network, experiment, {"device": device, "data_dir": data_dir})
    return {**stored["result"], "threads": stored["manifest"].get("threads")}


def threads_of_record(own: int, *networks: Mapping) -> int | None:
    """Threads for the manifest of a run that measured networks (results of :func:`trained`): None if theirs are not known."""
    return own if all(network["threads"] for network in networks) else None


@dataclass(frozen=True)
class Ready:
    """What a run that measures trained networks starts from.

    Attributes
    ----------
    experiment : folder of the run store that holds the networks.
    device : where they are measured.
    data : the run's data set, on the device.
    results : of :func:`trained`, one for each network.
    """

    experiment: Path
    device: "torch.device"
    data: "Dataset"
    results: tuple[dict, ...]

    def manifest(self, threads: int) -> dict:
        """The manifest of a run with so many threads."""
        return {"data": self.data.facts, "device": str(self.device), "threads": threads_of_record(threads, *self.results)}


def ready(config: Setting, networks: Sequence[Network], experiment: Path, *, device: str | None = None,
          data_dir: str | None = None) -> Ready:
    """Train what is not trained yet of the networks that a run measures, and load its data.

    Parameters
    ----------
    config : the run, which names the data.
    networks : what it measures.
    experiment : folder of the run store.
    device, data_dir : see :func:`run`.
    """
    from empirical.data import dataset
    from empirical.device import pick_device

    target = pick_device(device)
    results = tuple(trained(network, experiment, device=device, data_dir=data_dir) for network in networks)
    return Ready(experiment, target, dataset(config, data_dir, str(target)), results)


def first_member(network: Network, experiment: Path, data: "Dataset", target: "torch.device"):
    """The first network of a trained stack as a stack of one, in evaluation mode.

    Parameters
    ----------
    network : the stack.
    experiment : folder of the run store with its run.
    data : on the device.
    target : the device.
    """
    from empirical.networks import load_trained, prepare, read_member

    stack = load_trained(network, data, TRAIN.folder(experiment, network), target)
    if network.stack == 1:
        return stack
    one = prepare(replace(network, stack=1), data, target)
    one.load_state_dict(read_member(stack, network.stack, 0))
    return one.eval()
