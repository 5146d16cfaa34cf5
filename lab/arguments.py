"""What flags may say: the argparse types of all commands, and the flags that every command with runs has.

A type refuses what can be refused by looking at the text alone, so before anything is imported or loaded. Counts have
an upper bound: whatever lies beyond is a slip of the finger, not a wish.
"""

import argparse
import re
from collections.abc import Callable
from fractions import Fraction

from lab import checks
from lab.errors import InputError, UsageError
from lab.places import plain_name, usable_folder

MOST_SEED = 2**63 - 1  # so that a seed and the replicas counted from it stay below 2**64
NARROWEST, WIDEST = Fraction(1, 4096), 64  # width multipliers


def _type(check: Callable, read: Callable, kind: str) -> Callable:
    """An argparse type: read the text, then check the value. ``kind`` is what is wanted, in words."""

    def convert(text: str):
        try:
            value = read(text)
        except (ValueError, OverflowError):
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {kind}") from None
        try:
            return check(repr(text[:40]), value)
        except UsageError as error:
            raise argparse.ArgumentTypeError(str(error).partition(", got ")[0]) from None

    return convert


def whole(least: int = 1, most: int = checks.MOST) -> Callable[[str], int]:
    """Argparse type: a whole number in ``least .. most``."""
    return _type(lambda name, value: checks.whole_number(name, value, least, most), int, "a whole number")


def number(**bounds: float) -> Callable[[str], float]:
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
    # the text is looked at before it becomes a number: 1e-99999999 would have to be expanded to a hundred million digits
    try:
        value = Fraction(text) if _FRACTION.fullmatch(text.strip()) else None
    except ZeroDivisionError:
        value = None
    if value is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a fraction like 1/8")
    if not NARROWEST <= value <= WIDEST:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no width multiplier: they lie between {NARROWEST} and {WIDEST}")
    return value


def device(text: str) -> str:
    """Argparse type: a kind of device that networks can be trained on, with its number (whether it is there, torch knows)."""
    if not re.fullmatch(r"cpu|mps|(cuda|xpu)(:\d{1,3})?", text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no device: give cpu, cuda, cuda:1, mps or xpu")
    return text


def argument(check: Callable[[str], str]) -> Callable[[str], str]:
    """Argparse type from a check that returns what it is given, or raises an InputError that says what is wrong."""

    def convert(text: str) -> str:
        try:
            return check(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


folder = argument(usable_folder)
store_name = argument(plain_name)


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """The flag ``--threads`` of the commands that train networks; part of a run, see :mod:`lab.threads`."""
    parser.add_argument("--threads", type=whole(1, 1024), default=1, help="threads of each network on a CPU; part of the run: "
                        "another number gives other results (--jobs does not)")


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags every command that computes runs has: ``--seed --jobs --out --quick --dry-run``."""
    parser.add_argument("--seed", type=seed, default=0, help="replicas and copies draw their own streams from it")
    parser.add_argument("--jobs", type=processes, default=None, help="processes (default: as the machine allows)")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--quick", action="store_true", help="a smaller version that answers in seconds")
    parser.add_argument("--dry-run", action="store_true", help="list the runs and what is done; compute nothing")
