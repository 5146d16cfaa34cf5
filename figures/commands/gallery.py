"""Save pictures of the report as SVG files."""

from lab.arguments import folder
from lab.cli import say

HELP = "save the pictures of the report as SVG files"


def add_arguments(parser):
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--to", type=folder, default="report/pictures", help="folder for the pictures")
    parser.add_argument("--only", nargs="+", metavar="SECTION", help="only these sections")


def run(args) -> dict:
    import re
    from pathlib import Path

    from figures import catalogue
    from figures.section import sections
    from lab.store import write_atomically

    tables = catalogue.tables(args.out)
    folder = Path(args.to)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for section in sections():
        if args.only and section.id not in args.only:
            continue
        for picture in section.draw({name: tables[name] for name in section.studies if name in tables}):
            slug = re.sub(r"[^a-z0-9]+", "-", picture.title.lower()).strip("-")
            path = folder / f"{section.id}-{slug}.svg"
            write_atomically(path, '<?xml version="1.0" encoding="utf-8"?>\n' + picture.svg)
            paths.append(str(path))
            say(path)
    return {"pictures": paths}
