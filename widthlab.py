"""What does width buy a neural network? The front door of the laboratory: its names for scripts, its console script.

Nothing is defined here: every name is another room's, and its module is loaded when the name is first used.
"""

from lab import __version__ as __version__
from lab.discover import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {
    "theory.moments": ["Moments"],
    "theory.derivation": ["derivations", "find_derivation"],
    "theory.claims": ["Claim", "Evidence", "claims"],
    "theory.hull": ["project"],
    "lab": ["Estimate", "RunStore", "Study", "generator", "mean_interval", "share_interval"],
})
ROOMS = {
    "toy": "simulations of toy models, beside their theory",
    "theory": "formulas: derive them, check them",
    "empirical": "real networks: sweeps over their width, their units and hulls",
    "figures": "pictures, the ledger of claims, the report",
}
SHORT = {"sweep": "empirical", "report": "figures"}


def main(argv=None) -> int:
    """The console script ``widthlab``; returns the exit code."""
    from lab.front import front

    return front(ROOMS, SHORT, argv)


if __name__ == "__main__":
    raise SystemExit(main())
