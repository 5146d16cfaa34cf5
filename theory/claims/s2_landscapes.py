"""Claims of S2 and its discussion on counts, random landscapes, double descent and bumps.

Theory: :mod:`theory.counting`, :mod:`theory.random_landscape`, :mod:`theory.regression`, :mod:`theory.bumps`.
"""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

DISCUSSION = "public discussion of S2"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s2.minima-outnumber-saddles", "Simsek et al. 2021 (arXiv 2105.12221), cited by S2",
        "Moderate over-parameterization suffices for subspaces of global minima to outnumber the critical ones.",
        "smallest width at which global subspaces outnumber critical ones, over the width at which the loss is zero",
        "twice the necessary width, or more, before global minima are the majority",
        Rule(below=2.0), ("theory",), "moderate means less than twice what is necessary",
        moderator="critical points of smaller widths",
    ),
    Claim(
        "s2.coin-flips", f"{DISCUSSION}, the Bernoulli argument",
        "The signs of Hessian eigenvalues are like independent coin flips, so minima have probability 2^-N.",
        "variance of the number of negative eigenvalues at given loss, over that of N independent coins of the same mean",
        "a variance below half or above twice that of coins",
        Rule(above=0.5, below=2.0), bound_reason="a factor of two either way leaves the exponent of the argument what it is",
        scope="critical points of one landscape", primary={"toy": "critical-points/relu-k5", "real": "critical-digits/h3"},
        changes=(Change("2026-11-28", "the variance at all critical points; now at those of one loss",
                        "how a search chooses its heights would count as variance"),),
    ),
    Claim(
        "s2.index-falls-with-loss", f"{DISCUSSION}; Dauphin et al. 2014 (arXiv 1406.2572)",
        "Critical points of high loss are saddles with many negative directions, those of low loss have few.",
        "share of negative Hessian eigenvalues at critical points: one standard deviation of the loss above its mean, "
        "minus one below",
        "as large a share at low loss as at high loss",
        Rule(above=0.01, null=0.0), bound_reason="shares that differ by less than one in a hundred are called equal",
        scope="critical points of one landscape", primary={"toy": "critical-points/relu-k5", "real": "critical-digits/h3"},
        changes=(Change("2026-11-28", "held above 0; now above .01, with no effect within .01 of 0",
                        "a bound is the smallest effect that matters"),),
    ),
    Claim(
        "s2.second-descent", f"{DISCUSSION}; Belkin et al. 2019",
        "Beyond the interpolation threshold more parameters lower the test error below its best value before.",
        "test risk with the most parameters over the best test risk with fewer parameters than samples",
        "the best under-parameterised model is never beaten",
        Rule(below=0.95, null=1.0), bound_reason="ratios of risks within 5 % of one are called equal",
        scope="no ridge, no early stopping",
        primary={"toy": "double-descent/network-teacher8-noise0.5", "real": "descent-mnist/noise0.4"}, moderator="family",
        changes=(Change("2026-11-28", "held below 1, by an interval for the numerator alone; now below .95, paired by data set, "
                        "the best width chosen on one half of them and the ratio taken on the other",
                        "the best of several widths looks better than it is, and its error counts, too"),),
    ),
    Claim(
        "s2.peak-at-interpolation", f"{DISCUSSION}; Belkin et al. 2019",
        "The test error peaks where the number of parameters equals the number of samples.",
        "parameters over samples (over samples times classes, with an output a class) at the peak of the test risk",
        "a peak elsewhere than within 10 % of one parameter a sample",
        Rule(above=0.9, below=1.1), bound_reason="a peak is where it is said to be if it is off by less than 10 %",
        scope="label noise, no ridge, no early stopping",
        primary={"toy": "double-descent/network-teacher8-noise0.5", "real": "descent-mnist/noise0.4"}, moderator="family",
        changes=(Change("2026-11-28", "the largest risk of a grid without a point near one; now between the points of a grid "
                        "with steps of .05 there, the mean on a logarithmic scale",
                        "no point of the grid lay within the bounds"),),
    ),
    Claim(
        "s2.width-is-tickets", f"{DISCUSSION}, one bump that slides or many that cover",
        "A model of m bumps succeeds as often as m independent bumps would: coverage, not escape.",
        "ln P_fail(m bumps) / (m ln P_fail(1 bump))",
        "bumps that help or hinder each other by more than a tenth in the exponent",
        Rule(above=0.9, below=1.1), ("toy", "real"),
        "effective numbers of tickets within a tenth of the nominal one are called equal",
        "bumps of fixed height that slide; networks of m times the units", {"toy": "bumps/m4", "real": "success-digits/n12"},
        changes=(Change("2026-11-28", "a column of the toy alone; now one of real networks, too: those of m times the units",
                        "the chances to fail of all widths are there"),
                 Change("2026-11-28", "a theory column, and cells in which some bump arrived and some did not; now every cell, "
                        "and no theory", "of independent bumps the statistic is one by definition; the filter looked at the "
                        "outcome"),),
    ),
)
