"""Augmentation as batched tensor operations on the device the data live on: random shifts and mirror images.

The draws of a whole epoch are made at once on the CPU from an addressed stream and moved in one copy, so training
augments the same way on every device, without a synchronisation at each step.
"""

import torch
import torch.nn.functional as F

DATA = None


def draw(count: int, shift: int, flip: bool, generator: torch.Generator) -> torch.Tensor:
    """Draws for ``count`` images: int64 (count, 3) of row offset and column offset in 0..2*shift, and mirror 0 or 1."""
    moves = torch.randint(2 * shift + 1, (count, 2), generator=generator)
    mirror = torch.randint(2, (count, 1), generator=generator) if flip else torch.zeros(count, 1, dtype=torch.long)
    return torch.cat([moves, mirror], 1)


def augment(images: torch.Tensor, draws: torch.Tensor, shift: int) -> torch.Tensor:
    """Shift (filling with the border's reflection) and mirror images.

    Parameters
    ----------
    images : (M, c, s, s), any dtype that can be padded.
    draws : (M, 3) of :func:`draw`; offset ``shift`` leaves an image in place.
    shift : largest shift in pixels.
    """
    if shift:
        size = images.shape[-1]
        windows = F.pad(images, (shift,) * 4, mode="reflect").unfold(2, size, 1).unfold(3, size, 1)
        images = windows[torch.arange(len(images), device=images.device), :, draws[:, 0], draws[:, 1]]
    return torch.where(draws[:, 2].view(-1, 1, 1, 1).bool(), images.flip(-1), images)
