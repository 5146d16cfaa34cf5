"""``python -m theory``: list, derive and check formulas; compare features."""

import sys

import lab

try:
    from lab.cli import commands, main
except ImportError as error:
    if error.name not in ("lab", "lab.cli"):
        raise
    sys.exit(f"{lab.__file__} has the name of a room of the laboratory and hides it: rename the file, or work in another folder")

COMMANDS = commands("theory.commands")

if __name__ == "__main__":
    sys.exit(main("theory", COMMANDS))
