"""Claims about hulls that depend on dimension alone; theory: :mod:`theory.extrapolation`."""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.fresh-point-threshold", "Balestriero et al. (arXiv 2110.09485), citing Barany & Furedi 1988",
        "A fresh point lies inside the hull once there are of order 2^(d/2) points.",
        "ln N_1/2 / ln 2^(d/2), where the hull of N_1/2 points contains a fresh point with probability 1/2",
        "a threshold whose logarithm is off by more than a quarter (powers of d aside, at d >= 16)",
        Rule(above=0.75, below=1.25), ("theory",), "a quarter of ln 2^(d/2) is half a power of d at d = 16, and less above",
        "uniform points in a ball and Gaussian ones, d >= 16",
    ),
    Claim(
        "s3.all-points-are-vertices", "Barany & Furedi 1988",
        "Up to order 2^(d/2), all of the uniform points in a ball are vertices of their hull.",
        "ln N_1/2 / ln 2^(d/2), where of N_1/2 points on average half a point is not a vertex",
        "a threshold whose logarithm is off by more than a half at d >= 16, or that does not approach 1 as d grows",
        Rule(above=0.5, below=1.5), ("theory",), "half of ln 2^(d/2) is a power of d at d = 16, which the claim leaves open",
        "uniform points in a ball, d >= 16",
    ),
)
