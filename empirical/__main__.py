"""``python -m empirical``: sweeps over the width of real networks."""

import sys

from lab.cli import commands, main

COMMANDS = commands("empirical.commands")

if __name__ == "__main__":
    sys.exit(main("empirical", COMMANDS))
