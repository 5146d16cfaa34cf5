"""Stacks, and the layers that hold several networks side by side without mixing them.

The first axis of every parameter contains the copies one after another, so ``tensor.chunk(copies)[i]`` is network i. Each layer
has a ``role``, which tells initialisation and parametrisation how its size depends on width: ``input`` (fan-out grows),
``hidden`` (both grow), ``output`` (fan-in grows). Every other parameter is a ``vector``.
"""

import torch
from torch import Tensor, nn

ARCHITECTURE = None
Taps = dict[str, Tensor] | None  # site -> features, filled by a forward pass; None if they are not needed


class Stack(nn.Module):
    """Independent networks of one width, evaluated by one call: the interface of every architecture.

    Called with inputs (copies or 1, batch, ...), a stack returns logits (copies, batch, classes). Given a dict as ``taps``, it
    also records its features there, one entry (copies, batch, features) per site.

    Attributes
    ----------
    copies : int
        Number of networks.
    sites : dict of str to int
        Number of features of one network at each site, in the order of computation; the last is ``penultimate``, the input of the
        readout.
    chain : bool
        Whether the places with units follow one another; False if a residual stream bypasses them.

    Examples
    --------
    >>> from empirical.tiny import noise
    >>> from empirical.models.mlp import MLP
    >>> from empirical.widths import Widths
    >>> data = noise()
    >>> stack, taps = MLP(Widths(1, base_width=4), data, copies=5, depth=2), {}
    >>> tuple(stack(data.batch(torch.arange(7)).unsqueeze(0), taps).shape)
    (5, 7, 2)
    >>> stack.sites, tuple(taps["layer1"].shape)
    ({'layer1': 4, 'penultimate': 4}, (5, 7, 4))
    """

    copies: int
    sites: dict[str, int]
    chain: bool = True


class Conv(nn.Conv2d):
    """Grouped convolution of ``copies`` networks, (batch, copies * channels, s, s), by default without bias."""

    def __init__(self, copies: int, channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1,
                 role: str = "hidden", bias: bool = False):
        super().__init__(copies * channels_in, copies * channels_out, kernel, stride, kernel // 2, groups=copies, bias=bias)
        if self.bias is not None:
            nn.init.zeros_(self.bias)
        self.role = role


class Units(nn.Identity):
    """Marks the place where activations (after the nonlinearity) are the units of a layer.

    It computes nothing: :mod:`empirical.ablation` reads, ablates and merges units by forward hooks on it.

    Attributes
    ----------
    count : int
        Number of units of one network.
    size : int
        Features per unit: those of an attention head, otherwise 1.
    maps : bool
        True for activations (batch, copies * count, s, s), False for (copies, batch, ..., count * size).

    Examples
    --------
    >>> Units(3, maps=False)(torch.ones(1, 2, 3)).shape
    torch.Size([1, 2, 3])
    """

    def __init__(self, count: int, *, maps: bool, size: int = 1):
        super().__init__()
        self.count, self.maps, self.size = count, maps, size


class ConvNorm(nn.Sequential):
    """Convolution and batch norm; its statistics are per channel, so copies do not interact."""

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

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(x.shape[0], -1, x.shape[-1])
        if flat.shape[0] != self.weight.shape[0]:
            flat = flat.expand(self.weight.shape[0], -1, -1)
        weight = self.weight.transpose(1, 2)
        out = torch.bmm(flat, weight) if self.bias is None else torch.baddbmm(self.bias.unsqueeze(1), flat, weight)
        return out.view(self.weight.shape[0], *x.shape[1:-1], -1)


class LayerNorm(nn.Module):
    """Layer norm over the last axis of (copies, ..., features), with separate gains and offsets per copy."""

    def __init__(self, copies: int, features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(copies, features))
        self.bias = nn.Parameter(torch.zeros(copies, features))

    def forward(self, x: Tensor) -> Tensor:
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

    def forward(self, ids: Tensor) -> Tensor:
        copies = self.weight.shape[0] // self.entries
        offset = torch.arange(copies, device=ids.device).view(-1, *[1] * (ids.dim() - 1)) * self.entries
        return nn.functional.embedding(ids + offset, self.weight)


def side_by_side(images: Tensor, copies: int) -> Tensor:
    """Images (copies or 1, batch, c, s, s) as (batch, copies * c, s, s), the layout of grouped convolutions."""
    return images.expand(copies, -1, -1, -1, -1).transpose(0, 1).flatten(1, 2)


def pooled(maps: Tensor, copies: int) -> Tensor:
    """Feature maps (batch, copies * c, s, s) averaged over space: (copies, batch, c)."""
    return maps.mean((2, 3)).view(maps.shape[0], copies, -1).transpose(0, 1)
