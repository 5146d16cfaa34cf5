"""One command line for every room: ``python -m <room> <command> [flags]``, or ``widthlab`` in place of ``python -m``.

A room's ``__main__`` passes :func:`main` a table of commands. A command is a module (imported only when it is called,
so that ``python -m toy bumps`` loads nothing else) that defines

``HELP``
    one line, unless the table has it;
``add_arguments(parser)``
    its flags;
``run(args) -> dict``
    the work; it returns a result of JSON types. It prints results by :func:`say` (if it prints none, as in dry runs, every
    entry of the result becomes a line), and anything else (warnings, failures, progress) by :func:`note`;
``draw(result, axes)``
    optional: a picture of the result, which gives the command the flag ``--plot``.

Contract: results go to standard output, notes and progress to standard error. With ``--json`` standard output is exactly
one JSON object, and lines of :func:`say` go to standard error. Exit codes are 0, 1 (failed, or stopped by Ctrl-C,
SIGTERM or SIGHUP) and 2 (bad usage): an :class:`lab.errors.ArgumentError` is bad usage, wherever it is raised, any other
:class:`lab.errors.InputError` a failure. Arguments that an error names are printed as flags if the command has them. A
result may contain ``"exit_code"`` (dropped from the output) to fail after printing.

The types of flags are in :mod:`lab.arguments`.
"""

import argparse
import dataclasses
import importlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from lab import __version__
from lab.arguments import only, picture, refuse_ignored
from lab.console import called, check_streams, discard_output, interruptible, output, spell_out
from lab.discover import read
from lab.errors import ArgumentError, InputError
from lab.estimate import Estimate

_ROOMS = ("lab", "theory", "toy", "empirical", "figures")


class Parser(argparse.ArgumentParser):
    """argparse with one-line errors."""

    def error(self, message):
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


_results_are_shown = False  # whether a command is running without --json
_printed = False  # whether it has printed any results


def say(*parts) -> None:
    """Print a line of results: on standard output in a command without ``--json``, otherwise on standard error."""
    global _printed
    if not _results_are_shown:
        return note(*parts)
    _printed = True
    with output():
        print(*parts)


def note(*parts) -> None:
    """Print a line that is not a result, such as a warning, a failure or progress, on standard error."""
    if sys.stderr is not None:  # closed: print would take standard output in its place
        print(*parts, file=sys.stderr, flush=True)


@contextmanager
def _showing(results: bool):
    """Context in which :func:`say` writes to standard output (``results``), or does not."""
    global _results_are_shown, _printed
    before, _results_are_shown, _printed = _results_are_shown, results, False
    try:
        yield
    finally:
        _results_are_shown = before


def jsonable(value):
    """The value as plain JSON types: estimates as objects, arrays as lists, numbers that are not finite as null."""
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
    """The table of commands of a room: every file of a folder, with its ``HELP``, which is read without importing the file.

    Raises
    ------
    lab.discover.DeclarationError
        If a file has no ``HELP``.
    """
    return {module.rpartition(".")[2].replace("_", "-"): f"{module}|{text}" for module, text in read(package, "HELP", str)}


class _Help(argparse.HelpFormatter):
    """Help that shows the default of every flag that has one and does not describe it itself."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text, default = action.help or "", action.default
        if default is None or default is False or default in (argparse.SUPPRESS, []) or "default" in text:
            return text
        shown = " ".join(map(str, default)) if isinstance(default, list | tuple) else str(default)
        return f"{text} (default: {shown.replace('%', '%%')})"


def parser_of(room: str, name: str, entry: str) -> tuple[argparse.ArgumentParser, Callable]:
    """The parser of one command, with the flags that all commands have, and its ``run``; ``entry`` as for :func:`main`."""
    where, _, text = entry.partition("|")
    module = importlib.import_module(where)
    parser = Parser(prog=called(f"{room} {name}"), description=text or module.HELP,
                    formatter_class=_Help, allow_abbrev=False)
    module.add_arguments(parser)
    run = module.run
    if hasattr(module, "draw"):
        parser.add_argument("--plot", type=picture, metavar="FILE", help="draw the result: a file in .svg, .pdf or .png")
        if any(action.dest == "dry_run" for action in parser._actions):
            only(parser, "--plot", when=lambda args: not args.dry_run,
                 words="cannot be combined with --dry-run, which measures nothing")
        run = partial(_run_and_draw, module)
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object on standard output")
    return parser, run


def _run_and_draw(module, args) -> dict:
    """Run the command, and draw its result if ``--plot`` is given."""
    result = module.run(args)
    if args.plot is not None:
        from lab.pictures import saved

        with saved(args.plot) as axes:
            module.draw(result, axes)
        say(f"saved the picture as {args.plot}")
    return result


def main(room: str, commands: Mapping[str, str], argv: Sequence[str] | None = None) -> int:
    """Parse the command line, import and run its command, and turn the outcome into output and an exit code.

    Parameters
    ----------
    room : str
        Name of the room, as in ``python -m room``; "" for a command that is called without it.
    commands : mapping of str to str
        Command → "module" or "module|one-line help".
    argv : sequence of str, optional
        Arguments without the program's name (default: ``sys.argv[1:]``).

    Returns
    -------
    int
        0, 1 (failed) or 2 (bad usage).
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    spell_out()
    parser = Parser(prog=called(room), formatter_class=argparse.RawDescriptionHelpFormatter)
    table = {name: entry.partition("|")[::2] for name, entry in commands.items()}
    width = max(map(len, table), default=0)
    parser.epilog = "commands:\n" + "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in table.items())
    parser.add_argument("command", choices=list(table), metavar="command", help="one of the commands below")
    parser.add_argument("--version", action="version", version=f"widthlab {__version__}")
    if not argv or argv[0] in ("-h", "--help"):
        parser.print_help(sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    try:
        name = parser.parse_args(argv[:1]).command
    except SystemExit as stop:
        return int(stop.code or 0)
    program = called(f"{room} {name}")
    try:
        with interruptible():
            return _carry_out(room, name, commands[name], argv[1:])
    except SystemExit as stop:
        return int(stop.code or 0)
    except InputError as error:
        return _refused(program, error)
    except ImportError:
        if not (strangers := _strangers()):
            raise
        print(f"{program}: {strangers[0]} has the name of a room of the laboratory and hides it: rename the file, or work in "
              "another folder", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{program}: interrupted; finished work is stored, and the same command resumes from there", file=sys.stderr)
        return 1
    except BrokenPipeError:
        discard_output()
        return 1


def _carry_out(room: str, name: str, entry: str, argv: Sequence[str]) -> int:
    """Parse the command's flags, run it and print its result; returns the exit code."""
    check_streams()
    parser, run = parser_of(room, name, entry)
    args = parser.parse_args(argv)
    refuse_ignored(parser, args, argv)
    from lab.threads import fixed

    try:
        with fixed(1), _showing(not args.json):  # one thread, so that output does not depend on the number of cores
            result = dict(run(args) or {})
            if not (args.json or _printed):  # as in dry runs
                for line in _spelt(result):
                    say(line)
    except InputError as error:
        return _refused(parser.prog, error, parser)
    code = int(result.pop("exit_code", 0))
    with output():
        if args.json:
            print(json.dumps(jsonable(result), allow_nan=False))
    return code


def _spelt(result: Mapping) -> Iterator[str]:
    """A result as text, one line per entry."""
    def words(value) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{key} {words(entry)}" for key, entry in value.items())
        return " ".join(map(words, value)) if isinstance(value, list) else str(value)

    for key, value in jsonable(result).items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            yield f"{key.replace('_', ' ')}:"
            yield from (f"  {words(row)}" for row in value)
        elif key != "exit_code" and value is not None:
            yield f"{key.replace('_', ' ')}: {words(value)}"


def _refused(program: str, error: InputError, parser: argparse.ArgumentParser | None = None) -> int:
    """Print the error in one line, with flags for the arguments that it names; returns the exit code."""
    text = str(error) if parser is None else in_flags(parser, error)
    note(f"{program}: {' '.join(text.split())}")
    return 2 if isinstance(error, ArgumentError) else 1


def in_flags(parser: argparse.ArgumentParser, error: InputError) -> str:
    """The error's message, with the parser's flags in place of the arguments that it names.

    The flag of ``width`` is ``--width``, or ``--widths`` in a command that takes several. An argument without a flag is left
    alone; a flag whose argument is not in the message is added at the end.
    """
    text, flags = str(error), {action.dest: action.option_strings[-1] for action in parser._actions if action.option_strings}
    for name in error.arguments:
        flag = flags.get(name) or flags.get(f"{name}s")
        if flag and flag not in text:
            text, replaced = re.subn(rf"(?<![\w-]){re.escape(name)}(?!\w)", flag, text, count=1)
            text += "" if replaced else f" ({flag})"
    return text


def _strangers() -> list[str]:
    """Files that hide rooms, such as a ``theory.py`` in the working folder."""
    origins = [spec.origin for room in _ROOMS if (spec := find_spec(room)) and spec.origin]
    home = Path(__file__).resolve().parents[1]
    return [origin for origin in origins if Path(origin).resolve().parents[1] != home]
