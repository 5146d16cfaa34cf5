"""One bump that slides, or many that cover: the smallest model that distinguishes escape from coverage.

The target is a Gaussian bump A exp(-x^2/2w^2) on the line, with uniform inputs (density 1). Everything is derived here; the
question is from the public discussion of S2 (Martinelli, Brea, Gerstner et al. 2026).

**Sliding.** The model is one bump exp(-(x - c)^2/2s^2) of fixed height whose centre, at distance D from the
target's, follows the gradient of half the squared error. The loss is a constant minus the overlap A sqrt(2 pi) s
w/sqrt(q) e^(-D^2/2q), q = s^2 + w^2, so

    dD/dt = -A sqrt(2 pi) s w q^(-3/2) D e^(-D^2/2q)              (equal widths, A = 1: -(sqrt(pi)/2s) D e^(-D^2/4s^2)),
    time from D0 to D1:  q^(3/2)/(2 A sqrt(2 pi) s w) [Ei(D0^2/2q) - Ei(D1^2/2q)],

Ei the exponential integral. The pull is strongest at D = sqrt q and vanishes beyond a few widths: the *reach*, the largest
distance from which the target is attained in time t, grows like sqrt(2 q ln t). There is no barrier to escape from,
only a plateau.

**Many sliding bumps.** m bumps start independently and uniformly on [-l, l], and one within reach is enough (their pulls
are treated as independent, which is exact while bumps do not overlap). P(success by time t) = 1 - (1 - share of starts within
reach(t))^m: this is the law of m independent tickets, and also the distribution of the waiting time.

**Coverage.** m bumps with fixed centres on a lattice of spacing h and trainable heights, all 0 initially. The problem is
linear. In Fourier space each crystal momentum k carries a single decaying mode with rate (1/h) sum_j |b(k + 2 pi
j/h)|^2, b the transform of one bump; integrating over k is exact (:func:`coverage_loss`). For h <= s, equal widths,
to a relative error of order exp(-2 pi^2 s^2/h^2)... at times that do not resolve the lattice,

    L(t)/L(0) = pi^(-1/2) int e^(-y^2) exp(-a e^(-y^2)) dy ~ 1/(a sqrt(pi ln a)),   a = 4 pi s^2 t/h:

no distance enters. Covering takes the same time for every target; sliding takes a time of order exp(D^2/2q).
"""

from theory.bumps.coverage import coverage_loss, coverage_loss_dense, coverage_time
from theory.bumps.sliding import (
    arrival_probability,
    bumps_needed,
    pull,
    reach,
    sliding_loss,
    sliding_time,
    success_probability,
)

__all__ = ["arrival_probability", "bumps_needed", "coverage_loss", "coverage_loss_dense", "coverage_time", "pull", "reach",
           "sliding_loss", "sliding_time", "success_probability"]
