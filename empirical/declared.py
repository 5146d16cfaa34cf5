"""The architectures and data sets of the laboratory, read from their files without loading torch.

Every file of ``empirical/models`` says ``ARCHITECTURE = Architecture(...)`` and every file of ``empirical/data`` says
``DATA = Source(...)``, or a tuple of them, with literals as arguments; None in a file that only helps the others.

A user's own architecture and data are named ``package.module:function`` and declared nowhere. Until they are imported
(:mod:`empirical.own`) the architecture is taken to accept anything, and the data to be anything.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

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
    name : str
        Name on the command line.
    build : str
        Name of its class in the file; see ``empirical.models`` for the interface.
    takes : str
        Kind of inputs, one of :data:`TAKES`, or :data:`ANYTHING`.
    options : tuple of str
        Those of ``depth``, ``dropout`` and ``mup`` that its class takes.
    published : int
        Base width of the published network; 0 where none is published.
    base_width : int
        Base width to train with in place of the data set's; 0 for that.
    quick_width : int
        Base width of quick runs in place of the usual one; 0 for that.
    batch_norm : bool
        Whether layers are normalised over the batch, which takes two rows or more.
    any_shape : bool
        Whether its inputs may have any shape; elsewhere images are (channels, size, size).
    own : bool
        Whether it is a user's, whose layers are unknown: its copies are trained concurrently as separate networks
        instead of one stack of grouped layers, and its passes may draw random numbers.
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
    name : str
        Name on the command line.
    kind : str
        Kind of inputs, one of :data:`TAKES`, or :data:`ANYTHING`.
    recipe : dict
        Settings that suit it on a CPU, in place of those of its kind.
    matched : dict
        Changes to them for training to the same loss, instead of those for its kind.
    """

    name: str
    kind: str = "images"
    recipe: dict[str, Any] = field(default_factory=dict)
    matched: dict[str, Any] = field(default_factory=dict)


D = TypeVar("D", Architecture, Source)


@cache
def architectures() -> dict[str, tuple[str, Architecture]]:
    """Name → (module, architecture).

    Raises
    ------
    lab.discover.DeclarationError
        For a file without ``ARCHITECTURE``, or a name that is taken.
    """
    return by_name(((m, (m, a)) for m, a in read("empirical.models", "ARCHITECTURE", Architecture)), lambda e: e[1].name)


@cache
def sources() -> dict[str, tuple[str, Source]]:
    """Name → (module, data source).

    Raises
    ------
    lab.discover.DeclarationError
        For a file without ``DATA``, or a name that is taken.
    """
    return by_name(((m, (m, s)) for m, s in read("empirical.data", "DATA", Source)), lambda e: e[1].name)


def is_own(name: str) -> bool:
    """Whether a name is that of a user's own architecture or data."""
    return isinstance(name, str) and ":" in name


def own_name(name: str) -> str:
    """The name, if it can be that of a user's own function.

    Raises
    ------
    ArgumentError
        If it cannot.
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
    ArgumentError
        If none has this name.
    """
    if is_own(name):
        return Architecture(own_name(name), "", ANYTHING, options=("depth", "dropout"), any_shape=True, own=True)
    return _named(name, "architecture", architectures(), "arch")


def source(name: str) -> Source:
    """The data source of that name, or what is known of a user's own.

    Raises
    ------
    ArgumentError
        If none has this name.
    """
    if is_own(name):
        return Source(own_name(name), ANYTHING)
    return _named(name, "data", sources(), "data")


def _named(name: str, what: str, table: Mapping[str, tuple[str, D]], argument: str) -> D:
    if name not in table:
        raise ArgumentError(f"unknown {what} {name!r}: choose one of {', '.join(table)}, or name your own, "
                            "package.module:function", argument)
    return table[name][1]


def refuse_misfit(arch: str, is_text: bool | None, data: str, depth: int = 0, dropout: float = 0.0) -> None:
    """Refuse an architecture for data of another kind, or with an option that it does not have.

    Parameters
    ----------
    arch : str
        Name of an architecture.
    is_text : bool or None
        Whether the data are token ids; None where this is not known yet.
    data : str
        Name of the data in error messages.
    depth : int
        Layers; 0 for the architecture's own.
    dropout : float
        Probability; 0 for none.

    Raises
    ------
    ArgumentError
        If they do not go together.
    """
    network = architecture(arch)
    if is_text is not None and network.takes != ANYTHING and (network.takes == "images") == is_text:
        raise ArgumentError(f"{arch} needs {network.takes} as data ({network.default_data}), not {data}", "data")
    if depth and "depth" not in network.options:
        raise ArgumentError(f"{arch} is as deep as it is: leave depth out", "depth")
    if dropout and "dropout" not in network.options:
        raise ArgumentError(f"{arch} has none: leave dropout at 0", "dropout")
