"""Claims about hulls that dimension alone decides; theory: :mod:`theory.extrapolation`."""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.fresh-point-threshold", "Balestriero et al. (arXiv 2110.09485), citing Barany & Furedi 1988",
        "A fresh point lies inside the hull as soon as there are of the order of 2^(d/2) points.",
        "ln N_1/2 / ln 2^(d/2), N_1/2 the number of points whose hull holds a fresh one with probability 1/2",
        "a threshold whose logarithm is more than a quarter off (powers of d aside, at d >= 16)",
        Rule(above=0.75, below=1.25), ("theory",), "a quarter of ln 2^(d/2) is half a power of d at d = 16, and less above",
        "uniform points in a ball and Gaussian ones, d >= 16",
    ),
    Claim(
        "s3.all-points-are-vertices", "Barany & Furedi 1988",
        "Up to of the order of 2^(d/2) uniform points in a ball, all are vertices of their hull.",
        "ln N_1/2 / ln 2^(d/2), N_1/2 the number of points of which one half point on average is no vertex",
        "a threshold whose logarithm is more than a half off at d >= 16, or that does not close in on 1 as d grows",
        Rule(above=0.5, below=1.5), ("theory",), "half of ln 2^(d/2) is a power of d at d = 16, which the sentence leaves open",
        "uniform points in a ball, d >= 16",
    ),
)
