"""Widen a trained MLP without changing its function: by splitting units, or by adding units with zero outgoing weights.

*Splitting* replaces a unit by two, each with its incoming weights and with the shares s and 1 - s of its outgoing weights. Where
the gradient vanishes it still vanishes afterwards, and the new directions that pull the two units apart may have negative
curvature: an escape (Fukumizu & Amari 2000, Neural Networks 13, 317; theory: :mod:`theory.landscape.escape`). *New units* have
newly initialised incoming weights and zero outgoing weights.

Several MLPs can be *joined* into one that has all their units.
"""

from collections.abc import Mapping

import torch

from lab import checks

State = Mapping[str, torch.Tensor]
LEAST_SHARE = 0.25  # units are split into parts between a quarter and three quarters


def _layers(state: State) -> int:
    return sum(name.startswith("hidden.") and name.endswith(".weight") for name in state)


def split_units(state: State, generator: torch.Generator, factor: int = 2) -> dict[str, torch.Tensor]:
    """Weights of an MLP ``factor`` times as wide in which every unit is split.

    Parameters
    ----------
    state : mapping of tensors
        Weights of an MLP (:class:`empirical.models.mlp.MLP`), of one network.
    generator : torch.Generator
        Generator of the shares, which are drawn for every unit, because equal halves would stay equal forever.
    factor : int >= 2, default 2
        Units in place of one.

    Returns
    -------
    dict of tensors
        Weights that compute the same function, up to rounding; units in the old order, repeated as a whole.

    Examples
    --------
    >>> state = {"hidden.0.weight": torch.ones(1, 1, 2), "hidden.0.bias": torch.zeros(1, 1),
    ...          "readout.weight": torch.full((1, 3, 1), 5.0), "readout.bias": torch.zeros(1, 3)}
    >>> wide = split_units(state, torch.Generator().manual_seed(0))
    >>> wide["hidden.0.weight"].shape, wide["readout.weight"].sum(-1).tolist()
    (torch.Size([1, 2, 2]), [[5.0, 5.0, 5.0]])
    """
    checks.whole_number("factor", factor, 2)
    wide, shares = {}, None
    for reader in (*(f"hidden.{i}" for i in range(_layers(state))), "readout"):
        weight, bias = state[f"{reader}.weight"], state[f"{reader}.bias"]
        if shares is not None:
            weight = torch.cat([weight * share for share in shares], dim=2)
        if reader != "readout":
            weight, bias = weight.repeat(1, factor, 1), bias.repeat(1, factor)
            drawn = LEAST_SHARE + (1 - 2 * LEAST_SHARE) * torch.rand(factor, bias.shape[1] // factor, generator=generator)
            drawn = drawn.to(weight)
            shares = drawn / drawn.sum(0)
        wide[f"{reader}.weight"], wide[f"{reader}.bias"] = weight, bias
    return {name: wide[name] for name in state}


def add_units(state: State, fresh: State) -> dict[str, torch.Tensor]:
    """Weights of a wider MLP: the units of a narrow one, and new units without outgoing weights to them or to the readout.

    Parameters
    ----------
    state : mapping of tensors
        Weights of the narrow MLP.
    fresh : mapping of tensors
        Weights of an initialised wide MLP; new units take theirs, for inputs from each other and from the narrow units.

    Returns
    -------
    dict of tensors
        Weights that compute the narrow network's function.

    Examples
    --------
    >>> state = {"hidden.0.weight": torch.ones(1, 1, 2), "hidden.0.bias": torch.zeros(1, 1),
    ...          "readout.weight": torch.full((1, 3, 1), 5.0), "readout.bias": torch.zeros(1, 3)}
    >>> fresh = {"hidden.0.weight": torch.zeros(1, 2, 2), "hidden.0.bias": torch.zeros(1, 2),
    ...          "readout.weight": torch.ones(1, 3, 2), "readout.bias": torch.zeros(1, 3)}
    >>> add_units(state, fresh)["readout.weight"].tolist()
    [[[5.0, 0.0], [5.0, 0.0], [5.0, 0.0]]]
    """
    wide = {}
    for name, old in state.items():
        new = fresh[name].clone()
        if name.endswith(".bias"):
            new[:, :old.shape[1]] = old
        else:
            new[:, :old.shape[1], old.shape[2]:] = 0.0
            new[:, :old.shape[1], :old.shape[2]] = old
        wide[name] = new
    return wide


def joined(state: State, group: int) -> dict[str, torch.Tensor]:
    """Weights of MLPs that each have all units of several narrow ones, and whose output is the mean of theirs.

    Parameters
    ----------
    state : mapping of tensors
        Weights of a stack of narrow MLPs.
    group : int
        Number of consecutive networks of the stack that are joined into one; it divides the number of networks.

    Returns
    -------
    dict of tensors
        Weights of a stack of wide networks; no unit of one member reads those of another.

    Examples
    --------
    >>> state = {"hidden.0.weight": torch.ones(4, 3, 2), "hidden.0.bias": torch.zeros(4, 3),
    ...          "readout.weight": torch.ones(4, 5, 3), "readout.bias": torch.zeros(4, 5)}
    >>> {name: tuple(x.shape) for name, x in joined(state, 2).items()}["readout.weight"]
    (2, 5, 6)
    """
    wide = {}
    for name, x in state.items():
        parts = x.unflatten(0, (-1, group))
        if name == "readout.bias":
            wide[name] = parts.mean(1)
        elif name == "readout.weight":
            wide[name] = parts.transpose(1, 2).flatten(2) / group
        elif name.endswith("bias") or name == "hidden.0.weight":
            wide[name] = parts.flatten(1, 2)
        else:
            wide[name] = torch.stack([torch.block_diag(*part) for part in parts])
    return wide
