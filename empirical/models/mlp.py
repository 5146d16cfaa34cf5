"""Multilayer perceptron: three hidden ReLU layers of equal width."""

import torch
from torch import Tensor, nn

from empirical.data import Dataset
from empirical.declared import Architecture
from empirical.models.layers import Linear, Stack, Taps, Units
from empirical.widths import Widths

# layers of 8 units, the quick base width of the others, die at the start in most replicas
ARCHITECTURE = Architecture("mlp", "MLP", options=("depth", "dropout"), base_width=128, quick_width=32, any_shape=True)
HIDDEN_LAYERS = 3


class MLP(Stack):
    """See ``empirical.models`` for the interface; sites ``layer1``, ``layer2``, ``penultimate``."""

    activation = staticmethod(torch.relu)

    def __init__(self, widths: Widths, data: Dataset, copies: int = 1, depth: int = HIDDEN_LAYERS, dropout: float = 0.0) -> None:
        super().__init__()
        self.copies = copies
        width = widths(1, "the hidden layers")
        sizes = [data.inputs[0].numel()] + [width] * depth
        self.hidden = nn.ModuleList(Linear(copies, sizes[i], sizes[i + 1], "hidden" if i else "input")
                                    for i in range(depth))
        self.readout = Linear(copies, width, data.classes, "output")
        self.units = nn.ModuleDict({f"layer{i}": Units(width, maps=False) for i in range(1, depth + 1)})
        self.dropout = nn.Dropout(dropout)
        self.sites = {**{f"layer{i}": width for i in range(1, depth)}, "penultimate": width}

    def forward(self, x: Tensor, taps: Taps = None) -> Tensor:
        x = x.flatten(2)
        for layer, units, site in zip(self.hidden, self.units.values(), self.sites):
            x = self.dropout(units(self.activation(layer(x))))
            if taps is not None:
                taps[site] = x
        return self.readout(x)
