"""Claims of S3: Yousefzadeh (arXiv 2101.09849, 2203.10366, 2203.10447) on the hull of the training set.

"Outside" means proved: a separating hyperplane is known (:mod:`theory.hull`). Points "left out" are training points,
each against the hull of all the others. The unit is the network with the test points that its seed draws; where a space has no
network (pixels, wavelets of data that are split in one way), it is the test point.
"""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

S3 = "S3 (arXiv 2203.10366, 2101.09849)"
_POINT = "one test point in a hundred"
_CORRELATION = "rank correlations below 0.05 explain less than half a percent of the ranks' variance"
_TWENTIETH = "“the test points lie outside” leaves no room for one point in twenty inside"
_BY_MARGIN = (Change("2026-11-28", "held on one side of no effect; now beyond the smallest effect that matters",
                     "a bound at no effect cannot show that there is none"),)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.test-points-outside", f"{S3}, pixels and wavelets",
        "The test points of standard image sets lie outside the convex hull of the training set.",
        "share of test points proved to lie outside the hull of all training points",
        "a test set of which one point in twenty or more lies inside",
        Rule(above=0.95), ("toy", "real"), _TWENTIETH,
        "whole spaces of pixels and wavelet coefficients, against all training points",
        primary={"real": "hull-images/cifar-10-pixels", "toy": "hull-images/gaussian-cifar-10-pixels"},
    ),
    Claim(
        "s3.features-outside", f"{S3}, learned features",
        "In the features that a network learns, too, test points lie outside the hull of the training points.",
        "share of test points proved to lie outside the hull of the training points' features",
        "features in which one test point in twenty or more lies inside",
        Rule(above=0.95), ("real",), _TWENTIETH, "all features of a site; the paper's have 64 dimensions",
        primary={"real": "hull-resnet18-cifar10/resnet18-1-penultimate"}, moderator="dimension",
    ),
    Claim(
        "s3.features-outside-at-equal-dimension", "control: equal dimension at every width",
        "Test features lie outside at every width even when each width keeps the same few principal components.",
        "share of test points proved to lie outside, in the eight leading principal components of the features",
        "test points that lie inside once dimension is equal and small",
        Rule(above=0.95), ("real",), _TWENTIETH, "the features that the readout sees",
        primary={"real": "hull-resnet18-cifar10/resnet18-1-penultimate-8"},
    ),
    Claim(
        "s3.outside-share-beyond-training", "control: leave-one-out of training points",
        "Lying outside sets test points apart from training points.",
        "share outside: test points minus training points left out of their own hull",
        "left-out training points that lie outside as often",
        Rule(above=0.01, null=0.0), ("real",), _POINT,
        "whole spaces with 400 test points or more: with fewer no share can be told from one that differs by a hundredth; were "
        "all points drawn from one law, the difference would be 0 whatever the law",
        primary={"real": "hull-images/cifar-10-pixels"},
        changes=(*_BY_MARGIN, Change(
            "2026-11-28", "a theory column, and digits; now neither", "the difference of exchangeable points is 0 as a matter of "
            "course, and the 197 test points of digits can never show one in a hundred")),
    ),
    Claim(
        "s3.outside-beyond-dimension", "control: leave-one-out of training points",
        "Outside is more than an effect of dimension: test points lie farther from the hull than left-out training points.",
        "mean distance to the hull: test points over left-out training points, minus one",
        "test points that are at most 5 % farther than left-out training points",
        Rule(above=0.05, null=0.0), ("real",), "a distance that differs by less than 5 %",
        "whole spaces, against all training points",
        primary={"real": "hull-images/cifar-10-pixels"},
        changes=_BY_MARGIN,
    ),
    Claim(
        "s3.low-dimension-inside", "Bonnasse-Gahot (arXiv 2207.08648)",
        "In a space of few dimensions most test points lie inside the hull.",
        "share of test points inside, in at most ten principal components (theory: Gaussian points, exactly)",
        "most test points outside even there",
        Rule(above=0.5), ("theory", "real"), "most: more than half", "principal components of pixels and of features",
        primary={"real": "hull-images/cifar-10-pixels-10"}, moderator="dimension",
    ),
    Claim(
        "s3.hull-distance-explains-errors", S3,
        "Distance from the hull says which test points a network gets wrong, beyond their distance to the nearest "
        "training point.",
        "partial rank correlation of error with hull distance, given the nearest-neighbour distance",
        "no correlation once the nearest-neighbour distance is given",
        Rule(above=0.05, null=0.0), ("real",), _CORRELATION, "pixels and features of networks that make errors",
        primary={"real": "hull-resnet18-cifar10/resnet18-1-penultimate"}, moderator="space",
        changes=_BY_MARGIN,
    ),
    Claim(
        "s3.class-changes-towards-hull", "S3 (arXiv 2101.09849), directions",
        "Moving a test point to the hull can change its class: the boundary outside the hull matters.",
        "share of test points whose class differs at their projection, minus the same for a random step as long",
        "classes that change no more often than under random steps",
        Rule(above=0.01, null=0.0), ("real",), _POINT, "pixels, with the class that a network says",
        primary={"real": "hull-resnet18-cifar10/cifar-10-pixels-resnet18-1"}, moderator="data",
        changes=_BY_MARGIN,
    ),
)
