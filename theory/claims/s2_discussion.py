"""Claims of the public discussion of S2 on what training does: memorising against generalising."""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

DISCUSSION = "public discussion of S2"
_CAUSE = "proposed here as the cause of what s2.merged-regions-stay-merged finds"
_FITTED = "networks that fit their training samples without error"
_REAL = Change("2026-11-28", "a column for the toy only; now also one for real networks, with its own primary setting",
               "regions are followed on polygons through training images of one label")
_CIFAR10 = Change("2026-11-28", "digits in the column for real networks; now also CIFAR-10, at one width",
                  "natural images, added after pilots, before any confirmatory run; the primary setting stays")

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s2.memorising-needs-more-regions", DISCUSSION,
        "To memorise random labels, a network must keep more decision regions than to learn structured ones.",
        "decision regions at the end of training: random minus structured labels, widest network",
        "as many regions, or fewer, under random labels",
        Rule(above=2.0, null=0.0), ("toy", "real"), "regions around a closed curve come in pairs: one pair", _FITTED,
        {"toy": "memorise/regions", "real": "memorise-digits/regions"},
        changes=(_REAL, _CIFAR10, Change(
            "2026-11-28", "held above 0, for all networks; now above 2, for those that have memorised",
            "half of the networks with random labels were stopped before they had memorised them")),
    ),
    Claim(
        "s2.merged-regions-stay-merged", DISCUSSION,
        "Decision regions that have merged during training do not split again.",
        "re-splits per merged region during training, widest network",
        "more than one merged region in twenty that splits again",
        Rule(below=0.05), ("toy", "real"), "“hardly ever” means in fewer than one case in twenty", _FITTED,
        {"toy": "memorise/structured", "real": "memorise-digits/true"}, "labels",
        changes=(_REAL, _CIFAR10, Change("2026-11-28", "for all networks; now for those that have memorised",
                                         "half of the networks with random labels were stopped before they had")),
    ),
    Claim(
        "s2.resplits-follow-random-labels", _CAUSE,
        "Merged regions split again because random labels require it: the more labels are random, the more mergers are undone.",
        "re-splits per merged region: with a share of random labels minus without, on the same inputs",
        "as few re-splits with random labels as without",
        Rule(above=0.05, null=0.0), ("toy", "real"), "one merger in twenty, the bound of the claim that it explains", _FITTED,
        {"toy": "memorise-splits/share1", "real": "memorise-digits/share1"}, "share", changes=(_REAL, _CIFAR10),
    ),
    Claim(
        "s2.resplits-survive-small-steps", _CAUSE,
        "Merged regions split again under random labels however small the learning rate: large steps are not the cause.",
        "re-splits per merged region under random labels, at a fifth of the learning rate",
        "re-splits that disappear at a fifth of the learning rate",
        Rule(above=0.05), ("toy",), "one merger in twenty, the bound of the claim that it explains", _FITTED,
        {"toy": "memorise-splits/small-steps"},
    ),
    Claim(
        "s2.resplits-are-no-chance", _CAUSE,
        "New regions appear where regions of their class died, not at random places.",
        "share of new regions at a place where a region of their class died, minus that share for regions at random places",
        "new regions that appear at such places no more often than by chance",
        Rule(above=0.05, null=0.0), ("toy", "real"), "shares that differ by less than .05 count as equal", _FITTED,
        {"toy": "memorise-splits/random-labels", "real": "memorise-digits/random-labels"},
        changes=(_REAL, _CIFAR10),
    ),
    Claim(
        "s2.wide-solutions-agree", DISCUSSION,
        "Among solutions of nearly zero loss, wide networks differ less in test error than narrow ones.",
        "standard deviation of the test error over starts: widest over narrowest network, same data",
        "a spread that does not shrink with width",
        Rule(below=0.95, null=1.0), ("toy", "real"), "ratios within 5 % of one count as equal", _FITTED,
        {"toy": "memorise/spread", "real": "endings-mnist/base"},
        changes=(Change("2026-11-28", "held below 1; now below .95, with no effect within 5 % of 1",
                        "a bound is the smallest effect that matters"),),
    ),
    Claim(
        "s2.width-generalises", DISCUSSION,
        "Width does not overfit: at zero training error, the widest network has a smaller test error than the narrowest.",
        "test error of the narrowest minus that of the widest network, both trained to (nearly) zero training error",
        "a wide network that generalises worse",
        Rule(above=0.01, null=0.0), ("toy", "real"), "errors that differ by less than one percentage point count as equal",
        _FITTED, {"toy": "memorise/error", "real": "endings-mnist/base"},
        changes=(Change("2026-11-28", "held above 0; now above .01, with no effect within .01 of 0",
                        "a bound is the smallest effect that matters"),),
    ),
)
