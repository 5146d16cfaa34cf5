"""``python -m theory``: list, derive and check every formula."""

import sys

from lab.cli import main

COMMANDS = {
    "list": "theory.commands.list|every formula and prediction, with its source",
    "derive": "theory.commands.derive|derive a formula step by step",
    "check": "theory.commands.check|compare each prediction with an independent number",
}

if __name__ == "__main__":
    sys.exit(main("theory", COMMANDS))
