"""Networks at initialisation, with an optimizer and ready for training, and as stored by a finished run."""

from dataclasses import replace
from pathlib import Path

import torch

from empirical.checkpoint import read_weights
from empirical.data import Dataset
from empirical.declared import architecture
from empirical.models import Stack, build_for
from empirical.models.initialise import initialise, parameter_groups, take_slices
from empirical.settings import Network
from empirical.steps import Members, Steps, Way, member_state
from empirical.streams import stream
from lab.errors import ArgumentError


def prepare(config: Network, data: Dataset, device: torch.device) -> Stack:
    """A stack of networks at initialisation.

    Parameters
    ----------
    config : Network
        Configuration: architecture, data, width, copies and start.
    data : Dataset
        Data set of the networks.
    device : torch.device
        Device of the stack.

    Returns
    -------
    Stack
        Stack in training mode.

    Raises
    ------
    ArgumentError
        If the architecture cannot be built for the data, or the copies cannot start as slices.

    Examples
    --------
    >>> from empirical.tiny import noise, perceptron
    >>> prepare(perceptron(width=4, stack=2), noise(), torch.device("cpu")).sites
    {'penultimate': 4}
    """
    if config.stack > 1 and architecture(config.arch).own:
        return members(config, data, device)
    streams = [stream(*config.address(i, "init")) for i in range(config.stack)]
    model = build_for(config, data, copies=config.stack, seed=streams[0].initial_seed())
    if config.slice_of:
        wide = Network(**{**config.shared(), "alpha": config.slice_of})
        slices = wide.width / config.width
        if slices.denominator != 1:
            raise ArgumentError(f"a network of width {config.slice_of} has no slices of width {config.alpha}")
        take_slices(model, prepare(wide, data, torch.device("cpu")), config.copy, int(slices))
    else:
        initialise(model, streams, config.init, config.width, config.parametrisation)
    return placed(model, data, device)


def placed(model: Stack, data: Dataset, device: torch.device) -> Stack:
    """The stack on a device, in channels-last layout for images.

    Parameters
    ----------
    model : Stack
        Stack; moved in place.
    data : Dataset
        Data set of the network.
    device : torch.device
        Device of the stack.

    Returns
    -------
    Stack
        The stack itself.
    """
    pictures = data.inputs.dim() == 4 and not any(parameter.dim() == 5 for parameter in model.parameters())
    layout = torch.channels_last if pictures else torch.preserve_format
    return model.to(device, memory_format=layout)  # type: ignore[call-overload]  # torch's overloads lack the layout


def members(config: Network, data: Dataset, device: torch.device) -> Members:
    """:func:`prepare`, with the members of the stack as separate networks.

    Parameters
    ----------
    config : Network
        Configuration of the stack.
    data : Dataset
        Data set of the networks.
    device : torch.device
        Device of the networks.

    Returns
    -------
    Members
        Networks in training mode.
    """
    return Members([prepare(replace(config, copy=config.copy + i, stack=1), data, device) for i in range(config.stack)],
                   grouped=not architecture(config.arch).own)


def start(config: Network, data: Dataset, device: torch.device, way: Way) -> Stack:
    """:func:`prepare`, with grouped or separate members depending on ``way``."""
    return (members if way.on(device, config).apart else prepare)(config, data, device)


def make_optimizer(config: Network, model: torch.nn.Module, device: torch.device, *,
                   graph: bool = False) -> torch.optim.Optimizer:
    """SGD with momentum or AdamW over the model's parameter groups.

    Parameters
    ----------
    config : Network
        Configuration: optimizer, learning rate, momentum, weight decay and parametrisation.
    model : nn.Module
        Model on the device.
    device : torch.device
        Device of the model.
    graph : bool
        Whether its steps will be captured as a CUDA graph.

    Returns
    -------
    torch.optim.Optimizer
        Optimizer with a learning rate for each group of parameters.
    """
    groups = parameter_groups(model, learning_rate=config.learning_rate, weight_decay=config.weight_decay,
                              optimizer=config.optimizer, alpha=config.width, parametrisation=config.parametrisation)
    fused = device.type in ("cpu", "cuda")
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.learning_rate, momentum=config.momentum, fused=fused)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=fused, capturable=graph)


def steps_of(config: Network, data: Dataset, device: torch.device, way: Way) -> Steps:
    """An initialised stack with its optimizer, ready for training in one of the ways.

    Parameters
    ----------
    config : Network
        Configuration to train.
    data : Dataset
        Data on the device.
    device : torch.device
        Device to train on.
    way : Way
        How to run a step.

    Returns
    -------
    Steps
        Training steps, at step 0.
    """
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
    model = start(config, data, device, way)
    return Steps(config, data, model, make_optimizer(config, model, device, graph=way.on(device, config).graph), device, way)


def read_member(model: torch.nn.Module, copies: int, member: int) -> dict[str, torch.Tensor]:
    """A copy of the state of one network of a stack, as a stack of one.

    Parameters
    ----------
    model : nn.Module
        A stack, or its members as separate networks.
    copies : int
        Number of networks in it.
    member : int
        Number of the network, from 0.

    Returns
    -------
    dict of str to torch.Tensor
        State, as from ``state_dict``.
    """
    return {name: value.clone() for name, value in member_state(model, copies, member).items()}


def write_member(model: torch.nn.Module, copies: int, member: int, state: dict[str, torch.Tensor]) -> None:
    """Set the state of one network of a stack, as :func:`read_member` reads it.

    Parameters
    ----------
    model : nn.Module
        A stack, or its members as separate networks; changed in place.
    copies : int
        Number of networks in it.
    member : int
        Number of the network, from 0.
    state : dict of str to torch.Tensor
        State of a stack of one.
    """
    shared = copies > 1 and not isinstance(model, Members)  # scalars belong to the whole stack
    for name, value in member_state(model, copies, member).items():
        if value.dim() or not shared:
            value.copy_(state[name])


def load_trained(config: Network, data: Dataset, folder: Path, device: torch.device, *, apart: bool = False) -> Stack:
    """The trained stack of a finished run.

    Parameters
    ----------
    config : Network
        Configuration of the trained network.
    data : Dataset
        Data set that it was trained on.
    folder : Path
        Folder of the run.
    device : torch.device
        Device of the stack.
    apart : bool
        Whether to return the members as separate networks (see :class:`empirical.steps.Way`).

    Returns
    -------
    Stack
        Stack in evaluation mode.

    Raises
    ------
    InputError
        If its weights are missing, damaged, or not those written by the training run.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from empirical.tiny import noise, perceptron
    >>> from empirical.train import train
    >>> data, folder = noise(), Path(mkdtemp())
    >>> model, _ = train(perceptron(), data, folder)
    >>> again = load_trained(perceptron(), data, folder, torch.device("cpu"))
    >>> bool((again.readout.weight == model.readout.weight).all())
    True
    """
    own = architecture(config.arch).own
    cpu = torch.device("cpu")
    model = members(config, data, cpu) if own and config.stack > 1 else build_for(config, data, copies=config.stack)
    read_weights(folder, model)
    if apart and config.stack > 1 and not own:
        networks = [build_for(config, data) for _ in range(config.stack)]
        for i, network in enumerate(networks):
            network.load_state_dict(member_state(model, config.stack, i))
        model = Members(networks)
    return placed(model, data, device).eval()
