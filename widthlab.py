"""What does width buy a neural network? The front door of the laboratory: its names for scripts, its console script.

Nothing is defined here: every name is another room's, and its module is loaded when the name is first used (PyTorch with
``from_module`` and ``sweep``). The rooms themselves are ``widthlab.toy``, ``widthlab.theory`` and so on.
"""

import empirical as empirical
import figures as figures
import lab as lab
import theory as theory
import toy as toy
from lab import __version__ as __version__
from lab.discover import exports, lazy

__getattr__, __dir__, __all__ = lazy(__name__, {
    "empirical.own.module": ["from_module"],
    "empirical.sweep": ["sweep"],
    "theory.compare": ["compare", "compare_all", "compare_moments"],
    "theory.claims": ["Claim", "Evidence", "claims"],
    "theory.derivation": ["derivations", "find_derivation"],
    "theory.hull": ["project"],
    "theory.moments": ["Moments"],
    **exports("theory.measures"),
    "lab": lab.__all__,
})
__all__ += ["empirical", "figures", "lab", "theory", "toy"]

ROOMS = {
    "toy": "simulations of toy models, beside their theory",
    "theory": "formulas: derive them, check them",
    "empirical": "real networks: sweeps over their width, their units and hulls",
    "figures": "pictures, the ledger of claims, the report",
}
SHORT = {"compare": "theory", "sweep": "empirical", "report": "figures"}  # commands that can be called without their room


def main(argv=None) -> int:
    """The console script ``widthlab``; returns the exit code."""
    from lab.front import front

    return front(ROOMS, SHORT, argv)


if __name__ == "__main__":
    raise SystemExit(main())
