"""Weights in files: safetensors, or what ``torch.save`` wrote of tensors alone; nothing in a file is ever run."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lab.errors import InputError
from lab.files import reading

WRAPPERS = ("state_dict", "model_state_dict", "model", "net")  # keys under which training scripts keep the weights
PREFIXES = ("module.", "_orig_mod.")  # what parallel and compiled modules put before names
INDEX = "model.safetensors.index.json"


def read_state(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint, on the CPU, by the names that the module gave them.

    Parameters
    ----------
    path : a file of safetensors, or one of ``torch.save``; a folder with ``model.safetensors``, whole or in shards.

    Raises
    ------
    InputError
        If it is missing, damaged, or holds anything but tensors.
    """
    path = Path(path)
    if path.is_dir():
        index = path / INDEX
        if not index.exists():
            return read_state(path / "model.safetensors")
        with reading(index, "an index of shards", "fetch it anew"):
            shards = sorted({str(name) for name in json.loads(index.read_text())["weight_map"].values()})
        if any(Path(name).name != name for name in shards):
            raise InputError(f"{index} names files outside its folder: fetch it anew")
        return {name: value for shard in shards for name, value in read_state(path / shard).items()}
    with reading(path, "a file of weights (safetensors, or a state_dict by torch.save)", "save its state_dict anew"):
        if path.suffix == ".safetensors":
            from safetensors.torch import load

            found: Any = load(path.read_bytes())
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    while isinstance(found, Mapping) and (key := next((k for k in WRAPPERS if isinstance(found.get(k), Mapping)), None)):
        found = found[key]
    state = dict(found) if isinstance(found, Mapping) else {}
    if not state or not all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items()):
        raise InputError(f"{path} holds no state_dict: wanted are tensors by their names, alone or under "
                         f"{', '.join(WRAPPERS)}")
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Put a checkpoint's weights into a module; returns the module.

    Parameters
    ----------
    model : of that architecture; it is changed in place, all of it or nothing.
    path : see :func:`read_state`.

    Raises
    ------
    InputError
        If the checkpoint is another network's.
    """
    state, own = read_state(path), model.state_dict()
    counters = {name for name in own if name.endswith("num_batches_tracked")}  # of batch norms; old files have none
    missing, strange = sorted(set(own) - set(state) - counters), sorted(set(state) - set(own))
    shapes = [name for name in own if name in state and own[name].shape != state[name].shape]
    if missing or strange or shapes:
        what = (f"lacks {missing[0]}" if missing else f"has {strange[0]}, which the network has not" if strange else
                f"has {shapes[0]} of shape {tuple(state[shapes[0]].shape)}, not {tuple(own[shapes[0]].shape)}")
        rest = len(missing) + len(strange) + len(shapes) - 1
        raise InputError(f"{path} is another network's: it {what}" + (f" ({rest} more differ)" if rest else ""))
    model.load_state_dict({**{name: own[name] for name in counters}, **state})
    return model


def checksum(path: str | Path) -> str:
    """Of the bytes of a checkpoint: SHA-256, of a folder over its files of weights and its configuration."""
    path, digest = Path(path), hashlib.sha256()
    files = sorted([*path.glob("*.safetensors"), *path.glob("*.json")]) if path.is_dir() else [path]
    for file in files:
        digest.update(file.name.encode())
        with reading(file, "a file of weights", "fetch it anew"), file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
