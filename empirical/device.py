"""The device that networks are trained on, and the process-wide settings of training."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lab.errors import ArgumentError

DEVICES = ("cpu", "cuda", "mps", "xpu")


def pick_device(name: str | None = None) -> torch.device:
    """The device of that name; without a name CUDA if available, else the CPU.

    Parameters
    ----------
    name : str, optional
        Device, as named by PyTorch: "cpu", "cuda:1", "mps", ...

    Returns
    -------
    torch.device
        A device that works.

    Raises
    ------
    ArgumentError
        If the device is not available.

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
        raise ArgumentError(f"device {name!r} is not available ({reason[:90]}): use cpu, or leave out the device",
                            "device") from None
    return device


def flushes_denormals() -> bool:
    """Whether this thread flushes denormal numbers to zero, which PyTorch can set but not report."""
    return bool(torch.tensor(1e-40) * 1.0 == 0)


@contextmanager
def training_state(device: torch.device) -> Iterator[None]:
    """Context with the process-wide settings of training, which are restored on exit.

    These are the handling of denormals, cuDNN's benchmark mode and PyTorch's generator.

    On a CPU, denormal numbers are slow and irrelevant here, so they are flushed to zero, which is a setting of the thread. New
    threads inherit it from the thread that starts them, so with several threads in a run the results would depend on what the
    process did before; the setting is then left alone.

    Parameters
    ----------
    device : torch.device
        Device to train on.
    """
    flushed, chosen = flushes_denormals(), torch.backends.cudnn.benchmark
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            torch.set_flush_denormal(flushed or torch.get_num_threads() == 1)
            yield
        finally:
            torch.set_flush_denormal(flushed)
            torch.backends.cudnn.benchmark = chosen
