"""What a run is: the settings shared by all networks of a sweep, one network (or stack), one comparison.

These are the configurations whose non-default fields name a run in the store. What must not change a result (device,
folders, number of processes) is not here; the number of threads of a network does change it, and is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import ClassVar

from empirical.declared import ANYTHING, architecture, architectures, short, source, sources
from lab import checks
from lab.errors import ArgumentError

ARCHITECTURES, DATA = tuple(architectures()), tuple(sources())
OWN_START = "own"  # of a user's own network: the one that it gives itself
SCHEMES = ("he-normal", "he-uniform", "glorot-normal", "glorot-uniform", "lecun-normal", "lecun-uniform")
PARAMETRISATIONS = ("standard", "mup")
STARTS = ("own", "slice")
MOST_THREADS = 1024
MOST_CHANNELS, MOST_COPIES = 2**16, 2**12


class Widths:
    """Channel counts of an architecture at one alpha.

    Parameters
    ----------
    alpha : width multiplier.
    base_width : channels that stand for one unit at alpha = 1 (64 in the standard ResNet-18 and VGG-16).
    """

    def __init__(self, alpha: Fraction, base_width: int):
        self.alpha, self.base_width = Fraction(alpha), base_width

    def __call__(self, units: int, layer: str) -> int:
        """Channels of a layer that has ``units * base_width`` at alpha = 1.

        Raises
        ------
        ArgumentError
            If alpha leaves the layer without channels, with a fraction of one, or with more than ``MOST_CHANNELS``.
        """
        exact = self.alpha * self.base_width * units
        if exact < 1:
            raise ArgumentError(f"alpha {self.alpha} leaves {layer} without channels: at base_width {self.base_width} "
                                f"the smallest alpha is 1/{self.base_width}", "alpha", "base_width")
        if exact.denominator != 1:
            raise ArgumentError(f"alpha {self.alpha} gives {layer} {float(exact):g} channels: at base_width "
                                f"{self.base_width} it must be a multiple of 1/{self.base_width}", "alpha", "base_width")
        if exact > MOST_CHANNELS:
            raise ArgumentError(f"alpha {self.alpha} gives {layer} {int(exact):,} channels: at most {MOST_CHANNELS:,}",
                                "alpha")
        return int(exact)


def refuse_width(alpha: Fraction, base_width: int) -> None:
    """Refuse a width that leaves the first layer without channels, or with a fraction of one.

    Parameters
    ----------
    alpha : width multiplier.
    base_width : see :func:`check_alphas`.

    Raises
    ------
    ArgumentError
    """
    if base_width:
        Widths(alpha, base_width)(1, "the first layer")


def refuse_misfit(arch: str, is_text: bool | None, data: str, depth: int = 0, dropout: float = 0.0) -> None:
    """Refuse an architecture for data of another kind, or with an option that it has not.

    Parameters
    ----------
    arch : name on the command line.
    is_text : whether the data are token ids; None where this is not known yet.
    data : name of the data, for a person.
    depth, dropout : 0 for the architecture's own.

    Raises
    ------
    ArgumentError
    """
    network = architecture(arch)
    if is_text is not None and network.takes != ANYTHING and (network.takes == "images") == is_text:
        raise ArgumentError(f"{arch} needs {network.takes} as data ({network.default_data}), not {data}", "data")
    if depth and "depth" not in network.options:
        raise ArgumentError(f"{arch} is as deep as it is: leave depth out", "depth")
    if dropout and "dropout" not in network.options:
        raise ArgumentError(f"{arch} has none: leave dropout at 0", "dropout")


def refuse_single_rows(setting: "Setting") -> None:
    """Refuse batches of one row, for a network that normalises over the batch.

    Raises
    ------
    ArgumentError
    """
    if 1 in (setting.batch_size, setting.train_size):
        raise ArgumentError(f"{setting.arch} normalises each layer over the batch, and a batch of one has no variance: raise "
                            "batch_size (and train_size) to 2 at least", "batch_size", "train_size")


def check_alphas(alphas: Sequence[Fraction], base_width: int) -> None:
    """Refuse widths that no sweep can have, whatever the data.

    Parameters
    ----------
    alphas : width multipliers; the largest is the wide network's.
    base_width : channels that stand for one unit of width at alpha = 1; 0 where a user's own architecture says what a width is.

    Raises
    ------
    ArgumentError
        A layer without channels or with a fraction of one; a width that does not go a whole number of times into the
        widest, or too often.
    """
    reference = max(alphas)
    for alpha in alphas:
        if (reference / alpha).denominator != 1:
            raise ArgumentError(f"alpha {alpha} does not go a whole number of times into {reference}: no number of copies "
                                "has as many features as the wide network")
        refuse_width(alpha, base_width)
        if reference / alpha > MOST_COPIES:
            raise ArgumentError(f"{reference / alpha} copies of alpha {alpha}: at most {MOST_COPIES:,}")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Architecture, data and recipe; the recipe is the same at every width.

    Attributes
    ----------
    arch, data : names on the command line; those of a user's own are ``package.module:function``.
    alpha : width multiplier as a fraction, "1/8".
    seed : replica number; every network of a replica has its own streams under it.
    base_width : channels that stand for one unit of width at alpha = 1; 0 for that of a user's own architecture.
    depth : hidden layers of the MLP, blocks of the Transformer; 0 for the architecture's own.
    epochs : passes over the training split; the most there may be where ``target_loss`` is set.
    batch_size, optimizer, learning_rate, momentum, weight_decay : ``momentum`` is SGD's. ``learning_rate`` is that of
        alpha = 1: the same at every width in the standard parametrisation, see ``models.initialise`` for muP.
    dropout : probability, in architectures that have it.
    schedule, warmup : "cosine" to 0 or "constant", after a linear warm-up over that share of all steps; or "exponential",
        times 0.95 an epoch.
    target_loss : stop when the mean training loss falls to it, in evaluation (:mod:`empirical.matching`); 0 trains all epochs.
    augment : random shifts (and mirror images where they keep the class).
    init, parametrisation : see ``models.initialise``; "own" is the start that a user's own network gives itself.
    train_size, image_size, max_length, label_noise, split : see ``data.load``.
    checksum : of the data, where they come from files.
    model_checksum : of the source of a user's own architecture.
    threads : of each network on a CPU (and of a comparison's measures); results depend on it, see :mod:`lab.threads`.
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

    def shared(self) -> dict:
        """The fields of :class:`Setting` alone, to make another kind of run with."""
        return {f.name: getattr(self, f.name) for f in fields(Setting)}

    def check(self) -> "Setting":
        """Refuse values that cannot be carried out; returns itself.

        Raises
        ------
        ArgumentError
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
        for name, bounds in (("learning_rate", {"above": 0}), ("momentum", {"least": 0, "below": 1}),
                             ("weight_decay", {"least": 0}), ("warmup", {"least": 0, "below": 1}), ("target_loss", {"least": 0}),
                             ("label_noise", {"least": 0, "most": 1}), ("dropout", {"least": 0, "below": 1})):
            checks.real_number(name, getattr(self, name), **bounds)
        kind = None if origin.kind == ANYTHING else origin.kind != "images"
        refuse_misfit(self.arch, kind, self.data, self.depth, self.dropout)
        if network.batch_norm:
            refuse_single_rows(self)
        check_threads(self.threads)
        if self.init.startswith("glorot") and self.parametrisation == "mup":
            raise ArgumentError("muP sets scales by fan-in: with it init is he-normal or lecun-normal, not Glorot", "init")
        return self


def check_threads(threads: int) -> None:
    """Refuse a number of threads that no machine has.

    Raises
    ------
    ArgumentError
    """
    checks.whole_number("threads", threads, 1, MOST_THREADS)


@dataclass(frozen=True, kw_only=True)
class Network(Setting):
    """One network, or ``stack`` of them trained together: the copies ``copy, ..., copy + stack - 1``.

    Attributes
    ----------
    slice_of : alpha of the wide network of the same replica whose start the copies share among them, copy i taking the
        i-th slice of every layer's channels; "" for a start of their own.
    """

    copy: int = 0
    stack: int = 1
    slice_of: str = ""

    def address(self, member: int, purpose: str) -> tuple:
        """Address of a random stream of one member of the stack; the same whether it trains alone or not, and wherever a
        user's own function lies.

        Parameters
        ----------
        member : of the stack, from 0.
        purpose : what is drawn.
        """
        return (self.seed, short(self.arch), short(self.data), self.alpha, self.copy + member, purpose)


# What suits a kind of data on a CPU; a data set may say otherwise. The published ResNet-18 and VGG-16 have base width 64.
_RECIPES = {
    "images": {"base_width": 64, "epochs": 30},
    "sentence pairs": {"base_width": 64, "epochs": 20, "batch_size": 64, "optimizer": "adamw", "learning_rate": 1e-3,
                       "weight_decay": 0.01, "init": "lecun-normal", "augment": False},
}
QUICK = {"base_width": 8, "epochs": 3}
# to the same training loss instead: a constant rate, since a schedule's end would depend on when a width gets there
# (and for SGD a fifth of the usual one, or the loss would be noise of the rate); epochs are a cap
_MATCHED = {
    "images": {"learning_rate": 0.02, "target_loss": 0.5, "epochs": 60},
    "sentence pairs": {"learning_rate": 5e-4, "target_loss": 0.8, "epochs": 40},
}


def recipe(arch: str, data: str, quick: bool = False) -> dict:
    """Default settings of an architecture on a data set.

    Parameters
    ----------
    arch, data : names on the command line.
    quick : the small version, for a first look.

    Raises
    ------
    ArgumentError : unknown architecture or data.
    """
    network, origin = architecture(arch), source(data)
    found = {**_RECIPES[_like(origin.kind)], **origin.recipe, "arch": arch, "data": data}
    if network.own:
        found = {**found, "base_width": 0, "init": OWN_START, "depth": 0}
    elif network.base_width:
        found["base_width"] = network.base_width
    if quick:
        found.update(QUICK)
        found["base_width"] = 0 if network.own else network.quick_width or QUICK["base_width"]
    return found


def _like(kind: str) -> str:
    """The kind of data whose recipe is used."""
    return "images" if kind == ANYTHING else kind


def matched(data: str) -> dict:
    """What training to the same loss changes in the data set's recipe."""
    origin = source(data)
    return {"schedule": "constant", **_MATCHED[_like(origin.kind)], **origin.matched}


@dataclass(frozen=True, kw_only=True)
class Comparison(Setting):
    """The wide network of width ``reference`` against copies of width ``alpha``, reference/alpha of them or more.

    Attributes
    ----------
    reference : width multiplier of the wide network.
    other_seed : replica whose wide network is the baseline.
    stack : how many copies were trained together at most (which runs hold them).
    narrow_copies : narrow networks there are; 0 for as many as have the wide network's features, and more than that where
        they have as many parameters.
    start : "own", or "slice" where the copies start as slices of the wide network.
    sites : "all", or "penultimate".
    version : raised when measures change, so that networks are kept and comparisons made anew.
    measures : names of the declared measures beside those that version 2 had, so that a new one is made too.
    """

    reference: str = "1"
    other_seed: int
    stack: int = 1
    narrow_copies: int = 0
    start: str = "own"
    sites: str = "all"
    version: int = 2
    measures: tuple[str, ...] = ()
    OF_VERSION_2: ClassVar = ("cka", "cca", "svcca", "procrustes")

    @property
    def copies(self) -> int:
        """Narrow networks with as many features as the wide one."""
        return int(Fraction(self.reference) / self.width)

    @property
    def trained(self) -> int:
        """Narrow networks that there are."""
        return max(self.copies, self.narrow_copies)

    def wide(self) -> Network:
        """The wide network."""
        return Network(**{**self.shared(), "alpha": self.reference})

    def other(self) -> Network:
        """The wide network of the baseline."""
        return Network(**{**self.shared(), "alpha": self.reference, "seed": self.other_seed})

    def narrow(self) -> list[Network]:
        """The copies, in the stacks they are trained in. At alpha = reference the copy is the other wide network."""
        if self.width == Fraction(self.reference):
            return [self.other()]
        slice_of = self.reference if self.start == "slice" else ""
        return [Network(**self.shared(), copy=i, stack=min(self.stack, self.trained - i), slice_of=slice_of)
                for i in range(0, self.trained, self.stack)]

    def networks(self) -> list[Network]:
        """All networks that the comparison needs."""
        return list(dict.fromkeys([self.wide(), self.other(), *self.narrow()]))
