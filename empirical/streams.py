"""Random streams that are addressed, not stored.

A stream is a torch generator seeded by a digest of its address, for instance ``(seed, alpha, copy, "order", epoch)``.
Two networks never share a stream by accident, a network draws the same numbers alone or in a stack, on any device
(everything is drawn on the CPU), and a training that resumes at an epoch needs no saved generator: the epoch is the
whole state.
"""

import hashlib

import torch


def stream(*address) -> torch.Generator:
    """CPU generator for an address: any sequence of numbers and strings."""
    digest = hashlib.blake2b("/".join(map(str, address)).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)
