"""A data set in memory, and how one is made: rows, their splits, and changes to labels and images."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy.typing as npt
import torch

from empirical.data import checks
from empirical.data.splits import held_out
from empirical.streams import stream
from lab.errors import ArgumentError, InputError

DATA = None


@dataclass(frozen=True)
class Dataset:
    """A data set in memory.

    Attributes
    ----------
    name : str
        Name in tables, such as "CIFAR-10 (JPEG re-encoding)".
    inputs : torch.Tensor
        uint8 images (N, channels, size, size), token ids (N, length) with 0 as padding, or a user's float32 (N, ...).
    labels : torch.Tensor
        int64 (N,). In the train split they may be corrupted on purpose; elsewhere they are true.
    splits : mapping of str to torch.Tensor
        Name of a split -> int64 row numbers.
    classes : int
        Number of classes.
    checksum : str
        First 16 hex digits of the SHA-256 of inputs and labels.
    facts : dict
        Provenance for the manifest; its ``notes`` are sentences that are printed when the data are loaded.
    vocabulary : int
        Number of token ids; 0 if inputs are not tokens.
    shift : int
        Augmentation of images: largest random shift in pixels.
    flip : bool
        Augmentation of images: whether half of them are mirrored.
    mean : torch.Tensor or None
        Mean of each channel over the training split, (channels, 1, 1); None if inputs are not normalised.
    std : torch.Tensor or None
        Standard deviation of each channel, likewise.

    Examples
    --------
    >>> data = assemble("noise", torch.randn(40, 3), torch.arange(40) % 2, classes=2, test_rows=8, probe_fit=8, probe_score=8)
    >>> {name: len(rows) for name, rows in data.splits.items()}
    {'train': 16, 'probe_fit': 8, 'probe_score': 8, 'test': 8}
    >>> tuple(data.batch(data.splits["train"][:5]).shape)
    (5, 3)
    """

    name: str
    inputs: torch.Tensor
    labels: torch.Tensor
    splits: Mapping[str, torch.Tensor]
    classes: int
    checksum: str
    facts: dict[str, Any] = field(default_factory=dict)
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
        """Stored value of the brightest pixel; 1 if inputs are not images."""
        return 1.0 if self.mean is None else 255.0

    def to(self, device: torch.device | str) -> "Dataset":
        """The data set with all its tensors on a device."""
        mean, std = (None if x is None else x.to(device) for x in (self.mean, self.std))
        return replace(self, inputs=self.inputs.to(device), labels=self.labels.to(device), mean=mean, std=std,
                       splits={name: rows.to(device) for name, rows in self.splits.items()})

    def batch(self, rows: torch.Tensor) -> torch.Tensor:
        """Inputs of some rows in the form that networks take: normalised float32 images, unchanged numbers, or token ids."""
        chosen = self.inputs[rows]
        return chosen.long() if self.is_text else self.normalised(chosen.float())

    def normalised(self, numbers: torch.Tensor) -> torch.Tensor:
        """Stored numbers in the form that networks take."""
        return numbers if self.mean is None or self.std is None else (numbers - self.mean) / self.std


def assemble(name: str, inputs: npt.ArrayLike | torch.Tensor, labels: npt.ArrayLike | torch.Tensor, *, classes: int,
             test_rows: int, probe_fit: int, probe_score: int, train_size: int = 0, split: int = 0, vocabulary: int = 0,
             shift: int = 0, flip: bool = False, facts: Mapping[str, Any] | None = None) -> Dataset:
    """Make a :class:`Dataset`: check the labels, split the rows, normalise images by the training split alone.

    Parameters
    ----------
    name : str
        Name in tables.
    inputs : array_like or torch.Tensor
        All rows, (N, ...), the test rows last; uint8 (N, channels, size, size) are images.
    labels : array_like or torch.Tensor
        Whole numbers 0..classes-1, (N,).
    classes : int
        Number of classes; each needs rows to train and to fit on.
    test_rows : int
        Number of rows at the end that form the test split.
    probe_fit : int
        Number of rows on which measures are fitted.
    probe_score : int
        Number of rows on which measures are scored.
    train_size : int
        Number of training rows; 0 for all that are not in the probe splits.
    split : int
        Number of the random assignment of rows to splits, see :func:`held_out`.
    vocabulary : int
        Number of token ids; 0 if inputs are not tokens.
    shift : int
        Largest random shift of an image in training, in pixels.
    flip : bool
        Whether images are mirrored at random in training.
    facts : mapping, optional
        Provenance for the manifest.

    Returns
    -------
    Dataset
        On the CPU.

    Raises
    ------
    InputError
        If labels are not classes, or a class has no row to train or to fit on.
    ArgumentError
        If the splits are larger than the data.

    Examples
    --------
    >>> data = assemble("noise", np.zeros((40, 3)), np.arange(40) % 2, classes=2, test_rows=8, probe_fit=8, probe_score=8)
    >>> data.facts["rows_train"], data.is_text
    (16, False)
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
    mean, std = None, None
    if inputs.dtype == torch.uint8 and inputs.dim() == 4:
        mean, std = _pixel_statistics(inputs[splits["train"]])
    checksum = _checksum(inputs, labels)
    known = {"name": name, "checksum": checksum, **{f"rows_{k}": len(v) for k, v in splits.items()},
             **({"split": split} if split else {}), **(facts or {})}
    return Dataset(name, inputs, labels, splits, classes, checksum, known, vocabulary, shift, flip, mean, std)


def _pixel_statistics(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each channel, (channels, 1, 1), by counting grey levels: exact, and no copy in floats."""
    levels = torch.arange(256, dtype=torch.float64)
    counts = torch.stack([torch.bincount(images[:, c].reshape(-1), minlength=256) for c in range(images.shape[1])])
    share = counts / counts.sum(1, keepdim=True).double()
    mean = share @ levels
    std = (share @ levels.square() - mean.square()).clamp_min(1.0).sqrt()
    return mean.float().view(-1, 1, 1), std.float().view(-1, 1, 1)


def with_images(data: Dataset, name: str, images: torch.Tensor) -> Dataset:
    """The data set with its images replaced; labels and splits stay.

    Parameters
    ----------
    data : Dataset
        Data set of uint8 images.
    name : str
        Name of the new data set.
    images : (N, channels, size, size) tensor of uint8
        The new images.

    Returns
    -------
    Dataset
        Normalised by the new images of the training split. The checksum follows from that of the originals and from the name, so
        that all draws of one change share it.

    Examples
    --------
    >>> from empirical.data import load
    >>> data = load("digits")
    >>> with_images(data, "dark digits", data.inputs // 2).checksum != data.checksum
    True
    """
    mean, std = _pixel_statistics(images[data.splits["train"]])
    checksum = hashlib.sha256(f"{data.checksum} {name}".encode()).hexdigest()[:16]
    return replace(data, name=name, inputs=images, mean=mean, std=std, checksum=checksum,
                   facts={**data.facts, "name": name, "checksum": checksum})


def _checksum(inputs: torch.Tensor, labels: torch.Tensor) -> str:
    """First 16 hex digits of the SHA-256 of inputs and labels."""
    return hashlib.sha256(inputs.contiguous().numpy().tobytes() + labels.numpy().tobytes()).hexdigest()[:16]


def corrupt(data: Dataset, share: float, split: int = 0) -> Dataset:
    """The data set with wrong labels in its training split; probe and test labels stay true.

    Parameters
    ----------
    data : Dataset
        Data set with true labels.
    share : float
        Share of the training rows that get a label drawn from the other classes; 1 redraws every label from all
        classes, so that labels carry no information at all (random labels).
    split : int
        Number of the split; wrong labels are drawn anew for each.

    Returns
    -------
    Dataset
        The data set itself if the share is 0.

    Raises
    ------
    ArgumentError
        If the share is outside [0, 1].

    Examples
    --------
    >>> data = assemble("noise", torch.randn(40, 3), torch.arange(40) % 2, classes=2, test_rows=8, probe_fit=8, probe_score=8)
    >>> wrong = corrupt(data, 0.25)
    >>> wrong.name, int((wrong.labels != data.labels).sum())  # of 16 training rows
    ('noise, 0.25 label noise', 4)
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


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """uint8 images (N, c, h, h) bilinearly resized to ``size`` pixels per side; 0 leaves them unchanged."""
    if size in (0, images.shape[-1]):
        return images
    checks.image_size(size)
    chunks = [torch.nn.functional.interpolate(part.float(), size=(size, size), mode="bilinear", antialias=True)
              for part in images.split(4096)]
    return torch.cat(chunks).round().clamp(0, 255).byte()
