"""Data sets: tensors, their splits, and names that say whether the data are as published.

All networks of a replica share four splits: networks are trained on ``train`` only; measures are fitted on ``probe_fit`` and
scored on ``probe_score``, on which nothing is trained; ``test`` is used for accuracies only. Replicas share split number 0, or
each has its own (``split``): then a mean over replicas is also a mean over draws of the data.
"""

import sys
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from multiprocessing import parent_process
from typing import Any, ClassVar, Protocol, TypeVar

from empirical.data import checks
from empirical.data.assembled import Dataset, assemble, corrupt
from empirical.data.assembled import resize as resize
from empirical.data.assembled import with_images as with_images
from empirical.data.splits import SPLITS as SPLITS
from empirical.data.splits import held_out
from empirical.declared import data_folder, is_own, sources
from empirical.declared import source as declared_source
from empirical.settings import Setting
from lab.errors import InputError

__all__ = ["Dataset", "assemble", "corrupt", "dataset", "held_out", "load"]
S = TypeVar("S", bound="Planned")
SOURCES = {name: module for name, (module, _) in sources().items()}


@lru_cache(maxsize=2)
def load(source: str, *, data_dir: str | None = None, train_size: int = 0, label_noise: float = 0.0,
         image_size: int = 0, max_length: int = 0, split: int = 0, download: bool = False) -> Dataset:
    """Load a data set by its name on the command line, on the CPU; the last two are kept in memory.

    Parameters
    ----------
    source : str
        Name of a data set, one of :data:`SOURCES`, or ``"package.module:function"`` for a user's own.
    data_dir : str, optional
        Folder, archive or file with the data (see each module); not for the embedded sets.
    train_size : int
        Number of training rows; 0 for all.
    label_noise : float
        Share of wrong training labels in [0, 1], see :func:`corrupt`.
    image_size : int
        Image size in pixels per side; 0 for the size in the data.
    max_length : int
        Tokens per sentence pair; 0 for the source's default.
    split : int
        Number of the random assignment of rows to splits. Published test rows stay the same; generated data are generated anew
        for each split.
    download : bool
        Fetch missing data from their publisher.

    Returns
    -------
    Dataset
        On the CPU.

    Raises
    ------
    ArgumentError
        For an unknown name, impossible sizes, or missing files.
    InputError
        For truncated or altered files.

    Examples
    --------
    >>> data = load("digits", train_size=100)
    >>> data.name, tuple(data.inputs.shape), len(data.splits["train"])
    ('digits', (1797, 1, 8, 8), 100)
    """
    declared_source(source)
    checks.image_size(image_size)
    checks.max_length(max_length)
    reader = import_module("empirical.own.data" if is_own(source) else SOURCES[source])
    data = reader.load(source=source, data_dir=data_dir, train_size=train_size, image_size=image_size, max_length=max_length,
                       split=split, download=download)
    if parent_process() is None:  # worker processes load the same data again
        for note in data.facts.get("notes", ()):
            print(f"{data.name}: {note}", file=sys.stderr, flush=True)
    return corrupt(data, label_noise, split)


@lru_cache(maxsize=2)
def _on_device(key: tuple[str, int, int, int, float, int], data_dir: str | None, device: str) -> Dataset:
    source, train_size, image_size, max_length, label_noise, split = key
    return load(source, data_dir=data_dir, train_size=train_size, image_size=image_size, max_length=max_length,
                label_noise=label_noise, split=split).to(device)


def dataset(setting: Setting, data_dir: str | None = None, device: str = "cpu") -> Dataset:
    """The data of a setting on a device; the last two are kept in memory.

    Parameters
    ----------
    setting : Setting
        Setting with data set, sizes, label noise, split and checksum.
    data_dir : str, optional
        See :func:`load`; by default the folder that the environment variable ``WIDTHLAB_DATA`` names.
    device : str
        Device, as named by PyTorch.

    Returns
    -------
    Dataset
        On the device.

    Raises
    ------
    InputError
        If the checksum of the data is not that of the setting.

    Examples
    --------
    >>> setting = Setting(arch="mlp", data="digits", base_width=4, epochs=1, train_size=100)
    >>> dataset(setting) is dataset(setting)
    True
    """
    folder = data_dir or data_folder()
    key = (setting.data, setting.train_size, setting.image_size, setting.max_length, setting.label_noise,
           setting.split)
    data = _on_device(key, folder, device)
    refuse_changed(setting, data, folder)
    return data


class Planned(Protocol):
    """A configuration (a dataclass) that names its data and their checksum."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def data(self) -> str: ...
    @property
    def checksum(self) -> str: ...


def refuse_changed(setting: Planned, data: Dataset, folder: str | None) -> None:
    """Refuse data whose checksum is not that of the setting.

    Raises
    ------
    InputError
        If the checksums differ.
    """
    if setting.checksum and data.checksum != setting.checksum:
        where = setting.data if is_own(setting.data) else f"the data in {folder}"
        raise InputError(f"{where} changed since this sweep was planned (checksum {data.checksum}, not {setting.checksum}): "
                         "start it again")


def with_checksum(setting: S, data: Dataset) -> S:
    """The setting with the checksum of its data; built-in data are the same everywhere and need none."""
    embedded = "source" in data.facts and not is_own(setting.data)
    return replace(setting, checksum="" if embedded else data.checksum)
