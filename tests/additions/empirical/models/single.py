"""One hidden layer of rectified units."""

from torch import nn

from empirical.declared import Architecture
from empirical.models.layers import Linear

ARCHITECTURE = Architecture("single", "Single", base_width=16, quick_width=16)


class Single(nn.Module):
    """See ``empirical.models`` for the interface; its only site is ``penultimate``."""

    def __init__(self, widths, data, copies=1):
        super().__init__()
        self.copies = copies
        width = widths(1, "the hidden layer")
        self.hidden = Linear(copies, data.inputs[0].numel(), width, "input")
        self.readout = Linear(copies, width, data.classes, "output")
        self.sites = {"penultimate": width}

    def forward(self, x, taps=None):
        x = self.hidden(x.flatten(2)).relu()
        if taps is not None:
            taps["penultimate"] = x
        return self.readout(x)
