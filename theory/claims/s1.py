"""Claims of S1."""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="s1.sgd-width-adds-removable-or-repeated-units",
        source="S1, arXiv 1912.04783, abstract and section 4; here for students whose units are known exactly",
        claim="A wider student trained by SGD has more units that are removable, repeated, or either.",
        statistic="number of hidden units that are removable (1 % of the output's mean square at most) or repeated "
                  "(correlation of 0.95 at least with another one): wide minus narrow student",
        refuted_by="a wider student with no more such units than a narrower one of twice the teacher's width",
        rule=Rule(above=0.0),
        columns=("toy",),
    ),
)
