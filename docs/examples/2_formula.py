"""
A formula, from its derivation to its test
==========================================

Every formula of the laboratory is derived step by step by a function that you can call, and compared with an independent number
by a check that can fail.
"""

# %%
# An existing derivation
# ----------------------
# The mean product of two erf units over Gaussian inputs, the basis of all order parameters of committee machines. Notebooks
# display derivations with their formulas.

import numpy as np
import sympy as sp

from widthlab import find_derivation

overlap = find_derivation("erf-i2")()
print(overlap.to_text())

# %%
# The result is a SymPy equation, ready to use. We compare it with ten thousand draws:

from theory.derivation import derivation, monte_carlo, named
from theory.gaussian import erf_i2

covariance = np.array([[1.0, 0.6], [0.6, 2.0]])
symbols = dict(zip(sorted(overlap.result.rhs.free_symbols, key=str), (1.0, 0.6, 2.0)))
print([str(s) for s in symbols], float(overlap.result.rhs.subs(symbols)), erf_i2(covariance, 0, 1))

# %%
from scipy.special import erf

z = np.random.default_rng(0).multivariate_normal([0, 0], covariance, size=10_000)
check = monte_carlo("erf-i2 by hand", erf_i2(covariance, 0, 1), erf(z[:, 0] / np.sqrt(2)) * erf(z[:, 1] / np.sqrt(2)))
print(f"{check.deviation:.2f} standard errors off: {'passed' if check.passed else 'failed'}")
assert check.passed

# %%
# Your own derivation
# -------------------
# A derivation is a function that adds steps. ``vanishes`` states that an expression is zero, and fails if it is not.


@derivation("copies-miss", "the share that c networks miss if each finds w of M features at random", "derived here",
            symbols={"M": "features", "w": "width", "c": "copies"})
def derive(d):
    M, w, c = sp.symbols("M w c", positive=True)
    one = d.step("One network finds any set of w features; a feature is left out of this share of the sets.",
                 sp.Eq(named("p_1"), sp.simplify(sp.gammasimp((sp.binomial(M - 1, w) / sp.binomial(M, w)).rewrite(sp.gamma)))))
    d.vanishes("That is 1 − w/M.", sp.simplify(one.rhs - (1 - w / M)), "p_1 − (1 − w/M)")
    return d.conclude(sp.Eq(named("p_c"), (1 - w / M) ** c))


coverage = derive()
print(coverage.to_text())

# %%
# Its test is a simulation: the share of 16 features that four networks of width 4 miss.

draws = np.random.default_rng(1).random((2000, 4, 16)).argsort(axis=2) < 4
value = float(coverage.result.rhs.subs(dict(zip(sp.symbols("M w c", positive=True), (16, 4, 4)))))
check = monte_carlo("copies-miss", value, 1 - draws.any(axis=1).mean(axis=1))
print(f"formula {check.symbolic:.4f}, simulation {check.numeric:.4f} ± {check.standard_error:.4f}")
assert check.passed

# %%
# And a picture:

from matplotlib import pyplot as plt

widths = np.arange(1, 17)
plt.figure(figsize=(4.2, 2.9))
for copies in (1, 2, 4, 8):
    plt.plot(widths, (1 - widths / 16) ** copies, label=f"{copies} copies")
plt.plot([4], [check.numeric], "ko", markerfacecolor="white", label="simulation")
plt.xlabel("width w of a copy (M = 16)")
plt.ylabel("share missed")
plt.legend()
