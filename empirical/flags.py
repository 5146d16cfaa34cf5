"""When the flags of this room's commands mean something: what one data set has a use for, another has not."""

from argparse import ArgumentParser, Namespace

from empirical.declared import TAKES, architecture, source
from lab.arguments import only

_KINDS = {"--image-size": "images", "--no-augment": "images", "--max-length": "sentence pairs"}


def data_of(args: Namespace) -> str:
    """The data set that was named, or the embedded one that the network takes."""
    return args.data or architecture(args.arch).default_data


def refuse_idle_data_flags(parser: ArgumentParser) -> None:
    """Declare which data the flags on data are for, among those that the command has."""
    flags = {flag for action in parser._actions for flag in action.option_strings}
    only(parser, "--data-dir", when=lambda args: data_of(args) not in TAKES.values(),
         words=f"is for data that are not embedded, as {' and '.join(TAKES.values())} are: name them with --data")
    if "--download" in flags:
        only(parser, "--download", when=lambda args: data_of(args) == "cifar10", words="is for --data cifar10")
    for flag in flags & set(_KINDS):
        only(parser, flag, when=lambda args, flag=flag: source(data_of(args)).kind == _KINDS[flag],
             words=f"is for {_KINDS[flag]}")
