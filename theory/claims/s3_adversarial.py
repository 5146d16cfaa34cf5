"""Claims of S3's background on adversarial changes, and on the part that width plays in them.

A *found* step changes a class; no step shorter than a *certified* one does; the smallest change lies between the two. Widths are
compared by found steps, because certified ones are less tight in wider networks.
Declared before their runs; the settings are those of :mod:`empirical.studies.solutions.adversarial`.
"""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

S3 = "S3 (Yousefzadeh 2022, arXiv 2203.10366), background"
_LENGTHS = "lengths within 5 % of each other count as equal"
_SCOPE = "one hidden layer, trained to a loss of 0.01; test images that all networks classify correctly"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.answers-give-way-to-small-changes", S3,
        "A network's answers change under smaller perturbations than the nearest-neighbour rule withstands.",
        "found step of the widest network over the certified step of the nearest-neighbour rule, means over images",
        "answers that withstand perturbations as large as the nearest-neighbour rule does",
        Rule(below=0.95, null=1.0), ("real",), _LENGTHS, f"{_SCOPE}, and so does the nearest-neighbour rule",
        {"real": "adversarial-mnist/h512"},
    ),
    Claim(
        "s3.width-moves-the-boundary-away", S3,
        "Wide networks keep their decision boundary farther from test points than narrow ones.",
        "mean found step, widest over narrowest network, on the same images",
        "wide networks whose boundary is as close, or closer",
        Rule(above=1.05, null=1.0), ("real",), _LENGTHS, _SCOPE, {"real": "adversarial-mnist/h512"},
    ),
    Claim(
        "s3.larger-steps-fewer-errors", S3,
        "Networks whose boundary lies farther from test points make fewer errors.",
        "rank correlation across widths between the mean found step and the test error, one per replica",
        "errors that do not decrease as steps grow",
        Rule(below=-0.05, null=0.0), ("real",),
        "rank correlations below 0.05 explain less than half a percent of the ranks' variance", _SCOPE,
        {"real": "adversarial-mnist/h512"},
    ),
)
