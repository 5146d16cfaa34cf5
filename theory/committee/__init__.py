"""Online SGD of two-layer networks in the limit of many inputs: order parameters.

Teacher y = Σ_m A_m g(ρ_m) + σζ, student ŷ = Σ_i v_i g(λ_i), λ = Wx/√N, ρ = Bx/√N, inputs x ~ N(0, I_N), g(z) =
erf(z/√2), ζ ~ N(0, 1) label noise, M teacher and K student units, any K and M. One fresh example a step:

    w_i += (η/√N) v_i g'(λ_i) (y − ŷ) x,      v_i += (η_v/N) g(λ_i) (y − ŷ).

For N → ∞ at t = steps/N the overlaps Q = WWᵀ/N, R = WBᵀ/N (T = BBᵀ/N fixed) and v follow

    dR_in/dt = −η v_i Σ_b u_b I3(i,n,b)
    dQ_ik/dt = −η v_i Σ_b u_b I3(i,k,b) − η v_k Σ_b u_b I3(k,i,b) + η² v_i v_k [Σ_ab u_a u_b I4(i,k,a,b) + σ² J2(i,k)]
    dv_i/dt  = −η_v Σ_b u_b I2(i,b),           eg = ½ uᵀ I2 u,

u = (v, −A), the averages of :mod:`theory.gaussian` at C = [[Q, R], [Rᵀ, T]]. eg leaves out the noise σ²/2. Small rate:
without the term in η² this is population gradient flow, for erf and ReLU units.

``dynamics``: states, derivatives, adaptive integration, generalisation error. ``final``: final errors under label noise,
the largest stable learning rate, the drift of superfluous pairs, with their range of validity. ``kernels``: compiled.
``derive``, ``check``: SymPy derivations and independent numbers, loaded when asked for.

Source: Saad & Solla (1995), Phys. Rev. E 52, 4225; Goldt et al. (2019), arXiv 1906.08632.
"""

from theory.committee.dynamics import Trajectory, derivatives, generalisation_error, integrate, order_parameters
from theory.committee.final import (
    critical_rate,
    final_error,
    final_error_copies,
    final_error_first_layer,
    pair_drift,
    pair_lifetime,
)

__all__ = [
    "Trajectory",
    "critical_rate",
    "derivatives",
    "final_error",
    "final_error_copies",
    "final_error_first_layer",
    "generalisation_error",
    "integrate",
    "order_parameters",
    "pair_drift",
    "pair_lifetime",
]
