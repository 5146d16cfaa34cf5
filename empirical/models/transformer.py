"""Transformer encoder for sentence pairs (Vaswani et al. 2017), pre-norm: [CLS] premise [SEP] hypothesis [SEP] in one
sequence, token, position and segment embeddings, the mean over the tokens as the pair's features, linear readout.

Width rule: the model width is base_width * alpha, and the MLP width four times that. There are 4 alpha heads, so that their size
stays the same; if that is not a whole number that divides the model width, the next smaller one that does, and at least one.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from empirical.data import Dataset
from empirical.declared import Architecture
from empirical.models.layers import Embedding, LayerNorm, Linear, Stack, Taps, Units
from empirical.widths import Widths

ARCHITECTURE = Architecture("transformer", "PairEncoder", takes="sentence pairs", options=("depth", "mup"))
LAYERS, HEADS, MLP_RATIO = 4, 4, 4


def heads_at(widths: Widths, width: int) -> int:
    """Attention heads of a network of that model width."""
    return next(h for h in range(max(1, int(HEADS * widths.alpha)), 0, -1) if width % h == 0)


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), over (copies, batch, tokens, width)."""

    def __init__(self, copies: int, width: int, heads: int, scale: float) -> None:
        super().__init__()
        self.heads, self.scale = heads, scale
        self.head_units = Units(heads, maps=False, size=width // heads)
        self.mlp_units, self.stream_units = Units(MLP_RATIO * width, maps=False), Units(width, maps=False)
        self.norm1, self.norm2 = LayerNorm(copies, width), LayerNorm(copies, width)
        self.query, self.value = Linear(copies, width, width), Linear(copies, width, width)
        self.key = Linear(copies, width, width, bias=False)  # softmax ignores this bias; Adam would amplify its rounding
        self.out = Linear(copies, width, width)
        self.up, self.down = Linear(copies, width, MLP_RATIO * width), Linear(copies, MLP_RATIO * width, width)

    def attention(self, x: Tensor, mask: Tensor) -> Tensor:
        copies, batch, tokens, width = x.shape

        def split(y: Tensor) -> Tensor:
            return y.reshape(copies * batch, tokens, self.heads, -1).transpose(1, 2)

        y = F.scaled_dot_product_attention(split(self.query(x)), split(self.key(x)), split(self.value(x)),
                                           attn_mask=mask, scale=self.scale)
        return self.out(self.head_units(y.transpose(1, 2).reshape(copies, batch, tokens, width)))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x), mask)
        return self.stream_units(x + self.down(self.mlp_units(F.gelu(self.up(self.norm2(x))))))


class PairEncoder(Stack):
    """See ``empirical.models`` for the interface; sites ``block1`` ..., and ``penultimate`` after the final norm.

    Inputs are token ids with 0 as padding and 2 as separator (``empirical.data.text``); what follows the first
    separator is the second segment.
    """

    chain = False  # the residual stream bypasses every place with units

    def __init__(self, widths: Widths, data: Dataset, copies: int = 1, depth: int = LAYERS, mup: bool = False) -> None:
        super().__init__()
        self.copies = copies
        width = widths(1, "the encoder")
        heads = heads_at(widths, width)
        # muP divides attention by the head's size, standard by its square root; both agree at the size of heads at alpha = 1
        size, base_size = width // heads, max(1, widths.base_width // HEADS)
        scale = math.sqrt(base_size) / size if mup else 1 / math.sqrt(size)
        self.token = Embedding(copies, data.vocabulary, width)
        self.position = Embedding(copies, data.inputs.shape[1], width)
        self.segment = Embedding(copies, 2, width)
        self.blocks = nn.ModuleList(EncoderBlock(copies, width, heads, scale) for _ in range(depth))
        self.norm = LayerNorm(copies, width)
        self.readout = Linear(copies, width, data.classes, "output")
        self.sites = {**{f"block{i}": width for i in range(1, depth + 1)}, "penultimate": width}

    def forward(self, ids: Tensor, taps: Taps = None) -> Tensor:
        present = ids != 0
        segment = ((ids == 2).cumsum(-1) - (ids == 2).int()).clamp_(max=1)
        positions = torch.arange(ids.shape[-1], device=ids.device).view(1, 1, -1)
        x = self.token(ids) + self.position(positions) + self.segment(segment)
        mask = present.expand(self.copies, -1, -1).reshape(-1, 1, 1, ids.shape[-1])
        share = (present / present.sum(-1, keepdim=True)).to(x.dtype).unsqueeze(-1)
        for number, block in enumerate(self.blocks, 1):
            x = block(x, mask)
            if taps is not None:
                taps[f"block{number}"] = (x * share).sum(2)
        x = (self.norm(x) * share).sum(2)
        if taps is not None:
            taps["penultimate"] = x
        return self.readout(x)
