"""Claims of S0: Duzgun, Jelassi & Li, "How does overparameterization affect features?" (arXiv 2407.00968).

FSE is the feature span error (:func:`theory.measures.span_error`), always fitted and scored on different samples where
samples are finite. "Narrow" is the concatenation of 1/alpha copies of the network of width alpha, at the smallest alpha
of the sweep unless a setting says otherwise, so that both sides have the same number of features.
"""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

S0 = "S0 (arXiv 2407.00968)"
REVIEWS = "public reviews of S0 (ICLR 2025)"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s0.narrow-does-not-span-wide", f"{S0}, feature span gap",
        "Concatenated narrow networks do not span the features of one wide network.",
        "FSE(narrow copies to wide) minus FSE(wide to another wide), as shares of the target's variance",
        "a gap of at most 1 % of the variance",
        Rule(above=0.01),
    ),
    Claim(
        "s0.wide-does-not-span-narrow", f"{S0}, feature span gap, the reverse",
        "Nor does one wide network span the features of the concatenated narrow networks.",
        "FSE(wide to narrow copies) minus FSE(wide to another wide), as shares of the target's variance",
        "a gap of at most 1 % of the variance",
        Rule(above=0.01),
    ),
    Claim(
        "s0.wide-performs-better", f"{S0}, feature performance",
        "The wide network's features perform better than the concatenated narrow ones.",
        "share of the target that a linear probe leaves unexplained: narrow copies minus wide",
        "narrow copies leave as little unexplained as the wide network, or less",
        Rule(above=0.0),
    ),
    Claim(
        "s0.gap-grows-as-networks-narrow", S0,
        "The narrower the copies, the less they span, at an equal number of features.",
        "FSE(narrow copies to wide) at the smallest alpha minus the same at alpha = 1/2",
        "a span error that does not grow as alpha falls",
        Rule(above=0.0),
    ),
    Claim(
        "s0.copies-saturate", f"{S0}, and the graded teacher of this laboratory",
        "Adding more narrow copies saturates: the last doubling of their number hardly reduces the span error.",
        "1 - FSE(2c copies to wide) / FSE(c copies to wide) at the last doubling",
        "a last doubling that still takes 10 % off the span error",
        Rule(below=0.10),
    ),
    Claim(
        "s0.equal-strengths-differ", "derived here (theory.span); S0's reviewers ask for more than one distribution",
        "Saturation comes from graded strengths: with equal ones copies find different features, and pooling helps.",
        "relative fall of the span error from one copy to many: equal strengths minus graded strengths",
        "copies help as little with equal strengths as with graded ones",
        Rule(above=0.10),
        ("theory", "toy"),
    ),
    Claim(
        "s0.gap-survives-matched-training", REVIEWS,
        "The span gap is not an effect of training: it remains when all widths are trained to the same training loss.",
        "FSE(narrow copies to wide) minus FSE(wide to another wide), networks matched in training loss",
        "a gap of at most 1 % of the variance once training loss is matched",
        Rule(above=0.01), ("toy", "real"),
    ),
    Claim(
        "s0.residual-features-perform", f"{S0}, feature residuals",
        "What the narrow copies leave over of the wide network's features carries performance.",
        "unexplained share of the target: narrow copies with as many random features appended, minus narrow copies "
        "with the residual appended",
        "a residual that helps no more than random features of the same number",
        Rule(above=0.0),
    ),
    Claim(
        "s0.gap-is-not-linear", REVIEWS,
        "The gap is not an artefact of linear regression: a nonlinear map does not close it.",
        "nonlinear FSE(narrow copies to wide) minus nonlinear FSE(wide to another wide)",
        "a nonlinear gap of at most 1 % of the variance",
        Rule(above=0.01), ("real",),
    ),
    Claim(
        "s0.gap-at-equal-parameters", REVIEWS,
        "The gap remains when narrow copies have as many parameters (and so more features) as the wide network.",
        "FSE(parameter-matched narrow copies to wide) minus FSE(wide to another wide)",
        "a gap of at most 1 % of the variance at an equal number of parameters",
        Rule(above=0.01), ("toy", "real"),
    ),
    Claim(
        "s0.gap-above-width-one", REVIEWS,
        "The standard network is itself too narrow: copies of it do not span a network twice or four times as wide.",
        "FSE(standard copies to the wider network) minus FSE(wider to another wider)",
        "a gap of at most 1 % of the variance",
        Rule(above=0.01), ("toy", "real"),
    ),
    Claim(
        "s0.gap-survives-shared-start", REVIEWS,
        "The gap is not an effect of different starts: it remains when narrow networks start as slices of the wide.",
        "FSE(narrow copies started as slices of the wide network, to the wide network) minus FSE(wide to another wide)",
        "a gap of at most 1 % of the variance under shared starts",
        Rule(above=0.01), ("toy", "real"),
    ),
    Claim(
        "s0.gap-beyond-null", "critique of similarity measures (arXiv 2602.14486)",
        "The span error lies below its permutation null: it measures features, not the number of samples.",
        "FSE of row-shuffled narrow copies minus FSE(narrow copies to wide)",
        "a span error as large as that of shuffled rows",
        Rule(above=0.10), ("real",),
    ),
    Claim(
        "s0.wide-finds-every-view", "after Allen-Zhu & Li (arXiv 2012.09816); a test of S0's claim on other data",
        "The wide network finds every feature that the concatenated narrow ones find: here, both views of a class.",
        "P(the wide network learns both views) minus P(the concatenation does, between its copies)",
        "a concatenation that finds both views more often than the wide network",
        Rule(above=0.0), ("theory", "toy"),
    ),
    Claim(
        "s0.narrow-starts-miss-features", "S0's toy section as its reviews describe it; a reconstruction",
        "Thin networks miss a feature because none of their few neurons starts within its reach.",
        "P(one narrow network misses a feature) minus P(one wide network misses it)",
        "narrow networks that miss features no more often than wide ones",
        Rule(above=0.05), ("theory", "toy"),
    ),
    Claim(
        "s0.concatenated-starts-miss-features", "S0's toy section as its reviews describe it; a reconstruction",
        "Concatenated narrow networks with the same number of starts still miss features that the wide network finds.",
        "P(the concatenation misses a feature) minus P(one wide network with as many starts misses it)",
        "a concatenation that misses no more than the wide network",
        Rule(above=0.05), ("theory", "toy"),
    ),
)
