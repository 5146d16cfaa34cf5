"""``python -m theory list``: every formula with its source, and every check."""

from lab.cli import say
from lab.console import called
from theory.derivation import check_functions, derivations

HELP = "every formula and prediction, with its source"


def add_arguments(parser) -> None:
    """No flags of its own."""


def run(args) -> dict:
    """List derivations (name, status, statement, source) and the names of the checks."""
    formulas = [{"name": name, "status": f.status, "statement": f.statement, "source": f.source}
                for name, f in derivations().items()]
    checks = list(check_functions())
    width = max((len(f["name"]) for f in formulas), default=0)
    say(f"formulas ({called('theory derive NAME')})")
    for f in formulas:
        say(f"  {f['name']:<{width}}  {f['status']:<7}  {f['statement']}  [{f['source']}]")
    say(f"checks ({called('theory check --only NAME')})")
    for name in checks:
        say(f"  {name}")
    return {"derivations": formulas, "checks": checks}
