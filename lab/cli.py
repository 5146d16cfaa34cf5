"""One command line for every room: ``python -m <room> <command> [flags]``.

A room's ``__main__`` hands :func:`main` a table of commands. A command is a module (imported only when it is called,
so that ``python -m toy bumps`` pays for nothing else) that defines

``HELP``
    one line, unless the table has it;
``add_arguments(parser)``
    its flags;
``run(args) -> dict``
    the work: returns a JSON-able result. Human-readable text goes through :func:`say`.

Contract: with ``--json`` standard output is exactly one JSON object, everything else goes to standard error; exit
codes are 0, 1 (failed, or stopped by Ctrl-C, SIGTERM or SIGHUP) and 2 (bad usage). A result may carry ``"exit_code"``
(dropped from the output) to fail after printing.
"""

import argparse
import dataclasses
import importlib
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from lab.console import check_streams, discard_output, interruptible, output
from lab.discover import read
from lab.errors import InputError, UsageError
from lab.estimate import Estimate
from lab.places import plain_name, usable_folder

_ROOMS = ("lab", "theory", "toy", "empirical", "figures")


class _Parser(argparse.ArgumentParser):
    """argparse with one-line errors."""

    def error(self, message):
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


def say(*parts) -> None:
    """Print a line for a person. Standard output stays free for ``--json``."""
    print(*parts, file=sys.stderr, flush=True)


def jsonable(value):
    """The value as plain JSON types: Estimates as objects, arrays as lists, numbers that are not finite as null."""
    if isinstance(value, Estimate):
        return value.to_json()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return jsonable(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, str) or value is None:
        return value
    if hasattr(value, "tolist"):  # NumPy arrays and scalars, torch tensors
        value = value.tolist()
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Sequence | set | frozenset):
        return [jsonable(v) for v in value]
    return str(value)


def commands(package: str) -> dict[str, str]:
    """The table of commands of a room: every file of a folder, with its ``HELP``, which is read without loading the file.

    Raises
    ------
    lab.discover.DeclarationError : a file without ``HELP``.
    """
    found = read(package, "HELP", str)
    return {module.rpartition(".")[2].replace("_", "-"): f"{module}|{text}" for module, text in found}


def main(room: str, commands: Mapping[str, str], argv: Sequence[str] | None = None) -> int:
    """Parse, import the one command that was asked for, run it, and turn its outcome into output and exit code.

    Parameters
    ----------
    room : name of the room, as in ``python -m room``.
    commands : command name -> "module" or "module|one-line help".
    argv : arguments without the program's name (default: ``sys.argv[1:]``).

    Returns
    -------
    int : 0, 1 (failed) or 2 (bad usage).
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = _Parser(prog=f"python -m {room}", formatter_class=argparse.RawDescriptionHelpFormatter)
    table = {name: entry.partition("|")[::2] for name, entry in commands.items()}
    width = max(map(len, table), default=0)
    parser.epilog = "commands:\n" + "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in table.items())
    parser.add_argument("command", choices=list(table), metavar="command", help="one of the commands below")
    if not argv or argv[0] in ("-h", "--help"):
        parser.print_help(sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    try:
        name = parser.parse_args(argv[:1]).command
    except SystemExit as stop:
        return int(stop.code or 0)
    program = f"python -m {room} {name}"
    try:
        with interruptible():
            return _carry_out(program, *table[name], argv[1:])
    except SystemExit as stop:
        return int(stop.code or 0)
    except InputError as error:
        print(f"{program}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except ImportError:
        if not (strangers := _strangers()):
            raise
        print(f"{program}: {strangers[0]} has the name of a room of the laboratory and is found before it: rename it, or "
              "work in another folder", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted; what is finished is stored, the same command goes on from there",
              file=sys.stderr)
        return 1
    except BrokenPipeError:
        discard_output()
        return 1


def _carry_out(program: str, command: str, text: str, argv: Sequence[str]) -> int:
    """Import the command's module, parse its flags, run it and print its result; returns the exit code."""
    check_streams()
    module = importlib.import_module(command)
    parser = _Parser(prog=program, description=text or module.HELP, formatter_class=argparse.ArgumentDefaultsHelpFormatter,
                     allow_abbrev=False)
    module.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object on standard output")
    args = parser.parse_args(argv)
    from lab.threads import fixed

    with fixed(1):  # what a command prints, too, is the same on any number of cores
        result = dict(module.run(args) or {})
    code = int(result.pop("exit_code", 0))
    with output():
        if args.json:
            print(json.dumps(jsonable(result), allow_nan=False))
    return code


def _strangers() -> list[str]:
    """Files found in place of rooms, such as a ``theory.py`` in the working folder."""
    found = [spec.origin for room in _ROOMS if (spec := find_spec(room)) and spec.origin]
    home = Path(__file__).resolve().parents[1]
    return [origin for origin in found if Path(origin).resolve().parents[1] != home]


def argument(check: Callable) -> Callable:
    """Argparse type from a check that returns what it is given, or raises an InputError that says what is wrong."""
    def convert(text: str):
        try:
            return check(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


folder = argument(usable_folder)
store_name = argument(plain_name)


def fraction(text: str):
    """Argparse type for a width multiplier: ``1``, ``1/8`` or ``0.25`` as an exact positive Fraction."""
    from fractions import Fraction

    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a fraction like 1/8") from None
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not positive")
    return value


def positive_int(text: str) -> int:
    """Argparse type: an integer >= 1."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be at least 1")
    return value


def positive_float(text: str) -> float:
    """Argparse type: a finite number > 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text!r} must be positive and finite")
    return value


def not_negative_float(text: str) -> float:
    """Argparse type: a finite number >= 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not (value >= 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text!r} must be finite and not negative")
    return value


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """The flag ``--threads`` of the commands that train networks; part of a run, see :mod:`lab.threads`."""
    parser.add_argument("--threads", type=positive_int, default=1, help="threads of each network on a CPU; part of the run: "
                        "another number gives other results (--jobs does not)")


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags every command that computes runs has: ``--seed --jobs --out --quick --dry-run``."""
    parser.add_argument("--seed", type=int, default=0, help="replicas and copies draw their own streams from it")
    parser.add_argument("--jobs", type=positive_int, default=None, help="processes (default: as the machine allows)")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--quick", action="store_true", help="a smaller version that answers in seconds")
    parser.add_argument("--dry-run", action="store_true", help="list the runs and what is done; compute nothing")
