"""Claims of S3: Yousefzadeh (arXiv 2101.09849, 2203.10366, 2203.10447) on the hull of the training set.

"Outside" means proved: a separating hyperplane is known (:mod:`theory.hull`). Points "left out" are training points,
each against the hull of all the others.
"""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

S3 = "S3 (arXiv 2203.10366, 2101.09849)"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.test-points-outside", f"{S3}, pixels and wavelets",
        "The test points of standard image sets lie outside the convex hull of the training set.",
        "share of test points proved to lie outside the hull of all training points",
        "a test set of which one point in twenty or more lies inside",
        Rule(above=0.95), ("toy", "real"),
    ),
    Claim(
        "s3.features-outside", f"{S3}, learned features",
        "In the features that a network learns, too, test points lie outside the hull of the training points.",
        "share of test points proved to lie outside the hull of the training points' features",
        "features in which one test point in twenty or more lies inside",
        Rule(above=0.95), ("real",),
    ),
    Claim(
        "s3.features-outside-at-equal-dimension", "control: equal dimension at every width",
        "Test features lie outside at every width even when each width keeps the same few principal components.",
        "share of test points proved to lie outside, in the leading principal components of the features",
        "test points that lie inside once dimension is equal and small",
        Rule(above=0.95), ("real",),
    ),
    Claim(
        "s3.outside-share-beyond-training", "control: leave-one-out of training points",
        "Lying outside sets test points apart from training points.",
        "share outside: test points minus training points left out of their own hull",
        "left-out training points that lie outside as often",
        Rule(above=0.01), ("theory", "toy", "real"),
    ),
    Claim(
        "s3.outside-beyond-dimension", "control: leave-one-out of training points",
        "Outside is more than an effect of dimension: test points lie farther from the hull than left-out training points.",
        "mean distance to the hull: test points over left-out training points, minus one",
        "test points that are at most 5 % farther than left-out training points",
        Rule(above=0.05), ("toy", "real"),
    ),
    Claim(
        "s3.low-dimension-inside", "Bonnasse-Gahot (arXiv 2207.08648)",
        "In a space of few dimensions most test points lie inside the hull.",
        "share of test points inside, in at most ten principal components",
        "most test points outside even there",
        Rule(above=0.5), ("toy", "real"),
    ),
    Claim(
        "s3.hull-distance-explains-errors", S3,
        "Distance from the hull says which test points a network gets wrong, beyond their distance to the nearest "
        "training point.",
        "partial rank correlation of error with hull distance, given the nearest-neighbour distance",
        "no correlation once the nearest-neighbour distance is given",
        Rule(above=0.0), ("real",),
    ),
    Claim(
        "s3.class-changes-towards-hull", "S3 (arXiv 2101.09849), directions",
        "Moving a test point to the hull can change its class: the boundary outside the hull matters.",
        "share of test points whose class differs at their projection, minus the same for a random step as long",
        "classes that change no more often than under random steps",
        Rule(above=0.0), ("real",),
    ),
)
