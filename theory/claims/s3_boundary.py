"""Claims of S3 on what over-parameterization does to the decision boundary outside the hull of the training set."""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

S3 = "S3 (arXiv 2203.10366)"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.overparameterization-controls-outside", S3,
        "Over-parameterization gives control over the decision boundary outside the hull of the training set.",
        "agreement between two starts outside the hull: largest minus smallest model that separates the data",
        "larger models that agree less outside the hull",
        Rule(above=0.0), ("toy",),
    ),
    Claim(
        "s3.training-controls-outside", S3,
        "Over-parameterization alone does not suffice: the training regime decides the boundary outside the hull.",
        "agreement between two starts outside the hull, largest model: small minus large starts",
        "large starts that agree as well as small ones",
        Rule(above=0.0), ("toy",),
    ),
    Claim(
        "s3.outside-is-harder", S3,
        "Outside the hull is where generalisation is at stake: models that agree with the truth inside miss it outside.",
        "agreement with the truth inside minus outside the hull, largest model, small starts",
        "models as good outside the hull as inside",
        Rule(above=0.0), ("toy",),
    ),
)
