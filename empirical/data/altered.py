"""Digits without their shapes: images of noise, and images whose pixels are permuted, each in its own order.

Labels and splits are those of digits. Training images can only be memorised (Zhang et al. 2017, arXiv 1611.03530), except that
scrambled images still show the amount of ink.
"""

import torch

from empirical.data import Dataset, digits, with_images
from empirical.declared import Source
from empirical.streams import stream

DATA = (Source("digits-noise", recipe={"base_width": 16, "epochs": 40, "batch_size": 64, "learning_rate": 0.1},
               matched={"learning_rate": 0.02, "target_loss": 0.25, "epochs": 150}),
        Source("digits-scrambled", recipe={"base_width": 16, "epochs": 40, "batch_size": 64, "learning_rate": 0.1},
               matched={"learning_rate": 0.02, "target_loss": 0.25, "epochs": 150}))


def load(*, source: str, train_size: int = 0, image_size: int = 0, split: int = 0, **_: object) -> Dataset:
    """Altered digits; every split has its own noise or permutations.

    Parameters
    ----------
    source : str
        "digits-noise" or "digits-scrambled".
    train_size : int, default 0
        Number of training rows; 0 for all.
    image_size : int, default 0
        Image size in pixels per side; 0 for 8.
    split : int, default 0
        See :func:`empirical.data.load`.

    Returns
    -------
    Dataset
        Noise has the mean and standard deviation of digits in each pixel, clipped to grey levels.

    Examples
    --------
    >>> load(source="digits-scrambled").name
    'digits, scrambled'
    """
    data = digits.load(train_size=train_size, image_size=image_size, split=split)
    draw, images = stream(split, source), data.inputs
    if source == "digits-noise":
        mean, std = images.float().mean(0), images.float().std(0)
        altered = (mean + std * torch.randn(images.shape, generator=draw)).round().clamp(0, 255).byte()
    else:
        order = torch.rand(images.flatten(1).shape, generator=draw).argsort(1)
        altered = images.flatten(1).gather(1, order).view(images.shape)
    return with_images(data, {"digits-noise": "digits, noise"}.get(source, "digits, scrambled"), altered)
