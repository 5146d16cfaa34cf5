"""Where a step of online SGD spends its time: each part of the wide kernel by itself, beside the whole step.

The parts are the functions that :func:`toy.teacher_student.kernels.advance_wide` calls, on arrays of one replica, which stay in
the cache as they do there. Least thread time of interleaved rounds: the machine may be busy, the shares stay.
"""

import time
from itertools import chain

import numpy as np

from lab import kernel_streams as streams
from lab import vector as vec
from lab.compiled import njit
from toy.teacher_student import block, kernels, tile

PARTS = ("sampling", "labels", "forward product", "activation, errors, readout", "update")
_f = np.float32


@njit(cache=True, error_model="numpy")
def _repeat(part, times, states, x, teacher, amplitudes, rho, spare, zeta, y, W, V, h, delta, d, m, n, row):
    for _ in range(times):
        if part == 0:
            streams.fill_normal_at(states, 0, x, 0, d * row)
        elif part == 1:
            k = amplitudes.size
            tile.product(rho, 0, row, teacher, 0, k, 1, x, 0, row, k, row // block.LANES, d, False)
            block.labels_of(y, 0, rho, spare, row, k, amplitudes, block.ERF, _f(0), zeta, row)
        elif part == 2:
            if m == block.LANES:
                block.forward_sixteen(h, 0, x, 0, row, W, 0, d, spare)
            else:
                block.forward_panels(h, 0, x, 0, row, n, W, 0, m, d)
        elif part == 3:
            kernels.batch_wide(h, delta, y, V, 0, m, n, row, (_f(1e-4), _f(1e-4), _f(1), _f(1)), block.ERF)
        else:
            block.update_panels(W, 0, m, d, x, 0, row, n, delta, 0)


@njit(cache=True, error_model="numpy")
def multiply(times):
    """Sixteen independent multiplications with additions of sixteen numbers, `times` times, in registers alone."""
    x = vec.splat(_f(0.5))
    a, b, c, d = vec.splat(_f(1)), vec.splat(_f(2)), vec.splat(_f(3)), vec.splat(_f(4))
    e, f, g, h = vec.splat(_f(5)), vec.splat(_f(6)), vec.splat(_f(7)), vec.splat(_f(8))
    i, j, k, l = vec.splat(_f(9)), vec.splat(_f(10)), vec.splat(_f(11)), vec.splat(_f(12))
    m, n, o, p = vec.splat(_f(13)), vec.splat(_f(14)), vec.splat(_f(15)), vec.splat(_f(16))
    for _ in range(times):
        a, b, c, d = vec.fma(a, x, x), vec.fma(b, x, x), vec.fma(c, x, x), vec.fma(d, x, x)
        e, f, g, h = vec.fma(e, x, x), vec.fma(f, x, x), vec.fma(g, x, x), vec.fma(h, x, x)
        i, j, k, l = vec.fma(i, x, x), vec.fma(j, x, x), vec.fma(k, x, x), vec.fma(l, x, x)
        m, n, o, p = vec.fma(m, x, x), vec.fma(n, x, x), vec.fma(o, x, x), vec.fma(p, x, x)
    return vec.total(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p)


def breakdown(step, width: int, inputs: int, batch: int, teacher_units: int = 4, rounds: int = 5) -> dict[str, float]:
    """Seconds of a step's parts and of the whole step.

    Parameters
    ----------
    step : callable
        Takes the given number of steps of one replica.
    width, inputs, batch : int
        Of the students: neurons (a multiple of 16), input dimension, and samples per step (at least 16).
    teacher_units : int
        Units of the teacher.
    rounds : int
        Rounds of which the least time is taken.

    Returns
    -------
    dict
        Seconds by name: those of :data:`PARTS`, and ``step``.
    """
    zeros = block.aligned_zeros
    row = -(-batch // block.LANES) * block.LANES
    states = streams.open_streams(0, "bench", replicas=1).ravel()
    x, W, V = zeros(inputs * row), zeros(width * inputs), zeros(width)
    h, delta = zeros(row * width), zeros(row * width)
    W[:], V[:] = 0.1 * np.random.default_rng(0).standard_normal(W.size), 0.5
    rho, spare, zeta, y = zeros(teacher_units * row), zeros(16 * row), zeros(row), zeros(row)
    arrays = (states, x, np.full(inputs * teacher_units, inputs**-0.5, _f), np.ones(teacher_units, _f), rho, spare, zeta, y, W, V,
              h, delta, inputs, width, batch, row)
    programs = {name: (lambda times, part=part: _repeat(part, times, *arrays)) for part, name in enumerate(PARTS)}
    programs["step"] = step
    least = dict.fromkeys(programs, np.inf)
    times = max(2, int(5e7 / (width * inputs * batch + 1e4)) // 32)
    for name, run in chain.from_iterable([programs.items()] * (rounds + 1)):
        begin = time.thread_time()
        run(times)
        least[name] = min(least[name], (time.thread_time() - begin) / times)
    return least


def bound(width: int, inputs: int, batch: int, teacher_units: int) -> float:
    """Share of the multiply units' rate if every vector instruction of a step of erf students took as long as a multiplication.

    Parameters
    ----------
    width, inputs, batch : int
        Of the students.
    teacher_units : int
        Units of the teacher.

    Returns
    -------
    float
        Instructions of the two products over all of them, in (0, 1).

    Notes
    -----
    Counted in the machine code for vectors of sixteen, on processors that execute two of them per cycle. Sixteen Gaussians take
    28 (half of what two words of xoshiro128++, a logarithm, a root, a sine and a cosine take for 32), an activation with its
    derivative 25, error, multiplier and readout four, a label one a unit.
    """
    vectors = batch / block.LANES
    products = 2 * width * inputs * vectors
    sampling, activation = 28 * inputs * vectors, (25 + 4) * width * vectors
    labels = (inputs + 25 + 1) * teacher_units * vectors
    return products / (products + sampling + activation + labels)


def draw(rows: list[dict], peak: float, path: str, teacher_units: int = 4) -> None:
    """One bar per cell: shares of a step's time, and marks where its products and all its instructions would end.

    Both if the multiply units never waited (:func:`bound`).

    Parameters
    ----------
    rows : list of dict
        ``width``, ``inputs``, ``batch`` and ``seconds`` (of :func:`breakdown`).
    peak : float
        GFLOP/s of the multiply units of one core.
    path : str
        Ends in .svg, .pdf or .png.
    teacher_units : int
        Units of the teacher.
    """
    from lab.pictures import SERIES, saved

    with saved(path, width=7.0, height=0.6 + 0.3 * len(rows)) as axes:
        for place, row in enumerate(rows):
            seconds, left = row["seconds"], 0.0
            whole = max(seconds["step"], sum(seconds[name] for name in PARTS))
            for name, colour in zip(PARTS, SERIES):
                axes.barh(place, seconds[name] / whole, left=left, color=colour, label=name if place == 0 else None)
                left += seconds[name] / whole
            axes.barh(place, max(0.0, 1 - left), left=left, color="#dddddd", label="all else" if place == 0 else None)
            ideal = 4 * row["width"] * row["inputs"] * row["batch"] / (peak * 1e9) / whole
            allowed = bound(row["width"], row["inputs"], row["batch"], teacher_units)
            for end, style, label in ((ideal, "-", "products without waiting"), (ideal / allowed, ":", "all without waiting")):
                axes.plot([end] * 2, [place - 0.45, place + 0.45], style, color="black", lw=2,
                          label=label if place == 0 else None)
        axes.set_yticks(range(len(rows)), [f"m = {r['width']}, d = {r['inputs']}" for r in rows])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel(f"share of a step's time (batch {rows[0]['batch']}, {peak:.0f} GFLOP/s)")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
