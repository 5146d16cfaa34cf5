"""The architectures and data sets that there are, read from their files without loading torch.

Every file of ``empirical/models`` says ``ARCHITECTURE = Architecture(...)`` and every file of ``empirical/data`` says
``DATA = Source(...)``, or a tuple of them, with literals as arguments; None in a file that only helps the others.

A user's own architecture and data are named ``package.module:function`` and declared nowhere: what is known of them before
they are imported (:mod:`empirical.own`) is that they take, and are, anything.
"""

import os
import re
from dataclasses import dataclass, field
from functools import cache

from lab.discover import by_name, read
from lab.errors import ArgumentError

FOLDER_VARIABLE = "WIDTHLAB_DATA"  # names the folder with the data sets that a user brings, where --data-dir does not say
TAKES = {"images": "digits", "sentence pairs": "entailment"}  # kind of inputs -> the embedded data set of that kind
ANYTHING = "anything"  # the kind of inputs that a user's own networks take, and own data are
_OWN = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class Architecture:
    """A network as a function of its width.

    Attributes
    ----------
    name : on the command line.
    build : its class in the file; see ``empirical.models`` for the interface.
    takes : kind of inputs, one of :data:`TAKES`, or :data:`ANYTHING`.
    options : which of ``depth``, ``dropout`` and ``mup`` its class takes.
    published : base width of the published network; 0 where none is.
    base_width, quick_width : base width to train with in place of the data set's, and in place of that of quick runs.
    batch_norm : whether layers are normalised over the batch, which one row alone cannot be.
    any_shape : whether its inputs may have any shape; images are (channels, size, size) elsewhere.
    own : whether it is a user's, of whose layers nothing is known: its copies are trained side by side as networks of their
        own, in place of one stack of grouped layers, and its passes may draw random numbers.
    """

    name: str
    build: str
    takes: str = "images"
    options: tuple[str, ...] = ()
    published: int = 0
    base_width: int = 0
    quick_width: int = 0
    batch_norm: bool = False
    any_shape: bool = False
    own: bool = False

    @property
    def default_data(self) -> str:
        """The embedded data set that it takes."""
        return TAKES.get(self.takes, TAKES["images"])


@dataclass(frozen=True)
class Source:
    """A data set, or a family of files that are read alike. Its file defines ``load`` (see :func:`empirical.data.load`).

    Attributes
    ----------
    name : on the command line.
    kind : of inputs, one of :data:`TAKES`, or :data:`ANYTHING`.
    recipe : settings that suit it on a CPU, in place of those of its kind.
    matched : what training to the same loss changes in them, in place of that of its kind.
    """

    name: str
    kind: str = "images"
    recipe: dict = field(default_factory=dict)
    matched: dict = field(default_factory=dict)


@cache
def architectures() -> dict[str, tuple[str, Architecture]]:
    """Name → (module, architecture).

    Raises
    ------
    lab.discover.DeclarationError : a file without ``ARCHITECTURE``, or a name that is taken.
    """
    return by_name(((m, (m, a)) for m, a in read("empirical.models", "ARCHITECTURE", Architecture)), lambda e: e[1].name)


@cache
def sources() -> dict[str, tuple[str, Source]]:
    """Name → (module, data source).

    Raises
    ------
    lab.discover.DeclarationError : a file without ``DATA``, or a name that is taken.
    """
    return by_name(((m, (m, s)) for m, s in read("empirical.data", "DATA", Source)), lambda e: e[1].name)


def is_own(name: str) -> bool:
    """Whether a name is that of a user's own architecture or data."""
    return isinstance(name, str) and ":" in name


def own_name(name: str) -> str:
    """The name, if it can be that of a user's own function.

    Raises
    ------
    ArgumentError : it cannot.
    """
    if not _OWN.fullmatch(name):
        raise ArgumentError(f"{name[:80]!r} names no function: write package.module:function")
    return name


def short(name: str) -> str:
    """What to call an architecture or a data source: a user's own by the function's name, wherever it lies."""
    return name.rpartition(":")[2]


def data_folder() -> str | None:
    """The folder that the environment variable :data:`FOLDER_VARIABLE` names; None where it names none."""
    return os.environ.get(FOLDER_VARIABLE) or None


def architecture(name: str) -> Architecture:
    """The architecture of that name, or what is known of a user's own.

    Raises
    ------
    ArgumentError : there is none.
    """
    if is_own(name):
        return Architecture(own_name(name), "", ANYTHING, options=("depth", "dropout"), any_shape=True, own=True)
    return _named(name, "architecture", architectures(), "arch")


def source(name: str) -> Source:
    """The data source of that name, or what is known of a user's own.

    Raises
    ------
    ArgumentError : there is none.
    """
    if is_own(name):
        return Source(own_name(name), ANYTHING)
    return _named(name, "data", sources(), "data")


def _named(name: str, what: str, table: dict, argument: str):
    if name not in table:
        raise ArgumentError(f"unknown {what} {name!r}: choose one of {', '.join(table)}, or name your own, "
                            "package.module:function", argument)
    return table[name][1]
