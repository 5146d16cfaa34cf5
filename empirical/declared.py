"""The built-in architectures and data sets, read from their files without loading torch.

Every file of ``empirical/models`` declares ``ARCHITECTURE = Architecture(...)`` and every file of ``empirical/data`` declares
``DATA = Source(...)``, or a tuple of them, with literals as arguments, or None in files that only help the others.

A user's own architecture and data are named ``package.module:function`` and are not declared. Until they are imported
(:mod:`empirical.own`), the architecture is assumed to accept any data, and the data may be of any kind.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from lab.discover import by_name, read
from lab.errors import ArgumentError

FOLDER_VARIABLE = "WIDTHLAB_DATA"  # names the folder with the user's data sets, unless --data-dir does
TAKES = {"images": "digits", "sentence pairs": "entailment"}  # kind of inputs -> built-in data set of that kind
ANYTHING = "anything"  # kind of inputs of a user's own networks and data
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
        Base width of the published network; 0 if none is published.
    base_width : int
        Base width for training, if not that of the data set; else 0.
    quick_width : int
        Base width of quick runs, if not the usual one; else 0.
    batch_norm : bool
        Whether layers are normalised over the batch, which needs at least two rows.
    any_shape : bool
        Whether its inputs may have any shape; otherwise images are (channels, size, size).
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
        """The built-in data set that suits it."""
        return TAKES.get(self.takes, TAKES["images"])


@dataclass(frozen=True)
class Source:
    """A data set, or a family of files that are read in the same way. Its file defines ``load`` (:func:`empirical.data.load`).

    Attributes
    ----------
    name : str
        Name on the command line.
    kind : str
        Kind of inputs, one of :data:`TAKES`, or :data:`ANYTHING`.
    recipe : dict
        Recipe for CPUs, as changes to that of its kind.
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
        For a file without ``ARCHITECTURE``, or a duplicate name.
    """
    return by_name(((m, (m, a)) for m, a in read("empirical.models", "ARCHITECTURE", Architecture)), lambda e: e[1].name)


@cache
def sources() -> dict[str, tuple[str, Source]]:
    """Name → (module, data source).

    Raises
    ------
    lab.discover.DeclarationError
        For a file without ``DATA``, or a duplicate name.
    """
    return by_name(((m, (m, s)) for m, s in read("empirical.data", "DATA", Source)), lambda e: e[1].name)


def is_own(name: str) -> bool:
    """Whether a name refers to a user's own architecture or data."""
    return isinstance(name, str) and ":" in name


def own_name(name: str) -> str:
    """The name of a user's own function, checked for its form.

    Raises
    ------
    ArgumentError
        If it cannot be such a name.
    """
    if not _OWN.fullmatch(name):
        raise ArgumentError(f"{name[:80]!r} does not name a function: write package.module:function")
    return name


def short(name: str) -> str:
    """Short name of an architecture or a data source; for a user's own, the function's name without its module."""
    return name.rpartition(":")[2]


def data_folder() -> str | None:
    """The folder named by the environment variable :data:`FOLDER_VARIABLE`, if any."""
    return os.environ.get(FOLDER_VARIABLE) or None


def architecture(name: str) -> Architecture:
    """The architecture of that name, or the assumptions about a user's own.

    Raises
    ------
    ArgumentError
        If none has this name.
    """
    if is_own(name):
        return Architecture(own_name(name), "", ANYTHING, options=("depth", "dropout"), any_shape=True, own=True)
    return _named(name, "architecture", architectures(), "arch")


def source(name: str) -> Source:
    """The data source of that name, or the assumptions about a user's own.

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
        raise ArgumentError(f"unknown {what} {name!r}: choose one of {', '.join(table)}, or your own, package.module:function",
                            argument)
    return table[name][1]


def refuse_misfit(arch: str, is_text: bool | None, data: str, depth: int = 0, dropout: float = 0.0) -> None:
    """Refuse an architecture for data of the wrong kind, or with an option that it does not have.

    Parameters
    ----------
    arch : str
        Name of an architecture.
    is_text : bool or None
        Whether the data are token ids; None if unknown.
    data : str
        Name of the data in error messages.
    depth : int
        Number of layers; 0 for the architecture's default.
    dropout : float
        Dropout probability; 0 for none.

    Raises
    ------
    ArgumentError
        If they are incompatible.
    """
    network = architecture(arch)
    if is_text is not None and network.takes != ANYTHING and (network.takes == "images") == is_text:
        raise ArgumentError(f"{arch} needs {network.takes} as data (such as {network.default_data}), not {data}", "data")
    if depth and "depth" not in network.options:
        raise ArgumentError(f"the depth of {arch} is fixed: leave it out", "depth")
    if dropout and "dropout" not in network.options:
        raise ArgumentError(f"{arch} has no dropout: leave dropout at 0", "dropout")
