"""Claims of S1: removable and repeated units.

A replica is one seed with a network at every width. Differences and growth rates are taken within a replica, whose networks share
their data.
"""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

_S1 = "S1 (Casper et al., arXiv 1912.04783)"
_OURS = "control of S1's claim, ours"
_GROWTH = "5 % per doubling: about a fifth over the sixteenfold range of widths"
_PREDICTIONS, _PAIRS, _UNITS = (f"one {what} in a hundred" for what in ("prediction", "pair of units", "unit"))
_BY_MARGIN = (Change("2026-11-28", "held on one side of no effect (0, or a growth of 1); now beyond the smallest effect that "
                     "matters", "with the bound at no effect, its absence could never be shown"),)
_ALEXNET, _TOY = "units-alexnet/he", "units/d10-n10000-standard-balanced"
_BOTH = {"real": _ALEXNET, "toy": _TOY}
_ALL = "MLPs on synthetic data; MLP, AlexNet, ResNets, VGG, Inception and Transformer with every swept hyperparameter"
_WITHOUT_NORM = "networks without batch norm, which undoes the scale of a start"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s1.width-raises-either", _S1,
        "Width raises the number of removable units, of repeated units, or of both, for every setting of the hyperparameters, by "
        "more than in proportion to the number of units.",
        "growth per doubling of width of the share of removable units (fraction ablated at which 80 % of predictions are "
        "unchanged) or of the share of similar pairs (|r| of at least 0.5), whichever is larger",
        "settings in which neither share grows, so that the numbers rise only because there are more units",
        Rule(above=1.05, null=1.0), ("toy", "real"), _GROWTH, _ALL, _BOTH, "batch norm",
        (Change("2026-11-28", "growth of the numbers, above 1, beside a second claim (s1.width-raises-either-share) on the "
                "growth of the shares; now one claim, on the shares, above 1.05",
                "a constant share of all units grows in number by a factor of 2 per doubling, so that a growth above 1 could "
                "hardly fail, and the two statistics differed by that factor alone"),),
    ),
    Claim(
        "s1.removable-share-grows", _S1,
        "Wider networks keep more of their predictions when a fraction of their units is ablated at random.",
        "mean share of unchanged predictions over the fractions 0, 1/6, ..., 1 (AUC), widest minus narrowest",
        "a curve that does not rise with width",
        Rule(above=0.01, null=0.0), ("toy", "real"), _PREDICTIONS, _ALL, _BOTH, "labels",
        changes=_BY_MARGIN,
    ),
    Claim(
        "s1.similar-share-grows", _OURS,
        "The share of similar pairs among all pairs of units grows with width.",
        "growth per doubling of the share of pairs with |r| of at least 0.5 (1: the number of similar units only doubles)",
        "a share that stays or falls",
        Rule(above=1.05, null=1.0), ("toy", "real"), _GROWTH, f"{_ALL}; settings with similar pairs at some width", _BOTH,
        "start",
        changes=(*_BY_MARGIN, Change(
            "2026-11-28", "a share of 0 counted as half a pair of units at its own width; now shares below half a pair at the "
            "narrowest width count as that", "the smallest share that can be observed falls with width, and a setting of "
            "the toy without similar pairs in most networks (d = 10,000, small start) looked like a falling share")),
    ),
    Claim(
        "s1.random-layers-double", _OURS,
        "Random layers already show the growth that S1 counts: without training, the number of similar units per unit doubles "
        "with width.",
        "growth per doubling of the share of similar pairs before training, times width",
        "untrained layers whose number of similar units grows at another rate",
        Rule(above=1.8, below=2.2), ("toy", "real"), "a tenth of the factor",
        "untrained networks, each counted once however many trainings start from it; for i.i.d. units of a single random layer "
        "doubling is an identity (theory), so the question is about deeper layers on data",
        {"real": "units-alexnet/start", "toy": "units/start-d10"}, "batch norm",
        (Change("2026-11-28", "a theory column, and one piece of evidence per training; now no theory, and one piece per start",
                "doubling is an identity for i.i.d. units, and trainings from one start measure it only once"),),
    ),
    Claim(
        "s1.more-similar-than-start", _OURS,
        "Training, not just the start, makes units similar in wide networks.",
        "share of similar pairs at the largest width, after minus before training",
        "trained networks with no more similar pairs than untrained ones",
        Rule(above=0.01, null=0.0), ("toy", "real"), _PAIRS, _ALL, _BOTH, "batch norm",
        changes=_BY_MARGIN,
    ),
    Claim(
        "s1.compressibility-beyond-start", _OURS,
        "Training makes the features of wide networks more compressible than those of untrained ones.",
        "share of the smallest covariance eigenvalues that hold 5 % of the variance, at the largest width, after minus before "
        "training",
        "trained features no more compressible than untrained ones",
        Rule(above=0.01, null=0.0), ("toy", "real"), "one direction in a hundred", _ALL, _BOTH, "batch norm",
        changes=_BY_MARGIN,
    ),
    Claim(
        "s1.large-start-u-shape", f"{_S1}, MLP with d = 10 and large initialisation",
        "With a large start the removable share is U-shaped in width.",
        "AUC at the smallest or the largest width, whichever is smaller, minus that at the middle width",
        "a removable share that is flat or monotonic in width",
        Rule(above=0.01, null=0.0), ("toy",), _PREDICTIONS, "MLPs with d = 10 and starts five times as large as He's",
        {"toy": "units/d10-n10000-large-balanced"},
        changes=_BY_MARGIN,
    ),
    Claim(
        "s1.small-start-repeats", f"{_S1}, MLPs with d = 10",
        "Small starts lead to repeated units, large ones do not.",
        "share of similar pairs at the largest width, small minus large start",
        "as many similar pairs with large starts",
        Rule(above=0.01, null=0.0), ("toy",), _PAIRS, "MLPs with d = 10, starts a tenth and five times as large as He's",
        {"toy": "units/d10-n10000-small-balanced"},
        changes=_BY_MARGIN,
    ),
    Claim(
        "s1.high-dimension-does-not-repeat", f"{_S1}, MLPs with d = 10,000",
        "In high dimension there are no repeated units.",
        "similar units per unit at the largest width",
        "more than one similar unit per ten units",
        Rule(below=0.1), ("toy",), "one similar unit per ten units", "MLPs with d = 10,000",
        {"toy": "units/d10000-n1000-standard-balanced"},
    ),
    Claim(
        "s1.he-repeats-where-glorot-is-removable", f"{_S1}, AlexNet without batch norm",
        "He initialisation leads to repeated units where Glorot initialisation does not.",
        "share of similar pairs at the largest width, He minus Glorot",
        "as many similar pairs with Glorot initialisation",
        Rule(above=0.01, null=0.0), ("real",), _PAIRS, _WITHOUT_NORM, {"real": "units-alexnet/he-against-glorot"},
        changes=_BY_MARGIN,
    ),
    Claim(
        "s1.glorot-is-more-removable", f"{_S1}, AlexNet without batch norm",
        "Glorot initialisation makes units of wide networks more removable than He initialisation does.",
        "AUC with all layers ablated at once at the largest width, Glorot minus He",
        "networks with He initialisation that keep as many predictions",
        Rule(above=0.01, null=0.0), ("real",), _PREDICTIONS, _WITHOUT_NORM, {"real": "units-alexnet/he-against-glorot"},
        changes=_BY_MARGIN,
    ),
    Claim(
        "s1.smaller-network-agrees", "consequence of S1's claim, ours",
        "Taking out removable units and merging repeated ones gives a smaller network that makes the same predictions.",
        "agreement of the smaller network with the original at the largest width, on inputs not used to choose its units (the "
        "units to remove are chosen so that 90 % of the predictions on other inputs are unchanged)",
        "a smaller network that agrees on less than 85 %",
        Rule(above=0.85), ("toy", "real"), "5 points below the agreement aimed at when the units are chosen", _ALL, _BOTH,
        "batch norm",
    ),
    Claim(
        "s1.kept-share-falls", "consequence of S1's claim, ours",
        "The wider the network, the smaller the share of its units that the smaller network needs.",
        "share of units kept, widest minus narrowest",
        "a share that does not fall",
        Rule(below=-0.01, null=0.0), ("toy", "real"), _UNITS, _ALL, _BOTH, "batch norm",
        changes=_BY_MARGIN,
    ),
    Claim(
        id="s1.sgd-width-adds-removable-or-repeated-units",
        source="S1, arXiv 1912.04783, abstract and section 4; here for students whose units are known exactly",
        claim="Most of the additional units of a wider student trained by SGD are removable or repeated.",
        statistic="number of hidden units that are removable (at most 1 % of the output's mean square) or repeated "
                  "(correlation of at least 0.95 with another unit), wide minus narrow student, over the difference of widths",
        refuted_by="a wider student with at least half of its additional units neither removable nor repeated",
        rule=Rule(above=0.5, null=0.0),
        columns=("toy",),
        bound_reason="half of the additional units",
        scope="students at least twice as wide as their teacher",
        changes=(*_BY_MARGIN, Change("2026-11-28", "more than one additional unit, of 28; now more than half of them",
                                     "a bound of one unit could hardly fail")),
    ),
)
