"""What the integrator of :mod:`lab.flow_kernel` does for its eight lanes at once, with vectors of :mod:`lab.vector`.

Speed. In a column of a block [coordinate, lane] each number is on a cache line of its own, so that what one lane does with all
its coordinates takes as long as the same for eight lanes, or longer. Therefore the error of a step, its acceptance and the update
of the stages are computed for all lanes, with a mask where they concern some of them: flows of the ReLU landscape with 400
coordinates take half the time that they take lane by lane.
"""

from lab.compiled import njit
from lab.flow_lanes import ERROR, MOVED, SLOPE, TOP, H
from lab.vector import absolute, fma, load, select, splat, sqrt, store

_RESOLVED = 0.1  # error of a step over its length: keeps following the decay below atol and rtol, down to rounding

_step = njit(error_model="numpy", forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@_step
def errors_of_steps(y0, f0, y1, f1, c, control):
    """Of every lane: error of the candidate Y_s in units of what is allowed; |f_new|², max|f_new|.

    e = (12 (y − y_new) + 6 h (f_0 + f_new))/15 is held below atol + rtol |y| in each coordinate, in the mean square, and
    below a tenth of the step's own length: that follows the decay towards a minimum down to rounding. Lanes within a step get
    numbers without meaning.
    """
    h = load(c, H) * 0.4
    error, miss, move, size, slope, top = splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    for i in range(y0.shape[0]):
        old, new, f = load(y0, i), load(y1, i), load(f1, i)
        a, b = absolute(old), absolute(new)
        a = select(a > b, a, b)
        b = old - new
        e = 0.8 * b + h * (load(f0, i) + f)
        miss += e * e
        move += b * b
        size += a * a
        e = e / (control.atol + control.rtol * a)
        error += e * e
        slope += f * f
        f = absolute(f)
        top = select(f <= top, top, f)
    error = sqrt(error / float(y0.shape[0]))
    miss = sqrt(miss) / (_RESOLVED * sqrt(move) + 1e-13 * sqrt(size) + 1e-300)
    store(c, ERROR, select(miss <= error, error, miss))  # NaN propagates
    store(c, SLOPE, slope)
    store(c, TOP, top)


@_step
def move(y0, f0, y1, y2, f1, c, some):
    """y <- Y_s, f(y) <- f(Y_s) in lanes whose step was accepted, if there are some; then the update of Y_{j−1} and Y_{j−2}."""
    ca, cb, cc, cd, ce = load(c, 0), load(c, 1), load(c, 2), load(c, 3), load(c, 4)
    moved = load(c, MOVED) > 0.0
    for i in range(y0.shape[0]):
        y, old, fy, f = load(y0, i), load(y1, i), load(f0, i), load(f1, i)
        if some:
            y = select(moved, old, y)
            fy = select(moved, f, fy)
            store(y0, i, y)
            store(f0, i, fy)
        # fma: of a sum of two products, the compiler may fuse either, and choose differently where some lanes have moved
        store(y1, i, fma(ce, fy, fma(cd, f, fma(cc, load(y2, i), fma(cb, old, ca * y)))))
        store(y2, i, old)
