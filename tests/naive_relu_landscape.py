"""The obvious loss, gradient and descent of the ReLU landscape: one replica, pair by pair, from the formulas."""

import math

import numpy as np


def kernel(w, v):
    """<relu(w.x) relu(v.x)>."""
    a, b = math.hypot(*w), math.hypot(*v)
    if a == 0 or b == 0:
        return 0.0
    theta = math.acos(max(-1.0, min(1.0, float(np.dot(w, v)) / (a * b))))
    return a * b * (math.sin(theta) + (math.pi - theta) * math.cos(theta)) / (2 * math.pi)


def kernel_gradient(w, v):
    """d kernel / d w."""
    a, b = math.hypot(*w), math.hypot(*v)
    theta = math.acos(max(-1.0, min(1.0, float(np.dot(w, v)) / (a * b))))
    return (b * math.sin(theta) * w / a + (math.pi - theta) * v) / (2 * math.pi)


def loss(weights, teacher):
    """F(W) for teacher units along the first axes."""
    units = np.eye(teacher, weights.shape[1])
    return (0.5 * sum(kernel(w, v) for w in weights for v in weights)
            - sum(kernel(w, v) for w in weights for v in units)
            + 0.5 * sum(kernel(w, v) for w in units for v in units))


def gradient(weights, teacher):
    """Gradient of the loss, (n, d)."""
    units = np.eye(teacher, weights.shape[1])
    return np.array([
        0.5 * w + sum((kernel_gradient(w, v) for j, v in enumerate(weights) if j != i), np.zeros_like(w))
        - sum(kernel_gradient(w, v) for v in units)
        for i, w in enumerate(weights)])


def descend(weights, teacher, rate, steps):
    """Weights after ``steps`` steps of gradient descent."""
    weights = weights.copy()
    for _ in range(steps):
        weights -= rate * gradient(weights, teacher)
    return weights
