"""Flags: the argparse types of all commands, the flags that mean the same in each, and flags that apply only with others.

A type refuses what can be refused from the text alone, before anything is imported or loaded. Counts have an upper bound;
anything beyond is a typing error.
"""

import argparse
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeVar, Unpack

from lab import checks
from lab.errors import ArgumentError, InputError
from lab.places import picture_file, plain_name, usable_folder

MOST_SEED = 2**63 - 1  # so that a seed and the replicas counted from it stay below 2**64
NARROWEST, WIDEST = Fraction(1, 4096), 64  # width multipliers


def _type(check: Callable, read: Callable, kind: str) -> Callable:
    """An argparse type: read the text, then check the value. ``kind`` names the expected kind of value in messages."""

    def convert(text: str):
        try:
            value = read(text)
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {kind}") from None
        try:
            return check(repr(text[:40]), value)
        except ArgumentError as error:
            raise argparse.ArgumentTypeError(str(error).partition(", got ")[0]) from None

    return convert


def whole(least: int = 1, most: int = checks.MOST) -> Callable[[str], int]:
    """Argparse type: a whole number in ``least .. most``."""
    return _type(lambda name, value: checks.whole_number(name, value, least, most), int, "a whole number")


def number(**bounds: Unpack[checks.Bounds]) -> Callable[[str], float]:
    """Argparse type: a finite number within the bounds of :func:`lab.checks.real_number` (least, above, most, below)."""
    return _type(lambda name, value: checks.real_number(name, value, **bounds), float, "a number")


positive_int = whole()
positive_float = number(above=0)
not_negative_float = number(least=0)
share = number(least=0, most=1)
seed = whole(0, MOST_SEED)
replicas = whole(1, 10**6)
processes = whole(1, 4096)
seeds = whole(1, 1000)
epochs = whole(1, 10**6)
base_width = whole(1, 4096)

_FRACTION = re.compile(r"\d{1,9}(/\d{1,9}|(\.\d{0,12})?([eE][+-]?\d{1,2})?)")


def fraction(text: str) -> Fraction:
    """Argparse type for a width multiplier: ``1``, ``1/8`` or ``0.25`` as an exact Fraction in 1/4096 .. 64."""
    # check the text before converting it: 1e-99999999 would expand to a hundred million digits
    try:
        value = Fraction(text) if _FRACTION.fullmatch(text.strip()) else None
    except ZeroDivisionError:
        value = None
    if value is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a fraction like 1/8")
    if not NARROWEST <= value <= WIDEST:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a width multiplier between {NARROWEST} and {WIDEST}")
    return value


def device(text: str) -> str:
    """Argparse type: a kind of device for training, with its number (torch checks whether it exists)."""
    if not re.fullmatch(r"cpu|mps|(cuda|xpu)(:\d{1,3})?", text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a device: use cpu, cuda, cuda:1, mps or xpu")
    return text


_Value = TypeVar("_Value")


def argument(check: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """Argparse type from a check that returns its value, or raises an InputError."""

    def convert(text: str) -> _Value:
        try:
            return check(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


folder = argument(usable_folder)
store_name = argument(plain_name)
picture = argument(picture_file)


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """The flag ``--threads`` of the commands that train networks; part of a run, see :mod:`lab.threads`."""
    parser.add_argument("--threads", type=whole(1, 1024), default=1, help="CPU threads per network; part of the run, because "
                        "results depend on it (unlike --jobs)")


_RUN_FLAGS: dict[str, dict[str, Any]] = {
    "--seed": dict(type=seed, default=0, help="seed from which replicas and copies derive their random streams"),
    "--jobs": dict(type=processes, default=None, help="number of parallel processes or threads (default: chosen for this "
                   "machine); results do not depend on it"),
    "--out": dict(type=folder, default="runs", help="folder of the run store"),
    "--quick": dict(action="store_true", help="run a smaller version that takes seconds"),
    "--dry-run": dict(action="store_true", help="list what would be computed, without computing anything"),
}


def add_run_arguments(parser: argparse.ArgumentParser, *flags: str) -> None:
    """Add some of the flags that mean the same in every command: ``--seed --jobs --out --quick --dry-run``.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The command's parser.
    *flags : str
        The flags that the command uses. It must not offer others, which would have no effect.

    Raises
    ------
    KeyError
        For any other flag.
    """
    for flag in flags:
        parser.add_argument(flag, **_RUN_FLAGS[flag])


_CONDITIONS = "_widthlab_conditions"  # kept on the parser itself, of whatever class it is


class _Condition(NamedTuple):
    """Flags that have an effect only under a condition."""

    flags: tuple[str, ...]
    when: Callable[[argparse.Namespace], bool]
    words: str


def only(parser: argparse.ArgumentParser, *flags: str, when: Callable[[argparse.Namespace], bool], words: str) -> None:
    """Declare that flags have an effect only under a condition; otherwise :mod:`lab.cli` refuses them.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The command's parser.
    *flags : str
        The flags.
    when : callable
        Tells from all parsed arguments whether the flags have an effect.
    words : str
        The rest of the message after the flag, e.g. ``"goes with --table alone"``.
    """
    known = {flag for action in parser._actions for flag in action.option_strings}
    if strange := set(flags) - known:
        raise KeyError(f"{parser.prog} has no flag {min(strange)}")
    vars(parser)[_CONDITIONS] = [*_conditions(parser), _Condition(flags, when, words)]


def _conditions(parser: argparse.ArgumentParser) -> list[_Condition]:
    return vars(parser).get(_CONDITIONS, [])


def ignored(parser: argparse.ArgumentParser, args: argparse.Namespace) -> dict[str, str]:
    """Destination of each flag without effect for these arguments → the reason, in words that begin with the flag."""
    reasons: dict[str, str] = {}
    for condition in _conditions(parser):
        if not condition.when(args):
            reasons |= {action.dest: f"{action.option_strings[0]} {condition.words}" for action in parser._actions
                        if set(action.option_strings) & set(condition.flags)}
    return reasons


def refuse_ignored(parser: argparse.ArgumentParser, args: argparse.Namespace, argv: Sequence[str]) -> None:
    """End with the parser's error if the command line has a flag without effect."""
    idle = ignored(parser, args)
    if idle:
        unset = object()  # argparse keeps existing values of a namespace, so what is still unset was not on the command line
        given = parser.parse_args(argv, argparse.Namespace(**dict.fromkeys(idle, unset)))
        for dest, why in idle.items():
            if getattr(given, dest) is not unset:
                parser.error(why)
