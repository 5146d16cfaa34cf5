"""Predictions of a trained network on the way from a test point to the hull.

For a test image q with projection x*, the way to the hull is ``x* - q``. It is compared with

* the *minimal adversarial step*, found by a simple search along gradients: from q, move up to ``STEPS`` times to the linear
  estimate of the nearest class boundary (the smallest margin over gradient norm among the other classes, plus 2 %); once the
  class has changed, bisect on the straight line from q for the first point where it differs. The length is an upper bound on
  the smallest step;
* a random (isotropic) direction of the same length.
"""

from typing import Any

import numpy as np
import torch

from empirical.data import Dataset
from empirical.models import Stack
from lab.estimate import Estimate, mean_interval, share_interval
from lab.streams import normal

STEPS, OVERSHOOT, BISECTIONS = 30, 0.02, 25
GRID = 16  # number of points on the way to the hull at which the class is predicted


class PixelNetwork:
    """A trained network as a function of pixels in [0, 1].

    Parameters
    ----------
    model : Stack
        A stack of one, in evaluation mode.
    data : Dataset
        Training data on the model's device, for the shape and normalisation of inputs.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> data = noise(features=3)
    >>> PixelNetwork(start(data), data).classes(np.zeros((5, 3))).shape
    (5,)
    """

    def __init__(self, model: Stack, data: Dataset) -> None:
        self.model, self.shape = model, tuple(data.inputs.shape[1:])
        self.data = data
        self.device = data.labels.device

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits (m, classes) of pixels (m, d)."""
        images = pixels.reshape(len(pixels), *self.shape) * self.data.scale
        return self.model(self.data.normalised(images).unsqueeze(0))[0].float()

    @torch.no_grad()
    def classes(self, pixels: np.ndarray) -> np.ndarray:
        """Predicted class of each row."""
        parts = torch.as_tensor(pixels, dtype=torch.float32, device=self.device).split(1024)
        return torch.cat([self.logits(p).argmax(-1) for p in parts]).cpu().numpy()


def adversarial_steps(network: PixelNetwork, queries: np.ndarray) -> np.ndarray:
    """The shortest steps across a class boundary that the search described above finds.

    Parameters
    ----------
    network : PixelNetwork
        Network whose class boundaries are searched.
    queries : ndarray
        Pixels in [0, 1], (m, d).

    Returns
    -------
    ndarray
        float64 (m, d); rows are NaN if no boundary was found.

    References
    ----------
    Moosavi-Dezfooli et al. 2016, arXiv 1511.04599 (DeepFool), with a bisection of the last step.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> data = noise(features=3)
    >>> adversarial_steps(PixelNetwork(start(data), data), np.zeros((2, 3))).shape
    (2, 3)
    """
    q = torch.as_tensor(queries, dtype=torch.float32, device=network.device)
    start = network.classes(queries)
    label = torch.as_tensor(start, device=q.device)
    x, crossed = q.clone(), torch.zeros(len(q), dtype=torch.bool, device=q.device)
    rows = torch.arange(len(q), device=q.device)
    for _ in range(STEPS):
        point = x.detach().requires_grad_(True)
        logits = network.logits(point)
        crossed |= logits.argmax(-1) != label
        if crossed.all():
            break
        gradients = torch.stack([torch.autograd.grad(logits[:, c].sum(), point, retain_graph=True)[0]
                                 for c in range(logits.shape[1])], 1)
        margins = logits.detach() - logits.detach()[rows, label][:, None]
        slopes = gradients - gradients[rows, label][:, None]
        norms = slopes.norm(dim=2).clamp_min(1e-12)
        reach = margins.abs() / norms
        reach[rows, label] = torch.inf
        best = reach.argmin(1)
        move = (reach[rows, best] / norms[rows, best])[:, None] * slopes[rows, best]
        x = torch.where(crossed[:, None], x, x + (1 + OVERSHOOT) * move + 1e-6 * slopes[rows, best] / norms[rows, best, None])
    crossed |= torch.as_tensor(network.classes(x.detach().cpu().numpy()), device=q.device) != label
    step = (x - q).detach().cpu().numpy().astype(np.float64)
    low, high = np.zeros(len(queries)), np.ones(len(queries))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        changed = network.classes(queries + middle[:, None] * step) != start
        low, high = np.where(changed, low, middle), np.where(changed, middle, high)
    step *= high[:, None]
    step[~crossed.cpu().numpy()] = np.nan
    return step


def directions(network: PixelNetwork, queries: np.ndarray, nearest: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """Predictions of a network on the way from test points to the hull.

    Parameters
    ----------
    network : PixelNetwork
        Network in evaluation mode.
    queries : ndarray
        Pixels in [0, 1], (m, d).
    nearest : ndarray
        Their projections onto the hull, (m, d).
    seed : int
        Seed of the random directions.

    Returns
    -------
    dict
        ``cosine`` (mean |cos| between hull direction and adversarial step), ``cosine_random`` (the same with a random
        direction), ``changed_at_hull``, ``changed_on_the_way`` (anywhere on q to x*), ``changed_random`` (random direction of
        the same length), ``changed_excess`` (paired difference at the end point), ``adversarial_over_hull`` (ratio of lengths),
        ``no_boundary_found`` (a count). Empty if all queries lie on the hull.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> data = noise(features=3)
    >>> ways = directions(PixelNetwork(start(data), data), np.ones((2, 3)), np.zeros((2, 3)))
    >>> ways["queries"], 0 <= ways["changed_at_hull"].mean <= 1
    (2, True)
    """
    away = nearest.astype(np.float64) - queries
    length = np.linalg.norm(away, axis=1)
    used = length > 0
    queries, away, length = queries[used], away[used], length[used]
    if len(queries) == 0:
        return {}
    random = normal(seed, "hull", "random directions", shape=queries.shape)
    random *= (length / np.linalg.norm(random, axis=1))[:, None]
    before = network.classes(queries)
    on_the_way = np.zeros(len(queries), bool)
    for t in np.linspace(0, 1, GRID + 1)[1:]:
        at_hull = network.classes(queries + t * away) != before
        on_the_way |= at_hull
    at_random = network.classes(queries + random) != before
    step = adversarial_steps(network, queries)
    good = np.isfinite(step[:, 0])
    reach = np.linalg.norm(step[good], axis=1)
    good[good] = reach > 0
    step, reach = step[good], reach[reach > 0]
    m = len(queries)

    def cosine(x: np.ndarray) -> Estimate | None:
        return mean_interval(np.abs(np.einsum("ij,ij->i", x[good], step)) / reach / length[good]) if len(step) else None

    return {"queries": m, "cosine": cosine(away), "cosine_random": cosine(random),
            "changed_at_hull": share_interval(int(at_hull.sum()), m),
            "changed_on_the_way": share_interval(int(on_the_way.sum()), m),
            "changed_random": share_interval(int(at_random.sum()), m),
            "changed_excess": mean_interval(at_hull.astype(float) - at_random),
            "adversarial_over_hull": mean_interval(reach / length[good]) if len(step) else None,
            "no_boundary_found": int(m - len(step))}
