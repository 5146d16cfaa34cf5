"""Ways out of and into the hull, seen by a trained network.

For a test image q with projection x* the way to the hull is ``x* - q``. It is compared with

* the *minimal adversarial step*: a simple exact search along gradients. From q, up to ``STEPS`` times, go to the linear
  estimate of the nearest class boundary (the smallest margin over gradient norm among the other classes; 2 % beyond
  it); once the class has changed, bisect on the straight line from q for the first point where it differs. The step is
  an upper bound on the smallest one.
* a random direction of the same length (isotropic).
"""

import numpy as np
import torch

from lab.estimate import mean_interval, share_interval
from lab.streams import normal

STEPS, OVERSHOOT, BISECTIONS = 30, 0.02, 25
GRID = 16  # points on the way to the hull


class PixelNetwork:
    """A trained network as a function of pixels in [0, 1]."""

    def __init__(self, model, data):
        self.model, self.shape = model, tuple(data.inputs.shape[1:])
        self.data = data
        self.device = data.labels.device

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """(m, d) -> (m, classes)."""
        images = pixels.reshape(len(pixels), *self.shape) * self.data.scale
        return self.model(self.data.normalised(images).unsqueeze(0))[0].float()

    @torch.no_grad()
    def classes(self, pixels: np.ndarray) -> np.ndarray:
        """Predicted class of each row."""
        parts = torch.as_tensor(pixels, dtype=torch.float32, device=self.device).split(1024)
        return torch.cat([self.logits(p).argmax(-1) for p in parts]).cpu().numpy()


def adversarial_steps(network: PixelNetwork, queries: np.ndarray) -> np.ndarray:
    """Steps (m, d) to the nearest class boundary found; rows of NaN where no boundary was found."""
    q = torch.as_tensor(queries, dtype=torch.float32, device=network.device)
    start = network.classes(queries)
    label = torch.as_tensor(start, device=q.device)
    x, found = q.clone(), torch.zeros(len(q), dtype=torch.bool, device=q.device)
    rows = torch.arange(len(q), device=q.device)
    for _ in range(STEPS):
        point = x.detach().requires_grad_(True)
        logits = network.logits(point)
        found |= logits.argmax(-1) != label
        if found.all():
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
        x = torch.where(found[:, None], x, x + (1 + OVERSHOOT) * move + 1e-6 * slopes[rows, best] / norms[rows, best, None])
    found |= torch.as_tensor(network.classes(x.detach().cpu().numpy()), device=q.device) != label
    step = (x - q).detach().cpu().numpy().astype(np.float64)
    low, high = np.zeros(len(queries)), np.ones(len(queries))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        changed = network.classes(queries + middle[:, None] * step) != start
        low, high = np.where(changed, low, middle), np.where(changed, middle, high)
    step *= high[:, None]
    step[~found.cpu().numpy()] = np.nan
    return step


def directions(network: PixelNetwork, queries: np.ndarray, nearest: np.ndarray, seed: int = 0) -> dict:
    """How a network sees the way from test points to the hull.

    Parameters
    ----------
    queries : (m, d) pixels in [0, 1].
    nearest : (m, d), their projections on the hull.
    seed : of the random directions.

    Returns
    -------
    dict : ``cosine`` (mean |cos| between hull direction and adversarial step), ``cosine_random`` (the same with a random
        direction), ``changed_at_hull``, ``changed_on_the_way`` (anywhere on q to x*), ``changed_random`` (random direction of
        the same length), ``changed_excess`` (paired difference at the end point), ``adversarial_over_hull`` (lengths),
        ``no_boundary_found``.
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

    def cosine(x):
        return mean_interval(np.abs(np.einsum("ij,ij->i", x[good], step)) / reach / length[good]) if len(step) else None

    return {"queries": m, "cosine": cosine(away), "cosine_random": cosine(random),
            "changed_at_hull": share_interval(int(at_hull.sum()), m),
            "changed_on_the_way": share_interval(int(on_the_way.sum()), m),
            "changed_random": share_interval(int(at_random.sum()), m),
            "changed_excess": mean_interval(at_hull.astype(float) - at_random),
            "adversarial_over_hull": mean_interval(reach / length[good]) if len(step) else None,
            "no_boundary_found": int(m - len(step))}
