"""Random streams of real networks: torch generators at the addresses of :mod:`lab.streams`.

Two networks never share a stream by accident, a network draws the same numbers alone or in a stack, on any device
(everything is drawn on the CPU), and a training that resumes at an epoch needs no saved generator: the epoch is part of the
address, for instance ``(seed, "resnet18", "digits", "1/8", copy, "order", epoch)``.
"""

import torch

from lab.streams import key


def stream(seed: int, *address) -> torch.Generator:
    """CPU generator of the stream (seed, *address); see :func:`lab.streams.key`."""
    return torch.Generator().manual_seed(key(seed, *address) & (2**63 - 1))
