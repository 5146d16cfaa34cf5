"""``python -m empirical``: sweeps over the width of real networks."""

import sys

from lab.cli import main

COMMANDS = {
    "bench": "empirical.commands.bench|speed on this device, as times and ratios",
    "hull": "empirical.commands.hull|test points against the hull of the training set",
    "sweep": "empirical.commands.sweep|one wide network against many narrow ones",
    "units": "empirical.commands.units|removable and repeated units against width",
}

if __name__ == "__main__":
    sys.exit(main("empirical", COMMANDS))
