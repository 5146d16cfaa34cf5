"""Tiny data and networks for examples: nothing is loaded, nothing takes time."""

from typing import Any

import torch

from empirical.data import Dataset, assemble
from empirical.models import Stack
from empirical.networks import prepare
from empirical.settings import Network
from empirical.streams import stream


def noise(rows: int = 40, features: int = 3) -> Dataset:
    """Gaussian inputs with two classes that do not depend on them; a fifth of the rows each for testing, fitting and scoring."""
    each = rows // 5
    return assemble("noise", torch.randn(rows, features, generator=stream(0, "noise")), torch.arange(rows) % 2, classes=2,
                    test_rows=each, probe_fit=each, probe_score=each)


def perceptron(width: int = 4, **changes: Any) -> Network:
    """Configuration of an MLP with one hidden layer; ``changes`` sets other fields."""
    return Network(**{"arch": "mlp", "data": "noise", "base_width": width, "depth": 1, "epochs": 1, **changes})


def start(data: Dataset, width: int = 4, **changes: Any) -> Stack:
    """The network of :func:`perceptron` at initialisation, in evaluation mode."""
    return prepare(perceptron(width, **changes), data, torch.device("cpu")).eval()
