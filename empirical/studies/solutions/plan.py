"""Shared by the studies of this package: runs with a network of one width, data from files, columns about a network."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from empirical.declared import data_folder
from empirical.settings import Setting
from lab.study import CONFIRMATORY

if TYPE_CHECKING:
    from empirical.data import Dataset

UNIT = 512  # base width: a layer of h units has alpha = h/512
DIGITS = {"data": "digits", "train_size": 300, "epochs": 300}
MNIST = {"data": "mnist", "train_size": 1000, "image_size": 14, "batch_size": 100, "learning_rate": 0.1}
CIFAR10 = {"data": "cifar10", "train_size": 1000, "learning_rate": 0.01}  # at a rate of .05, pilots on 3,072 pixels diverged
SOURCES = {"digits": DIGITS, "mnist": MNIST, "cifar10": CIFAR10}
# one hidden layer, and nothing that keeps training from fitting everything: no augmentation, no weight decay
PLAIN = {"arch": "mlp", "depth": 1, "base_width": UNIT, "epochs": 200, "batch_size": 50, "learning_rate": 0.05,
         "weight_decay": 0.0, "augment": False}
NAMES = {"mlp": "MLP", "resnet18": "ResNet-18", "vgg16": "VGG-16"}
Config = TypeVar("Config", bound=Setting)


def of_width(kind: type[Config], hidden: int, seed: int, **changes: Any) -> Config:
    """A run with a network of this many hidden units; every replica has its own split of the data.

    Parameters
    ----------
    kind : class of the run, Setting or one derived from it
        For example :class:`~empirical.settings.Network`.
    hidden : int in 1 … 2¹⁶
        Hidden units of each layer.
    seed : int
        Number of the replica.
    **changes
        Fields that differ from :data:`PLAIN`.

    Returns
    -------
    kind
        The run.

    Examples
    --------
    >>> from empirical.settings import Network
    >>> of_width(Network, 48, 100, **DIGITS).alpha
    '3/32'
    """
    fields = {**PLAIN, "alpha": str(Fraction(hidden, UNIT)), "seed": seed, "split": seed, **changes}
    run = kind(**fields)
    run.check()
    return run


def data_name(config: Setting) -> str:
    """The data of a run, for readers.

    Parameters
    ----------
    config : Setting
        The run.

    Returns
    -------
    str
        Name of the data, and size of its images if it is changed; wrong labels have a column of their own.

    Examples
    --------
    >>> from empirical.settings import Network
    >>> data_name(of_width(Network, 48, 100, **MNIST))
    'MNIST at 14x14'
    """
    name = {"mnist": "MNIST", "cifar10": "CIFAR-10"}.get(config.data, config.data)
    return name + (f" at {config.image_size}x{config.image_size}" if config.image_size else "")


def unlike_published(data: "Dataset") -> dict[str, str]:
    """The name of data whose files are not the published ones, which a result must record.

    Parameters
    ----------
    data : Dataset
        The data of a run.

    Returns
    -------
    dict
        ``data``, the name; empty for published data.

    Examples
    --------
    >>> from empirical.data import load
    >>> unlike_published(load("digits"))
    {}
    """
    return {"data": data.facts["name"]} if data.facts.get("files_as_published") != data.facts.get("files") else {}


def hidden_units(config: Setting) -> int:
    """Hidden units of a run's network.

    Parameters
    ----------
    config : Setting
        The run.

    Returns
    -------
    int
        alpha times base width.

    Examples
    --------
    >>> from empirical.settings import Network
    >>> hidden_units(of_width(Network, 48, 100, **DIGITS))
    48
    """
    return int(config.width * config.base_width)


def network_name(arch: str, hidden: int) -> str:
    """A network of a study, for readers.

    Parameters
    ----------
    arch : str
        Name of its architecture.
    hidden : int
        Its hidden units, or the channels that stand for one unit of width.

    Returns
    -------
    str
        Kind and width.

    Examples
    --------
    >>> network_name("mlp", 8), network_name("resnet18", 2)
    ('MLP of 8 units', 'ResNet-18 of base width 2')
    """
    return f"{NAMES[arch]} of {hidden} units" if arch.startswith("mlp") else f"{NAMES[arch]} of base width {hidden}"


def seeds(n: int) -> range:
    """Seeds of n replicas, all of them confirmatory.

    Parameters
    ----------
    n : int
        Number of replicas.

    Returns
    -------
    range
        Seeds from :data:`lab.study.CONFIRMATORY` on.

    Examples
    --------
    >>> list(seeds(2))
    [100, 101]
    """
    return range(CONFIRMATORY, CONFIRMATORY + n)


def from_files(declared: Callable[..., Sequence[Config]]) -> Callable[..., list[Config]]:
    """The same runs with the checksums of their data, if the data are available.

    A checksum covers all images and labels, before they are split and before labels are made wrong. All runs on a data set share
    it, because their images have the same size.

    Parameters
    ----------
    declared : function of scale and replicas
        The runs.

    Returns
    -------
    function of scale and replicas
        As ``declared``; it returns no runs if the environment names no folder of data.

    Examples
    --------
    >>> from_files(lambda scale, n=None: [])("full")
    []
    """
    def configs(scale: str, n: int | None = None) -> list[Config]:
        runs = list(declared(scale, n)) if data_folder() else []
        if not runs:
            return []
        from empirical.data import dataset, with_checksum

        first = {run.data: run for run in reversed(runs)}
        checksums = {name: with_checksum(run, dataset(run)).checksum for name, run in first.items()}
        return [replace(run, checksum=checksums[run.data]) for run in runs]

    return configs


def about(config: Setting, result: dict, member: int | None = 0) -> dict[str, Any]:
    """The columns of a table about one trained network, or about the mean over a stack.

    Parameters
    ----------
    config : Setting
        Configuration of its run.
    result : dict
        Result of :func:`empirical.studies.trained.run`; ``data`` names data that are not the published ones.
    member : int or None, default 0
        Number of the network in its stack; None for the mean over all of them, which has no column ``member``.

    Returns
    -------
    dict
        Data, hidden units, parameters, training samples, share of wrong labels, seed, epochs, and loss and error on training and
        test rows.

    Examples
    --------
    >>> from empirical.settings import Network
    >>> side = {"loss": [0.5], "accuracy": [0.75]}
    >>> facts = {"parameters": 10, "train": side, "test": side}
    >>> about(of_width(Network, 8, 100, **DIGITS), facts)["test_error"]
    0.25
    """
    def of(values: Sequence[float]) -> float:
        return float(np.mean(values)) if member is None else values[member]

    return {"data": result.get("data", data_name(config)), "hidden": hidden_units(config), "parameters": result["parameters"],
            "samples": config.train_size, "label_noise": config.label_noise, "seed": config.seed,
            **({} if member is None else {"member": member}), "epochs": config.epochs,
            **{f"{split}_{name}": value for split in ("train", "test") for name, value in
               (("loss", of(result[split]["loss"])), ("error", 1 - of(result[split]["accuracy"])))}}
