"""``python -m figures``: compute the studies, write the report, show the ledger."""

import sys

from lab.cli import commands, main

COMMANDS = commands("figures.commands")

if __name__ == "__main__":
    sys.exit(main("figures", COMMANDS))
