"""Similarity of two sets of features, from their second moments.

C_ab is the covariance between features a and b, |.|_F the Frobenius and |.|_* the nuclear norm.

* linear CKA (Kornblith et al. 2019): |C_ab|_F^2 / (|C_aa|_F |C_bb|_F).
"""

import numpy as np

from lab.errors import InputError
from theory.measures.span import Names
from theory.moments import Moments


def _alive(moments: Moments, names: Names) -> None:
    if moments.constant(names).all():
        raise InputError(f"features {names!r} do not vary: there is nothing to compare")


def linear_cka(moments: Moments, a: Names, b: Names) -> float:
    """Linear centred kernel alignment, in [0, 1]; biased upwards by units/rows (see :func:`debiased_cka`)."""
    _alive(moments, a)
    _alive(moments, b)
    norm = np.linalg.norm
    return float(norm(moments.covariance(a, b)) ** 2 / (norm(moments.covariance(a)) * norm(moments.covariance(b))))
