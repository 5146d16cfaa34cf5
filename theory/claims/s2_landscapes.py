"""Claims of S2 and its discussion on counts, random landscapes, double descent and bumps.

Theory: :mod:`theory.counting`, :mod:`theory.random_landscape`, :mod:`theory.regression`, :mod:`theory.bumps`.
"""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

DISCUSSION = "public discussion of S2"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s2.minima-outnumber-saddles", "Simsek et al. 2021 (arXiv 2105.12221), cited by S2",
        "Moderate over-parameterization suffices for subspaces of global minima to outnumber the critical ones.",
        "smallest width at which global subspaces outnumber critical ones, over the width at which the loss is zero",
        "twice the necessary width, or more, before global minima are the majority",
        Rule(below=2.0), ("theory",),
    ),
    Claim(
        "s2.coin-flips", f"{DISCUSSION}, the Bernoulli argument",
        "The signs of Hessian eigenvalues are like independent coin flips, so minima have probability 2^-N.",
        "variance of the number of negative eigenvalues over that of N independent coins of the same mean",
        "a variance below half or above twice that of coins",
        Rule(above=0.5, below=2.0),
    ),
    Claim(
        "s2.index-falls-with-loss", f"{DISCUSSION}; Dauphin et al. 2014 (arXiv 1406.2572)",
        "Critical points of high loss are saddles with many negative directions, those of low loss have few.",
        "share of negative Hessian eigenvalues at critical points: one standard deviation of the loss above its mean, "
        "minus one below",
        "as large a share at low loss as at high loss",
        Rule(above=0.0),
    ),
    Claim(
        "s2.second-descent", f"{DISCUSSION}; Belkin et al. 2019",
        "Beyond the interpolation threshold more parameters lower the test error below its best value before.",
        "test risk with the most parameters over the best test risk with fewer parameters than samples",
        "the best under-parameterised model is never beaten",
        Rule(below=1.0),
    ),
    Claim(
        "s2.peak-at-interpolation", f"{DISCUSSION}; Belkin et al. 2019",
        "The test error peaks where the number of parameters equals the number of samples.",
        "parameters over samples at the peak of the test risk",
        "a peak elsewhere than within 10 % of one parameter a sample",
        Rule(above=0.9, below=1.1),
    ),
    Claim(
        "s2.width-is-tickets", f"{DISCUSSION}, one bump that slides or many that cover",
        "A model of m bumps succeeds as often as m independent bumps would: coverage, not escape.",
        "ln P_fail(m bumps) / (m ln P_fail(1 bump))",
        "bumps that help or hinder each other by more than a tenth in the exponent",
        Rule(above=0.9, below=1.1), ("theory", "toy"),
    ),
)
