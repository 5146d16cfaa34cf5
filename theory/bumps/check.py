"""The laws of sliding and covering bumps against quadrature, integrated flows and random starts."""

import numpy as np

from theory.bumps import (
    arrival_probability,
    coverage_loss,
    coverage_loss_dense,
    pull,
    sliding_loss,
    sliding_time,
    success_probability,
)
from theory.derivation import Prediction, monte_carlo


def check_sliding(rng):
    """Loss and pull by quadrature, time by integrating the flow."""
    from scipy.integrate import quad, solve_ivp

    for distance, s, w, A in ((2.5, 1.0, 1.0, 1.0), (4.0, 0.7, 1.5, 2.0)):
        def error(x, shift, s=s, w=w, A=A):
            return 0.5 * (np.exp(-((x - shift) ** 2) / (2 * s * s)) - A * np.exp(-x * x / (2 * w * w))) ** 2

        exact = [quad(error, -30, 30, args=(shift,), points=(0, distance), epsabs=1e-14, epsrel=1e-13, limit=400)[0]
                 for shift in (distance, distance + 1e-4, distance - 1e-4)]
        yield Prediction(f"bumps-loss/D={distance}", sliding_loss(distance, s, w, A), exact[0], method="quadrature",
                         tolerance=1e-11)
        yield Prediction(f"bumps-pull/D={distance}", pull(distance, s, w, A), (exact[1] - exact[2]) / 2e-4,
                         method="differences of the quadrature", tolerance=1e-7)
        flow = solve_ivp(lambda t, y, s=s, w=w, A=A: -pull(y, s, w, A), (0, 1e6), [distance], rtol=1e-11, atol=1e-13,
                         method="DOP853", events=_Arrival(0.05), dense_output=True)
        yield Prediction(f"bumps-time/D={distance}", sliding_time(distance, 0.05, s, w, A), flow.t_events[0][0],
                         method="integrated flow", tolerance=1e-7)


class _Arrival:
    """Terminal event for SciPy's integrator: the bump is within a distance of the target."""

    terminal = True

    def __init__(self, within: float):
        self.within = within

    def __call__(self, t, y):
        return y[0] - self.within


def check_success(rng):
    """Success probability and waiting time against independent random starts."""
    starts = np.abs(rng.uniform(-12, 12, (100_000, 5)) - 3.0).min(1)
    yield monte_carlo("bumps-success/m=5", float(success_probability(5, 2.5, 12.0, 3.0)), starts < 2.5, "random starts")
    waiting = sliding_time(np.maximum(starts, 0.1), 0.1)
    for time in (1.0, 20.0, 1000.0):
        yield monte_carlo(f"bumps-arrival/t={time:g}", float(arrival_probability(time, 5, 12.0, 0.1, 3.0)), waiting <= time,
                          "random starts")


def check_coverage(rng):
    """Coverage law against the exact linear flow of a long finite lattice."""
    s = 1.0
    for h, offset in ((0.5, 0.1), (1.0, 0.3), (2.5, 1.0)):
        centres = (np.arange(121) - 60) * h
        K = np.sqrt(np.pi) * s * np.exp(-((centres[:, None] - centres) ** 2) / (4 * s * s))
        pulls = np.sqrt(np.pi) * s * np.exp(-((centres - offset) ** 2) / (4 * s * s))
        values, vectors = np.linalg.eigh(K)
        weights = (vectors.T @ pulls) ** 2 / np.maximum(values, 1e-14)
        for time in (0.3, 5.0, 100.0):
            left = 1 - np.sum(weights * -np.expm1(-2 * np.maximum(values, 1e-14) * time)) / (np.sqrt(np.pi) * s)
            yield Prediction(f"bumps-coverage/h={h},t={time:g}", coverage_loss(time, h, s, offset), left,
                             method="flow of 121 heights", tolerance=1e-9, scale=1.0)
    yield Prediction("bumps-coverage/dense", coverage_loss_dense(3.0, 0.4), coverage_loss(3.0, 0.4, offset=0.13),
                     method="lattice with h = 0.4 s", tolerance=1e-9)


CHECKS = {"bumps-sliding": check_sliding, "bumps-success": check_success, "bumps-coverage": check_coverage}
