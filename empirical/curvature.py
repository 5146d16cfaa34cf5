"""The Hessian of a network's training loss: products, the full matrix if it is small, extreme eigenvalues, spectral density.

Products are forward derivatives of gradients (``torch.func``); extreme eigenvalues come from SciPy's Lanczos method. The density
is estimated by stochastic Lanczos quadrature (Ubaru, Chen & Saad 2017, SIAM J. Matrix Anal. Appl. 38, 1075; Ghorbani et al. 2019,
arXiv 1901.10159): from a random direction of independent signs, a few Lanczos steps give a quadrature of the spectrum weighted by
that direction. The mean over directions estimates the full spectrum, and their scatter gives the error of every number.

Everything is computed over all given rows, in float64, so only the directions are random.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.linalg import eigh_tridiagonal
from scipy.sparse.linalg import LinearOperator, eigsh
from torch.func import functional_call, grad, hessian, jvp, vmap

from empirical.data import Dataset
from empirical.models.layers import Stack
from empirical.steps import losses
from lab import checks
from lab.errors import InputError
from lab.estimate import Estimate, mean_interval

MOST_DENSE = 4000  # maximum number of parameters for a full Hessian
TOGETHER = 16  # number of points whose Hessians are computed at a time


class Objective:
    """Training loss of one network as a function of its parameters in one vector.

    The loss is the mean cross-entropy over the rows plus half the weight decay times the squares of the weights (not of the
    biases), as for the optimizer.

    Parameters
    ----------
    model : Stack
        A stack of one, in evaluation mode; copied to float64.
    data : Dataset
        Data on the model's device.
    rows : tensor of int
        Numbers of the samples.
    weight_decay : float >= 0, default 0
        Weight decay of weights.

    Attributes
    ----------
    start : (P,) tensor
        The model's parameters.
    size : int
        Number P of parameters.

    Examples
    --------
    >>> from empirical.data import load
    >>> from empirical.models import build
    >>> data = load("digits")
    >>> objective = Objective(build("mlp", alpha=1, base_width=2, data=data, depth=1), data, torch.arange(20))
    >>> objective.size, round(float(objective.loss(objective.start)), 4)  # all weights are zero: the loss of chance
    (160, 2.3026)
    """

    def __init__(self, model: Stack, data: Dataset, rows: torch.Tensor, weight_decay: float = 0.0):
        if model.copies != 1:
            raise InputError("a Hessian belongs to a single network: give a stack of one")
        self.model, self.weight_decay = model, weight_decay
        self.shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
        self.start = self.flatten(dict(model.named_parameters()))
        self.size = len(self.start)
        self.inputs, self.labels = data.batch(rows).unsqueeze(0).double(), data.labels[rows].unsqueeze(0)
        self._buffers = {name: x.double() if x.is_floating_point() else x for name, x in model.named_buffers()}
        decayed = [torch.full(shape, float(name.endswith("weight")), dtype=torch.float64).flatten()
                   for name, shape in self.shapes.items()]
        self.decayed = torch.cat(decayed).to(self.start.device)

    def flatten(self, parameters: dict[str, torch.Tensor]) -> torch.Tensor:
        """Parameters by name as one float64 vector."""
        return torch.cat([parameters[name].detach().double().flatten() for name in self.shapes])

    def unflatten(self, theta: torch.Tensor) -> dict[str, torch.Tensor]:
        """A vector as parameters by name."""
        parts = theta.split([shape.numel() for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts)}

    def loss(self, theta: torch.Tensor) -> torch.Tensor:
        """The loss at a point (P,)."""
        logits = functional_call(self.model, {**self.unflatten(theta), **self._buffers}, (self.inputs,))
        return losses(logits, self.labels)[0] + 0.5 * self.weight_decay * (self.decayed * theta * theta).sum()

    @cached_property
    def gradient(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """Point (P,) → gradient (P,)."""
        return grad(self.loss)

    def product(self, theta: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
        """The Hessian at a point times a direction (P,)."""
        return jvp(self.gradient, (theta,), (direction,))[1]

    def hessian(self, theta: torch.Tensor) -> torch.Tensor:
        """The full Hessian at a point, (P, P).

        Raises
        ------
        InputError
            With more than :data:`MOST_DENSE` parameters.
        """
        if self.size > MOST_DENSE:
            raise InputError(f"the full Hessian is limited to {MOST_DENSE:,} parameters, but there are {self.size:,}")
        return hessian(self.loss)(theta)

    def slopes(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradients (R, P) and Hessians (R, P, P) at points (R, P), for :func:`theory.critical_points.search`."""
        parts = torch.as_tensor(points, device=self.start.device).split(TOGETHER)
        gradients, hessians = ([vmap(function)(part) for part in parts] for function in (self.gradient, self.hessian))
        return torch.cat(gradients).cpu().numpy(), torch.cat(hessians).cpu().numpy()

    def multiply(self, theta: torch.Tensor) -> Callable[[np.ndarray], np.ndarray]:
        """Direction (P,) → the Hessian at ``theta`` times it, as arrays."""
        def product(direction: np.ndarray) -> np.ndarray:
            vector = torch.as_tensor(np.ascontiguousarray(direction, dtype=np.float64).reshape(-1), device=theta.device)
            return self.product(theta, vector).cpu().numpy()

        return product


def extreme_eigenvalues(product: Callable[[np.ndarray], np.ndarray], size: int, count: int = 1,
                        seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest eigenvalues of a symmetric matrix that is given by its products.

    Parameters
    ----------
    product : function
        Direction (size,) → the matrix times it.
    size : int > count
        Number of rows.
    count : int >= 1, default 1
        Number of eigenvalues at each end.
    seed : int, default 0
        Seed of the starting direction of Lanczos.

    Returns
    -------
    smallest : (count,) array
        Ascending.
    largest : (count,) array
        Ascending.

    Examples
    --------
    >>> matrix = np.diag(np.arange(-3.0, 7.0))
    >>> [round(float(x[0]), 6) for x in extreme_eigenvalues(matrix.dot, 10)]
    [-3.0, 6.0]
    """
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    start = np.random.default_rng(seed).standard_normal(size)
    low, high = (np.sort(eigsh(operator, count, which=which, v0=start, return_eigenvectors=False)) for which in ("SA", "LA"))
    return low, high


@dataclass(frozen=True)
class Density:
    """Quadratures of a spectrum, one per random direction, with weights that sum to one.

    Parameters
    ----------
    nodes : (directions, steps) array
        Ritz values.
    weights : (directions, steps) array
        Their weights.

    Examples
    --------
    >>> density = Density(np.array([[-1.0, 2.0], [-1.0, 2.0]]), np.array([[0.25, 0.75], [0.35, 0.65]]))
    >>> round(density.below(0.0).mean, 3), round(density.moment(1).mean, 3)
    (0.3, 1.1)
    """

    nodes: np.ndarray
    weights: np.ndarray

    def _mean(self, values: np.ndarray) -> Estimate:
        return mean_interval(np.sum(self.weights * values, axis=1))

    def moment(self, order: int) -> Estimate:
        """Mean of a power of the eigenvalues, with the interval over directions."""
        return self._mean(self.nodes**order)

    def below(self, bound: float) -> Estimate:
        """Share of the eigenvalues below a bound, with the interval over directions."""
        return self._mean(self.nodes < bound)

    def smoothed(self, places: np.ndarray, width: float) -> np.ndarray:
        """The density at some places, (places,), with each eigenvalue smoothed to a Gaussian of that width."""
        bumps = np.exp(-0.5 * ((places[:, None, None] - self.nodes) / width) ** 2) / (width * np.sqrt(2 * np.pi))
        return (self.weights * bumps).sum(-1).mean(-1)


def density(product: Callable[[np.ndarray], np.ndarray], size: int, *, directions: int = 10, steps: int = 60,
            seed: int = 0) -> Density:
    """Spectral density of a symmetric matrix by stochastic Lanczos quadrature.

    Parameters
    ----------
    product : function
        Direction (size,) → the matrix times it.
    size : int
        Number of rows.
    directions : int >= 2, default 10
        Number of random directions; their scatter is the error.
    steps : int >= 2, default 60
        Lanczos steps per direction, at most ``size``; m steps reproduce the moments of a direction up to 2m - 1. Vectors are kept
        orthogonal to all earlier ones.
    seed : int, default 0
        Seed of the directions.

    Returns
    -------
    Density

    Examples
    --------
    >>> spectrum = density(np.diag([-1.0, -1.0, 1.0, 3.0]).dot, 4, directions=2, steps=4)
    >>> round(spectrum.moment(1).mean, 9), round(spectrum.below(0).mean, 9)
    (0.5, 0.5)
    """
    checks.whole_number("directions", directions, 2)
    checks.whole_number("steps", steps, 2)
    rng, steps = np.random.default_rng(seed), min(steps, size)
    nodes, weights = np.zeros((2, directions, steps))
    for probe in range(directions):
        basis, diagonal, beside = np.zeros((steps, size)), np.zeros(steps), np.zeros(steps)
        vector = rng.choice([-1.0, 1.0], size) / np.sqrt(size)
        for step in range(steps):
            basis[step] = vector
            image = product(vector)
            diagonal[step] = vector @ image
            for _ in range(2):  # twice is enough for orthogonality up to rounding
                image -= basis[:step + 1].T @ (basis[:step + 1] @ image)
            beside[step] = np.linalg.norm(image)
            if beside[step] < 1e-10 * np.abs(diagonal).max(initial=1e-300) or step + 1 == steps:
                break
            vector = image / beside[step]
        values, vectors = eigh_tridiagonal(diagonal[:step + 1], beside[:step])
        nodes[probe, :step + 1], weights[probe, :step + 1] = values, vectors[0] ** 2
    return Density(nodes, weights)
