"""Claims of the public discussion of S2 on what training does: memorising against generalising."""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

DISCUSSION = "public discussion of S2"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s2.memorising-needs-more-regions", DISCUSSION,
        "To memorise random labels a network must keep more decision regions than to learn structured ones.",
        "decision regions at the end of training: random minus structured labels, widest network",
        "as many regions, or fewer, under random labels",
        Rule(above=0.0), ("toy",),
    ),
    Claim(
        "s2.merged-regions-stay-merged", DISCUSSION,
        "Decision regions that have merged during training do not split again.",
        "re-splits a merged region along training, widest network",
        "more than one merged region in twenty splits again",
        Rule(below=0.05), ("toy",),
    ),
    Claim(
        "s2.wide-solutions-agree", DISCUSSION,
        "Among solutions of nearly zero loss, wide networks agree in their test error more than narrow ones.",
        "standard deviation of the test error over starts: widest over narrowest network, same data",
        "a spread that does not shrink with width",
        Rule(below=1.0), ("toy", "real"),
    ),
    Claim(
        "s2.width-generalises", DISCUSSION,
        "Width does not overfit: at zero training error the widest network has the smaller test error.",
        "test error of the narrowest minus that of the widest network, both trained to (nearly) zero training error",
        "a wide network that generalises worse",
        Rule(above=0.0), ("toy", "real"),
    ),
)
