"""What a user might name: networks and data of every form, and some that cannot be used. Used by the tests of own networks."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from empirical.data import digits as embedded
from empirical.data import load
from empirical.models import mlp as builtin
from empirical.widths import Widths


def mlp(alpha, classes, input_shape, base_width):
    """The laboratory's MLP, as it stands."""
    data = SimpleNamespace(inputs=torch.empty(1, *input_shape), classes=classes)
    return builtin.MLP(Widths(alpha, base_width), data)


def digits():
    """The laboratory's digits as arrays."""
    data = load("digits")
    test = len(data.labels) - embedded.TEST
    return {"train": (data.inputs[:test].numpy(), data.labels[:test].numpy()), "test": (data.inputs[test:], data.labels[test:]),
            "probe_fit": embedded.PROBE_FIT, "probe_score": embedded.PROBE_SCORE, "shift": data.shift, "name": data.name}


def dense(alpha, classes):
    """Four layers, two of which share their weights, dropout, a parameter without an axis and one that no pass uses."""
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.size = nn.Parameter(torch.ones(()))
            self.unused = nn.Linear(2, 2)

        def forward(self, x):
            return x * self.size

    width = int(16 * alpha)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Dropout(0.2), Scaled(), nn.Linear(width, width),
                          nn.ReLU(), nn.Linear(width, width), nn.Linear(width, classes))
    model[7].weight = model[5].weight
    model.units = 16  # an attribute of another meaning than the laboratory's `units`
    return model


class Convolutional(nn.Module):
    """Two blocks of maps with a way around the second, functional pooling, names of its own."""

    sites = ("blocks.*.1", "head")
    units = ("blocks.*.1",)

    def __init__(self, alpha):
        super().__init__()
        width = int(8 * alpha)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(i, width, 3, padding=1), nn.ReLU()) for i in (1, width))
        self.head = nn.Linear(width, width)
        self.register_buffer("mask", torch.tensor([float("-inf"), 0.0]))
        self.fc = nn.Linear(width, 10)

    def forward(self, x):
        x = self.blocks[0](x)
        x = x + self.blocks[1](x)
        return {"logits": self.fc(torch.relu(self.head(x.mean((2, 3)))))}


def floats(rows=600):
    """Arrays, numbers as they are."""
    data = load("digits")
    return data.inputs[:rows].numpy() / 255.0, data.labels[:rows].numpy()


def loaders():
    """Two shuffled loaders."""
    x, y = (torch.as_tensor(v) for v in floats())
    train, test = (DataLoader(TensorDataset(x[part].float(), y[part]), batch_size=64, shuffle=True)
                   for part in (slice(0, 500), slice(500, 600)))
    return train, test


def samples():
    """A data set of PyTorch that yields dicts."""
    x, y = (torch.as_tensor(v) for v in floats(300))
    return [{"image": x[i:i + 50], "label": y[i:i + 50]} for i in range(0, 300, 50)]


def tokens():
    """Ids with their vocabulary."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    ids = rng.integers(1, 10, (400, 6)) + 10 * labels[:, None]
    ids[:, 4:] = 0
    return {"train": (ids[:300], labels[:300]), "test": (ids[300:], labels[300:]), "vocabulary": 40}


class Tokens(nn.Module):
    """Embeddings shared with nothing, attention, a mean over tokens."""

    def __init__(self, alpha, classes, vocabulary):
        super().__init__()
        width = int(16 * alpha)
        self.embed = nn.Embedding(vocabulary, width)
        self.block = nn.TransformerEncoderLayer(width, 2, 2 * width, batch_first=True)
        self.fc = nn.Linear(width, classes)

    def forward(self, ids):
        return self.fc(self.block(self.embed(ids)).mean(1))


def no_module(alpha):
    """Not a network."""
    return "a network"


def fails(alpha):
    """Fails below alpha = 1/2."""
    if alpha < 1 / 2:
        raise RuntimeError("too narrow\nfor this")
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def same_width(alpha):
    """Ignores the width."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))


def rounded(alpha):
    """Ten units, rounded."""
    width = round(10 * alpha)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def wrong_shape(alpha):
    """Logits of another number of classes."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 7))


def no_readout(alpha):
    """Ends in no layer with weights."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.Unflatten(1, (10, 2)), nn.Flatten(2), Mean())


class Mean(nn.Module):
    """Over the last axis."""

    def forward(self, x):
        return x.mean(-1)


def text_labels():
    """Labels that are not numbers."""
    return np.zeros((10, 2)), ["a"] * 10


def not_finite():
    """Inputs with a NaN."""
    x, y = floats(100)
    x[3, 0, 0, 0] = np.nan
    return x, y


def four_things():
    """Four arrays, in an order that is not among the accepted ones."""
    x, y = floats(100)
    return x, x, y, y


def breaks():
    """Fails."""
    raise FileNotFoundError("no such folder: corpus")


def plain(x):
    """Data, whose inputs are sequences of floats: a wrong kind for a network of pictures."""
    return x
