"""How much the narrow features vary, as a share of both sides' variance."""

from theory.measures import Measure

__all__ = ["variance_share"]


def variance_share(moments, a, b) -> float:
    """tr C_aa / (tr C_aa + tr C_bb)."""
    a, b = (float(moments.covariance(names).trace()) for names in (a, b))
    return a / (a + b)


COMPARED = (Measure("variance_share", "share of the variance", variance_share),)
