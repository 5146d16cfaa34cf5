"""``python -m toy``: one command a toy model."""

import sys

from lab.cli import main
from toy.models import commands

COMMANDS = commands()

if __name__ == "__main__":
    sys.exit(main("toy", COMMANDS))
