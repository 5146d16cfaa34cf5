"""Exact second moments of the features of theoretical solutions, and the span errors between them."""

import numpy as np
import numpy.typing as npt

from lab.arrays import floats
from theory.gaussian import erf_i2
from theory.measures import span_error
from theory.moments import Moments


def feature_moments(blocks: dict[str, np.ndarray], strengths: npt.ArrayLike, direction_norm: float) -> Moments:
    """Exact moments of erf units with the given directions, (units, M) in the teacher's span, and of the teacher.

    In addition to the given blocks there are "teacher" (its units) and "target" (its output).
    """
    A = floats(strengths, "strengths")
    stacks = [floats(block, f"block {name!r}") for name, block in blocks.items()]
    every = np.concatenate([*stacks, direction_norm * np.eye(A.size)])
    index = np.arange(len(every))
    mix = np.vstack([np.eye(len(every)), np.concatenate([np.zeros(len(every) - A.size), A])])
    cov = mix @ erf_i2(every @ every.T, index[:, None], index[None, :]) @ mix.T
    widths = {name: len(stack) for name, stack in zip(blocks, stacks)} | {"teacher": A.size, "target": 1}
    return Moments.exact(widths, np.zeros(len(cov)), cov)


def unit_span_errors(directions: np.ndarray, direction_norm: float, ridge: float = 1e-6) -> np.ndarray:
    """FSE of each teacher unit from these features, (M,)."""
    moments = feature_moments({"source": directions}, np.ones(directions.shape[1]), direction_norm)
    return span_error(moments, source="source", target="teacher", ridge=ridge, per_unit=True)
