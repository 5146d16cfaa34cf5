"""Claims of S3's background on adversarial changes, and what width has to do with them.

A step is *found* by a search and changes an answer, or *certified*, below which none does; the least change lies between the two.
Widths are compared by found steps, since certified ones fall short of them by more the wider a network is.
Declared before their runs; the settings are those of :mod:`empirical.studies.solutions.adversarial`.
"""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

S3 = "S3 (Yousefzadeh 2022, arXiv 2203.10366), background"
_LENGTHS = "lengths within 5 % of each other are called equal"
_SCOPE = "one hidden layer, trained to a loss of 0.01; test pictures that every network gets right"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s3.answers-give-way-to-small-changes", S3,
        "Networks that generalise well are susceptible to changes smaller than those that the nearest neighbour's answer bears.",
        "found step of the widest network over the certified step of the nearest-neighbour rule, means over pictures",
        "answers that bear changes as large as the nearest neighbour's",
        Rule(below=0.95, null=1.0), ("real",), _LENGTHS, f"{_SCOPE}, and the nearest neighbour, too",
        {"real": "adversarial-mnist/h512"},
    ),
    Claim(
        "s3.width-moves-the-boundary-away", S3,
        "Wide networks keep their decision boundary farther from test points than narrow ones.",
        "mean step found, widest over narrowest network, the same pictures",
        "wide networks whose boundary is as near, or nearer",
        Rule(above=1.05, null=1.0), ("real",), _LENGTHS, _SCOPE, {"real": "adversarial-mnist/h512"},
    ),
    Claim(
        "s3.larger-steps-fewer-errors", S3,
        "Networks whose boundary lies farther from test points make fewer errors.",
        "rank correlation over widths of the mean step found with the test error, replica by replica",
        "errors that do not fall as the steps grow",
        Rule(below=-0.05, null=0.0), ("real",),
        "rank correlations below 0.05 explain less than half a percent of the ranks' variance", _SCOPE,
        {"real": "adversarial-mnist/h512"},
    ),
)
