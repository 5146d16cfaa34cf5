"""Double descent in closed form: the risk of regression as a function of the number of features.

**Isotropic least squares** (Hastie et al. 2019). y = beta.x + noise of variance sigma^2, x with p independent
entries of variance 1, n samples, |beta|^2 = r^2, gamma = p/n fixed, n -> oo. The excess risk E|beta_hat - beta|^2 of
ridge regression (X^T X/n + lambda)^-1 X^T y/n is

    R = r^2 (u - lambda u') + sigma^2 gamma u' = [r^2 (lambda + gamma u)^2 + sigma^2 gamma] u',
    u = lambda m(-lambda) = [S - (1 - gamma + lambda)]/(2 gamma),   u' = du/dlambda = 2/[S (1 + gamma + lambda + S)],
    S^2 = (1 - gamma + lambda)^2 + 4 gamma lambda,

with m the Stieltjes transform of the Marchenko-Pastur law. As lambda -> 0, the risk is sigma^2 gamma/(1-gamma) below gamma = 1,
r^2 (1 - 1/gamma) + sigma^2/(gamma-1) above, and infinite at 1. The optimal ridge is lambda* = sigma^2 gamma/r^2, with risk
r^2 u(lambda*), which has no peak.

**Exact at finite n** (Belkin, Hsu, Xu 2019). Gaussian x, p of D features used; beta_in and beta_out are the parts of
beta on the used and the unused ones, tau^2 = |beta_out|^2 + sigma^2. The risk (including the irreducible sigma^2) is
tau^2 [1 + p/(n-p-1)] for p <= n-2, |beta_in|^2 (1 - n/p) + tau^2 [1 + n/(p-n-1)] for p >= n+2, infinite between.

**Random ReLU features** (Mei & Montanari 2019, arXiv 1908.05355; cited). N features sigma(theta.x/sqrt d), theta and
x uniform on the sphere of radius sqrt d, psi1 = N/d, psi2 = n/d: :mod:`theory.regression.random_features`.

**The peak** (derived here, ``regression-peak``). Without a ridge it is at p = n and infinite. For small lambda,
with gamma = 1 + sqrt(lambda) x, R ~ sigma^2/sqrt(lambda) (x^2 + 4)^-1/2: height sigma^2/(2 sqrt lambda), full width
at half height 4 sqrt(3 lambda). Ridgeless regression is worse than predicting zero if and only if
S/(1 + S) < gamma < S/(S - 1), S = r^2/sigma^2 (no upper end for S <= 1).

Sources: Hastie, Montanari, Rosset, Tibshirani 2019 (arXiv 1903.08560); Belkin, Hsu, Xu 2019 (arXiv 1903.07571).
"""

import numpy as np

from lab.estimate import exact
from theory.claims import Evidence
from theory.regression.least_squares import (
    finite_sample_risk,
    isotropic_risk,
    optimal_ridge,
    optimal_risk,
    peak,
    peak_scaling,
    ridge_risk,
    worse_than_nothing,
)
from theory.regression.random_features import (
    activation_constants,
    optimal_random_features_ridge,
    random_features_risk,
)

__all__ = ["activation_constants", "evidence", "finite_sample_risk", "isotropic_risk", "optimal_random_features_ridge",
           "optimal_ridge", "optimal_risk", "peak", "peak_scaling", "random_features_risk", "ridge_risk",
           "worse_than_nothing"]


def evidence() -> list[Evidence]:
    """Theory's evidence for the claims about double descent: p of D isotropic features, and random ReLU features.

    Source: :func:`finite_sample_risk`, :func:`ridge_risk` and :func:`random_features_risk`.

    Returns
    -------
    list of theory.claims.Evidence
        For ``s2.second-descent`` the risk with the most parameters over the best risk below the interpolation threshold; for
        ``s2.peak-at-interpolation`` parameters over samples at the peak.

    Examples
    --------
    >>> rows = evidence()
    >>> rows[0].claim, rows[0].setting
    ('s2.second-descent', '800 isotropic features, 100 samples, noise 0.05 of the signal')
    >>> round(rows[0].estimate.mean, 2)
    0.89
    """
    n, total, psi2 = 100, 800, 3.0
    used = np.arange(total + 1)
    ratios = np.geomspace(0.05, 20, 4001)
    rows = []
    for noise in (0.05, 0.5):
        subset = finite_sample_risk(n, used, used / total, 1 - used / total, noise)
        # random features: excess risk, as in the simulation
        below = random_features_risk(np.linspace(0.01, 0.99, 99) * psi2, psi2, noise_variance=noise)
        settings = {f"{total} isotropic features, {n} samples": (subset[-1] / subset[:n].min(), None),
                    "isotropic features, ridge 1e-4": (None, ridge_risk(ratios, 1e-4, 1.0, noise)),
                    f"random ReLU features, n/d = {psi2:g}, up to 8 n of them":
                        (random_features_risk(8 * psi2, psi2, noise_variance=noise) / below.min(), None),
                    f"random ReLU features, n/d = {psi2:g}, ridge 1e-6":
                        (None, random_features_risk(ratios * psi2, psi2, 1e-6, noise_variance=noise))}
        for setting, (ratio, curve) in settings.items():
            family = "random-features" if setting.startswith("random") else "least-squares"
            claim, value = (("s2.second-descent", ratio) if curve is None else
                            ("s2.peak-at-interpolation", ratios[np.argmax(curve)]))
            rows.append(Evidence(claim, "theory", f"{setting}, noise {noise:g} of the signal", exact(value),
                                 piece=f"{family}-noise{noise:g}", study="regression", levels={"family": family}))
    return rows
