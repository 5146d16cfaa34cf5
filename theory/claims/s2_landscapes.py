"""Claims of S2 and its discussion on counts, random landscapes, double descent and bumps.

Theory: :mod:`theory.counting`, :mod:`theory.random_landscape`, :mod:`theory.regression`, :mod:`theory.bumps`.
"""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

DISCUSSION = "public discussion of S2"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s2.minima-outnumber-saddles", "Simsek et al. 2021 (arXiv 2105.12221), cited by S2",
        "Moderate over-parameterization suffices for subspaces of global minima to outnumber those of other critical points.",
        "smallest width at which global subspaces outnumber critical ones, over the smallest width with zero loss",
        "twice the necessary width, or more, before global minima are the majority",
        Rule(below=2.0), ("theory",), "“moderate” means less than twice what is necessary",
        "counts of subspaces, which nothing can measure in real networks: training ends at single points",
        moderator="critical points of smaller widths",
    ),
    Claim(
        "s2.coin-flips", f"{DISCUSSION}, the Bernoulli argument",
        "The signs of Hessian eigenvalues are like independent coin flips, so minima have probability 2^-N.",
        "variance of the number of negative eigenvalues at a given loss, over that of N independent coins with the same mean",
        "a variance below half or above twice that of coins",
        Rule(above=0.5, below=2.0), bound_reason="a factor of two either way does not change the exponent in the argument",
        scope="critical points of one landscape", primary={"toy": "critical-points/relu-k5", "real": "critical-digits/h3"},
        changes=(Change("2026-11-28", "the variance at all critical points; now at those of one loss",
                        "the heights at which a search stops would have counted as variance"),),
    ),
    Claim(
        "s2.index-falls-with-loss", f"{DISCUSSION}; Dauphin et al. 2014 (arXiv 1406.2572)",
        "Critical points of high loss are saddles with many negative directions; those of low loss have few.",
        "share of negative Hessian eigenvalues at critical points: one standard deviation of the loss above its mean, "
        "minus one below",
        "as large a share at low loss as at high loss",
        Rule(above=0.01, null=0.0), bound_reason="shares that differ by less than one in a hundred count as equal",
        scope="critical points of one landscape", primary={"toy": "critical-points/relu-k5", "real": "critical-digits/h3"},
        changes=(Change("2026-11-28", "held above 0; now above .01, with no effect within .01 of 0",
                        "a bound is the smallest effect that matters"),),
    ),
    Claim(
        "s2.second-descent", f"{DISCUSSION}; Belkin et al. 2019",
        "Beyond the interpolation threshold, more parameters lower the test error below its best value before the threshold.",
        "test risk with the most parameters over the best test risk with fewer parameters than samples",
        "the best under-parameterised model is never beaten",
        Rule(below=0.95, null=1.0), bound_reason="ratios of risks within 5 % of one count as equal",
        scope="no ridge, no early stopping",
        primary={"toy": "double-descent/network-teacher8-noise0.5", "real": "descent-mnist/noise0.4"}, moderator="family",
        changes=(Change("2026-11-28", "held below 1, with an interval for the numerator only; now below .95, paired by data set, "
                        "with the best width chosen on one half of the data sets and the ratio taken on the other",
                        "the best of several widths looks better than it is, and its error matters too"),),
    ),
    Claim(
        "s2.peak-at-interpolation", f"{DISCUSSION}; Belkin et al. 2019",
        "The test error peaks where the number of parameters equals the number of samples.",
        "parameters over samples (over samples times classes with one output per class) at the peak of the test risk",
        "a peak more than 10 % away from one parameter per sample",
        Rule(above=0.9, below=1.1), bound_reason="a peak counts as being at the threshold if it is off by less than 10 %",
        scope="label noise, no ridge, no early stopping",
        primary={"toy": "double-descent/network-teacher8-noise0.5", "real": "descent-mnist/noise0.4"}, moderator="family",
        changes=(Change("2026-11-28", "the largest risk on a grid without a point near one; now interpolated on a grid with "
                        "steps of .05 there, with the mean on a logarithmic scale",
                        "no point of the grid lay within the bounds"),),
    ),
    Claim(
        "s2.width-is-tickets", f"{DISCUSSION}, one bump that slides or many that cover",
        "A model of m bumps succeeds as often as m independent bumps would: coverage, not escape.",
        "ln P_fail(m bumps) / (m ln P_fail(1 bump))",
        "bumps that help or hinder each other by more than a tenth in the exponent",
        Rule(above=0.9, below=1.1), ("toy", "real"),
        "effective numbers of tickets within a tenth of the nominal one count as equal",
        "bumps of fixed height that slide; networks of m times the units", {"toy": "bumps/m4", "real": "success-digits/n12"},
        changes=(Change("2026-11-28", "a column for the toy only; now also one for real networks with m times the units",
                        "failure rates of all widths have been measured"),
                 Change("2026-11-28", "a theory column, and cells in which some bump arrived and some did not; now every cell, "
                        "and no theory", "for independent bumps the statistic is one by definition; the filter depended on the "
                        "outcome"),),
    ),
)
