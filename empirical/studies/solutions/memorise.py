"""Memorise or generalise: MLPs on digits with true, partly random and random labels, on noise, and on scrambled images; MLPs of
one width on CIFAR-10 with true and random labels, and on noise.

Networks are evaluated after increasing numbers of epochs; shorter training runs are the beginnings of longer ones. The results
are errors, the first look without an error on the training images, and the fate of decision regions on polygons through images of
one label (:mod:`empirical.paths`), as in the toy model (:mod:`toy.memorise`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.settings import Network, Setting
from empirical.studies.levels import levels
from empirical.studies.solutions.plan import CIFAR10, about, from_files, of_width, seeds, unlike_published
from empirical.studies.trained import TRAIN, first_member, ready
from lab.combine import bounded
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

PLAIN = {"train_size": 300, "schedule": "constant", "warmup": 0.0}
TASKS: dict[str, dict[str, Any]] = {
    "true labels": {"data": "digits"}, "half random": {"data": "digits", "label_noise": 0.5},
    "random labels": {"data": "digits", "label_noise": 1.0}, "noise pictures": {"data": "digits-noise"},
    "scrambled pictures": {"data": "digits-scrambled"}}
WIDTHS, LOOKS = (16, 64, 256), (1, 2, 4, 8, 16, 32, 64, 128, 256)
TASKS_CIFAR10: dict[str, dict[str, Any]] = {
    "true labels": CIFAR10, "random labels": {**CIFAR10, "label_noise": 1.0},
    "noise pictures": {**CIFAR10, "data": "cifar10-noise"}}
LOOKS_CIFAR10 = LOOKS[:7]  # pilots had fitted after 32 epochs
REPLICAS = {"quick": 2, "full": 8}
REPLICAS_CIFAR10 = 6
EVENTS = ("deaths", "births", "resplits", "chance")


@dataclass(frozen=True, kw_only=True)
class Memorise(Setting):
    """Networks of one width on one task, along training.

    Attributes
    ----------
    task : str
        Task in words; one of :data:`TASKS`.
    looks : tuple of int
        Epochs after which networks are evaluated; decision regions are also evaluated before training.
    corners : int
        Number of corners of a polygon.
    points : int
        Number of points on an edge.

    Examples
    --------
    >>> run = of_width(Memorise, 16, 100, **PLAIN, data="digits", task="true labels", looks=(1, 3))
    >>> [network.epochs for network in run.networks()]
    [1, 3]
    """

    task: str
    looks: tuple[int, ...] = LOOKS
    corners: int = 8
    points: int = 32

    def networks(self) -> list[Network]:
        """The runs that train them."""
        return [Network(**{**self.shared(), "epochs": epochs}) for epochs in self.looks]


def run(config: Memorise, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Follow decision regions along training.

    Parameters
    ----------
    config : Memorise
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
        ``looks``: loss and error on training and test rows at each; ``regions`` (looks + 1): mean number on a polygon, before
        training and at each look; ``deaths, births, resplits, chance``, summed over polygons; and ``parameters``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Memorise, 2, 0, **{**PLAIN, "train_size": 60}, data="digits", task="true labels", looks=(1,))
    >>> with TemporaryDirectory() as folder:
    ...     result = run(quick, Path(folder) / "memorise" / "run", device="cpu")
    >>> len(result["regions"]), len(result["looks"])
    (2, 1)
    """
    from empirical.networks import prepare
    from empirical.paths import classes_on, polygons
    from theory.regions import follow

    networks = config.networks()
    prepared = ready(config, networks, Path(folder).parent, device=device, data_dir=data_dir)
    data, target, facts = prepared.data, prepared.device, prepared.results
    curves = polygons(data, config.corners, config.points, config.seed)
    models = [prepare(networks[0], data, target).eval(), *(first_member(n, prepared.experiment, data, target) for n in networks)]
    regions = follow(np.stack([classes_on(model, curves) for model in models], axis=1))
    looks = [about(network, {**fact, **unlike_published(data)}) for network, fact in zip(networks, facts)]
    return {"looks": looks, "parameters": facts[0]["parameters"],
            "regions": regions.count.mean(axis=0), **{name: float(getattr(regions, name).sum()) for name in EVENTS},
            "manifest": prepared.manifest(config.threads)}


FOLLOW = Stage("follow", "empirical.studies.solutions.memorise:run", Memorise, needs={"train": Memorise.networks})


def _configs(scale: str, n: int | None = None) -> list[Memorise]:
    """Five tasks, three widths; replica by replica, and task by task, so that successive runs share their data."""
    if scale not in REPLICAS:
        return []
    widths, few = (WIDTHS[:1], {"looks": (1, 4)}) if scale == "quick" else (WIDTHS, {})
    return [of_width(Memorise, hidden, seed, **{**PLAIN, **changes, **few}, task=task) for seed in seeds(n or REPLICAS[scale])
            for task, changes in TASKS.items() for hidden in reversed(widths)]


def _configs_cifar10(scale: str, n: int | None = None) -> list[Memorise]:
    """Three tasks, one width; replica by replica."""
    if scale != "full":
        return []
    return [of_width(Memorise, WIDTHS[-1], seed, **{**PLAIN, **changes}, task=task, looks=LOOKS_CIFAR10)
            for seed in seeds(n or REPLICAS_CIFAR10) for task, changes in TASKS_CIFAR10.items()]


def tabulate(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per network and look.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        Errors and ``regions`` at each look; ``fitted``, the first look without an error on the training images (NaN if there is
        none), and the events of the whole training are repeated in every row of a network.

    Examples
    --------
    >>> tabulate([]).empty
    True
    """
    import pandas

    rows = []
    for config, result in FOLLOW.results(finished):
        fitted = [look["epochs"] for look in result["looks"] if look["train_error"] == 0]
        rows += [{"task": config.task, **look, "regions": regions, "fitted": min(fitted, default=np.nan),
                  **{name: result[name] for name in EVENTS}} for look, regions in zip(result["looks"], result["regions"][1:])]
    return pandas.DataFrame(rows)


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Regions, re-splits and epochs to fit of the widest networks, once they have fitted their images; replica by replica.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        Tasks share their images or labels: one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence(pandas.DataFrame(), ())
    []
    """
    if frame.empty:
        return []
    wide = frame[frame.hidden == frame.hidden.max()]
    wide = wide[wide.epochs == wide.epochs.max()]
    last = wide.assign(rate=wide.resplits / wide.deaths.clip(lower=1),
                       again=(wide.resplits - wide.chance) / wide.births.clip(lower=1))
    last = last.set_index(["task", "seed"]).sort_index()
    done, pieces = last[last.train_error == 0], []
    name = str(frame.data.iloc[0])  # of the first task, whose images are not altered
    late = 2.0 * frame.epochs.max()  # networks that have not fitted by the last look count as fitting at the next one

    def of(task: str, column: str, rows: "pandas.DataFrame" = done) -> "pandas.Series":
        return rows[column].xs(task) if task in rows.index.get_level_values(0) else rows[column].iloc[:0].droplevel(0)

    def add(claim: str, piece: str, words: str, values: "pandas.Series", labels: str = "structured", log: bool = False,
            least: float = -np.inf, most: float = np.inf) -> None:
        values = values.dropna()
        if len(values):
            planned = frame.seed.nunique()
            pieces.append(Evidence(claim, "real", f"MLP of {int(frame.hidden.max())} units, {name}, {words}",
                                  bounded(mean_interval(values, log=log), least, most), runs, piece=piece, cluster=name,
                                  note=f"{len(values)} of {planned} replicas had fitted" * (len(values) < planned),
                                  levels={**levels("mlp", name), "labels": labels, "share": piece}))

    add("s2.memorising-needs-more-regions", "regions", "polygons through images of one label, random against true",
        of("random labels", "regions") - of("true labels", "regions"), "random")
    for task, piece, labels in (("true labels", "true", "structured"), ("random labels", "random", "random")):
        add("s2.merged-regions-stay-merged", piece, task, of(task, "rate"), labels, least=0.0)
    for task, share in (("random labels", 1.0), ("half random", 0.5)):
        add("s2.resplits-follow-random-labels", f"share{share:g}", f"{share:.0%} of the labels random",
            of(task, "rate") - of("true labels", "rate"), "random")
    add("s2.resplits-are-no-chance", "random-labels", "random labels", of("random labels", "again"), "random", least=-1.0,
        most=1.0)
    for claim, task in (("s3.random-labels-are-fitted", "random labels"), ("s3.noise-is-fitted", "noise pictures")):
        add(claim, "", task, of(task, "fitted", last).fillna(late) / of("true labels", "fitted", last).fillna(late), log=True)
    return pieces


MEMORISE_DIGITS = Study("memorise-digits", "memorise or generalise: MLPs on digits, true labels, random ones, noise",
                        (TRAIN, FOLLOW), _configs, tabulate, evidence, processes=True, extensible=True)
MEMORISE_CIFAR10 = Study("memorise-cifar10", "memorise or generalise: MLPs of one width on CIFAR-10",
                         (TRAIN, FOLLOW), from_files(_configs_cifar10), tabulate, evidence, processes=True, extensible=True,
                         declared=_configs_cifar10, pilot_seconds=700.0)
