"""Choose how many copies to train together, by measuring once on the present device.

A stack needs fewer, larger kernels than its members one by one, but grouped convolutions can be slower than a loop over networks.
On a CPU, stacks of all copies were faster at every width measured (ResNet-18, one core, batches of 64 8x8 images, base width 16,
channels-last: 4.6 times for 8 copies at alpha = 1/8, 2.6 times for 4 at 1/4, 1.5 times for 2 at 1/2; with 32x32 images 2.0, 1.5
and 1.2 times), so nothing is measured there. On other devices a few steps are timed to choose between "all" and "one by one", and
the choice is stored with the runs, so that a sweep that is started again plans the same runs.
"""

import json
from dataclasses import replace
from pathlib import Path

import torch

from empirical.data import Dataset
from empirical.networks import steps_of
from empirical.settings import Network
from empirical.steps import Way, seconds_per_step
from lab.errors import InputError
from lab.store import write_atomically

CHOICES = "stacking.json"


def seconds_per_network(config: Network, data: Dataset, device: torch.device, steps: int = 10,
                        way: Way | None = None) -> float:
    """Seconds per training step, divided by the number of networks in the stack.

    Parameters
    ----------
    config : configuration of the stack.
    data : data on the device.
    device : the device.
    steps : number of steps to time.
    way : how to run a step; None for the plain way.
    """
    return seconds_per_step(steps_of(config, data, device, way or Way()), steps) / config.stack


def choose_stack(config: Network, data: Dataset, device: torch.device, copies: int, folder: Path) -> int:
    """The number of networks to train together: ``copies`` or 1.

    Parameters
    ----------
    config : configuration of one of the networks (its ``stack`` is ignored).
    data : data on the device.
    copies : number of copies.
    folder : folder of the run store; the choice is stored in its ``stacking.json``.
    """
    if copies == 1 or device.type == "cpu":
        return copies
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    key = f"{name}, {config.arch}, {config.data}, width {config.base_width} x {config.alpha}, batch {config.batch_size}"
    path = Path(folder) / CHOICES
    known = _read_choices(path)
    if key not in known:
        together, alone = (seconds_per_network(replace(config, copy=0, stack=n), data, device) for n in (copies, 1))
        known[key] = {"stack": copies if together < alone else 1, "speedup": round(alone / together, 2)}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(known, indent=1) + "\n")
    return known[key]["stack"]


def _read_choices(path: Path) -> dict:
    """The choices stored earlier.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    try:
        known = json.loads(path.read_text())
        if all(type(choice["stack"]) is int and choice["stack"] > 0 for choice in known.values()):
            return known
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        pass
    raise InputError(f"{path} is damaged: delete it, and the device will be timed again")
