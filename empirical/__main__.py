"""``python -m empirical``: sweeps over the width of real networks."""

import sys

from lab.cli import main

COMMANDS = {
    "sweep": "empirical.commands.sweep|one wide network against many narrow ones",
}

if __name__ == "__main__":
    sys.exit(main("empirical", COMMANDS))
