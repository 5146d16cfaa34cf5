"""Decision regions of a network on closed polygons through training images with the same label.

Two images of a class may lie in one decision region or be separated by others. The predicted classes on the straight lines from
one image to the next, and back to the first, form a closed curve. :mod:`theory.regions` tracks its regions during training, as it
does for the curve in the toy model.
"""

import numpy as np
import torch

from empirical.data import Dataset
from empirical.models.layers import Stack
from empirical.solutions import answers_to
from empirical.streams import stream
from lab import checks


def polygons(data: Dataset, corners: int = 8, points: int = 32, seed: int = 0) -> torch.Tensor:
    """One polygon per label through training images, as inputs of the network.

    Parameters
    ----------
    data : Dataset
        Data set whose training split is used, with the labels that training sees.
    corners : int >= 2, default 8
        Training images per polygon, drawn from those with its label (repeated if there are too few).
    points : int >= 1, default 32
        Points per edge, including its first corner.
    seed : int, default 0
        Seed of the drawn images.

    Returns
    -------
    (labels, corners * points, ...) tensor
        Points of the polygons; labels with fewer than two training images are left out.

    Examples
    --------
    >>> from empirical.data import load
    >>> polygons(load("digits"), corners=3, points=4).shape
    torch.Size([10, 12, 1, 8, 8])
    """
    checks.whole_number("corners", corners, 2)
    checks.whole_number("points", points)
    rows, curves = data.splits["train"].cpu(), []
    shares = torch.arange(points, dtype=torch.float32) / points
    for label in range(data.classes):
        own = rows[data.labels.cpu()[rows] == label]
        if len(own) < 2:
            continue
        drawn = own[torch.randperm(len(own), generator=stream(seed, "polygon", label))[:corners]]
        drawn = drawn[torch.arange(corners) % len(drawn)]
        images = data.batch(drawn.to(data.labels.device)).float()
        weight = shares.to(images).view(1, -1, *[1] * (images.dim() - 1))
        edges = torch.lerp(images.unsqueeze(1), images.roll(-1, 0).unsqueeze(1), weight)
        curves.append(edges.flatten(0, 1))
    return torch.stack(curves)


def classes_on(model: Stack, curves: torch.Tensor) -> np.ndarray:
    """The class that a network predicts at each point of several curves.

    Parameters
    ----------
    model : Stack
        A stack of one, in evaluation mode.
    curves : (curves, points, ...) tensor
        Points of the curves, as inputs of the network.

    Returns
    -------
    (curves, points) array of int
        Predicted classes.

    Examples
    --------
    >>> from empirical.data import load
    >>> from empirical.models import build
    >>> data = load("digits")
    >>> model = build("mlp", alpha=1, base_width=4, data=data).eval()
    >>> classes_on(model, polygons(data, corners=2, points=3)).shape
    (10, 6)
    """
    return answers_to(model, curves.flatten(0, 1))[0].reshape(curves.shape[:2])
