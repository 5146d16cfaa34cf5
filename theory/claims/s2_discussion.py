"""Claims of the public discussion of S2 on what training does: memorising against generalising."""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

DISCUSSION = "public discussion of S2"
_CAUSE = "put forward here, as the cause of what s2.merged-regions-stay-merged finds"
_FITTED = "networks that have fitted their training samples without an error"
_REAL = Change("2026-11-28", "a column of the toy alone; now one of real networks, too, with a primary setting of its own",
               "regions are followed on polygons through training pictures of a label")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s2.memorising-needs-more-regions", DISCUSSION,
        "To memorise random labels a network must keep more decision regions than to learn structured ones.",
        "decision regions at the end of training: random minus structured labels, widest network",
        "as many regions, or fewer, under random labels",
        Rule(above=2.0, null=0.0), ("toy", "real"), "regions around a closed curve come in pairs: one pair", _FITTED,
        {"toy": "memorise/regions", "real": "memorise-digits/regions"},
        changes=(_REAL, Change("2026-11-28", "held above 0, whether networks had memorised or not; now above 2, of those that "
                               "have", "half of the networks with random labels were stopped before they had memorised them"),),
    ),
    Claim(
        "s2.merged-regions-stay-merged", DISCUSSION,
        "Decision regions that have merged during training do not split again.",
        "re-splits a merged region along training, widest network",
        "more than one merged region in twenty splits again",
        Rule(below=0.05), ("toy", "real"), "what hardly ever happens happens in fewer than one case in twenty", _FITTED,
        {"toy": "memorise/structured", "real": "memorise-digits/true"}, "labels",
        changes=(_REAL, Change("2026-11-28", "of all networks; now of those that have memorised",
                        "half of the networks with random labels were stopped before they had"),),
    ),
    Claim(
        "s2.resplits-follow-random-labels", _CAUSE,
        "Merged regions split again because random labels ask for it: the more of them, the more mergers come undone.",
        "re-splits a merged region: with a share of the labels random minus with none, on the same inputs",
        "as few re-splits with random labels as without",
        Rule(above=0.05, null=0.0), ("toy", "real"), "one merger in twenty, the bound of the claim that it explains", _FITTED,
        {"toy": "memorise-splits/share1", "real": "memorise-digits/share1"}, "share", changes=(_REAL,),
    ),
    Claim(
        "s2.resplits-survive-small-steps", _CAUSE,
        "Merged regions split again under random labels however small the steps of training: it is not their noise.",
        "re-splits a merged region under random labels, at a fifth of the learning rate",
        "a fifth of the learning rate that does away with re-splits",
        Rule(above=0.05), ("toy",), "one merger in twenty, the bound of the claim that it explains", _FITTED,
        {"toy": "memorise-splits/small-steps"},
    ),
    Claim(
        "s2.resplits-are-no-chance", _CAUSE,
        "Regions are born again where they died, not anywhere.",
        "share of newborn regions that lie on a grave of their class, minus that of regions born anywhere",
        "births that meet graves no more often than by chance",
        Rule(above=0.05, null=0.0), ("toy", "real"), "shares of births that differ by less than .05 are called equal", _FITTED,
        {"toy": "memorise-splits/random-labels", "real": "memorise-digits/random-labels"}, changes=(_REAL,),
    ),
    Claim(
        "s2.wide-solutions-agree", DISCUSSION,
        "Among solutions of nearly zero loss, wide networks agree in their test error more than narrow ones.",
        "standard deviation of the test error over starts: widest over narrowest network, same data",
        "a spread that does not shrink with width",
        Rule(below=0.95, null=1.0), ("toy", "real"), "ratios within 5 % of one are called equal", _FITTED,
        {"toy": "memorise/spread", "real": "endings-mnist/base"},
        changes=(Change("2026-11-28", "held below 1; now below .95, with no effect within 5 % of 1",
                        "a bound is the smallest effect that matters"),),
    ),
    Claim(
        "s2.width-generalises", DISCUSSION,
        "Width does not overfit: at zero training error the widest network has the smaller test error.",
        "test error of the narrowest minus that of the widest network, both trained to (nearly) zero training error",
        "a wide network that generalises worse",
        Rule(above=0.01, null=0.0), ("toy", "real"), "errors that differ by less than one percentage point are called equal",
        _FITTED, {"toy": "memorise/error", "real": "endings-mnist/base"},
        changes=(Change("2026-11-28", "held above 0; now above .01, with no effect within .01 of 0",
                        "a bound is the smallest effect that matters"),),
    ),
)
