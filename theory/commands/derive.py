"""``python -m theory derive NAME``: a formula derived step by step, as text or LaTeX."""

from lab.cli import say
from lab.console import called
from theory.derivation import find_derivation

HELP = "derive a formula step by step"


def add_arguments(parser) -> None:
    """NAME and --latex."""
    parser.add_argument("name", help=f"as shown by {called('theory list')}")
    parser.add_argument("--latex", action="store_true", help="a LaTeX fragment instead of plain text")


def run(args) -> dict:
    """Derive the formula, print its steps, return them."""
    d = find_derivation(args.name)()
    text = d.to_latex() if args.latex else d.to_text()
    say(text.rstrip("\n"))
    return {"name": d.name, "status": d.status, "statement": d.statement, "source": d.source, "symbols": d.symbols,
            "steps": [{"text": s.text, "equation": None if s.equation is None else str(s.equation)} for s in d.steps],
            "result": None if d.result is None else str(d.result), "latex" if args.latex else "text": text}
