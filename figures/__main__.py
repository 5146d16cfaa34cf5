"""``python -m figures``: compute the studies, write the report, show the ledger."""

import sys

from lab.cli import main

COMMANDS = {
    "run": "figures.commands.run|compute the studies of a scale, then write the report",
    "report": "figures.commands.report|write the report from the tables that exist",
    "verify": "figures.commands.verify|the ledger: every claim by theory, toy and real networks",
    "keep": "figures.commands.keep|keep fresh tables with the project",
    "readme": "figures.commands.readme|write the README's table of claims from the kept tables",
    "gallery": "figures.commands.gallery|save pictures of the report as files",
}

if __name__ == "__main__":
    sys.exit(main("figures", COMMANDS))
