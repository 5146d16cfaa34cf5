"""Weights in files: safetensors, or tensors written by ``torch.save``; no code in a file is ever run."""

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
PREFIXES = ("module.", "_orig_mod.")  # prefixes of names in parallel and compiled modules
INDEX = "model.safetensors.index.json"


def read_state(path: str | Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint, on the CPU, by their names in the module.

    Parameters
    ----------
    path : str or Path
        A file of safetensors or of ``torch.save``, or a folder with ``model.safetensors``, whole or in shards.

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

            stored: Any = load(path.read_bytes())
        else:
            stored = torch.load(path, map_location="cpu", weights_only=True)
    while isinstance(stored, Mapping) and (key := next((k for k in WRAPPERS if isinstance(stored.get(k), Mapping)), None)):
        stored = stored[key]
    state = dict(stored) if isinstance(stored, Mapping) else {}
    if not state or not all(isinstance(k, str) and isinstance(v, torch.Tensor) for k, v in state.items()):
        raise InputError(f"{path} holds no state_dict: expected are tensors by their names, by themselves or under "
                         f"{', '.join(WRAPPERS)}")
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Load a checkpoint's weights into a module, and return the module.

    Parameters
    ----------
    model : torch.nn.Module
        A module of the checkpoint's architecture; it is changed in place, completely or not at all.
    path : str or Path
        See :func:`read_state`.

    Raises
    ------
    InputError
        If the checkpoint belongs to another network.
    """
    state, own = read_state(path), model.state_dict()
    counters = {name for name in own if name.endswith("num_batches_tracked")}  # of batch norms; old files have none
    missing, strange = sorted(set(own) - set(state) - counters), sorted(set(state) - set(own))
    shapes = [name for name in own if name in state and own[name].shape != state[name].shape]
    if missing or strange or shapes:
        what = (f"lacks {missing[0]}" if missing else f"has {strange[0]}, which the network does not have" if strange else
                f"has {shapes[0]} of shape {tuple(state[shapes[0]].shape)}, not {tuple(own[shapes[0]].shape)}")
        more = len(missing) + len(strange) + len(shapes) - 1
        raise InputError(f"{path} belongs to another network: it {what}" + (f" ({more} more differ)" if more else ""))
    model.load_state_dict({**{name: own[name] for name in counters}, **state})
    return model


def checksum(path: str | Path) -> str:
    """SHA-256 of a checkpoint's bytes; of a folder, over its files of weights and its configuration."""
    path, digest = Path(path), hashlib.sha256()
    files = sorted([*path.glob("*.safetensors"), *path.glob("*.json")]) if path.is_dir() else [path]
    for file in files:
        digest.update(file.name.encode())
        with reading(file, "a file of weights", "fetch it anew"), file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
