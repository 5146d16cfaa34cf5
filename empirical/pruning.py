"""Magnitude pruning with rewinding, for whole stacks (Frankle & Carbin 2019, arXiv 1803.03635; Frankle et al. 2020, 1912.05671).

A mask marks the remaining weights of a network: one tensor in the shape of each weight matrix and convolution (biases and the
parameters of norms are never pruned). The first axis of the weights of a stack runs over the copies, and every copy has its own
masks.
"""

from collections.abc import Mapping

import torch

from lab import checks

State = Mapping[str, torch.Tensor]
Masks = dict[str, torch.Tensor]


def whole_masks(state: State, copies: int | None = None) -> Masks:
    """Masks that keep every weight.

    Parameters
    ----------
    state : mapping of tensors
        Weights of a stack.
    copies : int, optional
        Networks in the stack; None where the first axis of every weight counts them, as in MLPs.

    Returns
    -------
    dict of bool tensors
        One per weight matrix (copies, out, in) and convolution (copies, out, in, size, size).

    Examples
    --------
    >>> state = {"conv.weight": torch.ones(6, 1, 3, 3), "norm.weight": torch.ones(6), "readout.weight": torch.ones(2, 4, 3)}
    >>> {name: tuple(mask.shape) for name, mask in whole_masks(state, 2).items()}
    {'conv.weight': (2, 3, 1, 3, 3), 'readout.weight': (2, 4, 3)}
    """
    masks = {name: torch.ones(x.shape, dtype=torch.bool, device=x.device) for name, x in state.items()
             if name.endswith("weight") and x.dim() > 2}
    return {name: mask if copies in (None, len(mask)) else mask.unflatten(0, (copies, -1)) for name, mask in masks.items()}


def pruned(state: State, masks: Masks, share: float) -> Masks:
    """Masks without the smallest of the remaining weights, chosen copy by copy over all layers.

    Parameters
    ----------
    state : mapping of tensors
        Trained weights of a stack.
    masks : dict of bool tensors
        Masks of the remaining weights.
    share : float in [0, 1)
        Share of the remaining weights to remove (rounded down).

    Returns
    -------
    dict of bool tensors
        Masks of the weights that remain.

    Examples
    --------
    >>> state = {"a.weight": torch.tensor([[[1.0, -4.0]]]), "b.weight": torch.tensor([[[2.0], [-3.0]]])}
    >>> {name: mask.flatten().tolist() for name, mask in pruned(state, whole_masks(state), 0.5).items()}
    {'a.weight': [False, True], 'b.weight': [False, True]}
    """
    checks.real_number("share", share, least=0, below=1)
    left = _flat(masks)
    sizes = torch.where(left, _flat({name: state[name].abs().reshape(mask.shape) for name, mask in masks.items()}), torch.inf)
    gone = (share * left.sum(1)).long()
    ranks = sizes.argsort(dim=1).argsort(dim=1)
    return _shaped(left & (ranks >= gone[:, None]), masks)


def shuffled_masks(masks: Masks, generator: torch.Generator, within_layers: bool = True) -> Masks:
    """Masks that keep equally many weights at random.

    Parameters
    ----------
    masks : dict of bool tensors
        Masks of a stack.
    generator : torch.Generator
        Generator of the order.
    within_layers : bool, default True
        Whether to remove the same share in each layer, rather than over all layers.

    Returns
    -------
    dict of bool tensors
        Masks shuffled copy by copy.

    Examples
    --------
    >>> masks = {"a.weight": torch.tensor([[[True, False, False]]]), "b.weight": torch.tensor([[[True, True]]])}
    >>> random = shuffled_masks(masks, torch.Generator().manual_seed(0))
    >>> random["a.weight"].sum().item(), random["b.weight"].sum().item()
    (1, 2)
    """
    parts = [{name: mask} for name, mask in masks.items()] if within_layers else [masks]
    shuffled: Masks = {}
    for part in parts:
        flat = _flat(part)
        order = torch.rand(flat.shape, generator=generator).argsort(dim=1).to(flat.device)
        shuffled |= _shaped(flat.gather(1, order), part)
    return shuffled


def _flat(masks: State) -> torch.Tensor:
    """(copies, all weights)."""
    return torch.cat([mask.flatten(1) for mask in masks.values()], dim=1)


def _shaped(flat: torch.Tensor, like: State) -> Masks:
    parts = flat.split([mask[0].numel() for mask in like.values()], dim=1)
    return {name: part.view(mask.shape) for (name, mask), part in zip(like.items(), parts)}


def mixed(masks: Masks, inside: State, outside: State) -> dict[str, torch.Tensor]:
    """Weights of one state where a mask keeps them, those of another elsewhere; unpruned parameters come from the first.

    Parameters
    ----------
    masks : dict of bool tensors
        Masks of a stack.
    inside : mapping of tensors
        Weights of the ticket.
    outside : mapping of tensors
        Weights outside the ticket.

    Returns
    -------
    dict of tensors
        The combined state.

    Examples
    --------
    >>> mask = {"a.weight": torch.tensor([[[True, False]]])}
    >>> mixed(mask, {"a.weight": torch.ones(1, 1, 2)}, {"a.weight": torch.zeros(1, 1, 2)})["a.weight"].tolist()
    [[[1.0, 0.0]]]
    """
    return {name: torch.where(masks[name].reshape(x.shape), x, outside[name]) if name in masks else x.clone()
            for name, x in inside.items()}


def hold(model: torch.nn.Module, masks: Masks) -> None:
    """Set the weights that masks do not keep to zero, and prevent training from changing them.

    Their gradients are set to zero, so that momentum, adaptive steps and weight decay leave them at zero.

    Parameters
    ----------
    model : torch.nn.Module
        A stack that is about to be trained; changed in place.
    masks : dict of bool tensors
        Masks of its weights.

    Examples
    --------
    >>> from empirical.models.layers import Linear
    >>> layer = Linear(1, 2, 1)
    >>> hold(layer, {"weight": torch.tensor([[[True, False]]])})
    >>> layer(torch.ones(1, 1, 2)).sum().backward()
    >>> layer.weight.grad.tolist()
    [[[1.0, 0.0]]]
    """
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, mask in masks.items():
            here = torch.empty_like(parameters[name], dtype=torch.bool).copy_(mask.reshape(parameters[name].shape))
            parameters[name].mul_(here)
            if not here.all():
                parameters[name].register_hook(lambda gradient, here=here: gradient * here)
