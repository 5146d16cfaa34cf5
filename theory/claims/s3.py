"""Claims of S3: Yousefzadeh (arXiv 2101.09849, 2203.10366, 2203.10447) on the hull of the training set.

"Outside" means proved to be outside, by a separating hyperplane (:mod:`theory.hull`). "Left-out" points are training points, each
compared with the hull of all the others. A replica is a network with the test points that its seed draws; for spaces without a
network (pixels or wavelets of data with a single split), it is a test point.
"""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

S3 = "S3 (arXiv 2203.10366, 2101.09849)"
_POINT = "one test point in a hundred"
_CORRELATION = "rank correlations below 0.05 explain less than half a percent of the ranks' variance"
_TWENTIETH = "“the test points lie outside” does not allow one point in twenty inside"
_BY_MARGIN = (Change("2026-11-28", "held on one side of no effect; now beyond the smallest effect that matters",
                     "with the bound at no effect, its absence could never be shown"),)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.test-points-outside", f"{S3}, pixels and wavelets",
        "The test points of standard image sets lie outside the convex hull of the training set.",
        "share of test points proved to lie outside the hull of all training points",
        "a test set of which one point in twenty or more lies inside",
        Rule(above=0.95), ("toy", "real"), _TWENTIETH,
        "full spaces of pixels and wavelet coefficients, against all training points",
        primary={"real": "hull-images/cifar-10-pixels", "toy": "hull-images/gaussian-cifar-10-pixels"},
    ),
    Claim(
        "s3.features-outside", f"{S3}, learned features",
        "In learned features, too, test points lie outside the hull of the training points.",
        "share of test points proved to lie outside the hull of the training points' features",
        "features in which one test point in twenty or more lies inside",
        Rule(above=0.95), ("real",), _TWENTIETH, "all features of a site; the paper's have 64 dimensions",
        primary={"real": "hull-resnet18-cifar10/resnet18-1-penultimate"}, moderator="dimension",
    ),
    Claim(
        "s3.features-outside-at-equal-dimension", "control: equal dimension at every width",
        "Test features lie outside at every width, even when every width is reduced to the same few principal components.",
        "share of test points proved to lie outside, in the eight leading principal components of the features",
        "test points that lie inside once dimension is equal and small",
        Rule(above=0.95), ("real",), _TWENTIETH, "the features that enter the readout",
        primary={"real": "hull-resnet18-cifar10/resnet18-1-penultimate-8"},
    ),
    Claim(
        "s3.outside-share-beyond-training", "control: leave-one-out of training points",
        "Lying outside the hull distinguishes test points from left-out training points.",
        "share outside: test points minus training points left out of their own hull",
        "left-out training points that lie outside as often",
        Rule(above=0.01, null=0.0), ("real",), _POINT,
        "full spaces with at least 400 test points: with fewer, shares that differ by a hundredth cannot be told apart; if all "
        "points came from one distribution, the difference would be 0",
        primary={"real": "hull-images/cifar-10-pixels"},
        changes=(*_BY_MARGIN, Change(
            "2026-11-28", "a theory column, and digits; now neither", "the difference is 0 by definition for exchangeable "
            "points, and the 197 test points of digits can never resolve one in a hundred")),
    ),
    Claim(
        "s3.outside-beyond-dimension", "control: leave-one-out of training points",
        "Being outside is more than an effect of dimension: test points lie farther from the hull than left-out training points.",
        "mean distance to the hull: test points over left-out training points, minus one",
        "test points that are at most 5 % farther than left-out training points",
        Rule(above=0.05, null=0.0), ("real",), "distances that differ by less than 5 % count as equal",
        "full spaces, against all training points",
        primary={"real": "hull-images/cifar-10-pixels"},
        changes=_BY_MARGIN,
    ),
    Claim(
        "s3.low-dimension-inside", "Bonnasse-Gahot (arXiv 2207.08648)",
        "In few dimensions most test points lie inside the hull.",
        "share of test points inside, in at most ten principal components (theory: exact, for Gaussian points)",
        "most test points outside even there",
        Rule(above=0.5), ("theory", "real"), "most: more than half", "principal components of pixels and of features",
        primary={"real": "hull-images/cifar-10-pixels-10"}, moderator="dimension",
    ),
    Claim(
        "s3.hull-distance-explains-errors", S3,
        "Distance from the hull predicts which test points a network gets wrong, beyond their distance to the nearest "
        "training point.",
        "partial rank correlation of error with hull distance, given the nearest-neighbour distance",
        "no correlation once the nearest-neighbour distance is given",
        Rule(above=0.05, null=0.0), ("real",), _CORRELATION, "pixels and features of networks that make errors",
        primary={"real": "hull-resnet18-cifar10/resnet18-1-penultimate"}, moderator="space",
        changes=_BY_MARGIN,
    ),
    Claim(
        "s3.class-changes-towards-hull", "S3 (arXiv 2101.09849), directions",
        "Moving a test point to the hull can change its class, so the decision boundary outside the hull matters.",
        "share of test points whose class differs at their projection, minus that after a random step of equal length",
        "classes that change no more often than under random steps",
        Rule(above=0.01, null=0.0), ("real",), _POINT, "pixels, with the class that a network predicts",
        primary={"real": "hull-resnet18-cifar10/cifar-10-pixels-resnet18-1"}, moderator="data",
        changes=_BY_MARGIN,
    ),
)
