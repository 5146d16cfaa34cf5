"""Where the gradient of the ReLU landscape spends its time, beside the bound that the number of its instructions sets.

The parts are the functions that :func:`theory.landscape.axes.descent` calls, on the arrays of eight replicas, which stay in the
cache. The bound is the number of vector instructions that compute (loads, stores and addresses come for free) over how many of
them the core completes in a nanosecond; the product of two vectors that is added to a third counts as one. Least thread time of
interleaved rounds.
"""

import math
import time

import numpy as np

from lab.compiled import njit
from lab.flow_lanes import LANES, aligned
from lab.vector import load, sqrt, store
from lab.vector_roots import root
from lab.vector_tile import add_tile, no_sums
from theory.landscape import axes
from theory.landscape.angles import coangles, first_sines

# instructions of a pair: 1 − u² and the larger of it and a tiny number; root (three for the estimate); |u| + s, polynomial of
# degree 10, the rest of p; sums, and the scaling of u
ROOM, ROOT, ANGLE, STUDENT_SUMS, TEACHER_SUMS = 2, 3 + 6, 2 + 10 + 5, 6, 3


@njit(cache=True, error_model="numpy")
def _fused(work, times):
    """7200 multiplications and additions, in twelve chains that do not wait for each other."""
    b, c = load(work, 0), load(work, 1)
    x0, x1, x2, x3, x4, x5 = b, b, b, b, b, b
    x6, x7, x8, x9, xa, xb = b, b, b, b, b, b
    for _ in range(times * 600):
        x0, x1, x2, x3 = x0 * b + c, x1 * b + c, x2 * b + c, x3 * b + c
        x4, x5, x6, x7 = x4 * b + c, x5 * b + c, x6 * b + c, x7 * b + c
        x8, x9, xa, xb = x8 * b + c, x9 * b + c, xa * b + c, xb * b + c
    store(work, 2, x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + xa + xb)


@njit(cache=True, error_model="numpy")
def _part(part, times, work, y, out, value, n, d, pairs, among, s):
    params = np.array([n, d, d], dtype=np.float64)
    for _ in range(times):
        if part == 5:
            axes.descent(params, work, y, out, value)
        elif part == 0:
            axes._gram(work, y, pairs, n, d)
        elif part == 1:
            for i in range(0, n, 4):
                for m in range(0, d, 4):
                    c = add_tile(no_sums(), work, pairs + i, 1, n, y, m, d, 1, i)
                    c0, c1, c2, c3 = add_tile(c, work, pairs + i * n + i, n, 1, y, i * d + m, d, 1, n - i)
                    store(work, among, c0[0] + c0[1] + c0[2] + c0[3] + c1[0] + c1[1] + c1[2] + c1[3])
                    store(work, among + 1, c2[0] + c2[1] + c2[2] + c2[3] + c3[0] + c3[1] + c3[2] + c3[3])
        elif part == 2:
            first_sines(work, 0, 8, s)
            for u in range(0, n * d, 8):
                p = coangles(work, u, 2, s, u, 2, s + 8, n)
                store(work, among, p[0] + p[1] + p[2] + p[3] + p[4] + p[5] + p[6] + p[7])
        elif part == 3:
            for u in range(0, n * d, 4):
                store(work, among, sqrt(load(work, u)))
                store(work, among + 1, sqrt(load(work, u + 1)))
                store(work, among + 2, sqrt(load(work, u + 2)))
                store(work, among + 3, sqrt(load(work, u + 3)))
        else:
            for u in range(0, n * d, 4):
                store(work, among, root(load(work, u)))
                store(work, among + 1, root(load(work, u + 1)))
                store(work, among + 2, root(load(work, u + 2)))
                store(work, among + 3, root(load(work, u + 3)))


def instructions(n: int, k: int, d: int) -> dict[str, float]:
    """Vector instructions of one gradient by part: eight replicas share each of them."""
    students, taught = n * (n - 1) / 2, n * k
    pair = ROOM + ROOT + ANGLE
    return {"Gram matrix": n * (n + 4) / 2 * d, "product": n * n * d,
            "pairs": students * (pair + STUDENT_SUMS) + taught * (pair + TEACHER_SUMS)}


def breakdown(n: int, rounds: int = 40) -> dict:
    """Nanoseconds of a gradient's parts for one of eight replicas, k = n = d.

    Parameters
    ----------
    n : int
        Units and inputs, a multiple of four.
    rounds : int
        Rounds of which the least time is taken.

    Returns
    -------
    dict
        ``parts`` (ns), ``whole`` (ns), ``instructions`` (by part), ``per_ns`` (instructions completed), ``bound`` (ns),
        ``root_unit`` and ``root_by_multiplications`` (ns for a vector).
    """
    among, s, size = n * n + 64, n * n + 80, max(n * n + 160, axes.work_rows(n, n, n))
    work, y, out, value = aligned(size, LANES), aligned(n * n, LANES), aligned(n * n, LANES), np.zeros(LANES)
    y[:] = np.random.default_rng(0).normal(size=y.shape) / math.sqrt(n)
    names = "Gram matrix", "product", "angles and roots", "root unit", "roots", "whole"
    programs = {name: (lambda times, part=part: _part(part, times, work, y, out, value, n, n, 0, among, s))
                for part, name in enumerate(names)}
    programs["fused"] = lambda times: _fused(work, times)
    least = dict.fromkeys(programs, np.inf)
    for _ in range(rounds + 1):
        for name, run in programs.items():
            work[: n * n] = np.minimum(np.abs(y), 0.9)  # roots and cosines of ordinary size
            begin = time.thread_time()
            run(50)
            least[name] = min(least[name], (time.thread_time() - begin) / 50 * 1e9)
    count = instructions(n, n, n)
    rate = 7200 / least["fused"]
    vectors = n * n
    return {"parts": {"Gram matrix": least["Gram matrix"] / LANES, "product": least["product"] / LANES,
                      "angles and roots": least["angles and roots"] / vectors * (n * (n - 1) / 2 + n * n) / LANES},
            "whole": least["whole"] / LANES, "instructions": count, "per_ns": rate,
            "bound": sum(count.values()) / rate / LANES,
            "root_unit": least["root unit"] / vectors, "root_by_multiplications": least["roots"] / vectors}


def report(found: dict, peer: float) -> str:
    """The breakdown in words; ``peer``: microseconds of the best peer."""
    parts = ", ".join(f"{name} {t:.0f} ns" for name, t in found["parts"].items())
    counts = ", ".join(f"{name} {c:.0f}" for name, c in found["instructions"].items())
    return (f"parts of a gradient in the cache: {parts}; whole {found['whole']:.0f} ns\n"
            f"instructions on vectors of eight: {counts}; the core completes {found['per_ns']:.1f} a ns: bound "
            f"{found['bound']:.0f} ns a replica, {found['bound'] / found['whole']:.0%} of the whole; there the best peer would "
            f"be {1000 * peer / found['bound']:.1f} times as slow\n"
            f"a root of a vector: {found['root_unit']:.1f} ns by the root unit, {found['root_by_multiplications']:.1f} ns by "
            "multiplications")
