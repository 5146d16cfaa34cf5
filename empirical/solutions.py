"""Different networks that fit the same data: how far their predictions agree, and the loss on the line between them.

Two trained networks can compute nearly the same on the training samples and yet have distant weights, if only because their units
can be in any order. *Matching* finds the order in which the hidden units of one network are most similar to those of the other:
in each layer, the assignment with the largest sum of correlations of activations (Li et al. 2016, arXiv 1511.07543; Ainsworth et
al. 2023, arXiv 2209.04836). The *barrier* is the largest excess of the training loss on the straight line between two networks
over the interpolated loss of its ends (Frankle et al. 2020, arXiv 1912.05671). Matching lowers it if only the order of units
differs.
"""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from empirical.data import Dataset
from empirical.evaluate import evaluate
from empirical.models.layers import Stack
from empirical.models.mlp import MLP
from lab import checks

State = Mapping[str, torch.Tensor]


def agreement(answers: np.ndarray) -> float:
    """Share of samples on which two networks predict the same class, averaged over pairs of networks.

    Parameters
    ----------
    answers : (networks, samples) array of int
        Predicted classes of at least two networks.

    Returns
    -------
    float
        Share between 0 and 1.

    Examples
    --------
    >>> agreement(np.array([[0, 1, 2, 2], [0, 1, 2, 1]]))
    0.75
    """
    answers = np.asarray(answers)
    one, other = np.triu_indices(len(answers), 1)
    return float((answers[one] == answers[other]).mean())


def answers(model: Stack, data: Dataset, rows: torch.Tensor, batch: int = 1024) -> np.ndarray:
    """The class that each network of a stack predicts for some samples.

    Parameters
    ----------
    model : Stack
        A stack in evaluation mode.
    data : Dataset
        Data on the model's device.
    rows : (samples,) tensor of int
        Numbers of the samples.
    batch : int, default 1024
        Samples at a time.

    Returns
    -------
    (networks, samples) array of int
        Predicted classes.

    Examples
    --------
    >>> from empirical.data import load
    >>> from empirical.models import build
    >>> data = load("digits")
    >>> answers(build("mlp", alpha=1, base_width=4, data=data).eval(), data, data.splits["test"][:3]).shape
    (1, 3)
    """
    return np.concatenate([answers_to(model, data.batch(part)) for part in rows.split(batch)], axis=1)


@torch.inference_mode()
def answers_to(model: Stack, inputs: torch.Tensor) -> np.ndarray:
    """The class that each network of a stack predicts for some inputs.

    Parameters
    ----------
    model : Stack
        A stack in evaluation mode.
    inputs : (samples, ...) tensor
        Inputs of the networks.

    Returns
    -------
    (networks, samples) array of int
        Predicted classes.

    Examples
    --------
    >>> from empirical.data import load
    >>> from empirical.models import build
    >>> data = load("digits")
    >>> answers_to(build("mlp", alpha=1, base_width=4, data=data).eval(), data.batch(torch.arange(2))).shape
    (1, 2)
    """
    return model(inputs.unsqueeze(0)).argmax(-1).cpu().numpy()


def _standardised(activations: torch.Tensor) -> torch.Tensor:
    """Activations (samples, units), each unit with mean 0 and norm 1; a dead unit stays 0."""
    centred = activations.double() - activations.double().mean(0)
    return centred / centred.norm(dim=0).clamp_min(1e-12)


@torch.inference_mode()
def matched_units(model: MLP, state: State, other: State, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    """The other network, with its hidden units in the order that makes them most similar to those of the first.

    Parameters
    ----------
    model : MLP
        A stack of one, of the networks' shape; its weights are overwritten.
    state : mapping of tensors
        Weights of the first network.
    other : mapping of tensors
        Weights of the network whose units are reordered, which does not change its function.
    inputs : (1, samples, ...) tensor
        Inputs on which units are compared.

    Returns
    -------
    dict of tensors
        Weights of the other network, reordered.

    Examples
    --------
    >>> from empirical.data import load
    >>> from empirical.models import build
    >>> data = load("digits")
    >>> model, inputs = build("mlp", alpha=1, base_width=4, data=data, depth=1), data.batch(torch.arange(50)).unsqueeze(0)
    >>> draw = torch.Generator().manual_seed(0)
    >>> state = {name: torch.randn(x.shape, generator=draw) for name, x in model.state_dict().items()}
    >>> order = torch.tensor([2, 0, 3, 1])
    >>> mixed = {**state, **{name: state[name][:, order] for name in ("hidden.0.weight", "hidden.0.bias")},
    ...          "readout.weight": state["readout.weight"][:, :, order]}
    >>> all(torch.equal(x, state[name]) for name, x in matched_units(model, state, mixed, inputs).items())
    True
    """
    taps: list[dict[str, torch.Tensor]] = [{}, {}]
    for weights, features in zip((state, other), taps):
        model.load_state_dict(weights)
        model(inputs, features)
    ordered = {name: x.clone() for name, x in other.items()}
    readers = [f"hidden.{i}" for i in range(1, len(model.hidden))] + ["readout"]
    for i, (site, reader) in enumerate(zip(model.sites, readers)):
        similar = _standardised(taps[0][site][0]).T @ _standardised(taps[1][site][0])
        order = torch.as_tensor(linear_sum_assignment(similar.cpu().numpy(), maximize=True)[1], device=inputs.device)
        for name in (f"hidden.{i}.weight", f"hidden.{i}.bias"):
            ordered[name] = ordered[name][:, order]
        ordered[f"{reader}.weight"] = ordered[f"{reader}.weight"][:, :, order]
    return ordered


def barrier(model: Stack, state: State, other: State, data: Dataset, rows: str | torch.Tensor = "train",
            points: int = 11) -> dict[str, float]:
    """The barriers of loss and error on the straight line between two networks.

    Parameters
    ----------
    model : Stack
        A stack of one, of the networks' shape, without batch norm; its weights are overwritten.
    state : mapping of tensors
        Weights at one end.
    other : mapping of tensors
        Weights at the other end.
    data : Dataset
        Data on the model's device.
    rows : str or tensor of int, default "train"
        A split, or numbers of samples.
    points : int >= 3, default 11
        Points on the line, including its ends.

    Returns
    -------
    dict
        ``loss`` and ``error``: the largest excess over the value interpolated from the two ends, at least 0.

    Examples
    --------
    >>> from empirical.data import load
    >>> from empirical.models import build
    >>> data = load("digits")
    >>> model = build("mlp", alpha=1, base_width=4, data=data)
    >>> flat = barrier(model, model.state_dict(), model.state_dict(), data, data.splits["test"])
    >>> {name: round(value, 6) for name, value in flat.items()}
    {'loss': 0.0, 'error': 0.0}
    """
    checks.whole_number("points", points, 3)
    first, last = ({name: x.clone() for name, x in end.items()} for end in (state, other))
    shares, measured = np.linspace(0, 1, points), []
    for share in shares:
        model.load_state_dict({name: torch.lerp(x, last[name], float(share)) for name, x in first.items()})
        scores = evaluate(model.eval(), data, rows)
        measured.append((scores["loss"][0], 1 - scores["accuracy"][0]))
    values = np.array(measured)
    excess = values - np.outer(1 - shares, values[0]) - np.outer(shares, values[-1])
    return {name: max(0.0, float(excess[1:-1, i].max())) for i, name in enumerate(("loss", "error"))}
