"""Random streams of real networks: torch generators at the addresses of :mod:`lab.streams`.

Two networks never share a stream by accident. A network draws the same numbers alone or in a stack, and on any device, because
everything is drawn on the CPU. Training that resumes needs no saved generator, because the epoch is part of the address, for
instance ``(seed, "resnet18", "digits", "1/8", copy, "order", epoch)``.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from lab.streams import key


def stream(seed: int, *address: int | str) -> torch.Generator:
    """CPU generator of the stream (seed, *address); see :func:`lab.streams.key`."""
    return torch.Generator().manual_seed(key(seed, *address) & (2**63 - 1))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context in which the global generators, which other people's code uses, are seeded; their state is restored on exit.

    Parameters
    ----------
    seed : seed of the CPU generators of Python, NumPy and PyTorch.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (the global generator, which other code uses)
    with torch.random.fork_rng([]):
        try:
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            torch.random.default_generator.manual_seed(seed)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
