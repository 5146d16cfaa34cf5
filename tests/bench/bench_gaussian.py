"""Gaussian averages and order-parameter equations: time of a million values, of a right-hand side, of a trajectory.

    python -m tests.bench.bench_gaussian [--json] [--repeat 7]

Times are process time, medians over interleaved repetitions in one process, one thread. Peers: the same formulas written
with NumPy arrays (I3, I4: gathered entries, arcsin), and for the right-hand side one I4 at a time from a rebuilt 4×4
covariance, compiled.
"""

import argparse
import json
import math
import time

import numpy as np
from numba import njit

from theory import committee, gaussian
from theory.committee import kernels


def interleaved(functions: dict, repeat: int) -> dict[str, float]:
    """Median process time of each function, called in turn; the first turn warms up."""
    times = {name: [] for name in functions}
    for turn in range(repeat + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            if turn:
                times[name].append(time.process_time() - start)
    return {name: float(np.median(t)) for name, t in times.items()}


def numpy_i3(C, i, b, c):
    """I3 as it is usually written."""
    lam = (1 + C[i, i]) * (1 + C[c, c]) - C[i, c] ** 2
    return 2 / math.pi / np.sqrt(lam) * (C[b, c] * (1 + C[i, i]) - C[i, b] * C[i, c]) / (1 + C[i, i])


def numpy_i4(C, i, k, a, b):
    """I4 as it is usually written (Saad & Solla)."""
    ii, kk, aa, bb = C[i, i], C[k, k], C[a, a], C[b, b]
    ik, ia, ib, ka, kb, ab = C[i, k], C[i, a], C[i, b], C[k, a], C[k, b], C[a, b]
    l4 = (1 + ii) * (1 + kk) - ik**2
    l0 = l4 * ab - ka * kb * (1 + ii) - ia * ib * (1 + kk) + ik * ia * kb + ik * ib * ka
    l1 = l4 * (1 + aa) - ka**2 * (1 + ii) - ia**2 * (1 + kk) + 2 * ik * ia * ka
    l2 = l4 * (1 + bb) - kb**2 * (1 + ii) - ib**2 * (1 + kk) + 2 * ik * ib * kb
    return 4 / math.pi**2 / np.sqrt(l4) * np.arcsin(l0 / np.sqrt(l1 * l2))


@njit(cache=True)
def _rebuilt(C, u, K):
    """The sums over I4 of a right-hand side, every term from a rebuilt 4×4 covariance."""
    n = u.size
    total = 0.0
    D = np.empty((4, 4))
    for i in range(K):
        for k in range(i, K):
            for a in range(n):
                for b in range(n):
                    where = (i, k, a, b)
                    for x in range(4):
                        for y in range(4):
                            D[x, y] = C[where[x], where[y]]
                    l4 = (1 + D[0, 0]) * (1 + D[1, 1]) - D[0, 1] ** 2
                    l0 = (l4 * D[2, 3] - D[1, 2] * D[1, 3] * (1 + D[0, 0]) - D[0, 2] * D[0, 3] * (1 + D[1, 1])
                          + D[0, 1] * (D[0, 2] * D[1, 3] + D[0, 3] * D[1, 2]))
                    l1 = (l4 * (1 + D[2, 2]) - D[1, 2] ** 2 * (1 + D[0, 0]) - D[0, 2] ** 2 * (1 + D[1, 1])
                          + 2 * D[0, 1] * D[0, 2] * D[1, 2])
                    l2 = (l4 * (1 + D[3, 3]) - D[1, 3] ** 2 * (1 + D[0, 0]) - D[0, 3] ** 2 * (1 + D[1, 1])
                          + 2 * D[0, 1] * D[0, 3] * D[1, 3])
                    total += u[a] * u[b] / math.sqrt(l4) * math.asin(l0 / math.sqrt(l1 * l2))
    return total


def bench_averages(repeat: int) -> dict:
    """One million values by random indices into an 8×8 covariance."""
    rng = np.random.default_rng(0)
    root = rng.standard_normal((8, 8)) / math.sqrt(8)
    C = root @ root.T
    index = rng.integers(0, 8, (4, 1_000_000))
    assert np.abs(numpy_i4(C, *index) - gaussian.erf_i4(C, *index)).max() < 1e-12
    assert np.abs(numpy_i3(C, *index[:3]) - gaussian.erf_i3(C, *index[:3])).max() < 1e-12
    return interleaved({
        "erf_i2": lambda: gaussian.erf_i2(C, *index[:2]),
        "erf_i3": lambda: gaussian.erf_i3(C, *index[:3]),
        "erf_i4": lambda: gaussian.erf_i4(C, *index),
        "relu_i2": lambda: gaussian.relu_i2(C, *index[:2]),
        "relu_i3": lambda: gaussian.relu_i3(C, *index[:3]),
        "numpy_i3": lambda: numpy_i3(C, *index[:3]),
        "numpy_i4": lambda: numpy_i4(C, *index),
    }, repeat)


def bench_committee(repeat: int) -> dict:
    """M = 4, K = 16: one right-hand side, and a trajectory to t = 1000."""
    rng = np.random.default_rng(0)
    K, M = 16, 4
    W, B = 0.3 * rng.standard_normal((K, 1000)), rng.standard_normal((M, 1000))
    Q, R, T = committee.order_parameters(W, B)
    v, A = 0.3 * rng.standard_normal(K), np.ones(M)
    C, u = np.block([[Q, R], [R.T, T]]), np.concatenate([v, -A])
    y = np.concatenate([Q[np.triu_indices(K)], R.ravel(), v])
    params = kernels.pack(K, M, kernels.Activation.ERF, False, 0.5, 0.5, 0.1, T, A)
    work, dy = np.empty(kernels.work_size(K, M)), np.empty_like(y)
    times = interleaved({
        "right_hand_side": lambda: [kernels.rhs(params, work, y, dy) for _ in range(50)],
        "rebuilt_i4_sums": lambda: _rebuilt(C, u, K),
        "trajectory": lambda: committee.integrate(Q, R, T, v, A, [0.0, 1000.0], learning_rate=0.5, noise=0.1),
    }, repeat)
    times["right_hand_side"] /= 50
    return times


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=7)
    args = parser.parse_args()
    averages, equations = bench_averages(args.repeat), bench_committee(args.repeat)
    result = {"million_values_s": averages,
              "ratio_numpy": {"i3": averages["numpy_i3"] / averages["erf_i3"],
                              "i4": averages["numpy_i4"] / averages["erf_i4"]},
              "committee_M4_K16_s": equations,
              "ratio_rebuilt": equations["rebuilt_i4_sums"] / equations["right_hand_side"]}
    if args.json:
        print(json.dumps(result))
        return
    for name, seconds in averages.items():
        print(f"{name:<16} {seconds * 1e3:8.1f} ms a million")
    print(f"NumPy over ours: I3 {result['ratio_numpy']['i3']:.1f}, I4 {result['ratio_numpy']['i4']:.1f}")
    print(f"right-hand side M=4 K=16: {equations['right_hand_side'] * 1e6:.0f} µs "
          f"(its I4 sums from rebuilt 4×4 matrices, compiled: {result['ratio_rebuilt']:.0f} times as long)")
    print(f"trajectory to t = 1000: {equations['trajectory']:.2f} s")


if __name__ == "__main__":
    main()
