"""Families of published checkpoints of several widths, read from a folder.

Two formats are supported: ``torchvision``'s ResNets and WideResNets (any file with a state dict under its names; sizes follow
from the tensors, so ResNets of any width and depth can be read), and encoders or decoders in the format of Hugging Face, a folder
with ``config.json`` and ``model.safetensors``, by ``transformers`` (``pip install 'widthlab[encoders]'``), without running any
code of the folder. Members of the same depth and kind form a family, and their widths are compared: for a ResNet the width of the
first block's first convolution (twice as wide in WideResNet-50-2 as in ResNet-50), for others that of the residual stream.
"""

import json
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from empirical.own.checkpoints import load_weights, read_state
from empirical.own.members import ENCODER, RESNET, Member
from empirical.own.network import PENULTIMATE, fill
from empirical.own.places import channels_first, once, pooled, recorded
from empirical.streams import seeded
from lab.errors import ArgumentError, InputError
from lab.files import reading

SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")
_WIDTHS, _DEPTHS = ("hidden_size", "d_model", "n_embd"), ("num_hidden_layers", "n_layer", "num_layers")


def members(folder: str | Path) -> list[Member]:
    """The checkpoints in a folder, by family, from narrow to wide.

    Parameters
    ----------
    folder : str or Path
        Contains files of ResNets and folders in the format of Hugging Face; anything else in it is ignored.

    Raises
    ------
    ArgumentError
        If it is not a folder, or has no checkpoints.
    InputError
        If a file is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ArgumentError(f"{folder} is not a folder: give the one that holds the checkpoints", "folder")
    family = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and (path / "config.json").exists():
            family.append(_encoder_member(path))
        elif path.suffix in SUFFIXES:
            state = read_state(path)
            if "layer1.0.conv1.weight" in state:
                family.append(Member(name=path.name, kind=RESNET, family=_resnet_family(state),
                                     width=state["layer1.0.conv1.weight"].shape[0]))
    if not family:
        raise ArgumentError(f"{folder} holds no checkpoint: expected are state dicts of torchvision's ResNets "
                            f"({', '.join(SUFFIXES)}), or folders with config.json and model.safetensors", "folder")
    return sorted(family, key=lambda m: (m.family, m.width, m.name))


def _encoder_member(path: Path) -> Member:
    with reading(path / "config.json", "the configuration of a network", "fetch it anew"):
        config = json.loads((path / "config.json").read_text())
        width, depth = (next((int(config[key]) for key in keys if key in config), None) for keys in (_WIDTHS, _DEPTHS))
        if width is None or depth is None:
            raise ValueError(f"it says neither {' nor '.join(_WIDTHS if width is None else _DEPTHS)}")
    return Member(name=path.name, kind=ENCODER, family=f"{config.get('model_type', 'encoder')}, {depth} layers", width=width)


def _blocks(state: dict[str, torch.Tensor]) -> list[int]:
    """Number of blocks in each stage of a ResNet."""
    counts: list[int] = []
    while any(name.startswith(f"layer{len(counts) + 1}.") for name in state):
        stage = f"layer{len(counts) + 1}."
        counts.append(1 + max(int(name.split(".")[1]) for name in state if name.startswith(stage)))
    return counts


def _resnet_family(state: dict[str, torch.Tensor]) -> str:
    kind = "bottleneck" if "layer1.0.conv3.weight" in state else "basic"
    groups = state["layer1.0.conv1.weight"].shape[0] // state["layer1.0.conv2.weight"].shape[1]
    return f"ResNet, {kind} blocks {'-'.join(map(str, _blocks(state)))}" + f", {groups} groups" * (groups > 1)


class ResNet(nn.Module):
    """torchvision's ResNet, with its names, in the sizes of a state dict.

    A stem of 7x7 has stride 2 and is followed by pooling; a smaller one, as in networks for CIFAR, has stride 1 and no pooling.
    """

    def __init__(self, state: dict[str, torch.Tensor]):
        super().__init__()
        kernel = state["conv1.weight"].shape[-1]
        self.pools = kernel == 7
        self.conv1, self.bn1 = _conv(state["conv1.weight"], 2 if self.pools else 1), nn.BatchNorm2d(len(state["conv1.weight"]))
        self.stages = []
        for number, count in enumerate(_blocks(state), 1):
            blocks = [_Block(state, f"layer{number}.{i}.", 2 if number > 1 and i == 0 else 1) for i in range(count)]
            self.stages.append(f"layer{number}")
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        classes, features = state["fc.weight"].shape
        self.fc = nn.Linear(features, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(x, 3, 2, 1) if self.pools else x
        for stage in self.stages:
            x = getattr(self, stage)(x)
        return self.fc(self.avgpool(x).flatten(1))


def _conv(weight: torch.Tensor, stride: int = 1, channels_in: int | None = None) -> nn.Conv2d:
    out, each, kernel = weight.shape[0], weight.shape[1], weight.shape[-1]
    channels_in = channels_in or each
    return nn.Conv2d(channels_in, out, kernel, stride, kernel // 2, groups=channels_in // each, bias=False)


class _Block(nn.Module):
    """A basic block (two 3x3 convolutions) or a bottleneck (1x1, 3x3 with the stride, 1x1)."""

    def __init__(self, state, name: str, stride: int):
        super().__init__()
        self.count = 3 if f"{name}conv3.weight" in state else 2
        channels = None
        for i in range(1, self.count + 1):
            weight = state[f"{name}conv{i}.weight"]
            conv = _conv(weight, stride if i == self.count - 1 else 1, channels)
            self.add_module(f"conv{i}", conv)
            self.add_module(f"bn{i}", nn.BatchNorm2d(conv.out_channels))
            channels = conv.out_channels
        self.downsample = None
        if f"{name}downsample.0.weight" in state:
            conv = _conv(state[f"{name}downsample.0.weight"], stride)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        for i in range(1, self.count + 1):
            x = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))
            x = F.relu(x) if i < self.count else x
        return F.relu(x + shortcut)


class Published(nn.Module):
    """A published network as a stack of one, of which only features are used: its blocks are sites, and ``penultimate`` is the
    input of its readout, or, in an encoder, the mean over tokens of the last hidden states.

    Parameters
    ----------
    network : torch.nn.Module
        Any module.
    sites : list of str
        Names of its blocks.
    readout : str, default ""
        Name of its last layer; "" for an encoder, whose inputs are token ids plus 1 (0 is padding).
    """

    copies = 1

    def __init__(self, network: nn.Module, sites: list[str], readout: str = ""):
        super().__init__()
        self.network, self.readout = network, readout
        self._first = {site: channels_first(network, site) for site in sites}
        self.sites = [*sites, PENULTIMATE]

    def forward(self, x, taps=None):
        taps, mask = {} if taps is None else taps, None
        with recorded(self.network, self._first) as outputs, recorded(self.network, [self.readout][:bool(self.readout)],
                                                                      inputs=True) as before:
            if self.readout:
                channels = cast(nn.Conv2d, self.network.conv1).in_channels  # grey pictures are repeated for every channel
                out = self.network(x[0].expand(-1, channels, -1, -1))
                last = once(self.readout, before.get(self.readout, []))
            else:
                mask = x[0] != 0
                out = self.network(input_ids=(x[0] - 1).clamp_min(0), attention_mask=mask.long())
                last = out = out.last_hidden_state
        fill(taps, self._first, outputs, mask)
        taps[PENULTIMATE] = pooled(last, False, mask).unsqueeze(0)
        return out.unsqueeze(0)


def published(folder: str | Path, member: Member, *, trained: bool = True, seed: int = 0) -> Published:
    """A member's network, in evaluation mode.

    Parameters
    ----------
    folder : str or Path
        The folder with the checkpoints.
    member : Member
        One of :func:`members`.
    trained : bool, default True
        Whether to load its weights; otherwise it has random initial weights.
    seed : int, default 0
        Seed of random initial weights.

    Raises
    ------
    ArgumentError
        If ``transformers`` is needed and not installed.
    InputError
        If its files are damaged, or belong to another kind of network.
    """
    path = Path(folder) / member.name
    with seeded(seed):
        if member.kind == RESNET:
            with reading(path, "a state dict of torchvision's ResNets", "fetch it anew"):
                network = ResNet(read_state(path))
            if trained:
                load_weights(network, path)
            sites = [f"{stage}.{i}" for stage in network.stages for i in range(len(getattr(network, stage)))]
            return Published(network, sites[:-1], "fc").eval()
        return _encoder(path, trained).eval()


@contextmanager
def _quiet():
    """Context in which transformers prints nothing while it loads; missing weights are checked here."""
    from transformers.utils import logging

    before, shown = logging.get_verbosity(), logging.is_progress_bar_enabled()
    try:
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        yield
    finally:
        logging.set_verbosity(before)
        if shown:
            logging.enable_progress_bar()


def _encoder(path: Path, trained: bool) -> Published:
    """A network in the format of Hugging Face, without running code of the folder or downloading anything."""
    try:
        from transformers import AutoConfig, AutoModel
    except ImportError:
        raise ArgumentError(f"{path.name} is in the format of Hugging Face, which needs transformers: pip install "
                            "'widthlab[encoders]'") from None
    with _quiet(), reading(path, "a network of transformers with model.safetensors", "fetch it anew"):
        local = {"local_files_only": True, "trust_remote_code": False}
        config = AutoConfig.from_pretrained(path, **local)
        if trained:
            network, facts = AutoModel.from_pretrained(path, **local, use_safetensors=True, output_loading_info=True)
            if missing := sorted(name for name in facts["missing_keys"] if not name.startswith("pooler.")):
                raise InputError(f"{path} lacks {len(missing)} of the network's weights, {missing[0]} among them: fetch it anew")
        else:
            network = AutoModel.from_config(config, trust_remote_code=False)
    depth = next(int(getattr(config, key)) for key in _DEPTHS if hasattr(config, key))
    stacks = [name for name, module in network.named_modules() if isinstance(module, nn.ModuleList) and len(module) == depth]
    if not stacks:
        raise InputError(f"{path}: no list of {depth} layers in a {type(network).__name__}: its blocks cannot be identified")
    return Published(network.float(), [f"{stacks[0]}.{i}" for i in range(depth)])
