"""ResNets in their CIFAR form (He et al. 2015): 3x3 stem without pooling, stages of basic blocks with 1, 2, 4, ... times
the base width, projection shortcuts, global average pooling, linear readout. ResNet-18: four stages of two blocks, base
width 64 as published; ResNet-56: three stages of nine, base width 16.

Units (``units``) are the channels of the residual stream: those of the stem and of the end of each stage."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from empirical.data import Dataset
from empirical.declared import Architecture
from empirical.models.layers import ConvNorm, Linear, Stack, Taps, Units, pooled, side_by_side
from empirical.widths import Widths

ARCHITECTURE = (Architecture("resnet18", "ResNet18", published=64, batch_norm=True),
                Architecture("resnet56", "ResNet56", published=16, batch_norm=True))


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, copies: int, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.first = ConvNorm(copies, channels_in, channels_out, stride=stride)
        self.second = ConvNorm(copies, channels_out, channels_out)
        same = stride == 1 and channels_in == channels_out
        self.shortcut = nn.Identity() if same else ConvNorm(copies, channels_in, channels_out, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class ResNet(Stack):
    """Basic-block ResNet; sites ``stem``, ``block1`` ..., the last block's being ``penultimate``.

    Parameters
    ----------
    blocks : sequence of int
        Basic blocks in each stage; stage k has 2^k units of width.
    """

    def __init__(self, widths: Widths, data: Dataset, copies: int = 1, blocks: Sequence[int] = (2, 2, 2, 2)) -> None:
        super().__init__()
        self.copies = copies
        channels = widths(1, "the stem")
        self.stem = ConvNorm(copies, data.inputs.shape[1], channels, role="input")
        self.sites = {"stem": channels}
        self.units = nn.ModuleDict({"stem": Units(channels, maps=True)})
        self.ends: dict[int, str] = {}  # last block of a stage -> its place with units
        self.blocks = nn.ModuleList()
        for stage, count in enumerate(blocks):
            out = widths(2**stage, f"stage {stage + 1}")
            for position in range(count):
                self.blocks.append(Block(copies, channels, out, 2 if stage and not position else 1))
                channels = out
                self.sites[f"block{len(self.blocks)}"] = channels
            self.units[f"stage{stage + 1}"] = Units(out, maps=True)
            self.ends[len(self.blocks)] = f"stage{stage + 1}"
        del self.sites[f"block{len(self.blocks)}"]
        self.sites["penultimate"] = channels
        self.readout = Linear(copies, channels, data.classes, "output")

    def forward(self, x: Tensor, taps: Taps = None) -> Tensor:
        x = self.units["stem"](F.relu(self.stem(side_by_side(x, self.copies))))
        if taps is not None:
            taps["stem"] = pooled(x, self.copies)
        for number, block in enumerate(self.blocks, 1):
            x = block(x)
            if number in self.ends:
                x = self.units[self.ends[number]](x)
            if taps is not None and number < len(self.blocks):
                taps[f"block{number}"] = pooled(x, self.copies)
        x = pooled(x, self.copies)
        if taps is not None:
            taps["penultimate"] = x
        return self.readout(x)


class ResNet18(ResNet):
    """Four stages of two basic blocks."""


class ResNet56(ResNet):
    """Three stages of nine basic blocks."""

    def __init__(self, widths: Widths, data: Dataset, copies: int = 1) -> None:
        super().__init__(widths, data, copies, (9, 9, 9))
