"""Augmentation by random shifts and flips, as batched tensor operations on the device of the data.

The random draws of a whole epoch are made on the CPU from an addressed stream and transferred at once, so augmentation is the
same on every device and needs no synchronisation in each step.
"""

import torch
import torch.nn.functional as F

DATA = None


def draw(count: int, shift: int, flip: bool, generator: torch.Generator) -> torch.Tensor:
    """Draws for ``count`` images: int64 (count, 3), row offset and column offset in 0..2*shift, and flip 0 or 1."""
    moves = torch.randint(2 * shift + 1, (count, 2), generator=generator)
    mirror = torch.randint(2, (count, 1), generator=generator) if flip else torch.zeros(count, 1, dtype=torch.long)
    return torch.cat([moves, mirror], 1)


def augment(images: torch.Tensor, draws: torch.Tensor, shift: int) -> torch.Tensor:
    """Shift images, filling with the reflected border, and flip them.

    Parameters
    ----------
    images : (M, c, s, s), any dtype that can be padded.
    draws : (M, 3) from :func:`draw`; offset ``shift`` leaves an image in place.
    shift : largest shift in pixels.
    """
    if shift:
        size = images.shape[-1]
        windows = F.pad(images, (shift,) * 4, mode="reflect").unfold(2, size, 1).unfold(3, size, 1)
        images = windows[torch.arange(len(images), device=images.device), :, draws[:, 0], draws[:, 1]]
    return torch.where(draws[:, 2].view(-1, 1, 1, 1).bool(), images.flip(-1), images)
