"""Random landscapes: the probability of a minimum if the Hessian is random, and the index at a given energy.

**Coin flips or repulsion.** "A critical point is a minimum if all N Hessian eigenvalues happen to be positive; with
independent signs that has probability 2^-N" (the Bernoulli argument). Eigenvalues of a random symmetric matrix repel.
For the Gaussian orthogonal ensemble (GOE: independent entries, off-diagonal variance b, diagonal 2b)

    P(all N positive) = exp(-(ln 3)/4 N^2 + ...)                                   (Dean & Majumdar 2006, cited),

and exactly 1/2, (2 - sqrt 2)/4, (pi - 2 sqrt 2)/(4 pi), (4 - sqrt 2 - 8/pi)/16 for N = 1 ... 4. The whole
distribution of the index (number of negative eigenvalues) is a ratio of Pfaffians with entries in Q(sqrt 2, sqrt pi)
(:mod:`theory.random_landscape.goe`); its variance grows as (ln N)/pi^2, not as N/4.

**Index and energy.** Let phi be a Gaussian field on R^N, <phi> = 0, <phi(x) phi(y)> = N f(|x - y|^2/2N). At a critical
point of energy phi = N eps the Hessian is GOE, with off-diagonal variance f''(0)/N and spectral radius
R = 2 sqrt(f''(0)), plus a shift t times the identity that is fixed, for N -> oo, by eps:

    s = t/R = - eps (|f'|/f) sqrt(f'') / (f'' + f'^2/f)      (f, f', f'' at 0),
    share of negative eigenvalues   alpha = [arccos s - s sqrt(1 - s^2)]/pi,   0 for s >= 1, 1 for s <= -1.

So low critical points have low index, and there are no minima above a threshold energy. Derived here
(``random-index-energy``) from Kac and Rice's formula, in agreement with Bray & Dean 2007 (cond-mat/0611023), who find
the same alpha. The shift is not the conditional mean of the Hessian: the weight |det H| of a critical point multiplies it
by 2 f''/(f'' + f'^2/f) at the same exponential order.

Real Hessians are not GOE (they have outliers and a bulk at zero): use all of this only as a null model.

Sources: Dean & Majumdar, PRL 97, 160201 (2006); Bray & Dean, PRL 98, 150201 (2007); Dauphin et al. 2014 (arXiv
1406.2572); de Bruijn 1955.
"""

from collections.abc import Sequence

import numpy as np

from lab.estimate import exact
from theory.claims import Evidence
from theory.random_landscape.field import index_at_energy, index_share, shift_at_energy, threshold_energy
from theory.random_landscape.goe import (
    index_distribution,
    index_polynomial_exact,
    log_positive_probability,
    positive_probability,
    positive_probability_exact,
    rate_estimates,
)

__all__ = ["evidence", "index_at_energy", "index_distribution", "index_polynomial_exact", "index_share",
           "log_positive_probability", "positive_probability", "positive_probability_exact", "rate_estimates",
           "shift_at_energy", "threshold_energy"]


def evidence(sizes: Sequence[int] = (4, 12, 30)) -> list[Evidence]:
    """Theory's evidence for ``s2.coin-flips`` (GOE) and ``s2.index-falls-with-loss`` (Gaussian field).

    Critical points are taken at an energy one standard deviation of the field, sqrt(N f)/N, from its mean at N = 100.
    Source: :func:`index_distribution` and :func:`index_at_energy`.

    Parameters
    ----------
    sizes : sequence of int, default (4, 12, 30)
        Sizes N of GOE matrices, each in 1 ... 40.

    Returns
    -------
    list of theory.claims.Evidence
        For each size, the variance of the index over that of coin flips, N/4; then, for two fields, the difference in the share
        of negative eigenvalues between high and low critical points.

    Examples
    --------
    >>> [(row.claim, round(row.estimate.mean, 3)) for row in evidence([3])[:2]]
    [('s2.coin-flips', 0.466), ('s2.index-falls-with-loss', 0.064)]
    """
    rows = []
    for n in sizes:
        p, k = index_distribution(n), np.arange(n + 1)
        rows.append(Evidence("s2.coin-flips", "theory", f"GOE, N = {n}", exact(float((p @ k**2 - (p @ k) ** 2) / (n / 4))),
                             piece=f"goe-{n}", study="random_landscape"))
    for curvature in (1.0, 3.0):
        high, low = np.asarray(index_at_energy(np.array([0.1, -0.1]), 1.0, -1.0, curvature))
        rows.append(Evidence("s2.index-falls-with-loss", "theory", f"Gaussian field, f = -f' = 1, f'' = {curvature:g}, "
                             "energy one standard deviation off the mean in 100 dimensions", exact(float(high - low)),
                             piece=f"field-{curvature:g}", study="random_landscape"))
    return rows
