"""``python -m theory``: list, derive and check every formula."""

import sys

from lab.cli import commands, main

COMMANDS = commands("theory.commands")

if __name__ == "__main__":
    sys.exit(main("theory", COMMANDS))
