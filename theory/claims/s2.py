"""Claims of S2."""

from theory.claims import Claim, Rule

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = ()

# The ReLU landscape (toy.relu_landscape). P_fail(n): share of students of width n that end in a spurious minimum.
_S2 = "S2 (Martinelli, Brea, Gerstner et al. 2026)"

LANDSCAPE: tuple[Claim, ...] = (
    Claim(
        "s2.success-grows-with-width", _S2,
        "Wider students reach the global minimum more often.",
        "P_fail(k) - P_fail(n), n > k",
        "a wider student fails as often as one of the teacher's width, or more often",
        Rule(above=0.0), ("toy", "real"),
    ),
    Claim(
        "s2.wide-beats-multistart", f"{_S2}, escape dimensions",
        "One wide student succeeds more often than independent narrow ones with as many neurons in all.",
        "P_fail(k)^(n/k) - P_fail(n)",
        "restarts of the same budget fail as rarely as the wide student",
        Rule(above=0.0), ("toy", "real"),
    ),
    Claim(
        "s2.spurious-minima-become-saddles", f"{_S2}, escape dimensions",
        "A spurious minimum of the narrow network is a saddle of the network with one neuron more.",
        "share of spurious minima reached by training in which splitting some neuron opens a negative direction",
        "one minimum in twenty that stays a minimum however a neuron is split",
        Rule(above=0.95), ("theory", "toy"),
    ),
    Claim(
        "s2.tickets-are-not-independent", f"{_S2}, against the reading of width as many lottery tickets",
        "Width does not act as so many independent tickets of the teacher's width.",
        "effective tickets ln P_fail(n)/ln P_fail(k) over the nominal number C(n, k)",
        "as many effective tickets as there are subsets of k neurons, or more",
        Rule(below=1.0), ("toy",),
    ),
    Claim(
        "s2.tickets-need-their-rest", f"{_S2}, tickets rewound",
        "The neurons that became the teacher's do not win by themselves when they are rewound and trained alone.",
        "P(win) of the rewound ticket with the rest it had minus P(win) of the ticket alone",
        "a rewound ticket that wins alone as often as with its rest",
        Rule(above=0.05), ("toy",),
    ),
    Claim(
        "s2.perturbed-rest-spoils-tickets", f"{_S2}, tickets perturbed",
        "A winning ticket fails when the other neurons start elsewhere.",
        "P(win) of the rewound ticket with the rest it had minus P(win) with the rest drawn anew",
        "a ticket that wins with a new rest as often as with its own",
        Rule(above=0.05), ("toy",),
    ),
    Claim(
        "s2.adversarial-rest-spoils-tickets", f"{_S2}, tickets perturbed",
        "A winning ticket fails when the other neurons start at a spurious minimum.",
        "P(win) of the rewound ticket with the rest it had minus P(win) with the rest at a spurious minimum's neurons",
        "a ticket that wins with an adversarial rest as often as with its own",
        Rule(above=0.05), ("toy",),
    ),
    Claim(
        "s2.tickets-beat-fresh-starts", "Frankle & Carbin 2019 (arXiv 1803.03635), the lottery ticket hypothesis",
        "A rewound ticket wins more often than a fresh network of its size.",
        "P(win) of the rewound ticket alone minus P(win) of a fresh network of width k",
        "tickets alone that win as rarely as fresh networks of their size",
        Rule(above=0.0), ("toy",),
    ),
)
CLAIMS += LANDSCAPE
