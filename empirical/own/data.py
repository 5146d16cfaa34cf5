"""A user's own data, as an :class:`empirical.data.Dataset`.

An own data set is a function that returns one of

* ``(inputs, labels)``: arrays or tensors; a fixed random fifth of the rows becomes the test split,
* a PyTorch data set, or a loader: anything that yields batches or samples of (inputs, labels), or dicts of them,
* ``(train, test)``: two of the above,
* a dict with ``train`` and, optionally, ``test``, ``classes``, ``name``, ``vocabulary`` (inputs are token ids, 0 is padding),
  ``probe_fit`` and ``probe_score`` (numbers of rows that are not trained on but kept for the measures, a fifth each by default),
  ``shift`` and ``flip`` (random shifts and mirror images of pictures),
* an :class:`empirical.data.Dataset`, which is used unchanged.

The function may take arguments named ``data_dir``, ``train_size``, ``image_size``, ``max_length`` and ``split``. All rows are
held in memory. Loaders are read once, with fixed random seeds. Labels are classes. Bytes of the shape (rows, channels, height,
width) are pictures, which are normalised by the training split like those of the laboratory; other numbers are used unchanged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import torch

from empirical.data import Dataset, assemble, resize
from empirical.declared import short
from empirical.own import names
from empirical.streams import seeded, stream
from lab import checks
from lab.arrays import is_masked
from lab.errors import ArgumentError, InputError

INPUTS = ("inputs", "input", "x", "images", "image", "pixel_values", "input_ids")
LABELS = ("labels", "label", "y", "targets", "target")
OPTIONS = {"train", "test", "classes", "name", "vocabulary", "probe_fit", "probe_score", "shift", "flip"}
_SHARE = 5  # one row in five goes to the test split; of the others, one in five to each probe split


def load(*, source: str, data_dir: str | None = None, train_size: int = 0, image_size: int = 0, max_length: int = 0,
         split: int = 0, **_) -> Dataset:
    """The data of a user's own function.

    Parameters
    ----------
    source : str
        ``package.module:function``.
    data_dir, train_size, image_size, max_length, split
        See :func:`empirical.data.load`; those that the function takes are passed on to it.

    Raises
    ------
    ArgumentError
        If there is no such function, it fails, or an argument does not apply to it.
    InputError
        If its result is not a data set with classes.
    """
    function = names.load(source, "data")
    options = {"data_dir": data_dir, "train_size": train_size, "image_size": image_size, "max_length": max_length,
               "split": split}
    known = names.takes(function)
    given = {name: value for name, value in options.items() if value and name in known}
    if max_length and "max_length" not in known:
        raise ArgumentError(f"{source} takes no max_length: leave max_length out", "max_length")
    left = 0 if "train_size" in given else train_size
    with seeded(0):
        try:
            data = function(**given)
        except Exception as error:
            raise InputError(f"{source} fails: {names.in_a_line(error)}") from error
        if not isinstance(data, Dataset):
            return _assembled(source, data, left, 0 if "image_size" in given else image_size, split)
    if split and "split" not in given:
        raise ArgumentError(f"{source} takes no split, and returns a whole data set: leave split out", "split")
    if image_size and "image_size" not in given:
        raise ArgumentError(f"{source} takes no image_size, and returns a whole data set: leave image_size out", "image_size")
    if left:
        rows = data.splits["train"]
        if left > len(rows):
            raise ArgumentError(f"{source} has {len(rows)} rows for training: train_size {left} is too large", "train_size")
        data = replace(data, splits={**data.splits, "train": rows[:left]}, facts={**data.facts, "rows_train": left})
    return data


def _assembled(source: str, data, train_size: int, image_size: int, split: int) -> Dataset:
    """The result of the function as a data set with splits."""
    options = dict(data) if isinstance(data, Mapping) and "train" in data else None
    if options is None:
        pair = isinstance(data, list | tuple) and len(data) == 2
        options = {"train": data} if not pair or _is_array(data[0]) else {"train": data[0], "test": data[1]}
    if strange := set(options) - OPTIONS:
        raise InputError(f"{source} returns a dict with {min(map(str, strange))!r}; it may have {', '.join(sorted(OPTIONS))}")
    parts = [_rows(source, part, bool(options.get("vocabulary"))) for part in (options.pop("train"), options.pop("test", None))
             if part is not None]
    if len(parts) == 1:
        inputs, labels = parts[0]
        order = torch.randperm(len(labels), generator=stream(split, "own", "test"))
        inputs, labels, test = inputs[order], labels[order], len(labels) // _SHARE
    else:
        (one, first), (two, second) = parts
        if one.shape[1:] != two.shape[1:] or one.dtype != two.dtype:
            raise InputError(f"{source}: training inputs are {_shape(one)}, test inputs {_shape(two)}: they need the same shape "
                             "and type")
        inputs, labels, test = torch.cat([one, two]), torch.cat([first, second]), len(second)
    return _checked(source, inputs, labels, test, train_size, image_size, {**options, "split": split})


def _checked(source: str, inputs, labels, test: int, train_size: int, image_size: int, options: dict) -> Dataset:
    classes = options.pop("classes", None)
    classes = checks.whole_number("classes", classes, 2) if classes is not None else int(labels.max()) + 1 if len(labels) else 0
    vocabulary, probe = options.get("vocabulary", 0), (len(labels) - test) // _SHARE
    if classes < 2 or test < 1 or probe < 1:
        raise InputError(f"{source} has {len(labels)} rows of {classes} classes, {test} of them to test: a comparison needs two "
                         "classes, and rows to train, to fit, to score and to test")
    if vocabulary and not 0 <= int(inputs.min()) <= int(inputs.max()) < vocabulary:
        raise InputError(f"{source}: its token ids are {int(inputs.min())} … {int(inputs.max())}, not 0 … {vocabulary - 1}")
    pictures = inputs.dtype == torch.uint8 and inputs.dim() == 4
    if image_size:
        if not pictures:
            raise ArgumentError(f"{source} returns no pictures (bytes of the shape rows, channels, height, width): leave "
                                "image_size out", "image_size")
        inputs = resize(inputs, image_size)
    if (options.get("shift") or options.get("flip")) and inputs.dim() != 4:
        raise InputError(f"{source}: shift and flip are for pictures of the shape (rows, channels, height, width), not for "
                         f"{_shape(inputs)}")
    return assemble(options.pop("name", short(source)), inputs, labels, classes=classes, test_rows=test, train_size=train_size,
                    probe_fit=options.pop("probe_fit", probe), probe_score=options.pop("probe_score", probe), **options)


def _rows(source: str, part, ids: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs and labels of a pair of arrays, a data set or a loader."""
    if isinstance(part, list | tuple) and len(part) == 2 and _is_array(part[0]):
        inputs, labels = part
    elif isinstance(part, Mapping):
        inputs, labels = _pair(source, part)
    elif isinstance(part, Iterable) or hasattr(part, "__getitem__"):
        inputs, labels = _collected(source, part)
    else:
        raise InputError(f"{source} returns a {type(part).__name__}: give (inputs, labels), a data set, a loader, or two of them "
                         "(train, test)")
    inputs, labels = _tensor(source, inputs, "inputs"), _tensor(source, labels, "labels")
    if inputs.dim() < 2 or labels.dim() != 1 or len(inputs) != len(labels):
        raise InputError(f"{source}: inputs are {_shape(inputs)} and labels {_shape(labels)}; wanted are (rows, …) and (rows,)")
    if ids:
        if inputs.is_floating_point():
            raise InputError(f"{source} has a vocabulary, so its inputs are token ids, whole numbers, not {inputs.dtype}")
        return inputs.long(), labels
    if not (inputs.dtype == torch.uint8 and inputs.dim() == 4):
        inputs = inputs.float()
        if not torch.isfinite(inputs).all():
            raise InputError(f"{source}: its inputs have values that are not finite")
    return inputs, labels


def _collected(source: str, loader) -> tuple:
    """All batches of a loader, or samples of a data set, as one pair of lists of equal shapes."""
    samples = hasattr(loader, "__getitem__") and hasattr(loader, "__len__") and not isinstance(loader, list | tuple)
    items = (loader[i] for i in range(len(loader))) if samples else loader
    inputs, labels = [], []
    for item in items:
        x, y = _pair(source, item)
        x, y = _tensor(source, x, "inputs"), _tensor(source, y, "labels")
        inputs.append(x.unsqueeze(0) if samples else x)
        labels.append(y.reshape(1) if samples else y)
    if not inputs:
        raise InputError(f"{source}: its loader yields nothing; one that can be read only once has been read already")
    try:
        return torch.cat(inputs), torch.cat(labels)
    except RuntimeError:
        shapes = ", ".join(sorted({str(tuple(x.shape[1:])) for x in inputs})[:3])
        raise InputError(f"{source}: its inputs have different shapes ({shapes}): pad or crop them") from None


def _pair(source: str, item) -> tuple:
    """Inputs and labels of a batch or a sample."""
    if isinstance(item, Mapping):
        values = [next((item[name] for name in known if name in item), None) for known in (INPUTS, LABELS)]
        if any(value is None for value in values):
            raise InputError(f"{source}: a batch with {', '.join(map(str, item))}; its inputs are called one of "
                             f"{', '.join(INPUTS)}, its labels one of {', '.join(LABELS)}")
        return tuple(values)
    if isinstance(item, list | tuple) and len(item) == 2:
        return tuple(item)
    raise InputError(f"{source}: a batch or sample is (inputs, labels), or a dict of them, not "
                     + (f"{len(item)} things" if isinstance(item, list | tuple) else f"a {type(item).__name__}"))


def _is_array(value) -> bool:
    return isinstance(value, torch.Tensor | np.ndarray) or hasattr(value, "__array__") or (
        isinstance(value, list) and bool(value) and not isinstance(value[0], list | tuple | Mapping | torch.Tensor | np.ndarray))


def _tensor(source: str, value, what: str) -> torch.Tensor:
    """The value as a tensor on the CPU, detached from its graph."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    if is_masked(value):
        raise InputError(f"{source}: {what} are masked; fill the masked cells, or drop their rows")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{source}: {what} are {array.dtype}, not numbers")
    return torch.from_numpy(np.ascontiguousarray(array))


def _shape(x: torch.Tensor) -> str:
    return f"{tuple(x.shape)} of {str(x.dtype).removeprefix('torch.')}"
