"""Trained narrow networks that are widened and trained on, and curvature along training.

A network of a few smooth units is trained until it hardly improves. Then its units are split, or new ones are added, without
changing its function (:mod:`empirical.widen`), and training goes on. Controls are the narrow network trained for as long, and a
network that is wide from the start. The extreme eigenvalues of the Hessian are recorded where training goes on: splitting adds
directions of escape.

Curvature along training: extreme eigenvalues and spectral density of the Hessian after increasing numbers of epochs, by width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.settings import Network, Setting
from empirical.studies.levels import levels
from empirical.studies.solutions.plan import about, hidden_units, of_width, seeds
from empirical.studies.trained import TRAIN, first_member, ready, train_from
from lab.combine import bounded
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

    from empirical.models.layers import Stack

SMOOTH = {"arch": "mlp-tanh", "data": "digits", "train_size": 300, "schedule": "constant", "warmup": 0.0}
NARROW, WIDE, BEFORE, AFTER = 4, 8, 400, 400
WAYS = ("not at all", "split units", "new units")
REPLICAS = {"quick": 2, "full": 8}
LOOKS, WIDTHS = (1, 8, 64, 256), (4, 16, 64)


@dataclass(frozen=True, kw_only=True)
class Widened(Network):
    """A network that starts as a trained narrower one, widened.

    Attributes
    ----------
    narrow : str
        alpha of the narrow network.
    before : int
        Number of epochs for which it was trained.
    way : str
        One of :data:`WAYS`; "not at all" continues to train the narrow network.

    Examples
    --------
    >>> of_width(Widened, 8, 100, **SMOOTH, narrow="1/128", before=3, way="split units").networks()[0].epochs
    3
    """

    narrow: str
    before: int
    way: str

    def networks(self) -> list[Network]:
        """The run that trains the narrow network."""
        return [Network(**{**self.shared(), "alpha": self.narrow, "epochs": self.before})]


def run(config: Widened, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Widen, measure the lowest curvature, train on.

    Parameters
    ----------
    config : Widened
        Configuration of the run.
    folder : Path
        Folder of the run.
    device : str, optional
        Device, as named by PyTorch; None for CUDA if available.
    data_dir : str, optional
        Folder with the data set; None for the one named by the environment.

    Returns
    -------
    dict
        As :func:`empirical.studies.trained.run`; and, where training goes on, ``start_loss`` (training loss), ``lowest`` and
        ``highest`` (eigenvalues of the Hessian), ``gradient`` (norm).

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Widened, 2, 0, **{**SMOOTH, "epochs": 1, "train_size": 60}, narrow="1/512", before=1, way="split units")
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder) / "escape" / "run"
    ...     place.mkdir(parents=True)
    ...     result = run(quick, place, device="cpu")
    >>> result["lowest"] < result["highest"]
    True
    """
    from empirical.curvature import Objective, extreme_eigenvalues
    from empirical.streams import stream
    from empirical.widen import add_units, split_units

    (network,) = config.networks()
    prepared = ready(config, [network], Path(folder).parent, device=device, data_dir=data_dir)
    data = prepared.data
    narrow = first_member(network, prepared.experiment, data, prepared.device).state_dict()
    at_start: dict[str, float] = {}

    def begin(model: "Stack") -> None:
        if config.way == "split units":
            model.load_state_dict(split_units(narrow, stream(*config.address(0, "split units"))))
        elif config.way == "new units":
            model.load_state_dict(add_units(narrow, model.state_dict()))
        else:
            model.load_state_dict(narrow)
        objective = Objective(model, data, data.splits["train"])
        theta = objective.start
        low, high = extreme_eigenvalues(objective.multiply(theta), objective.size)
        at_start.update(start_loss=float(objective.loss(theta)), lowest=float(low[0]), highest=float(high[0]),
                        gradient=float(objective.gradient(theta).norm()))

    return {**train_from(prepared, config, folder, begin, device=device, data_dir=data_dir), **at_start}


WIDEN = Stage("widen", "empirical.studies.solutions.escape:run", Widened, needs={"train": Widened.networks})


def _configs_widened(scale: str, n: int | None = None) -> list[Network]:
    """Every way from the same narrow network, and networks that are wide from the start, trained for as many epochs in total."""
    if scale not in REPLICAS:
        return []
    before, after = (20, 20) if scale == "quick" else (BEFORE, AFTER)
    runs: list[Network] = []
    for seed in seeds(n or REPLICAS[scale]):
        narrow = of_width(Network, NARROW, seed, **SMOOTH, epochs=before)
        runs += [of_width(Widened, NARROW if way == WAYS[0] else WIDE, seed, **SMOOTH, epochs=after, narrow=narrow.alpha,
                          before=before, way=way) for way in WAYS]
        runs.append(of_width(Network, WIDE, seed, **SMOOTH, epochs=before + after))
    return runs


def tabulate_widened(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per trained network.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        ``way`` ("narrow": the network that is widened; "wide from the start"), losses, and the curvature where training goes on.

    Examples
    --------
    >>> tabulate_widened([]).empty
    True
    """
    import pandas

    rows = []
    for config, result in finished:
        way = config.way if isinstance(config, Widened) else "narrow" if hidden_units(config) == NARROW else "wide from the start"
        rows.append({"way": way, **about(config, result),
                     **{key: result.get(key, np.nan) for key in ("start_loss", "lowest", "highest", "gradient")}})
    return pandas.DataFrame(rows)


def evidence_widened(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Ratios of training losses, replica by replica.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate_widened`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        Split over narrow, and split over new units.

    Examples
    --------
    >>> import pandas
    >>> evidence_widened(pandas.DataFrame(), ())
    []
    """
    if frame.empty:
        return []
    loss = frame.pivot(index="seed", columns="way", values="train_loss")
    name, samples = frame.data.iloc[0], int(frame.samples.iloc[0])
    return [Evidence(claim, "real", f"MLP of {NARROW} tanh units made {WIDE}, {name}, {samples} images",
                     mean_interval(loss["split units"] / loss[other], log=True), runs, cluster="digits",
                     levels=levels("mlp-tanh", "digits"))
            for claim, other in (("s2.split-units-escape", WAYS[0]), ("s2.split-units-match-new-ones", WAYS[2]))]


ESCAPE_DIGITS = Study("escape-digits", "narrow networks on digits, widened by splitting units or by new ones", (TRAIN, WIDEN),
                      _configs_widened, tabulate_widened, evidence_widened, processes=True, extensible=True)


@dataclass(frozen=True, kw_only=True)
class Curvature(Setting):
    """The Hessian of one network.

    Attributes
    ----------
    directions : int
        Number of random directions for the spectral density.
    steps : int
        Lanczos steps per direction.

    Examples
    --------
    >>> of_width(Curvature, 4, 100, **SMOOTH, directions=10).networks()[0].alpha
    '1/128'
    """

    directions: int
    steps: int = 40

    def networks(self) -> list[Network]:
        """The run that trains it."""
        return [Network(**self.shared())]


def run_curvature(config: Curvature, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Measure the Hessian of the training loss at one network.

    Parameters
    ----------
    config : Curvature
        Configuration of the run.
    folder : Path
        Folder of the run.
    device : str, optional
        Device, as named by PyTorch; None for CUDA if available.
    data_dir : str, optional
        Folder with the data set; None for the one named by the environment.

    Returns
    -------
    dict
        ``lowest`` and ``highest`` eigenvalue; ``negative`` (share of eigenvalues below minus a thousandth of the highest),
        ``mean`` and ``square`` (first and second moment), each with the standard error over directions, ``*_error``; loss and
        accuracy.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Curvature, 1, 0, **{**SMOOTH, "epochs": 1, "train_size": 60}, directions=2, steps=3)
    >>> with TemporaryDirectory() as folder:
    ...     result = run_curvature(quick, Path(folder) / "curvature" / "run", device="cpu")
    >>> 0 <= result["negative"] <= 1
    True
    """
    from empirical.curvature import Objective, density, extreme_eigenvalues

    (network,) = config.networks()
    prepared = ready(config, [network], Path(folder).parent, device=device, data_dir=data_dir)
    data = prepared.data
    objective = Objective(first_member(network, prepared.experiment, data, prepared.device), data, data.splits["train"])
    product = objective.multiply(objective.start)
    low, high = extreme_eigenvalues(product, objective.size)
    spectrum = density(product, objective.size, directions=config.directions, steps=config.steps, seed=config.seed)
    numbers = {"negative": spectrum.below(-1e-3 * float(high[0])), "mean": spectrum.moment(1), "square": spectrum.moment(2)}
    return {**{key: prepared.results[0][key] for key in ("parameters", "train", "test")},
            "lowest": float(low[0]), "highest": float(high[0]), **{name: number.mean for name, number in numbers.items()},
            **{f"{name}_error": number.error for name, number in numbers.items()},
            "manifest": prepared.manifest(config.threads)}


CURVE = Stage("curvature", "empirical.studies.solutions.escape:run_curvature", Curvature, needs={"train": Curvature.networks})


def _configs_curvature(scale: str, n: int | None = None) -> list[Curvature]:
    """Three widths, four looks; shorter training runs are the beginnings of longer ones."""
    if scale not in REPLICAS:
        return []
    looks, widths, few = ((1, 8), WIDTHS[:1], {"directions": 3, "steps": 10}) if scale == "quick" else (
        LOOKS, WIDTHS, {"directions": 10})
    return [of_width(Curvature, hidden, seed, **SMOOTH, epochs=epochs, **few) for seed in seeds(n or min(5, REPLICAS[scale]))
            for hidden in widths for epochs in looks]


def tabulate_curvature(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per network and look.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        Epochs, losses, and the numbers of :func:`run_curvature`; ``null``, the share of negative eigenvalues of a random matrix
        (a semicircle) of the same mean and variance.

    Examples
    --------
    >>> tabulate_curvature([]).empty
    True
    """
    import pandas

    from theory.random_landscape import index_share

    rows = []
    for config, result in CURVE.results(finished):
        spread = np.sqrt(max(result["square"] - result["mean"] ** 2, 1e-300))
        rows.append({**about(config, result), **{key: result[key] for key in (
            "lowest", "highest", "negative", "negative_error", "mean", "mean_error", "square", "square_error")},
            "null": float(index_share(result["mean"] / (2 * spread)))})
    return pandas.DataFrame(rows)


def evidence_curvature(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Share of negative eigenvalues at the first look minus that at the last, by width.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate_curvature`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        Widths share their samples: one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence_curvature(pandas.DataFrame({"hidden": []}), ())
    []
    """
    pieces = []
    for hidden, rows in frame.groupby("hidden"):
        share = rows.pivot(index="seed", columns="epochs", values="negative")
        first, last = share.columns.min(), share.columns.max()
        pieces.append(Evidence("s2.negative-curvature-goes", "real", f"MLP of {hidden} tanh units, {rows.data.iloc[0]}, after "
                               f"{first} and {last} epochs", bounded(mean_interval(share[first] - share[last]), -1, 1), runs,
                               piece=f"h{hidden}", cluster="digits", levels=levels("mlp-tanh", "digits")))
    return pieces


CURVATURE_DIGITS = Study("curvature-digits", "Hessian of MLPs on digits along training, by width", (TRAIN, CURVE),
                         _configs_curvature, tabulate_curvature, evidence_curvature, processes=True, extensible=True)
