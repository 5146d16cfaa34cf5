"""Do test points lie outside the hull of the training set, and is that more than dimension? (S3)

One run is one space of one data set: pixels, wavelet coefficients, features of a trained network at a site, each whole or
reduced to ``dim`` principal components. The measures and controls are those of :mod:`empirical.hull.measure`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from empirical.declared import data_folder, source
from empirical.settings import Network, check_threads, recipe
from empirical.studies.trained import TRAIN, finished_networks, first_member, threads_of_record, trained
from lab import checks
from lab.errors import UsageError
from lab.estimate import Estimate
from lab.stages import Stage
from lab.store import write_arrays
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

PIXELS = {"digits": 64, "mnist": 784, "cifar10": 3072}  # dimensions of what is known before it is loaded
SPACES = ("pixels", "wavelets", "features")
GROUPS = ("test", "training", "gaussian")
ESTIMATES = ("outside", "inside", "distance", "over_nearest", "over_mean", "over_median_pair", "over_diameter", "support")
SINGLE = {"test_over_training": "test_over_training", "outside_minus_training": "outside_minus_training",
          "error_alone": "errors.alone", "error_given_nearest": "errors.given_nearest",
          "own_class_over_whole": "classes.own_class_over_whole",
          "nearest_class_hull_is_right": "classes.nearest_class_hull_is_right",
          "changed_at_hull": "directions.changed_at_hull", "changed_on_the_way": "directions.changed_on_the_way",
          "changed_random": "directions.changed_random", "changed_excess": "directions.changed_excess",
          "cosine": "directions.cosine", "cosine_random": "directions.cosine_random",
          "adversarial_over_hull": "directions.adversarial_over_hull"}


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
    directions : test points whose ways to the hull are looked at (pixels, with a network).
    wavelet : PyWavelets' name. ``epochs``: of the network, 0 for the recipe's. ``quick``: the recipe's small version.
    sweep : experiment of the run store (a width sweep) that holds the network, "" for one of this study's own. The hull is
        then that of the rows that the network was trained on, in pixels too.
    threads : of the network and of the measures.
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

    def check(self) -> "HullRun":
        """Refuse what cannot be carried out; returns itself.

        Raises
        ------
        UsageError
        """
        if self.space not in SPACES:
            raise UsageError(f"unknown space {self.space!r}: choose {', '.join(SPACES)}")
        if self.space == "features" and not self.arch:
            raise UsageError("learned features need a network: give --arch")
        if self.directions and (self.space != "pixels" or self.dim or not self.arch):
            raise UsageError("directions are looked at in pixels, with a network: --space pixels --arch mlp, without --dim")
        checks.seed(self.seed)
        checks.real_number("--tol", self.tol, above=0, most=0.1)  # above, distances would mean little
        checks.whole_number("--dim", self.dim, 0)
        if self.space != "features":
            if source(self.data).kind != "images":
                raise UsageError(f"{self.data} has no pixels: choose images, or --space features")
            if self.dim > PIXELS.get(self.data, checks.MOST):
                raise UsageError(f"--dim {self.dim}: at most {PIXELS[self.data]}, the pixels of {self.data}")
        if self.space == "wavelets":
            from empirical.hull.spaces import refuse_wavelet

            refuse_wavelet(self.wavelet)
        if self.arch and not self.sweep:
            self.network().check()
        if self.sweep and not self.arch:
            raise UsageError(f"which network of {self.sweep}? give its --arch")
        check_threads(self.threads)
        return self

    def network(self, store: Path | None = None) -> Network:
        """The network of the run; ``store``: the run store, where it is one of a sweep.

        Raises
        ------
        UsageError
            If the sweep has no such network.
        """
        if self.sweep:
            for network in finished_networks(Path(store) / self.sweep):
                if (network.arch, network.data, network.alpha, network.seed) == (self.arch, self.data, self.alpha, self.seed):
                    return network
            raise UsageError(f"{self.sweep} has no finished {self.arch} on {self.data} of alpha {self.alpha} and seed "
                             f"{self.seed}")
        changes = {"epochs": self.epochs} if self.epochs else {}
        return Network(**{**recipe(self.arch, self.data, self.quick), **changes, "alpha": self.alpha, "seed": self.seed,
                          "threads": self.threads})

    def own_networks(self) -> list[Network]:
        """The networks that are runs of the same experiment."""
        return [] if self.sweep or not self.arch else [self.network()]


MEASURE = Stage("measure", "empirical.studies.hull:run", HullRun, needs={"train": HullRun.own_networks})
STAGES = (TRAIN, MEASURE)


def refuse_site(config: HullRun, data) -> None:
    """Refuse a site that the run's network on the data has not, or more principal components than it has features there.

    Raises
    ------
    UsageError
    """
    from empirical.models import outline

    sites = outline(config.network(), config.alpha, data).sites
    if config.space != "features":
        return
    if config.site not in sites:
        raise UsageError(f"unknown site {config.site!r}: this network has {', '.join(sites)}")
    if config.dim > sites[config.site]:
        raise UsageError(f"--dim {config.dim}: at most {sites[config.site]}, the features of this network at {config.site}")


def run(config: HullRun, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """One run; the numbers of every query are kept in ``points.npz`` in its folder.

    Parameters
    ----------
    config : the space and its hull.
    folder : of the run.
    device : as for PyTorch; None for CUDA if there is one.
    data_dir : folder with the data set; None for the one that the environment names.

    Returns
    -------
    dict
        ``data``, ``network`` (in words), what :func:`empirical.hull.measure.measure` finds, ``directions`` if asked for, and
        the manifest.
    """
    from empirical.data import dataset, load
    from empirical.hull import spaces
    from empirical.hull.measure import measure
    from empirical.train import pick_device

    config.check()
    folder = Path(folder)
    target, model, about, networks = pick_device(device), None, "", []
    if config.arch:
        store = folder.parent.parent
        network = config.network(store)
        experiment = store / config.sweep if config.sweep else folder.parent
        networks.append(trained(network, experiment, device=device, data_dir=data_dir))
        data = dataset(network, data_dir, str(target))
        model = first_member(network, experiment, data, target)
        about = f"{network.arch} alpha {network.alpha}, base width {network.base_width}"
    else:
        data = load(config.data, data_dir=data_dir or data_folder())
    if config.space == "features":
        space = spaces.features(model, data, config.site)
    else:
        space = spaces.pixels(data, own=bool(config.sweep))
        if model is not None:
            space = replace(space, wrong=_errors(model, data))
        if config.space == "wavelets":
            space = spaces.wavelets(space, config.wavelet)
    if config.dim:
        space = spaces.components(space, config.dim)
    found = measure(space, queries=config.queries, leave_one_out=config.leave_one_out, n=config.n,
                    gaussian=config.gaussian, classes=config.classes, seed=config.seed, tol=config.tol)
    if config.directions:
        found["directions"] = _directions(config, model, data, space)
    write_arrays(folder / "points.npz", found.pop("arrays"), compressed=True)
    return {"data": data.name, "network": about, **found,
            "manifest": {"data": data.facts, "device": str(target), "dtype": "float32",
                         "threads": threads_of_record(config.threads, *networks)}}


def _errors(model, data) -> np.ndarray:
    """Which test rows the network misclassifies."""
    from empirical.hull.spaces import features

    return features(model, data, model_site(model)).wrong


def model_site(model) -> str:
    """The site that the readout sees."""
    return next(reversed(dict.fromkeys(model.sites)))


def _directions(config: HullRun, model, data, space) -> dict:
    from empirical.hull.directions import PixelNetwork, directions
    from theory.hull import project

    queries = space.queries[:config.directions]
    weights = project(space.points, queries, config.tol, directions=False).weights
    return directions(PixelNetwork(model, data), queries, weights @ space.points, config.seed)


def _columns(name: str, value) -> dict:
    """An estimate as four columns; nothing where there is none."""
    if not value:
        return {}
    return {name: value["mean"], f"{name}_low": value["low"], f"{name}_high": value["high"], f"{name}_n": value["n"]}


def tabulate(finished: Sequence[tuple[object, dict]]) -> "pandas.DataFrame":
    """The table of a study: one row for each space that was measured.

    Estimates are ``x, x_low, x_high, x_n`` with the group (test, training, gaussian) before ``x``.

    Parameters
    ----------
    finished : (configuration, result) of its runs; those that train are passed over.
    """
    import pandas

    from lab.cli import jsonable

    rows = []
    for config, result in MEASURE.results(finished):
        result = jsonable(result)
        row = {"data": result["data"], "space": config.space, "dim": result["dim"], "components": config.dim,
               "n": result["n"], "arch": config.arch, "alpha": config.alpha if config.arch else "",
               "site": config.site if config.space == "features" else "", "seed": config.seed, "name": result["space"],
               "network": result.get("network", ""),
               "image": int(np.prod(result["facts"].get("image_shape", [0]))), **result["scales"]}
        for group in GROUPS:
            part = result.get(group)
            if part:
                for key in ESTIMATES:
                    row |= _columns(f"{group}_{key}", part[key])
                row |= {f"{group}_{key}": part[key] for key in ("unconverged", "distance_lower", "distance_upper",
                                                                 "largest_gap", "pricings")}
                row[f"{group}_seconds"] = result["seconds"].get(group)
        for name, path in SINGLE.items():
            value = result
            for key in path.split("."):
                value = (value or {}).get(key)
            row |= _columns(name, value)
        rows.append(row)
    return pandas.DataFrame(rows)


def _estimate(row, name: str) -> Estimate | None:
    if name not in row or row[name] != row[name] or row[name] is None:
        return None
    low, high = (None if row[f"{name}_{end}"] != row[f"{name}_{end}"] else float(row[f"{name}_{end}"])
                 for end in ("low", "high"))
    return Estimate(float(row[name]), low, high, int(row[f"{name}_n"]))


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence for the claims of S3 on the hull; the Gaussian control is the toy column's."""
    found = []

    def add(claim, column, setting, estimate):
        if estimate is not None:
            found.append(Evidence(claim, column, setting, estimate, runs))

    for _, row in frame.iterrows():
        network = row.get("network")
        network = network if isinstance(network, str) and network else f"{row['arch']} alpha {row['alpha']}"
        where = f"{row['data']}, " + (f"{network}, " if row["space"] == "features" else "")
        where += f"{row['name']} (dimension {row['dim']}, {row['n']} points)"
        seen = where if row["space"] == "features" else f"{where}, {network}"
        whole = not row["components"]
        subset = row["n"] < frame.loc[(frame["data"] == row["data"]) & (frame["space"] == row["space"]), "n"].max()
        if row["space"] == "features":
            add("s3.features-outside" if whole else "s3.features-outside-at-equal-dimension", "real", where,
                _estimate(row, "test_outside"))
        elif whole and not subset and _estimate(row, "training_outside") is not None:  # one entry a space
            add("s3.test-points-outside", "real", where, _estimate(row, "test_outside"))
            add("s3.test-points-outside", "toy", f"Gaussian with the covariance of {where}",
                _estimate(row, "gaussian_outside"))
        if not whole and row["components"] <= 10:
            add("s3.low-dimension-inside", "real", where, _estimate(row, "test_inside"))
        if whole and not subset:
            add("s3.outside-beyond-dimension", "real", where, _estimate(row, "test_over_training"))
            add("s3.outside-share-beyond-training", "real", where, _estimate(row, "outside_minus_training"))
            add("s3.hull-distance-explains-errors", "real", seen, _estimate(row, "error_given_nearest"))
            add("s3.class-changes-towards-hull", "real", seen, _estimate(row, "changed_excess"))
    return found


def _digits(scale: str) -> list[HullRun]:
    """Digits in all spaces: a minute or two. Quick: an MLP alone, few points."""
    if scale == "quick":
        base = HullRun(data="digits", quick=True, queries=40, leave_one_out=40)
        runs = [replace(base, arch="mlp", gaussian=40, classes=10, directions=10), replace(base, n=400)]
        runs += [replace(base, dim=d) for d in (4, 8)]
        return runs + [replace(base, space="features", arch="mlp", alpha=alpha, gaussian=40) for alpha in ("1", "1/4")]
    base = HullRun(data="digits")
    runs = [replace(base, arch="mlp", gaussian=197, classes=100, directions=100), replace(base, space="wavelets")]
    runs += [replace(base, dim=d) for d in (2, 4, 6, 8, 10, 16, 32)]
    runs += [replace(base, n=n) for n in (100, 200, 400, 800)]
    for arch, first, alphas in (("mlp", "layer1", ("2", "1", "1/2", "1/4", "1/8")), ("resnet18", "stem", ("1", "1/2", "1/4"))):
        for alpha in alphas:
            learnt = replace(base, space="features", arch=arch, alpha=alpha)
            runs += [replace(learnt, gaussian=197), replace(learnt, dim=8), replace(learnt, site=first)]
    return runs


def _images(scale: str) -> list[HullRun]:
    """MNIST and CIFAR-10 against their whole training sets: minutes to an hour on two cores, so only at full scale."""
    if scale != "full":
        return []
    runs = []
    for data in ("mnist", "cifar10"):
        base = HullRun(data=data)
        runs += [replace(base, leave_one_out=2000, gaussian=1000), replace(base, space="wavelets", queries=1000)]
        runs += [replace(base, dim=d, queries=1000) for d in (4, 6, 8, 10, 16, 32, 64)]
        runs += [replace(base, n=n, queries=1000) for n in (1000, 4000, 16000)]
        runs.append(replace(base, queries=500, leave_one_out=0, classes=500))
    return runs


def _resnet18(scale: str) -> list[HullRun]:
    """The features, errors and directions of the ResNet-18 of a width sweep on CIFAR-10, at every width."""
    if scale != "full":
        return []
    runs = []
    for alpha in ("1", "1/2", "1/4", "1/8"):
        base = HullRun(data="cifar10", arch="resnet18", alpha=alpha, sweep="resnet18-cifar10", queries=500)
        runs += [replace(base, space="features", gaussian=500), replace(base, space="features", dim=8),
                 replace(base, queries=200, leave_one_out=0, directions=200)]
    return runs


HULL_DIGITS = Study("hull-digits", "Hull of the training set: digits in pixels, wavelets and features", STAGES, _digits,
                    tabulate, evidence)
HULL_IMAGES = Study("hull-images", "Hull of the training set: MNIST and CIFAR-10 test sets in pixels", STAGES, _images,
                    tabulate, evidence)
HULL_RESNET18 = Study("hull-resnet18-cifar10", "Hull of the training set: features, errors and directions of ResNet-18 on "
                      "CIFAR-10 by width", STAGES, lambda scale: _resnet18(scale) if data_folder() else [],
                      tabulate, evidence, declared=_resnet18,
                      after=("resnet18-cifar10",))
