"""VGG-16 in its CIFAR form (Simonyan & Zisserman 2014): thirteen 3x3 convolutions with batch norm in five blocks of 1, 2,
4, 8 and 8 times the base width, each block followed by max pooling (left out once a map is a single pixel), then a
linear readout in place of the three large layers for ImageNet."""

import torch.nn.functional as F
from torch import Tensor, nn

from empirical.data import Dataset
from empirical.declared import Architecture
from empirical.models.layers import ConvNorm, Linear, Stack, Taps, Units, pooled, side_by_side
from empirical.widths import Widths

ARCHITECTURE = Architecture("vgg16", "VGG16", published=64, batch_norm=True)
BLOCKS = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))  # units of width, convolutions


class VGG16(Stack):
    """See ``empirical.models`` for the interface; sites ``block1`` ... ``block4``, the fifth being ``penultimate``."""

    def __init__(self, widths: Widths, data: Dataset, copies: int = 1) -> None:
        super().__init__()
        self.copies = copies
        self.blocks, self.units = nn.ModuleList(), nn.ModuleDict()
        self.sites = {}
        channels = data.inputs.shape[1]
        for number, (units, count) in enumerate(BLOCKS, 1):
            out = widths(units, f"block {number}")
            convolutions = [ConvNorm(copies, channels if i == 0 else out, out,
                                     role="input" if number == 1 and i == 0 else "hidden") for i in range(count)]
            self.blocks.append(nn.ModuleList(convolutions))
            self.units.update({f"conv{len(self.units) + i}": Units(out, maps=True) for i in range(1, count + 1)})
            channels = out
            self.sites[f"block{number}" if number < len(BLOCKS) else "penultimate"] = out
        self.readout = Linear(copies, channels, data.classes, "output")

    def forward(self, x: Tensor, taps: Taps = None) -> Tensor:
        x = side_by_side(x, self.copies)
        units = iter(self.units.values())
        for site, block in zip(self.sites, self.blocks):
            for convolution in block.children():
                x = next(units)(F.relu(convolution(x)))
            if x.shape[-1] > 1:
                x = F.max_pool2d(x, 2)
            if taps is not None or site == "penultimate":
                features = pooled(x, self.copies)
            if taps is not None:
                taps[site] = features
        return self.readout(features)
