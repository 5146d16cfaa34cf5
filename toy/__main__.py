"""``python -m toy``: one command per toy model."""

import sys

import lab

try:
    from lab.cli import main
    from toy.models import commands
except ImportError as error:
    if error.name not in ("lab", "lab.cli"):
        raise
    sys.exit(f"{lab.__file__} has the name of a room of the laboratory and hides it: rename the file, or work in another folder")

COMMANDS = commands()

if __name__ == "__main__":
    sys.exit(main("toy", COMMANDS))
