"""Online SGD of one two-layer student as it is written down: one step after the other, float64."""

import numpy as np
from scipy.special import erf

ACTIVATIONS = {
    0: (lambda z: erf(z / np.sqrt(2)), lambda z: np.sqrt(2 / np.pi) * np.exp(-z * z / 2)),
    1: (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    2: (np.tanh, lambda z: 1 - np.tanh(z)**2),
    3: (lambda z: z, np.ones_like),
}


def sgd(w, v, x, y, rate_w, rate_v, decay_w, decay_v, kind):
    """Weights after the steps whose inputs are x (steps, batch, d) and labels y (steps, batch)."""
    g, slope = ACTIVATIONS[kind]
    w, v = w.astype(np.float64).copy(), v.astype(np.float64).copy()
    for inputs, labels in zip(x.astype(np.float64), y.astype(np.float64)):
        change_w, change_v = np.zeros_like(w), np.zeros_like(v)
        for one, label in zip(inputs, labels):
            z = w @ one
            error = label - v @ g(z)
            change_w += error * np.outer(v * slope(z), one)
            change_v += error * g(z)
        w = (1 - decay_w) * w + rate_w / len(inputs) * change_w
        v = (1 - decay_v) * v + rate_v / len(inputs) * change_v
    return w, v


def labels(teacher, amplitudes, x, noise, zeta, kind):
    """Teacher's labels (steps, batch)."""
    return ACTIVATIONS[kind][0](x.astype(np.float64) @ teacher.T) @ amplitudes + noise * zeta
