"""Digits and CIFAR-10 without their shapes: images of noise, and images whose pixels are permuted, each in its own order.

Labels and splits are those of the originals. Training images can only be memorised (Zhang et al. 2017, arXiv 1611.03530), except
that scrambled images still show the amount of ink.
"""

import torch

from empirical.data import Dataset, cifar10, digits, with_images
from empirical.declared import Source
from empirical.streams import stream

DATA = (Source("digits-noise", recipe={"base_width": 16, "epochs": 40, "batch_size": 64, "learning_rate": 0.1},
               matched={"learning_rate": 0.02, "target_loss": 0.25, "epochs": 150}),
        Source("digits-scrambled", recipe={"base_width": 16, "epochs": 40, "batch_size": 64, "learning_rate": 0.1},
               matched={"learning_rate": 0.02, "target_loss": 0.25, "epochs": 150}),
        Source("cifar10-noise"))
_ORIGINALS = {"digits": digits.load, "cifar10": cifar10.load}


def load(*, source: str, split: int = 0, **options) -> Dataset:
    """Altered images; every split has its own noise or permutations.

    Parameters
    ----------
    source : str
        "digits-noise", "digits-scrambled" or "cifar10-noise".
    split : int, default 0
        See :func:`empirical.data.load`.
    **options
        As for the originals: ``train_size``, ``image_size``, ``data_dir``.

    Returns
    -------
    Dataset
        Noise has the mean and standard deviation of the originals in each pixel, clipped to grey levels.

    Examples
    --------
    >>> load(source="digits-scrambled").name
    'digits, scrambled'
    """
    original, _, change = source.partition("-")
    data = _ORIGINALS[original](split=split, **options)
    draw, images = stream(split, source), data.inputs
    if change == "noise":
        mean, std = images.float().mean(0), images.float().std(0)
        altered = torch.cat([(mean + std * torch.randn(part.shape, generator=draw)).round().clamp(0, 255).byte()
                             for part in images.split(4096)])
    else:
        order = torch.rand(images.flatten(1).shape, generator=draw).argsort(1)
        altered = images.flatten(1).gather(1, order).view(images.shape)
    return with_images(data, f"{data.name}, {change}", altered)
