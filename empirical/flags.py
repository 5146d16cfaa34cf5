"""Flags that name a network and its data, and the conditions under which they apply."""

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
        raise ArgumentError(f"{name[:40]!r} does not name a function: write package.module:function")
    return own_name(name)


def add_network_arguments(parser: ArgumentParser, arch: str | None, help_arch: str = "architecture") -> None:
    """Add ``--arch --model --data --data-dir``, which say what is trained and on which data.

    Parameters
    ----------
    parser : parser of the command.
    arch : default architecture; None for none.
    help_arch : what the command does with the architecture.
    """
    parser.add_argument("--arch", choices=tuple(architectures()), default=arch, help=help_arch)
    parser.add_argument("--model", type=argument(_own), metavar="MODULE:FUNCTION", help="your own architecture instead of "
                        "--arch: a function of the width multiplier that returns a torch module, such as my_module:make")
    parser.add_argument("--data", type=argument(lambda name: source(name).name), metavar="NAME", help="data set: "
                        f"{', '.join(sources())}; or your own, MODULE:FUNCTION, a function that returns arrays, a data set or "
                        "loaders (default: digits, or entailment for the Transformer)")
    parser.add_argument("--data-dir", metavar="DIR", help="folder or archive with the files of the data set")
    only(parser, "--arch", when=lambda args: not args.model, words="cannot be combined with --model, which replaces it")


def add_log_argument(parser: ArgumentParser) -> None:
    """Add ``--log``, for commands that train networks; see :mod:`empirical.trackers`."""
    parser.add_argument("--log", choices=tuple(TRACKERS), help="track the losses of every training run with TensorBoard (files "
                        f"in the run's folder) or Weights & Biases (default: the environment variable {VARIABLE})")


def arch_of(args: Namespace) -> str | None:
    """The architecture given by ``--arch`` or ``--model``, if any."""
    return getattr(args, "model", None) or args.arch


def network_of(args: Namespace) -> str:
    """The architecture given on the command line, for commands that need one."""
    if not (arch := arch_of(args)):
        raise UsageError("no network is given: use --arch, or --model for your own")
    return arch


def data_of(args: Namespace) -> str:
    """The data set given on the command line, or the built-in one that suits the network."""
    arch = arch_of(args)
    return args.data or (architecture(arch).default_data if arch else TAKES["images"])


def refuse_idle_data_flags(parser: ArgumentParser) -> None:
    """Declare for which data the command's flags about data apply."""
    flags = {flag for action in parser._actions for flag in action.option_strings}
    only(parser, "--data-dir", when=lambda args: data_of(args) not in TAKES.values(),
         words=f"needs --data with a data set that is read from files ({' and '.join(TAKES.values())} are built in)")
    if "--download" in flags:
        only(parser, "--download", when=lambda args: data_of(args) == "cifar10", words="works only with --data cifar10")
    for flag in flags & set(_KINDS):
        only(parser, flag, when=_takes(_KINDS[flag]), words=f"works only with {_KINDS[flag]}")


def _takes(kind: str) -> Callable[[Namespace], bool]:
    return lambda args: source(data_of(args)).kind in (kind, ANYTHING)
