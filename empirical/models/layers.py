"""Layers that hold several networks side by side without mixing them.

Every parameter's first axis holds the copies one after another, so ``tensor.chunk(copies)[i]`` is network i (see
``stacked``). Each layer has a ``role``, which tells initialisation and parametrisation how its size depends on
width: ``input`` (fan-out only), ``hidden`` (both), ``output`` (fan-in only); everything else is ``vector``.
"""

import torch
from torch import nn

ARCHITECTURE = None


class Conv(nn.Conv2d):
    """Convolution of ``copies`` networks, (batch, copies * channels, s, s): grouped, without bias where a norm follows."""

    def __init__(self, copies: int, channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1,
                 role: str = "hidden", bias: bool = False):
        super().__init__(copies * channels_in, copies * channels_out, kernel, stride, kernel // 2, groups=copies, bias=bias)
        if bias:
            nn.init.zeros_(self.bias)
        self.role = role


class Units(nn.Identity):
    """A place where activations (after the nonlinearity) are the units of a layer: to be read, ablated or merged by a
    forward hook (``empirical.ablation``). It does nothing by itself.

    Attributes
    ----------
    count : units of one network.
    size : features that make up one unit (those of an attention head; 1 elsewhere).
    maps : True for (batch, copies * count, s, s), False for (copies, batch, ..., count * size).
    """

    def __init__(self, count: int, *, maps: bool, size: int = 1):
        super().__init__()
        self.count, self.maps, self.size = count, maps, size


class ConvNorm(nn.Sequential):
    """Convolution and batch norm; statistics are per channel, so copies do not see each other."""

    def __init__(self, copies: int, channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1,
                 role: str = "hidden"):
        super().__init__(Conv(copies, channels_in, channels_out, kernel, stride, role),
                         nn.BatchNorm2d(copies * channels_out))


class Linear(nn.Module):
    """Affine map of ``copies`` networks, (copies, ..., in) -> (copies, ..., out), as one batched product."""

    def __init__(self, copies: int, features_in: int, features_out: int, role: str = "hidden", bias: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(copies, features_out, features_in))
        self.bias = nn.Parameter(torch.zeros(copies, features_out)) if bias else None
        self.role = role

    def forward(self, x):
        flat = x.reshape(x.shape[0], -1, x.shape[-1])
        if flat.shape[0] != self.weight.shape[0]:
            flat = flat.expand(self.weight.shape[0], -1, -1)
        weight = self.weight.transpose(1, 2)
        out = torch.bmm(flat, weight) if self.bias is None else torch.baddbmm(self.bias.unsqueeze(1), flat, weight)
        return out.view(self.weight.shape[0], *x.shape[1:-1], -1)


class LayerNorm(nn.Module):
    """Layer norm over the last axis of (copies, ..., features), with gains and offsets of each copy."""

    def __init__(self, copies: int, features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(copies, features))
        self.bias = nn.Parameter(torch.zeros(copies, features))

    def forward(self, x):
        shape = (x.shape[0], *[1] * (x.dim() - 2), x.shape[-1])
        normed = nn.functional.layer_norm(x, x.shape[-1:])
        return torch.addcmul(self.bias.view(shape), normed, self.weight.view(shape))


class Embedding(nn.Module):
    """Table lookup of ``copies`` networks: ids (copies or 1, ...) -> (copies, ..., features)."""

    role = "input"

    def __init__(self, copies: int, entries: int, features: int):
        super().__init__()
        self.entries = entries
        self.weight = nn.Parameter(torch.zeros(copies * entries, features))

    def forward(self, ids):
        copies = self.weight.shape[0] // self.entries
        offset = torch.arange(copies, device=ids.device).view(-1, *[1] * (ids.dim() - 1)) * self.entries
        return nn.functional.embedding(ids + offset, self.weight)


def side_by_side(images, copies: int):
    """Images (copies or 1, batch, c, s, s) as (batch, copies * c, s, s), the layout of grouped convolutions."""
    return images.expand(copies, -1, -1, -1, -1).transpose(0, 1).flatten(1, 2)


def pooled(maps, copies: int):
    """Feature maps (batch, copies * c, s, s) averaged over space: (copies, batch, c)."""
    return maps.mean((2, 3)).view(maps.shape[0], copies, -1).transpose(0, 1)
