"""Why distance from the hull does not predict which test points are misclassified: our explanation, and what would refute it.

Errors lie between classes. The hull of the training set is that of all classes together, so a point can lie far outside it and
still be close to one class only. Ambiguity is the distance from the nearest class's hull over that from the second nearest one's
(:mod:`empirical.hull.ambiguity`).
"""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

_OURS = "explanation of s3.hull-distance-explains-errors, ours"
_SCOPE = "pixels; networks that make errors because they were trained on few images"
_PRIMARY = {"real": "hull-errors/mlp-mnist-1000"}
_CORRELATION = "rank correlations below 0.05 explain less than half a percent of the ranks' variance"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.errors-follow-ambiguity", _OURS,
        "Errors depend more on how ambiguous a test point is between the hulls of two classes than on its distance from the hull "
        "of all classes.",
        "partial rank correlation of error with ambiguity, given the nearest-neighbour distance, minus that with hull distance",
        "errors that depend as much on the distance from the hull of all classes",
        Rule(above=0.05, null=0.0), ("real",), _CORRELATION, _SCOPE, _PRIMARY, "architecture",
    ),
    Claim(
        "s3.ambiguity-leaves-hull-distance-nothing", _OURS,
        "Given the ambiguity of a test point, its distance from the hull of all classes predicts nothing more about errors.",
        "partial rank correlation of error with hull distance, given nearest-neighbour distance and ambiguity",
        "a correlation that ambiguity does not account for, in either direction",
        Rule(above=-0.05, below=0.05), ("real",), _CORRELATION, _SCOPE, _PRIMARY, "architecture",
    ),
    Claim(
        "s3.steps-away-keep-the-class", _OURS,
        "A step away from the hull that doubles the distance from it changes a network's class less often than an equally long "
        "step towards the hull of another class.",
        "share of test points whose class changes: step towards the nearest other class's hull, minus step away from the hull of "
        "all classes",
        "classes that change as often on the way out",
        Rule(above=0.01, null=0.0), ("real",), "one test point in a hundred", _SCOPE, _PRIMARY, "architecture",
    ),
)
