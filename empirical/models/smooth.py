"""Multilayer perceptron of smooth units: tanh in place of ReLU, for landscapes whose second derivatives exist everywhere."""

import torch

from empirical.declared import Architecture
from empirical.models.mlp import MLP

ARCHITECTURE = Architecture("mlp-tanh", "SmoothMLP", options=("depth", "dropout"), base_width=128, quick_width=32, any_shape=True)


class SmoothMLP(MLP):
    """See ``empirical.models`` for the interface; sites ``layer1``, ``layer2``, ``penultimate``.

    Examples
    --------
    >>> from empirical.data import load
    >>> from empirical.models import build
    >>> build("mlp-tanh", alpha=1, base_width=4, data=load("digits")).sites
    {'layer1': 4, 'layer2': 4, 'penultimate': 4}
    """

    activation = staticmethod(torch.tanh)
