"""A small Inception network for CIFAR (Zhang et al. 2017): 3x3 stem, modules that put a 1x1 and a 3x3 convolution side by
side, two modules that halve the map by a strided convolution beside max pooling, global average pooling, linear readout;
batch norm everywhere. With base width 16 it has the published channel counts (96 in the stem, 336 at the end)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from empirical.data import Dataset
from empirical.declared import Architecture
from empirical.models.layers import ConvNorm, Linear, Stack, Taps, Units, pooled, side_by_side
from empirical.widths import Widths

ARCHITECTURE = Architecture("inception", "Inception", published=16, batch_norm=True)
STEM = 6  # units of width
MODULES = (((2, 2), (2, 3), 5), ((7, 3), (6, 4), (5, 5), (3, 6), 6), ((11, 10), (11, 10)))  # (1x1, 3x3), or a strided 3x3


def beside(parts: Sequence[Tensor], copies: int) -> Tensor:
    """Channels of several maps (batch, copies * c, s, s) side by side within each copy."""
    return torch.cat([p.unflatten(1, (copies, -1)) for p in parts], 2).flatten(1, 2)


class Side(nn.Module):
    """A 1x1 and a 3x3 convolution of the same input."""

    def __init__(self, copies: int, channels_in: int, ones: int, threes: int) -> None:
        super().__init__()
        self.copies = copies
        self.one, self.three = ConvNorm(copies, channels_in, ones, 1), ConvNorm(copies, channels_in, threes)

    def forward(self, x: Tensor) -> Tensor:
        return beside([F.relu(self.one(x)), F.relu(self.three(x))], self.copies)


class Halve(nn.Module):
    """A strided 3x3 convolution beside max pooling."""

    def __init__(self, copies: int, channels_in: int, threes: int) -> None:
        super().__init__()
        self.copies = copies
        self.three = ConvNorm(copies, channels_in, threes, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return beside([F.relu(self.three(x)), F.max_pool2d(x, 3, 2, 1)], self.copies)


class Inception(Stack):
    """See ``empirical.models`` for the interface; sites and units ``stem``, ``module1`` ..., the last site being
    ``penultimate``."""

    def __init__(self, widths: Widths, data: Dataset, copies: int = 1) -> None:
        super().__init__()
        self.copies = copies
        channels = widths(STEM, "the stem")
        self.stem = ConvNorm(copies, data.inputs.shape[1], channels, role="input")
        self.blocks, self.units = nn.ModuleList(), nn.ModuleDict({"stem": Units(channels, maps=True)})
        self.sites = {"stem": channels}
        for part in [part for stage in MODULES for part in stage]:
            name = f"module{len(self.blocks) + 1}"
            if isinstance(part, tuple):
                one, three = (widths(units, name) for units in part)
                self.blocks.append(Side(copies, channels, one, three))
                channels = one + three
            else:
                three = widths(part, name)
                self.blocks.append(Halve(copies, channels, three))
                channels += three
            self.units[name] = Units(channels, maps=True)
            self.sites[name] = channels
        del self.sites[name]
        self.sites["penultimate"] = channels
        self.readout = Linear(copies, channels, data.classes, "output")

    def forward(self, x: Tensor, taps: Taps = None) -> Tensor:
        x = self.units["stem"](F.relu(self.stem(side_by_side(x, self.copies))))
        if taps is not None:
            taps["stem"] = pooled(x, self.copies)
        for number, block in enumerate(self.blocks, 1):
            x = self.units[f"module{number}"](block(x))
            if taps is not None and number < len(self.blocks):
                taps[f"module{number}"] = pooled(x, self.copies)
        x = pooled(x, self.copies)
        if taps is not None:
            taps["penultimate"] = x
        return self.readout(x)
