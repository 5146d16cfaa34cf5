"""Claims by others on trained networks, in addition to those of S2: double descent, and solutions of nearly zero loss.

Declared before their runs; the settings are those of :mod:`empirical.studies.solutions`.
"""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

_ERRORS = "errors that differ by less than one percentage point count as equal"
_S2 = "S2 (Martinelli, Brea, Gerstner et al. 2026)"
DISCUSSION = "public discussion of S2"
_RATIOS = "ratios within 5 % of one count as equal"
_TRAINED = "networks too narrow to fit their samples, trained at a constant learning rate"
_LONGER = "an order of magnitude"
_LAST = "labels that are not fitted at the last look count as fitted at the next, after twice as many epochs"
_FITTED = "networks trained to a loss of 0.01 on the same samples"
_CIFAR10 = (Change("2026-11-28", "digits and MNIST; now also CIFAR-10, at one width",
                   "natural images, added after pilots, before any confirmatory run; the primary setting stays"),)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s2.final-ascent", "Final ascent (arXiv 2208.08003), against s2.second-descent",
        "With many wrong labels the test error rises again with width.",
        "test error of the widest network minus the smallest at any narrower width",
        "a widest network whose error is no larger than at some smaller width",
        Rule(above=0.01, null=0.0), ("real",), _ERRORS, "label noise, no ridge, no early stopping",
        {"real": "descent-mnist/noise0.4"},
        changes=(Change("2026-11-28", "over the smallest error at any width, the widest included; now at any narrower width",
                        "where the widest network is best, the difference was zero in every replica and could not be judged"),),
    ),
    Claim(
        "s2.second-descent-by-epochs", "Nakkiran et al. 2020 (arXiv 1912.02292)",
        "With wrong labels the test error falls, rises and falls again during training at a fixed width.",
        "the smaller of the rise of the test error during training and the fall that follows it",
        "a test error that does not rise, or does not fall again",
        Rule(above=0.01, null=0.0), ("real",), _ERRORS, "label noise, a constant learning rate, no early stopping",
        {"real": "descent-epochs-digits/h512-noise0.4"}, "noise",
    ),
    Claim(
        "s2.barriers-are-order", "Entezari et al. 2022 (arXiv 2110.06296); Ainsworth et al. 2023 (arXiv 2209.04836)",
        "The barrier between two wide solutions is mostly due to the order of their units.",
        "barrier of the training loss on the line between two networks: with units matched over without matching, widest network",
        "matching that leaves half of the barrier or more",
        Rule(below=0.5), ("real",), "“mostly” means more than half", _FITTED, {"real": "endings-mnist/base"},
        changes=_CIFAR10,
    ),
    Claim(
        "s3.minimisers-differ", "S3 (Yousefzadeh 2021, arXiv 2203.10366), background",
        "Networks that fit the same samples to nearly zero loss are different functions.",
        "share of test points to which two networks assign different classes, widest network",
        "networks that differ on no more than one test point in a hundred",
        Rule(above=0.01), ("real",), "one test point in a hundred", _FITTED, {"real": "endings-mnist/base"},
        changes=_CIFAR10,
    ),
    Claim(
        "s2.split-units-escape", f"{_S2}, escape dimensions",
        "Once its units are split, a trained narrow network trains on to a lower loss: width opens directions of escape.",
        "training loss after further training with split units, over that of the narrow network after as much further training",
        "split units that lower the loss no further than further training alone",
        Rule(below=0.95, null=1.0), ("real",), _RATIOS, _TRAINED, {"real": "escape-digits"},
    ),
    Claim(
        "s2.split-units-match-new-ones", f"{_S2}, escape dimensions",
        "Split units let a trained network escape as well as new units do.",
        "training loss after further training with split units, over that with as many new units",
        "new units that reach a loss lower by more than 5 %",
        Rule(below=1.05), ("real",), _RATIOS, _TRAINED, {"real": "escape-digits"},
    ),
    Claim(
        "s2.wide-fits-better-than-several", f"{_S2}, against a multi-start of narrow networks",
        "One wide network reaches a lower training loss than several narrow ones with as many units, however these are combined.",
        "training loss of the wide network over that of the combined narrow ones",
        "narrow networks that fit the samples as well when they are combined",
        Rule(below=0.95, null=1.0), ("real",), _RATIOS, "as many steps for each, and as many again for a retrained readout",
        {"real": "readouts-digits/retrained"},
    ),
    Claim(
        "s2.negative-curvature-goes", f"{DISCUSSION}, the index along training",
        "Negative curvature decreases during training.",
        "share of negative Hessian eigenvalues after the first epoch minus that at the end of training",
        "as large a share at the end",
        Rule(above=0.01, null=0.0), ("real",), "shares that differ by less than one in a hundred count as equal",
        "eigenvalues below minus a thousandth of the largest", {"real": "curvature-digits/h16"},
    ),
    Claim(
        "s3.random-labels-are-fitted", "Zhang et al. 2017 (arXiv 1611.03530), cited by S3",
        "Wide networks fit random labels, and need only a few times as many epochs as for true labels.",
        "epochs until random labels are fitted without error, over those for true labels; widest network",
        "labels that are not fitted, or take ten times as long",
        Rule(below=10.0), ("real",), _LONGER, _LAST, {"real": "memorise-digits"},
        changes=_CIFAR10,
    ),
    Claim(
        "s3.noise-is-fitted", "Zhang et al. 2017 (arXiv 1611.03530), cited by S3",
        "Wide networks fit images of noise, and need only a few times as many epochs as for real images.",
        "epochs until the labels of images of noise are fitted without error, over those for real images; widest network",
        "noise that is not fitted, or takes ten times as long",
        Rule(below=10.0), ("real",), _LONGER, _LAST, {"real": "memorise-digits"},
        changes=_CIFAR10,
    ),
)
