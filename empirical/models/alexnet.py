"""The small AlexNet for CIFAR of S1 (after Zhang et al. 2017): two 5x5 convolutions, each with a ReLU, 3x3 max pooling of
stride 2 and local response normalisation, two fully connected layers, readout; no batch norm. With base width 32 it has 96
and 256 channels and 384 and 192 hidden units, as published; images are not cropped."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from empirical.data import Dataset
from empirical.declared import Architecture
from empirical.models.layers import Conv, Linear, Stack, Taps, Units, pooled, side_by_side
from empirical.widths import Widths

ARCHITECTURE = Architecture("alexnet", "AlexNet", options=("dropout",), published=32)
CONV, FULL = (3, 8), (12, 6)  # units of width
RADIUS, ALPHA, BIAS = 4, 0.001 / 9, 1.0  # of the normalisation, in TensorFlow's notation


def normalise(x: Tensor, copies: int) -> Tensor:
    """Local response normalisation over the channels of each copy: x (BIAS + ALPHA sum of neighbours' squares)^(-3/4).

    The sum over neighbouring channels is a product with a band of ones: twice as fast as pooling over channels.
    """
    channels = x.shape[1] // copies
    near = torch.arange(channels, device=x.device)
    band = ((near[:, None] - near).abs() <= RADIUS).to(x.dtype)[:, :, None, None]
    squares = F.conv2d(x.square(), band.repeat(copies, 1, 1, 1), groups=copies)
    root = torch.rsqrt(BIAS + ALPHA * squares)
    return x * root * root.sqrt()


class AlexNet(Stack):
    """See ``empirical.models`` for the interface; sites and units ``conv1``, ``conv2``, ``full1``, and ``full2``, whose
    site is called ``penultimate``. Dropout acts on the fully connected layers."""

    def __init__(self, widths: Widths, data: Dataset, copies: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.copies = copies
        channels, size = data.inputs.shape[1], data.inputs.shape[2]
        self.convolutions, self.full, self.units = nn.ModuleList(), nn.ModuleList(), nn.ModuleDict()
        self.sites = {}
        for number, units in enumerate(CONV, 1):
            out = widths(units, f"conv{number}")
            self.convolutions.append(Conv(copies, channels, out, 5, role="hidden" if number > 1 else "input", bias=True))
            self.units[f"conv{number}"] = Units(out, maps=True)
            self.sites[f"conv{number}"] = out
            channels, size = out, (size + 1) // 2
        features = channels * size * size
        for number, units in enumerate(FULL, 1):
            out = widths(units, f"full{number}")
            self.full.append(Linear(copies, features, out))
            self.units[f"full{number}"] = Units(out, maps=False)
            self.sites[f"full{number}" if number < len(FULL) else "penultimate"] = out
            features = out
        self.dropout = nn.Dropout(dropout)
        self.readout = Linear(copies, features, data.classes, "output")

    def forward(self, x: Tensor, taps: Taps = None) -> Tensor:
        x = side_by_side(x, self.copies)
        for number, convolution in enumerate(self.convolutions, 1):
            x = self.units[f"conv{number}"](F.relu(convolution(x)))
            if taps is not None:
                taps[f"conv{number}"] = pooled(x, self.copies)
            x = normalise(F.max_pool2d(x, 3, 2, 1), self.copies)
        x = x.reshape(x.shape[0], self.copies, -1).transpose(0, 1)
        for number, (layer, site) in enumerate(zip(self.full, ("full1", "penultimate")), 1):
            x = self.units[f"full{number}"](F.relu(layer(x)))
            if taps is not None:
                taps[site] = x
            x = self.dropout(x)
        return self.readout(x)
