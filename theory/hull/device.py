"""Pricing on the device of a torch tensor. torch is not imported here: whoever has a tensor has imported it.

The device multiplies and ranks; working sets are small and are solved on the host, which holds a copy of the points.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from lab.arrays import is_tensor
from theory.hull.pricing import Points

SCORE_BYTES = 512 << 20


def prepare(points: Points | npt.ArrayLike, on_device: bool | None = None) -> Points:
    """Points ready to be priced; prepare them once for several projections.

    Parameters
    ----------
    points : (n, d) array or tensor, or Points
        The points of the hull; prepared points are returned unchanged.
    on_device : bool, optional
        Price on the device of the tensor (default: for a tensor that is not on the CPU).

    Returns
    -------
    Points
        Points for :func:`theory.hull.project`.

    Raises
    ------
    InputError
        If there is no point, or the points are not finite or too close together to be told apart.

    References
    ----------
    Column generation, see :mod:`theory.hull`.

    Examples
    --------
    >>> prepare([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).shape
    (3, 2)
    """
    if isinstance(points, Points):
        return points
    if on_device is None:
        tensor: Any = points  # torch, and so its type, is not imported
        on_device = is_tensor(tensor) and tensor.device.type != "cpu"
    return TensorPoints(points) if on_device else Points(points)


class TensorPoints(Points):
    """Points that are priced on their tensor's device; same bounds as :class:`Points`."""

    def __init__(self, points):
        super().__init__(points)
        self.torch = sys.modules["torch"]
        self.tensor = points.detach()
        self._single = None

    def _part(self, rows: slice, dtype):
        """Rows about the centre (in units unless raw and float32), on the device."""
        torch = self.torch
        if dtype == torch.float32 and self.raw:
            return self.tensor[rows]
        if dtype == torch.float32:
            if self._single is None:
                self._single = torch.empty(self.shape, dtype=dtype, device=self.tensor.device)
                for part in self._slices(np.float64):
                    self._single[part] = self._part(part, torch.float64).to(dtype)
            return self._single[rows]
        centre = torch.as_tensor(self.centre, device=self.tensor.device)
        return (self.tensor[rows].to(torch.float64) - centre) / self.unit

    def price(self, directions, level, kind, member, members, most, dtype, team):
        """As :meth:`Points.price`."""
        torch, device = self.torch, self.tensor.device
        n = self.shape[0]
        single = dtype == np.float32
        wanted = torch.float32 if single else torch.float64
        batch = (directions / self.unit if self.raw and single else directions).astype(dtype)
        batch = torch.as_tensor(batch, device=device)
        extra = torch.as_tensor(self.extras(dtype), device=device)
        kinds = torch.as_tensor(kind, device=device)
        inside = torch.as_tensor(member, device=device)
        keys = torch.empty((len(batch), 0), dtype=wanted, device=device)
        index = torch.empty((len(batch), 0), dtype=torch.int64, device=device)
        step = max(most + 1, SCORE_BYTES // (2 * batch.element_size() * len(batch)))
        matmul = torch.backends.cuda.matmul
        reduced, matmul.allow_tf32 = matmul.allow_tf32, False  # the rounding margin assumes full float32
        try:
            for first in range(0, n, step):
                rows = slice(first, min(first + step, n))
                scores = batch @ self._part(rows, wanted).T
                scores += extra[:, rows][kinds]
                row, column = torch.nonzero((inside >= rows.start) & (inside < rows.stop), as_tuple=True)
                scores[row, inside[row, column] - first] = -np.inf
                value, number = scores.topk(min(most + 1, scores.shape[1]), dim=1)
                keys, index = torch.cat([keys, value], 1), torch.cat([index, number + first], 1)
                keys, order = keys.topk(min(most + 1, keys.shape[1]), dim=1)
                index = index.gather(1, order)
        finally:
            matmul.allow_tf32 = reduced
        keys, index = keys.cpu().numpy(), index.cpu().numpy()
        above = keys > np.nextafter(level.astype(dtype), dtype(-np.inf))[:, None]
        last = np.where(above[:, most], keys[:, most], -np.inf) if keys.shape[1] > most else np.full(len(keys), -np.inf)
        others = np.maximum(np.nextafter(last.astype(dtype), dtype(np.inf)).astype(np.float64), level)
        return index[:, :most].copy(), np.minimum(above.sum(axis=1), most), others
