"""The device that networks are trained on, and what training sets for the whole process."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lab.errors import ArgumentError

DEVICES = ("cpu", "cuda", "mps", "xpu")


def pick_device(name: str | None = None) -> torch.device:
    """The device of that name; without a name CUDA if there is one, else the CPU.

    Parameters
    ----------
    name : str, optional
        As PyTorch names it: "cpu", "cuda:1", "mps", ...

    Returns
    -------
    torch.device
        A device that holds numbers.

    Raises
    ------
    ArgumentError
        If it is not there.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in DEVICES:
            raise RuntimeError(f"networks are trained on {', '.join(DEVICES)}")
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ArgumentError(f"device {name!r} is not there ({reason[:90]}): set device to cpu, or leave it out",
                            "device") from None
    return device


def flushes_denormals() -> bool:
    """Whether this thread takes tiny numbers for zero; PyTorch can set this, but not report it."""
    return bool(torch.tensor(1e-40) * 1.0 == 0)


@contextmanager
def training_state(device: torch.device) -> Iterator[None]:
    """What training sets for the whole process, restored on exit: denormals, the choice of convolutions, PyTorch's generator.

    On a CPU denormal numbers are slow and mean nothing here, so they are flushed to zero, which is a setting of the thread. A
    new thread inherits it from the one that starts it: with several threads in a run the results would depend on what the
    process did before, so there it is left alone.

    Parameters
    ----------
    device : torch.device
        Where networks are trained.
    """
    flushed, chosen = flushes_denormals(), torch.backends.cudnn.benchmark
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            torch.set_flush_denormal(flushed or torch.get_num_threads() == 1)
            yield
        finally:
            torch.set_flush_denormal(flushed)
            torch.backends.cudnn.benchmark = chosen
