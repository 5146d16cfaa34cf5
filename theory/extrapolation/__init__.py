"""Inside or outside the hull: what follows from dimension alone.

N independent points in dimension d, and a fresh one of the same law. There are two different questions:

* **Are all N points vertices of their hull?** For the uniform law on a ball: yes, with high probability, up to N of order
  2^(d/2) (up to powers of d; Barany & Furedi 1988).
* **Does a fresh point lie inside the hull of N others?** By exchangeability P(outside) = E(vertices of N + 1 points)/(N + 1).
  For the ball, this is close to 1 until N reaches the order d^(d/2).

arXiv 2110.09485 quotes the first threshold for the second question. Both follow from one exact integral (below): with
N = exp(nu d) the hull nearly fills the ball of radius h, 1 - h^2 = exp(-2 nu), and P(inside) ~ h^d; N P(inside) = 1
gives exp(2 nu) = 2, P(inside) = O(1) needs exp(2 nu) ~ d (derived here, ``extrapolation-thresholds``). Every *training* point
lies outside the hull of the others, too, so lying outside is a statement about d, not about the point. What counts is the
dimension of the smallest affine subspace that contains the data.

**Uniform ball, exact** (derived here, ``extrapolation-ball``; also Affentranger 1991, Kabluchko, Temesvari & Thaele
2019):

    P(inside) = E Vol(hull)/kappa_d = d C(N, d) (kappa_{d-1}/kappa_d)^d (d+1)^(1-d)
                * int_0^1 h (1 - h^2)^((d-1)(d+2)/2) [F(h)^(N-d) - F(-h)^(N-d)] dh,

with kappa_d the volume of the unit ball and F the distribution function of one coordinate.

**Gaussian, exact** (Kabluchko & Zaporozhets 2020, cited; any non-degenerate covariance): for a fresh point sigma
times as wide as the N others,

    P(outside) = 2 sum_{k = d-1, d-3, ... >= 0} b_k,   b_k = C(N, k) g_k(-v) g_{N-k}(v),   v = sigma^2/(1 + k sigma^2),

g_n(r) the probability that n centred Gaussians of covariance delta_ij + r are all negative. The b_k, k = 0 ... N,
sum to 1, and P(inside) is the same sum over k = d+1, d+3, ... sigma = 0 is Wendel's theorem (1962): the centre of
any symmetric law without mass on hyperplanes lies inside with probability P(Binomial(N-1, 1/2) >= d).

**Separating polynomial**: the smallest degree of a polynomial that is positive on one class and negative on the other, by
linear programming. For labels by fair coin flips, Cover's theorem (1965), which is Wendel's formula again, gives its exact law.
"""

import math
from collections.abc import Sequence

from lab.estimate import exact
from theory.claims import Evidence
from theory.extrapolation.hull import (
    ball_inside,
    gaussian_inside,
    log_ball_inside,
    log_gaussian_inside,
    regular_cone,
    wendel_inside,
)
from theory.extrapolation.polynomial import (
    cover_separable,
    degree_distribution,
    separating_degree,
    separating_polynomial,
)
from theory.extrapolation.thresholds import expected_interior_points, inside_threshold, vertices_threshold

__all__ = ["ball_inside", "cover_separable", "degree_distribution", "evidence", "expected_interior_points",
           "gaussian_inside", "inside_threshold", "log_ball_inside", "log_gaussian_inside", "regular_cone",
           "separating_degree", "separating_polynomial", "vertices_threshold", "wendel_inside"]


def evidence(dimensions: Sequence[int] = (16, 32, 64), gaussian: Sequence[int] = (16,),
             points: Sequence[int] = (1600, 50_000)) -> list[Evidence]:
    """Theory's evidence for the claims of :mod:`theory.claims.s3_dimension`, and on the share of Gaussian points inside.

    That left-out and fresh points lie outside equally often is not evidence: for any law they are exchangeable, so the
    difference of their shares has expectation 0 by construction. Source: :func:`inside_threshold`,
    :func:`vertices_threshold` and :func:`gaussian_inside`.

    Parameters
    ----------
    dimensions : sequence of int, default (16, 32, 64)
        Dimensions d of the uniform ball, each at least 1.
    gaussian : sequence of int, default (16,)
        Dimensions of a Gaussian, each at least 1, for the threshold of a fresh point.
    points : sequence of int, default (1600, 50000)
        Numbers of Gaussian points in 4 to 10 dimensions.

    Returns
    -------
    list of theory.claims.Evidence
        Two for each dimension of the ball, one for each of the Gaussian, four for each number of points.

    Examples
    --------
    >>> [(row.claim, round(row.estimate.mean, 2)) for row in evidence([], [2], [])]
    [('s3.fresh-point-threshold', 3.48)]
    """
    rows = []

    def add(claim, setting, value, piece, **levels):
        rows.append(Evidence(claim, "theory", setting, exact(value), piece=piece, study="extrapolation", levels=levels))

    for d in dimensions:
        scale = d / 2 * math.log(2)
        add("s3.fresh-point-threshold", f"uniform ball, d = {d}", inside_threshold(d, log=True) / scale, f"ball-{d}")
        add("s3.all-points-are-vertices", f"uniform ball, d = {d}", vertices_threshold(d, log=True) / scale, f"ball-{d}")
    for d in gaussian:
        add("s3.fresh-point-threshold", f"Gaussian, d = {d}", inside_threshold(d, "gaussian", log=True) / (d / 2 * math.log(2)),
            f"gaussian-{d}")
    for n in points:
        for d in (4, 6, 8, 10):
            add("s3.low-dimension-inside", f"Gaussian, d = {d}, {n:,} points", gaussian_inside(n, d),
                f"gaussian-{n}-{d}", dimension="up to 6" if d <= 6 else "up to 10")
    return rows
