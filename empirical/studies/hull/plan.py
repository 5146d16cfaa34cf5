"""The runs of a study of hulls."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.declared import ANYTHING, source
from empirical.settings import Network, check_threads, recipe
from empirical.studies.trained import finished_networks
from lab import checks
from lab.errors import ArgumentError

if TYPE_CHECKING:
    from empirical.data import Dataset

PIXELS = {"digits": 64, "mnist": 784, "cifar10": 3072}  # dimensions of what is known before it is loaded
SPACES = ("pixels", "wavelets", "features")


@dataclass(frozen=True, kw_only=True)
class HullRun:
    """One space of one data set.

    Attributes
    ----------
    data : name on the command line.
    space : "pixels", "wavelets" or "features".
    dim : principal components kept; 0 keeps the space as it is.
    arch, alpha, site : the network, for features; with pixels and an ``arch``, the network whose errors and directions
        are looked at.
    n, queries, leave_one_out, gaussian, classes, seed, tol : see :func:`empirical.hull.measure.measure`; ``seed`` is the
        network's replica too.
    split : way of splitting the data, see ``data.load``; networks of a sweep bring their own.
    directions : test points whose ways to the hull are looked at (pixels, with a network).
    wavelet : PyWavelets' name. ``epochs``: of the network, 0 for the recipe's. ``quick``: the recipe's small version.
    sweep : experiment of the run store (a width sweep) that holds the network, "" for one of this study's own. The hull is
        then that of the rows that the network was trained on, in pixels too.
    threads : threads of the network and of the measures.
    checksum, model_checksum : checksums of a user's own data, and of the source of a user's own architecture.
    """

    data: str
    space: str = "pixels"
    dim: int = 0
    arch: str = ""
    alpha: str = "1"
    site: str = "penultimate"
    n: int = 0
    queries: int = 0
    leave_one_out: int = -1
    gaussian: int = 0
    classes: int = 0
    directions: int = 0
    seed: int = 0
    tol: float = 1e-6
    wavelet: str = "haar"
    epochs: int = 0
    quick: bool = False
    sweep: str = ""
    threads: int = 1
    checksum: str = ""
    model_checksum: str = ""
    split: int = 0

    def check(self) -> "HullRun":
        """Refuse what cannot be carried out; returns itself.

        Raises
        ------
        ArgumentError
        """
        if self.space not in SPACES:
            raise ArgumentError(f"unknown space {self.space!r}: choose {', '.join(SPACES)}", "space")
        if self.space == "features" and not self.arch:
            raise ArgumentError("learned features need a network: give arch", "arch")
        if self.directions and (self.space != "pixels" or self.dim or not self.arch):
            raise ArgumentError("directions are looked at in pixels, with a network: space pixels, an arch and no dim", "space",
                                "arch", "dim")
        checks.seed(self.seed)
        checks.real_number("tol", self.tol, above=0, most=0.1)  # above, distances would mean little
        checks.whole_number("dim", self.dim, 0)
        checks.whole_number("split", self.split, 0)
        if self.space != "features":
            if source(self.data).kind not in ("images", ANYTHING):
                raise ArgumentError(f"{self.data} has no pixels: choose images, or the space of features", "space")
            if self.dim > PIXELS.get(self.data, checks.MOST):
                raise ArgumentError(f"dim {self.dim}: at most {PIXELS[self.data]}, the pixels of {self.data}", "dim")
        if self.space == "wavelets":
            from empirical.hull.spaces import refuse_wavelet

            refuse_wavelet(self.wavelet)
        if self.arch and not self.sweep:
            self.network().check()
        if self.sweep and not self.arch:
            raise ArgumentError(f"which network of {self.sweep}? give its arch", "arch")
        check_threads(self.threads)
        return self

    def network(self, store: Path | None = None) -> Network:
        """The network of the run.

        Parameters
        ----------
        store : Path, optional
            The run store, where the network is one of a sweep.

        Raises
        ------
        ArgumentError
            If the sweep has no such network.
        """
        if self.sweep:
            if store is None:
                raise ArgumentError(f"{self.sweep} is an experiment of a run store: give the store")
            for network in finished_networks(store / self.sweep):
                if (network.arch, network.data, network.alpha, network.seed) == (self.arch, self.data, self.alpha, self.seed):
                    return network
            raise ArgumentError(f"{self.sweep} has no finished {self.arch} on {self.data} of alpha {self.alpha} and seed "
                                f"{self.seed}")
        changes = {"epochs": self.epochs} if self.epochs else {}
        return Network(**{**recipe(self.arch, self.data, self.quick), **changes, "alpha": self.alpha, "seed": self.seed,
                          "split": self.split, "threads": self.threads, "checksum": self.checksum,
                          "model_checksum": self.model_checksum})

    def own_networks(self) -> list[Network]:
        """The networks that are runs of the same experiment."""
        return [] if self.sweep or not self.arch else [self.network()]


def refuse_site(config: HullRun, data: "Dataset") -> None:
    """Refuse a site that the run's network does not have, or more principal components than it has features there.

    Parameters
    ----------
    config : configuration of a run that trains its network.
    data : data that it is trained on.

    Raises
    ------
    ArgumentError
    """
    from empirical.models import outline

    sites = outline(config.network(), config.alpha, data).sites
    if config.space != "features":
        return
    if config.site not in sites:
        raise ArgumentError(f"unknown site {config.site!r}: this network has {', '.join(sites)}", "site")
    if config.dim > sites[config.site]:
        raise ArgumentError(f"dim {config.dim}: at most {sites[config.site]}, the features of this network at {config.site}",
                            "dim")
