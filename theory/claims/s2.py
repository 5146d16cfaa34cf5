"""Claims of S2 on the ReLU landscape and its tickets.

P_fail(n): share of students of width n that end in a spurious minimum (toy.relu_landscape); share of real networks that end with
errors on their training samples (empirical.studies.solutions). Which settings count, and which is primary, follows from the
published table of Safran & Shamir (2018), not from our runs.
"""

from theory.claims import Change, Claim, Rule

__all__ = ["CLAIMS"]

_S2 = "S2 (Martinelli, Brea, Gerstner et al. 2026)"
_CHANCES = "probabilities of success that differ by less than .05 count as equal"
_TABLE = "teachers of 8 to 20 units (smaller ones have hardly any spurious minimum), one or two neurons more"
_FRESH = Change("2026-11-28", "compared with the ticket and its original neurons; now with a fresh network of the same width",
                "with its original neurons a winner wins by construction, so the difference could not be negative")
_MATTERS = Change("2026-11-28", "held above 0; now above .05, with no effect within .05 of 0",
                  "a bound is the smallest effect that matters")


_REAL = Change("2026-11-28", "a column for the toy only; now also one for real networks, with its own primary setting",
               "real networks are pruned, rewound and trained again in the same arms")


def _primary(study: str, real: str = "") -> dict:
    return {"toy": f"{study}/k16-n17", **({"real": real} if real else {})}


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "s2.success-grows-with-width", _S2,
        "Wider students reach the global minimum more often.",
        "P_fail(k) - P_fail(n), n > k",
        "a wider student fails as often as one of the teacher's width, or more often",
        Rule(above=0.05, null=0.0), ("toy", "real"), _CHANCES, _TABLE, _primary("relu-landscape", "success-digits/n12"),
        changes=(_MATTERS,),
    ),
    Claim(
        "s2.wide-beats-multistart", f"{_S2}, escape dimensions",
        "One wide student succeeds more often than independent narrow ones with as many neurons in total.",
        "P_fail(k)^(n/k) - P_fail(n)",
        "restarts with the same budget fail as rarely as the wide student",
        Rule(above=0.05, null=0.0), ("toy", "real"), _CHANCES, _TABLE, _primary("relu-landscape", "success-digits/n12"),
        changes=(_MATTERS,),
    ),
    Claim(
        "s2.spurious-minima-become-saddles", f"{_S2}, escape dimensions",
        "A spurious minimum of the narrow network is a saddle of the network with one neuron more.",
        "share of spurious minima in which splitting some neuron opens a negative direction",
        "one minimum in twenty that stays a minimum whichever neuron is split",
        Rule(above=0.95), ("theory", "toy"), "exceptions to a rule are rare: fewer than one in twenty",
        "minima at n = k that training reaches; in theory those of one symmetry type; in real networks, whose training does not "
        "end at minima, s2.split-units-escape takes its place", {"toy": "relu-landscape/k16"},
    ),
    Claim(
        "s2.spurious-spectra-agree", "Arjevani & Field 2020, 2021 (arXiv 2008.01805, 2107.10370)",
        "The Hessian spectra of spurious and global minima agree up to order one over the square root of the dimension.",
        "exponent in k of the root mean square difference of sorted Hessian eigenvalues, spurious minimum against teacher",
        "spectra that approach each other more slowly, or not at all",
        Rule(below=-0.5), ("theory",), "the exponent in the claim", "k = n, minima with one anti-aligned neuron",
    ),
    Claim(
        "s2.copy-average-is-best", "Simsek et al. 2023 (arXiv 2311.01644)",
        "A student of n units on k > n equal teacher units does at best as well as n - 1 units that each copy one teacher unit "
        "and one unit that averages the others.",
        "share of trained students whose loss is below that of the best copy-average point",
        "one student in twenty that ends below that point",
        Rule(below=0.05), ("toy",), "exceptions to a rule are rare: fewer than one in twenty",
        "erf units, orthogonal directions of norm one, output weights trained", {"toy": "copy-average/k6-n3"},
    ),
    Claim(
        "s2.tickets-are-not-independent", f"{_S2}, against the view of width as many lottery tickets",
        "Width does not act like many independent tickets of the teacher's width.",
        "nominal number of tickets C(n, k) over the effective one, ln P_fail(n)/ln P_fail(k)",
        "as many effective tickets as there are subsets of k neurons, or more",
        Rule(above=1.05, null=1.0), ("toy", "real"), "ratios within 5 % of one count as equal",
        "n = k + 1: with two neurons more, none of the published runs fails, and the ratio of logarithms cannot be estimated",
        _primary("relu-landscape", "success-digits/n7"),
        changes=(Change("2026-11-28", "effective over nominal tickets below 1, in cells with ten failures or more; now its "
                        "inverse above 1.05, in every cell with n = k + 1",
                        "the filter depended on the outcome; where none fails, the inverse still has an interval"), _REAL),
    ),
    Claim(
        "s2.tickets-need-their-rest", f"{_S2}, tickets rewound",
        "Winning tickets, the neurons that became the teacher's, do not win when they are rewound and trained alone.",
        "P(win) of a fresh network of width n minus P(win) of the rewound ticket alone",
        "a rewound ticket that wins alone as often as a fresh network of the width it was taken from",
        Rule(above=0.05, null=0.0), ("toy", "real"), _CHANCES, "", _primary("relu-tickets", "tickets-digits/start"),
        changes=(_FRESH, _REAL),
    ),
    Claim(
        "s2.perturbed-rest-spoils-tickets", f"{_S2}, tickets perturbed",
        "A winning ticket has no advantage when the other neurons start elsewhere.",
        "P(win) of the rewound ticket with the other neurons redrawn minus P(win) of a fresh network of the same width",
        "a ticket that wins with redrawn neurons more often than a fresh network",
        Rule(below=0.05), ("toy", "real"), _CHANCES, "widths at which fresh networks fail in 5 % of the published runs or more",
        _primary("relu-tickets", "tickets-digits/start"),
        changes=(_FRESH, _REAL),
    ),
    Claim(
        "s2.adversarial-rest-spoils-tickets", f"{_S2}, tickets perturbed",
        "A winning ticket has no advantage when the other neurons start at a spurious minimum.",
        "P(win) of the rewound ticket with the other neurons started at a spurious minimum minus P(win) of a fresh network of "
        "the same width",
        "a ticket that wins with adversarial neurons more often than a fresh network",
        Rule(below=0.05), ("toy", "real"), _CHANCES, "widths at which fresh networks fail in 5 % of the published runs or more",
        _primary("relu-tickets", "tickets-digits/start"),
        changes=(_FRESH, _REAL),
    ),
    Claim(
        "s2.tickets-beat-fresh-starts", "Frankle & Carbin 2019 (arXiv 1803.03635), the lottery ticket hypothesis",
        "A rewound ticket wins more often than a fresh network of its size.",
        "P(win) of the rewound ticket alone minus P(win) of a fresh network of width k",
        "tickets alone that win as rarely as fresh networks of their size",
        Rule(above=0.05, null=0.0), ("toy", "real"), _CHANCES, "", _primary("relu-tickets", "tickets-digits/start"),
        changes=(_MATTERS, _REAL),
    ),
)
