"""Claims of S3 on what over-parameterization does to the decision boundary outside the hull of the training set."""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

S3 = "S3 (arXiv 2203.10366)"
_POINT = "an agreement that differs on one point in a hundred"
_SCOPE = "polynomials and one-hidden-layer networks in the plane; a replica is a true boundary with its data"
_BY_MARGIN = (Change("2026-11-28", "held on one side of no effect; now beyond the smallest effect that matters",
                     "with the bound at no effect, its absence could never be shown"),)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.overparameterization-controls-outside", S3,
        "Over-parameterization gives control over the decision boundary outside the hull of the training set.",
        "agreement between two starts outside the hull: largest model minus the smallest that separates the data from all starts",
        "larger models that agree less outside the hull",
        Rule(above=0.01, null=0.0), ("toy",), _POINT, _SCOPE, {"toy": "polynomial/network-small-3"}, "family",
        changes=(*_BY_MARGIN, Change(
            "2026-11-28", "largest minus smallest model; now minus the smallest that separates the data, on each data set",
            "networks of width 4 left training errors on 27 of 32 data sets")),
    ),
    Claim(
        "s3.training-controls-outside", S3,
        "Over-parameterization alone does not suffice: the training regime decides the boundary outside the hull.",
        "agreement between two starts outside the hull, largest model: small minus large starts",
        "large starts that agree as well as small ones",
        Rule(above=0.01, null=0.0), ("toy",), _POINT, _SCOPE, {"toy": "polynomial/network-3"}, "family",
        changes=_BY_MARGIN,
    ),
    Claim(
        "s3.outside-is-harder", S3,
        "Generalisation is at stake outside the hull: models that agree with the truth inside miss it outside.",
        "agreement with the truth inside minus outside the hull, largest model, small starts",
        "models as good outside the hull as inside",
        Rule(above=0.01, null=0.0), ("toy",), _POINT, _SCOPE, {"toy": "polynomial/network-small-3"}, "family",
        changes=_BY_MARGIN,
    ),
)
