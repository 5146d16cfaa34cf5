"""Configurations of runs: the settings shared by all networks of a sweep, one network (or stack), one comparison.

The non-default fields of these configurations identify a run in the store. Things that must not change a result (device, folders,
number of processes) are not fields; the number of threads of a network does change it, and is a field.
"""

from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any, ClassVar, Self

from empirical.declared import ANYTHING, architecture, architectures, refuse_misfit, short, source, sources
from empirical.widths import MOST_CHANNELS
from lab import checks
from lab.errors import ArgumentError

__all__ = ["Comparison", "Network", "Setting", "matched", "recipe"]
ARCHITECTURES, DATA = tuple(architectures()), tuple(sources())
OWN_START = "own"  # a user's own network keeps its own initialisation
SCHEMES = ("he-normal", "he-uniform", "glorot-normal", "glorot-uniform", "lecun-normal", "lecun-uniform")
PARAMETRISATIONS = ("standard", "mup")
STARTS = ("own", "slice")
MOST_THREADS = 1024


def refuse_single_rows(setting: "Setting") -> None:
    """Refuse batches of a single row for networks with batch norm.

    Raises
    ------
    ArgumentError
        If ``batch_size`` or ``train_size`` is 1.
    """
    if 1 in (setting.batch_size, setting.train_size):
        raise ArgumentError(f"{setting.arch} normalises each layer over the batch, and a batch of one has no variance: raise "
                            "batch_size (and train_size) to at least 2", "batch_size", "train_size")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Architecture, data and recipe; the recipe is the same at every width.

    Attributes
    ----------
    arch : str
        Name of an architecture; a user's own is ``package.module:function``.
    data : str
        Name of a data set; a user's own is ``package.module:function``.
    alpha : str
        Width multiplier as a fraction, "1/8".
    seed : int
        Replica number, from which every network of the replica derives its own streams.
    base_width : int
        Channels that stand for one unit of width at alpha = 1; 0 for a user's own architecture.
    depth : int
        Hidden layers of the MLP, blocks of the Transformer; 0 for the architecture's default.
    epochs : int
        Passes over the training split; with ``target_loss``, the maximum.
    batch_size : int
        Training rows per step.
    optimizer : {"sgd", "adamw"}
        Optimizer.
    learning_rate : float
        Peak rate at alpha = 1: the same at every width in the standard parametrisation; see ``models.initialise`` for muP.
    momentum : float
        Momentum of SGD, in [0, 1).
    weight_decay : float
        Weight decay of weights; biases and norms have none.
    schedule : {"cosine", "constant", "exponential"}
        After the warm-up: decreasing to 0, constant, or multiplied by 0.95 per epoch.
    warmup : float
        Share of all steps in which the rate rises linearly, in [0, 1).
    target_loss : float
        Training stops when the mean training loss in evaluation mode reaches it (:mod:`empirical.matching`); 0 trains all epochs.
    augment : bool
        Random shifts of images (and flips if they preserve the class).
    init : str
        Initialisation rule, see ``models.initialise``; "own" keeps the initialisation of a user's own network.
    parametrisation : {"standard", "mup"}
        How initialisation and learning rates scale with width.
    train_size : int
        Number of training rows; 0 for all.
    image_size : int
        Image size in pixels per side; 0 as in the data.
    max_length : int
        Tokens per sentence pair; 0 for the source's default.
    label_noise : float
        Share of wrong training labels, in [0, 1].
    dropout : float
        Dropout probability in [0, 1), for architectures with dropout.
    checksum : str
        Checksum of the data, if they come from files.
    model_checksum : str
        Checksum of the source of a user's own architecture.
    threads : int
        Threads of each network on a CPU (and of a comparison's measures); results depend on it, see :mod:`lab.threads`.
    split : int
        Number of the random assignment of rows to splits.

    References
    ----------
    Learning rates of muP: Yang et al. 2022, arXiv 2203.03466, table 3.

    Examples
    --------
    >>> setting = Setting(**recipe("mlp", "digits"))
    >>> setting.epochs, setting.learning_rate, setting.width
    (40, 0.1, Fraction(1, 1))
    """

    arch: str
    data: str
    alpha: str = "1"
    seed: int = 0
    base_width: int
    depth: int = 0
    epochs: int
    batch_size: int = 128
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: str = "cosine"
    warmup: float = 0.1
    target_loss: float = 0.0
    augment: bool = True
    init: str = "he-normal"
    parametrisation: str = "standard"
    train_size: int = 0
    image_size: int = 0
    max_length: int = 0
    label_noise: float = 0.0
    dropout: float = 0.0
    checksum: str = field(default="", metadata={"planned": False})
    model_checksum: str = field(default="", metadata={"planned": False})
    threads: int = 1
    split: int = 0

    @property
    def width(self) -> Fraction:
        """alpha as a number."""
        return Fraction(self.alpha)

    def shared(self) -> dict[str, Any]:
        """Only the fields of :class:`Setting`, from which other kinds of runs are made."""
        return {f.name: getattr(self, f.name) for f in fields(Setting)}

    def check(self) -> Self:
        """Refuse impossible values; returns itself.

        Raises
        ------
        ArgumentError
            For an unknown choice, a number out of range, or settings that are incompatible.
        """
        network, origin = architecture(self.arch), source(self.data)
        choices = {"optimizer": ("sgd", "adamw"), "schedule": ("cosine", "constant", "exponential"),
                   "init": (*SCHEMES, *[OWN_START] * network.own), "parametrisation": PARAMETRISATIONS[:1 if network.own else 2]}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ArgumentError(f"unknown {name} {getattr(self, name)!r}: choose {' or '.join(allowed)}", name)
        checks.seed(self.seed)
        for name, least, most in (("base_width", 0 if network.own else 1, MOST_CHANNELS), ("depth", 0, 1000),
                                  ("epochs", 1, 10**6), ("batch_size", 1, checks.MOST), ("train_size", 0, checks.MOST),
                                  ("image_size", 0, checks.MOST), ("max_length", 0, checks.MOST), ("split", 0, checks.MOST)):
            checks.whole_number(name, getattr(self, name), least, most)
        checks.real_number("learning_rate", self.learning_rate, above=0)
        for name in ("weight_decay", "target_loss"):
            checks.real_number(name, getattr(self, name), least=0)
        for name in ("momentum", "warmup", "dropout"):
            checks.real_number(name, getattr(self, name), least=0, below=1)
        checks.real_number("label_noise", self.label_noise, least=0, most=1)
        kind = None if origin.kind == ANYTHING else origin.kind != "images"
        refuse_misfit(self.arch, kind, self.data, self.depth, self.dropout)
        if network.batch_norm:
            refuse_single_rows(self)
        check_threads(self.threads)
        if self.init.startswith("glorot") and self.parametrisation == "mup":
            raise ArgumentError("muP sets scales by fan-in, so init must be he-normal or lecun-normal, not Glorot", "init")
        return self


def check_threads(threads: int) -> None:
    """Refuse an impossible number of threads.

    Raises
    ------
    ArgumentError
        If it lies outside 1 .. ``MOST_THREADS``.
    """
    checks.whole_number("threads", threads, 1, MOST_THREADS)


@dataclass(frozen=True, kw_only=True)
class Network(Setting):
    """One network, or ``stack`` of them trained together: the copies ``copy, ..., copy + stack - 1``.

    It has the fields of :class:`Setting`, and three more.

    Attributes
    ----------
    copy : int
        Number of the first network among the copies of its width.
    stack : int
        Number of networks trained together.
    slice_of : str
        alpha of the wide network of the same replica whose initial weights the copies divide among them: copy i takes the i-th
        slice of every layer's channels; empty for independent starts.

    Examples
    --------
    >>> network = Network(**recipe("mlp", "digits"), seed=3, stack=2)
    >>> network.address(1, "init")
    (3, 'mlp', 'digits', '1', 1, 'init')
    """

    copy: int = 0
    stack: int = 1
    slice_of: str = ""

    def address(self, member: int, purpose: str) -> tuple:
        """Address of a random stream of one network, which does not depend on the stack or on where a user's own function is
        defined.

        Parameters
        ----------
        member : int
            Number of the network in the stack, from 0.
        purpose : str
            Purpose of the stream.
        """
        return (self.seed, short(self.arch), short(self.data), self.alpha, self.copy + member, purpose)


# Recipes for CPUs by kind of data, which a data set may change. The published ResNet-18 and VGG-16 have base width 64.
_RECIPES: dict[str, dict[str, Any]] = {
    "images": {"base_width": 64, "epochs": 30},
    "sentence pairs": {"base_width": 64, "epochs": 20, "batch_size": 64, "optimizer": "adamw", "learning_rate": 1e-3,
                       "weight_decay": 0.01, "init": "lecun-normal", "augment": False},
}
QUICK: dict[str, Any] = {"base_width": 8, "epochs": 3}
# For training to the same loss: a constant rate, because a schedule would end at a different time for every width, and for SGD a
# fifth of the usual rate, because otherwise the noise of its steps would determine the loss; epochs are a cap.
_MATCHED: dict[str, dict[str, Any]] = {
    "images": {"learning_rate": 0.02, "target_loss": 0.5, "epochs": 60},
    "sentence pairs": {"learning_rate": 5e-4, "target_loss": 0.8, "epochs": 40},
}


def recipe(arch: str, data: str, quick: bool = False) -> dict[str, Any]:
    """Default settings of an architecture on a data set.

    Parameters
    ----------
    arch : str
        Name of an architecture.
    data : str
        Name of a data set.
    quick : bool
        Whether to use the small version.

    Returns
    -------
    dict
        Fields of :class:`Setting`.

    Raises
    ------
    ArgumentError
        For an unknown architecture or data set.

    Examples
    --------
    >>> recipe("resnet18", "digits")["base_width"], recipe("resnet18", "digits", quick=True)["base_width"]
    (16, 8)
    """
    network, origin = architecture(arch), source(data)
    fields = {**_RECIPES[_like(origin.kind)], **origin.recipe, "arch": arch, "data": data}
    if network.own:
        fields |= {"base_width": 0, "init": OWN_START, "depth": 0}
    elif network.base_width:
        fields["base_width"] = network.base_width
    if quick:
        fields |= QUICK
        fields["base_width"] = 0 if network.own else network.quick_width or QUICK["base_width"]
    return fields


def _like(kind: str) -> str:
    """The kind of data whose recipe is used."""
    return "images" if kind == ANYTHING else kind


def matched(data: str) -> dict[str, Any]:
    """Changes to the recipe of a data set for training to the same loss.

    Parameters
    ----------
    data : str
        Name of a data set.

    Returns
    -------
    dict
        Fields of :class:`Setting`.

    Raises
    ------
    ArgumentError
        For an unknown data set.

    Examples
    --------
    >>> matched("digits")["target_loss"], matched("digits")["schedule"]
    (0.25, 'constant')
    """
    origin = source(data)
    return {"schedule": "constant", **_MATCHED[_like(origin.kind)], **origin.matched}


@dataclass(frozen=True, kw_only=True)
class Comparison(Setting):
    """The wide network of width ``reference`` against at least reference/alpha copies of width ``alpha``.

    It has the fields of :class:`Setting`, and eight more.

    Attributes
    ----------
    reference : str
        Width multiplier of the wide network.
    other_seed : int
        Replica whose wide network is the baseline.
    stack : int
        Maximum number of copies trained together, which determines the runs that hold them.
    narrow_copies : int
        Number of narrow networks, if more than match the wide network's features (to match its parameters); else 0.
    start : {"own", "slice"}
        Whether the copies start independently, or as slices of the wide network.
    sites : {"all", "penultimate"}
        Sites where features are compared.
    version : int
        Raised when measures change, so that networks are kept and comparisons are computed again.
    measures : tuple of str
        Names of the declared measures that version 2 did not have, so that a new measure is computed.

    Examples
    --------
    >>> comparison = Comparison(**recipe("mlp", "digits"), alpha="1/4", other_seed=1, stack=2)
    >>> comparison.copies, [network.copy for network in comparison.narrow()], len(comparison.networks())
    (4, [0, 2], 4)
    """

    reference: str = "1"
    other_seed: int
    stack: int = 1
    narrow_copies: int = 0
    start: str = "own"
    sites: str = "all"
    version: int = 2
    measures: tuple[str, ...] = ()
    OF_VERSION_2: ClassVar[tuple[str, ...]] = ("cka", "cca", "svcca", "procrustes")

    @property
    def copies(self) -> int:
        """Number of narrow networks that together have as many features as the wide one."""
        return int(Fraction(self.reference) / self.width)

    @property
    def trained(self) -> int:
        """Number of narrow networks trained."""
        return max(self.copies, self.narrow_copies)

    def wide(self) -> Network:
        """The wide network."""
        return Network(**{**self.shared(), "alpha": self.reference})

    def other(self) -> Network:
        """The wide network of the baseline."""
        return Network(**{**self.shared(), "alpha": self.reference, "seed": self.other_seed})

    def narrow(self) -> list[Network]:
        """The copies, in the stacks in which they are trained; at alpha = reference the copy is the other wide network."""
        if self.width == Fraction(self.reference):
            return [self.other()]
        slice_of = self.reference if self.start == "slice" else ""
        return [Network(**self.shared(), copy=i, stack=min(self.stack, self.trained - i), slice_of=slice_of)
                for i in range(0, self.trained, self.stack)]

    def networks(self) -> list[Network]:
        """All networks that the comparison needs."""
        return list(dict.fromkeys([self.wide(), self.other(), *self.narrow()]))
