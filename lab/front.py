"""The console script ``widthlab``: the rooms' commands, a few of them without their room, and shell completion.

``widthlab toy bumps`` is ``python -m toy bumps`` in any working folder. That folder comes last on the import path, so it cannot
hide the installed rooms; it is there for the modules that a user names with ``--model`` and ``--data``.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import lab
from lab import cli, console
from lab.errors import InputError

SHELLS = ("bash", "zsh", "tcsh", "fish")


def front(rooms: Mapping[str, str], short: Mapping[str, str], argv: Sequence[str] | None = None) -> int:
    """Carry out one command line of the console script.

    Parameters
    ----------
    rooms : mapping of str to str
        Room → its purpose in one line.
    short : mapping of str to str
        Command → its room, for commands that can be called without it.
    argv : sequence of str, optional
        Arguments without the program's name (default: ``sys.argv[1:]``).

    Returns
    -------
    int
        0, 1 (failed) or 2 (bad usage), as :func:`lab.cli.main`.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.append(os.getcwd())
    with console.program("python -m widthlab" if spec and spec.name == "widthlab" else "widthlab"):
        if argv and argv[0] in rooms:
            return cli.main(argv[0], commands(argv[0]), argv[1:])
        if argv and argv[0] in short:
            return cli.main("", {argv[0]: commands(short[argv[0]])[argv[0]]}, argv)
        return _itself(rooms, short, argv)


def commands(room: str) -> dict[str, str]:
    """The table of a room's commands, in the form of :func:`lab.cli.main`."""
    return import_module(f"{room}.__main__").COMMANDS


def _itself(rooms: Mapping[str, str], short: Mapping[str, str], argv: list[str]) -> int:
    """Carry out what concerns the script itself: help, version, completion, or an unknown command."""
    parser = cli.Parser(prog=console.called(""), formatter_class=argparse.RawDescriptionHelpFormatter)
    words = {**{f"{room} COMMAND": text for room, text in rooms.items()},
             **{name: f"the same as {room} {name}" for name, room in short.items()}}
    width = max(map(len, words))
    parser.epilog = "commands:\n" + "\n".join(f"  {word:<{width}}  {text}" for word, text in words.items())
    parser.add_argument("command", nargs="?", choices=[*rooms, *short], metavar="command", help="one of the commands below")
    _own_flags(parser)
    try:
        args = parser.parse_args(argv if argv and argv[0].startswith("-") else argv[:1])
        if args.completion:
            with console.output():
                print(completion(rooms, short, args.completion))
            return 0
    except InputError as error:
        cli.note(f"{parser.prog}: {error}")
        return 1
    except BrokenPipeError:
        console.discard_output()
        return 1
    except SystemExit as stop:
        return int(stop.code or 0)
    parser.print_help(sys.stderr)
    return 2


def _own_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"widthlab {lab.__version__}")
    parser.add_argument("--completion", choices=SHELLS, metavar="SHELL", help="print what makes a shell complete commands and "
                        f"flags ({', '.join(SHELLS)}); in bash: eval \"$(widthlab --completion bash)\"")


def completion(rooms: Mapping[str, str], short: Mapping[str, str], shell: str) -> str:
    """A script that makes a shell complete rooms, commands and flags.

    Raises
    ------
    InputError
        If shtab, which writes the script, is not installed.
    """
    try:
        import shtab
    except ImportError:
        raise InputError("completion needs the package shtab: pip install 'widthlab[completion]'") from None
    parser = cli.Parser(prog="widthlab")
    _own_flags(parser)
    first = parser.add_subparsers()
    for room, text in rooms.items():
        second = first.add_parser(room, help=text).add_subparsers()
        for name, entry in commands(room).items():
            _add(second, room, name, entry)
    for name, room in short.items():
        _add(first, "", name, commands(room)[name])
    return shtab.complete(parser, shell)


def _add(places, room: str, name: str, entry: str) -> None:
    places.add_parser(name, parents=[cli.parser_of(room, name, entry)[0]], add_help=False, help=entry.partition("|")[2])
