"""The flags that name a network and its data, and when they apply: a flag that one data set uses may mean nothing for another."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from empirical.declared import ANYTHING, TAKES, architecture, architectures, is_own, own_name, source, sources
from empirical.trackers import TRACKERS, VARIABLE
from lab.arguments import argument, only
from lab.errors import ArgumentError, UsageError

_KINDS = {"--image-size": "images", "--no-augment": "images", "--max-length": "sentence pairs"}


def _own(name: str) -> str:
    """A user's own function, by its name."""
    if not is_own(name):
        raise ArgumentError(f"{name[:40]!r} names no function: write package.module:function")
    return own_name(name)


def add_network_arguments(parser: ArgumentParser, arch: str | None, help_arch: str = "architecture") -> None:
    """``--arch --model --data --data-dir``: what is trained, and on what.

    Parameters
    ----------
    parser : of the command.
    arch : the architecture unless another is named; None for none.
    help_arch : what the command does with it.
    """
    parser.add_argument("--arch", choices=tuple(architectures()), default=arch, help=help_arch)
    parser.add_argument("--model", type=argument(_own), metavar="MODULE:FUNCTION", help="your own architecture in "
                        "place of --arch: a function of the width multiplier that returns a torch module, say my_module:make")
    parser.add_argument("--data", type=argument(lambda name: source(name).name), metavar="NAME", help="data set: "
                        f"{', '.join(sources())}; or your own, MODULE:FUNCTION, a function that returns arrays, a data set or "
                        "loaders (default: digits, or entailment for the Transformer)")
    parser.add_argument("--data-dir", metavar="DIR", help="where the data set's files are (folder or archive)")
    only(parser, "--arch", when=lambda args: not args.model, words="goes without --model, which takes its place")


def add_log_argument(parser: ArgumentParser) -> None:
    """The flag ``--log`` of the commands that train networks, see :mod:`empirical.trackers`."""
    parser.add_argument("--log", choices=tuple(TRACKERS), help="follow the losses of every training with TensorBoard (files in "
                        f"each run's folder) or Weights & Biases; also by the environment variable {VARIABLE}")


def arch_of(args: Namespace) -> str | None:
    """The architecture that was named."""
    return getattr(args, "model", None) or args.arch


def network_of(args: Namespace) -> str:
    """The architecture that was named, for commands that cannot do without one."""
    if not (arch := arch_of(args)):
        raise UsageError("which network? name it with --arch, or your own with --model")
    return arch


def data_of(args: Namespace) -> str:
    """The data set that was named, or the embedded one that the network takes."""
    arch = arch_of(args)
    return args.data or (architecture(arch).default_data if arch else TAKES["images"])


def refuse_idle_data_flags(parser: ArgumentParser) -> None:
    """Declare which data the flags on data are for, among those that the command has."""
    flags = {flag for action in parser._actions for flag in action.option_strings}
    only(parser, "--data-dir", when=lambda args: data_of(args) not in TAKES.values(),
         words=f"is for data that are not embedded, as {' and '.join(TAKES.values())} are: name them with --data")
    if "--download" in flags:
        only(parser, "--download", when=lambda args: data_of(args) == "cifar10", words="is for --data cifar10")
    for flag in flags & set(_KINDS):
        only(parser, flag, when=_takes(_KINDS[flag]), words=f"is for {_KINDS[flag]}")


def _takes(kind: str) -> Callable[[Namespace], bool]:
    return lambda args: source(data_of(args)).kind in (kind, ANYTHING)
