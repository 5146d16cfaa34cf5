"""Slow, obvious references for the graded teacher."""

import math

import numpy as np


def loss_and_gradient(output, directions, strengths, norm):
    """Loss and gradient of one student, one pair of units at a time; any (also not axis-parallel) teacher is C."""
    K, d = directions.shape
    M = len(strengths)
    units = [*directions, *(norm * np.eye(M, d))]
    u = [*output, *(-np.asarray(strengths))]
    dot = lambda a, b: float(np.dot(units[a], units[b]))  # noqa: E731
    loss, by_output, by_direction = 0.0, np.zeros(K), np.zeros((K, d))
    for a in range(K + M):
        for b in range(K + M):
            root = math.sqrt((1 + dot(a, a)) * (1 + dot(b, b)))
            i2 = 2 / math.pi * math.asin(dot(a, b) / root)
            loss += 0.5 * u[a] * u[b] * i2
            if a < K:
                by_output[a] += u[b] * i2
                lam = (1 + dot(a, a)) * (1 + dot(b, b)) - dot(a, b) ** 2
                by_direction[a] += (output[a] * u[b] * 2 / math.pi / math.sqrt(lam)
                                    * (units[b] - dot(a, b) / (1 + dot(a, a)) * units[a]))
    return loss, by_output, by_direction


def sampled_loss(output, directions, strengths, norm, samples, rng):
    """Monte Carlo mean of ½(f − y)² and its standard error."""
    from scipy.special import erf

    d = directions.shape[1]
    x = rng.normal(size=(samples, d))
    f = erf(x @ directions.T / math.sqrt(2)) @ output
    y = erf(x[:, : len(strengths)] * norm / math.sqrt(2)) @ np.asarray(strengths)
    half = 0.5 * (f - y) ** 2
    return half.mean(), half.std() / math.sqrt(samples)


def sampled_span_error(source, target, ridge, samples, rng, parts=20):
    """FSE per target unit by ridge regression on sampled erf features, and its standard error over ``parts`` pieces."""
    from scipy.special import erf

    shares = []
    for _ in range(parts):
        x = rng.normal(size=(samples // parts, source.shape[1]))
        a, b = erf(x @ source.T / math.sqrt(2)), erf(x @ target.T / math.sqrt(2))
        a, b = a - a.mean(0), b - b.mean(0)
        gram = a.T @ a / len(x)
        weights = np.linalg.solve(gram + ridge * np.trace(gram) / len(gram) * np.eye(len(gram)), a.T @ b / len(x))
        shares.append(((b - a @ weights) ** 2).mean(0) / (b**2).mean(0))
    return np.mean(shares, 0), np.std(shares, 0, ddof=1) / math.sqrt(parts)
