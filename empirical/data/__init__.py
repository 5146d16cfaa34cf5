"""Data sets: tensors, the splits that keep every measure honest, and what the data are called.

Four splits, the same for all networks of a replica: ``train`` is all that training sees; measures are fitted on ``probe_fit``
and scored on ``probe_score``, which no training sees; ``test`` serves accuracies alone. Replicas share one way of splitting the
data, number 0, or have each one of its own (``split``): then a mean over replicas speaks of the data, too.
"""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import import_module
from multiprocessing import parent_process

import torch

from empirical.data import checks
from empirical.declared import data_folder, is_own, sources
from empirical.declared import source as known
from empirical.settings import Setting
from empirical.streams import stream
from lab.errors import ArgumentError, InputError

SPLITS = ("train", "probe_fit", "probe_score", "test")
SOURCES = {name: module for name, (module, _) in sources().items()}


@dataclass(frozen=True)
class Dataset:
    """A data set in memory.

    Attributes
    ----------
    name : what to call it in a table ("CIFAR-10 (JPEG re-encoding)").
    inputs : uint8 images (N, channels, size, size), token ids (N, length) with 0 as padding, or a user's float32 (N, ...).
    labels : int64 (N,). In the train split they may be corrupted on purpose; elsewhere they are true.
    splits : split name -> int64 row numbers.
    classes : number of classes.
    checksum : sha256 over inputs and labels, first 16 hex digits.
    facts : provenance for the manifest; ``notes`` are sentences that the user is told when the data are loaded.
    vocabulary : number of token ids; 0 where inputs are none.
    shift, flip : augmentation of images: largest random shift in pixels, random mirror images.
    mean, std : of the training split a channel; None where inputs are taken as they are.
    """

    name: str
    inputs: torch.Tensor
    labels: torch.Tensor
    splits: Mapping[str, torch.Tensor]
    classes: int
    checksum: str
    facts: dict = field(default_factory=dict)
    vocabulary: int = 0
    shift: int = 0
    flip: bool = False
    mean: torch.Tensor | None = None
    std: torch.Tensor | None = None

    @property
    def is_text(self) -> bool:
        """True for token ids, False for numbers."""
        return self.vocabulary > 0

    @property
    def scale(self) -> float:
        """What a picture's brightest pixel is stored as; 1 for numbers that are no pictures."""
        return 1.0 if self.mean is None else 255.0

    def to(self, device) -> "Dataset":
        """The data set with all its tensors on a device, once."""
        def move(x):
            return None if x is None else x.to(device)
        return replace(self, inputs=move(self.inputs), labels=move(self.labels), mean=move(self.mean), std=move(self.std),
                       splits={name: rows.to(device) for name, rows in self.splits.items()})

    def batch(self, rows: torch.Tensor) -> torch.Tensor:
        """Inputs of some rows as a network takes them: normalised float32 images, numbers as they are, or token ids."""
        chosen = self.inputs[rows]
        return chosen.long() if self.is_text else self.normalised(chosen.float())

    def normalised(self, numbers: torch.Tensor) -> torch.Tensor:
        """Stored numbers as a network takes them."""
        return numbers if self.mean is None else (numbers - self.mean) / self.std


def held_out(name: str, pool: int, train_size: int, probe_fit: int, probe_score: int,
             split: int = 0) -> dict[str, torch.Tensor]:
    """Rows of the training and probe splits among ``pool`` rows; the probe splits do not depend on ``train_size``.

    Parameters
    ----------
    name : of the data, for a person.
    pool : rows that there are.
    train_size : training rows, 0 for all that the probe splits leave.
    probe_fit, probe_score : rows of the probe splits.
    split : number of the way in which rows are dealt out.

    Raises
    ------
    ArgumentError
        If there are too few rows.
    """
    most = pool - probe_fit - probe_score
    if train_size < 0:
        raise ArgumentError(f"train_size {train_size} is negative", "train_size")
    if most < 1 or train_size > most:
        raise ArgumentError(f"{name} has {max(most, 0)} rows for training beside the probe splits "
                            f"({probe_fit} + {probe_score}): train_size {train_size or pool} is too large", "train_size")
    cuts = (probe_fit, probe_score, train_size or most)
    fit, score, train = torch.randperm(pool, generator=stream(split, "splits", pool))[:sum(cuts)].split(cuts)
    return {"train": train, "probe_fit": fit, "probe_score": score}


def assemble(name: str, inputs, labels, *, classes: int, test_rows: int, train_size: int, probe_fit: int, probe_score: int,
             split: int = 0, facts: dict | None = None, **rest) -> Dataset:
    """Make a :class:`Dataset`: check, split, normalise by the training split alone.

    Parameters
    ----------
    inputs, labels : all rows, the test rows last; labels are whole numbers 0..classes-1.
    classes : number of classes; each needs rows to train and to fit on.
    test_rows : how many of them are the test split.
    train_size : training rows; 0 takes all that the probe splits leave.
    probe_fit, probe_score : sizes of the probe splits.
    split : see :func:`held_out`.

    Raises
    ------
    InputError
        If labels are no classes, or a class has no row to train or to fit on.
    ArgumentError
        If the splits are larger than the data.
    """
    inputs, labels = torch.as_tensor(inputs), torch.as_tensor(labels)
    if labels.is_floating_point() or len(labels) != len(inputs) or not ((labels >= 0) & (labels < classes)).all():
        raise InputError(f"{name}: its labels are not {len(inputs)} whole numbers 0..{classes - 1}")
    labels = labels.long()
    pool = len(labels) - test_rows
    splits = {**held_out(name, pool, train_size, probe_fit, probe_score, split), "test": torch.arange(pool, len(labels))}
    for part in ("train", "probe_fit"):
        counts = torch.bincount(labels[splits[part]], minlength=classes)
        if not counts.all():
            raise InputError(f"{name}: class {int(counts.argmin())} has no row in the {part} split; use more data")
    if inputs.dtype == torch.uint8 and inputs.dim() == 4:
        rest["mean"], rest["std"] = _pixel_statistics(inputs[splits["train"]])
    checksum = hashlib.sha256(inputs.contiguous().numpy().tobytes() + labels.numpy().tobytes()).hexdigest()[:16]
    facts = {"name": name, "checksum": checksum, **{f"rows_{k}": len(v) for k, v in splits.items()},
             **({"split": split} if split else {}), **(facts or {})}
    return Dataset(name, inputs, labels, splits, classes, checksum, facts, **rest)


def _pixel_statistics(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation a channel, (channels, 1, 1), by counting grey levels: exact and without a float copy."""
    levels = torch.arange(256, dtype=torch.float64)
    counts = torch.stack([torch.bincount(images[:, c].reshape(-1), minlength=256) for c in range(images.shape[1])])
    share = counts / counts.sum(1, keepdim=True).double()
    mean = share @ levels
    std = (share @ levels.square() - mean.square()).clamp_min(1.0).sqrt()
    return mean.float().view(-1, 1, 1), std.float().view(-1, 1, 1)


def corrupt(data: Dataset, share: float, split: int = 0) -> Dataset:
    """The data set with wrong labels in its training split; probe and test labels stay true.

    Parameters
    ----------
    share : share of the training rows that get a label drawn from the other classes; 1 redraws every label from all
        classes, so that labels carry no information at all (random labels).
    split : each has wrong labels of its own.

    Raises
    ------
    ArgumentError
        If the share is outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ArgumentError(f"label_noise {share:g} is not a share between 0 and 1", "label_noise")
    if share == 0:
        return data
    rows, draw = data.splits["train"], stream(split, "label noise")
    labels = data.labels.clone()
    if share == 1:
        labels[rows] = torch.randint(data.classes, (len(rows),), generator=draw)
    else:
        hit = rows[torch.randperm(len(rows), generator=draw)[:round(share * len(rows))]]
        labels[hit] = (labels[hit] + torch.randint(1, data.classes, (len(hit),), generator=draw)) % data.classes
    note = "random labels" if share == 1 else f"{share:g} label noise"
    return replace(data, name=f"{data.name}, {note}", labels=labels, facts={**data.facts, "labels": note})


@lru_cache(maxsize=2)
def load(source: str, *, data_dir: str | None = None, train_size: int = 0, label_noise: float = 0.0,
         image_size: int = 0, max_length: int = 0, split: int = 0, download: bool = False) -> Dataset:
    """Load a data set by its name on the command line, on the CPU; the last two are kept in memory.

    Parameters
    ----------
    source : one of :data:`SOURCES`.
    data_dir : folder, archive or file with the data (see each module); not for the embedded sets.
    train_size : training rows, 0 for all.
    label_noise : see :func:`corrupt`.
    image_size : pixels a side, 0 for the data's own (images).
    max_length : tokens a pair, 0 for the source's default (text).
    split : number of the way in which rows are dealt out to the splits (the published test rows stay what they are);
        generated data are generated anew for each.
    download : fetch missing data from its publisher.

    Raises
    ------
    ArgumentError, InputError
        Unknown name; missing, truncated or altered files.
    """
    known(source)
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
def _on_device(key: tuple, data_dir: str | None, device: str) -> Dataset:
    source, train_size, image_size, max_length, label_noise, split = key
    return load(source, data_dir=data_dir, train_size=train_size, image_size=image_size, max_length=max_length,
                label_noise=label_noise, split=split).to(device)


def dataset(setting: Setting, data_dir: str | None = None, device: str = "cpu") -> Dataset:
    """The data of a setting on a device; the last two are kept in memory.

    Parameters
    ----------
    setting : its data set, sizes, label noise, split and checksum.
    data_dir : see :func:`load`; None for the folder that the environment names.
    device : as for PyTorch.

    Raises
    ------
    InputError
        If the data are not those that the setting names by their checksum.
    """
    folder = data_dir or data_folder()
    key = (setting.data, setting.train_size, setting.image_size, setting.max_length, setting.label_noise,
           setting.split)
    found = _on_device(key, folder, device)
    refuse_changed(setting, found, folder)
    return found


def refuse_changed(setting, data: Dataset, folder: str | None) -> None:
    """Refuse data that are not those of which a setting has the checksum.

    Raises
    ------
    InputError
    """
    if setting.checksum and data.checksum != setting.checksum:
        where = setting.data if is_own(setting.data) else f"the data in {folder}"
        raise InputError(f"{where} changed since this sweep was planned (checksum {data.checksum}, not {setting.checksum}): "
                         "start it again")


def with_checksum(setting: Setting, data: Dataset) -> Setting:
    """The setting with the checksum of its data, but where they are embedded and the same everywhere."""
    embedded = "source" in data.facts and not is_own(setting.data)
    return replace(setting, checksum="" if embedded else data.checksum)


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """uint8 images (N, c, h, h) bilinearly resized to ``size`` pixels a side; 0 leaves them."""
    if size in (0, images.shape[-1]):
        return images
    checks.image_size(size)
    chunks = [torch.nn.functional.interpolate(part.float(), size=(size, size), mode="bilinear", antialias=True)
              for part in images.split(4096)]
    return torch.cat(chunks).round().clamp(0, 255).byte()
