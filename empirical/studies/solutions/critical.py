"""Hessian index of small networks at critical points, which are searched from many heights.

Networks have smooth units and see digits of 4x4 pixels; the loss is cross-entropy with the weight decay of training, so that
critical points lie at finite weights. Searches start from networks at several stages of training and from initial weights of
several scales, and minimise the norm of the gradient (:func:`theory.critical_points.search`). A point counts only below
:data:`CRITICAL`, and points of equal height and index count once. Each index is compared with that of a random matrix with the
same mean and variance of eigenvalues (the semicircle), which is a null hypothesis, not a model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.settings import Network, Setting
from empirical.studies.levels import levels
from empirical.studies.solutions.plan import data_name, hidden_units, of_width, seeds
from empirical.studies.trained import TRAIN, ready
from lab.combine import bounded
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

CRITICAL = 1e-8  # norm of the gradient below which a point is critical
SMALL = {"arch": "mlp-tanh", "data": "digits", "image_size": 4, "train_size": 100, "batch_size": 20, "weight_decay": 1e-3,
         "schedule": "constant", "warmup": 0.0}
LOOKS, SCALES = (2, 8, 32, 128, 512), (0.5, 1.0, 2.0)
WIDTHS, REPLICAS = (2, 3), {"quick": 2, "full": 6}


@dataclass(frozen=True, kw_only=True)
class Critical(Setting):
    """A search for critical points in the landscape of one replica's samples.

    Attributes
    ----------
    looks : tuple of int
        Numbers of epochs; searches start from networks trained for each of them.
    scales : tuple of float
        Further searches start from initial weights multiplied by each of these.
    stack : int
        Number of networks of each kind.
    max_steps : int
        Maximum number of steps of a search.

    Examples
    --------
    >>> [network.epochs for network in of_width(Critical, 3, 100, **SMALL, looks=LOOKS).networks()]
    [2, 8, 32, 128, 512]
    """

    looks: tuple[int, ...]
    scales: tuple[float, ...] = SCALES
    stack: int = 4
    max_steps: int = 400

    def networks(self) -> list[Network]:
        """The runs that train the networks; shorter ones are the beginnings of longer ones."""
        return [Network(**{**self.shared(), "epochs": epochs}, stack=self.stack) for epochs in self.looks]


def run(config: Critical, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Search, and count negative directions.

    Parameters
    ----------
    config : Critical
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
        ``loss`` and ``index`` of the distinct critical points, ``null`` (share of negative directions by the semicircle),
        ``directions``, ``searches``, ``found`` (searches that ended at a critical point), ``fall`` and ``coins``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Critical, 1, 0, **SMALL, looks=(1,), scales=(1.0,), stack=1, max_steps=2)
    >>> with TemporaryDirectory() as folder:
    ...     run(quick, Path(folder) / "critical" / "run", device="cpu")["directions"]
    37
    """
    from empirical.curvature import Objective
    from empirical.networks import load_trained, prepare, read_member
    from theory.critical_points import coins, distinct, fall, index, search
    from theory.random_landscape import index_share

    networks = config.networks()
    prepared = ready(config, networks, Path(folder).parent, device=device, data_dir=data_dir)
    data, target = prepared.data, prepared.device
    initial = prepare(networks[0], data, target)
    one = prepare(Network(**config.shared()), data, target).eval()
    objective = Objective(one, data, data.splits["train"], config.weight_decay)
    stacks = [(initial, scale) for scale in config.scales]
    stacks += [(load_trained(n, data, TRAIN.folder(prepared.experiment, n), target), 1.0) for n in networks]
    starts = np.stack([scale * objective.flatten(read_member(stack, config.stack, i)).cpu().numpy()
                       for stack, scale in stacks for i in range(config.stack)])
    points, norms = search(objective.slopes, starts, CRITICAL / 10, config.max_steps)
    points = points[norms < CRITICAL]
    curvatures = np.linalg.eigvalsh(objective.slopes(points)[1]) if len(points) else np.zeros((0, objective.size))
    heights = np.array([float(objective.loss(objective.start.new_tensor(point))) for point in points])
    loss, negative = distinct(heights, index(curvatures)) if len(points) else (heights, np.zeros(0, dtype=int))
    null = index_share(curvatures.mean(1) / (2 * curvatures.std(1))) if len(points) else heights
    return {"loss": loss, "index": negative, "null": float(np.mean(null)) if len(points) else None,
            "directions": objective.size, "searches": len(starts), "found": len(points),
            "fall": fall(loss, negative / objective.size), "coins": coins(loss, negative, objective.size),
            "manifest": prepared.manifest(config.threads)}


SEARCH = Stage("search", "empirical.studies.solutions.critical:run", Critical, needs={"train": Critical.networks})


def _configs(scale: str, n: int | None = None) -> list[Critical]:
    """Two widths; replica by replica."""
    if scale not in REPLICAS:
        return []
    few: dict[str, Any] = {"looks": (4,), "scales": (1.0,), "stack": 2, "max_steps": 20} if scale == "quick" else {"looks": LOOKS}
    return [of_width(Critical, hidden, seed, **SMALL, **few) for seed in seeds(n or REPLICAS[scale]) for hidden in WIDTHS]


def tabulate(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per distinct critical point; the columns about its replica are repeated.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        ``loss`` and ``index`` of the point, and ``directions, searches, found, fall, coins, null`` of the replica.

    Examples
    --------
    >>> tabulate([]).empty
    True
    """
    import pandas

    rows = []
    for config, result in SEARCH.results(finished):
        about = {"data": data_name(config), "hidden": hidden_units(config), "seed": config.seed,
                 **{key: result[key] for key in ("directions", "searches", "found", "fall", "coins", "null")}}
        pairs = zip(result["loss"], result["index"]) if result["found"] else [(np.nan, 0)]
        rows += [{**about, "loss": loss, "index": index} for loss, index in pairs]
    return pandas.DataFrame(rows)


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Share of negative directions by loss, and its spread relative to coins, for every width.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        Widths share their samples: one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence(pandas.DataFrame({"hidden": [], "seed": []}), ())
    []
    """
    pieces = []
    replicas = frame.drop_duplicates(["hidden", "seed"])
    for hidden, rows in replicas.groupby("hidden"):
        common: dict[str, Any] = dict(column="real", runs=runs, piece=f"h{hidden}", cluster="digits",
                      levels={**levels("mlp-tanh", "digits"), "landscape": "network"},
                      setting=f"MLP of {hidden} tanh units, {rows.data.iloc[0]}, 100 images",
                      note=f"{int(rows.found.sum())} of {int(rows.searches.sum())} searches ended at a critical point")
        for claim, column, least in (("s2.index-falls-with-loss", "fall", -1.0), ("s2.coin-flips", "coins", 0.0)):
            values = rows[column].astype(float).replace([np.inf, -np.inf], np.nan).dropna()
            if values.size:
                pieces.append(Evidence(claim, estimate=bounded(mean_interval(values), least), **common))
    return pieces


CRITICAL_DIGITS = Study("critical-digits", "critical points of small networks on digits: index against loss", (TRAIN, SEARCH),
                        _configs, tabulate, evidence, processes=True, extensible=True)
