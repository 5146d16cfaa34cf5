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

PIXELS = {"digits": 64, "mnist": 784, "cifar10": 3072}  # dimensions known without loading the data
SPACES = ("pixels", "wavelets", "features")


@dataclass(frozen=True, kw_only=True)
class HullRun:
    """A run that measures one space of one data set.

    Attributes
    ----------
    data : name of the data set.
    space : "pixels", "wavelets" or "features".
    dim : number of principal components to keep; 0 for the full space.
    arch, alpha, site : the network, for features; with pixels and an ``arch``, the network whose errors and directions are
        measured.
    n, queries, leave_one_out, gaussian, classes, seed, tol : see :func:`empirical.hull.measure.measure`; ``seed`` is also the
        network's replica.
    split : split of the data, see ``data.load``; networks of a sweep have their own.
    directions : number of test points that are followed to the hull (pixels, with a network).
    wavelet : name of the wavelet in PyWavelets. ``epochs``: epochs of the network, 0 for the recipe's. ``quick``: use the small
        recipe.
    sweep : experiment in the run store (a width sweep) with the network; empty for a network of this study. The hull is then
        that of the rows that the network was trained on, also in pixels.
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
        """Refuse impossible values; returns itself.

        Raises
        ------
        ArgumentError
        """
        if self.space not in SPACES:
            raise ArgumentError(f"unknown space {self.space!r}: choose {', '.join(SPACES)}", "space")
        if self.space == "features" and not self.arch:
            raise ArgumentError("learned features need a network: give arch", "arch")
        if self.directions and (self.space != "pixels" or self.dim or not self.arch):
            raise ArgumentError("directions need pixels and a network: set space to pixels, give an arch, and leave out dim",
                                "space", "arch", "dim")
        checks.seed(self.seed)
        checks.real_number("tol", self.tol, above=0, most=0.1)  # beyond 0.1, distances would mean little
        checks.whole_number("dim", self.dim, 0)
        checks.whole_number("split", self.split, 0)
        if self.space != "features":
            if source(self.data).kind not in ("images", ANYTHING):
                raise ArgumentError(f"{self.data} has no pixels: choose images, or the space features", "space")
            if self.dim > PIXELS.get(self.data, checks.MOST):
                raise ArgumentError(f"dim {self.dim} is too large: {self.data} has {PIXELS[self.data]} pixels", "dim")
        if self.space == "wavelets":
            from empirical.hull.spaces import refuse_wavelet

            refuse_wavelet(self.wavelet)
        if self.arch and not self.sweep:
            self.network().check()
        if self.sweep and not self.arch:
            raise ArgumentError(f"no network of {self.sweep} is selected: give its arch", "arch")
        check_threads(self.threads)
        return self

    def network(self, store: Path | None = None) -> Network:
        """The network of the run.

        Parameters
        ----------
        store : Path, optional
            The run store, needed if the network belongs to a sweep.

        Raises
        ------
        ArgumentError
            If the sweep has no such network.
        """
        if self.sweep:
            if store is None:
                raise ArgumentError(f"{self.sweep} is an experiment in a run store: give the store")
            for network in finished_networks(store / self.sweep):
                if (network.arch, network.data, network.alpha, network.seed) == (self.arch, self.data, self.alpha, self.seed):
                    return network
            raise ArgumentError(f"{self.sweep} has no finished {self.arch} on {self.data} with alpha {self.alpha} and seed "
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
        raise ArgumentError(f"dim {config.dim} is too large: this network has {sites[config.site]} features at {config.site}",
                            "dim")
