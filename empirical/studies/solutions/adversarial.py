"""Smallest adversarial changes by width: MLPs of nearly zero training loss, and how far an image is from another class.

Two steps are measured for each test image that the networks of all widths classify correctly: a *certified* one, below which no
change of the pixels changes the predicted class (:mod:`theory.certified`), and a *found* one, which does change it
(:mod:`empirical.hull.directions`). The smallest change lies between the two. The nearest-neighbour rule is the baseline, on the
images that it also classifies correctly. Lengths are Euclidean, for pixels between 0 and 1; steps may leave that range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.settings import Network, Setting
from empirical.studies.levels import levels
from empirical.studies.solutions.endings import LOSS
from empirical.studies.solutions.plan import SOURCES, UNIT, about, from_files, of_width, seeds
from empirical.studies.trained import TRAIN, first_member, ready
from lab.combine import bounded
from lab.errors import InputError
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas
    import torch
    from torch import nn

    from empirical.data import Dataset
    from empirical.models.mlp import MLP

WIDTHS = (16, 32, 64, 128, 256, 512)
POINTS = 200  # the first test images
REPLICAS = {"quick": 2, "full": 6}


@dataclass(frozen=True, kw_only=True)
class Adversarial(Setting):
    """Smallest changes of the same images for networks of several widths.

    Attributes
    ----------
    alphas : tuple of str
        Width multipliers, ascending; the last is that of the setting.
    points : int
        Maximum number of test images.

    Examples
    --------
    >>> run = of_width(Adversarial, 32, 100, alphas=("1/32", "1/16"), **SOURCES["digits"])
    >>> [network.alpha for network in run.networks()]
    ['1/32', '1/16']
    """

    alphas: tuple[str, ...]
    points: int = POINTS

    def networks(self) -> list[Network]:
        """The runs that train the networks."""
        return [Network(**{**self.shared(), "alpha": alpha}) for alpha in self.alphas]


def _affine(layer: "nn.Module") -> "tuple[torch.Tensor, torch.Tensor]":
    """Weights (out, in) and biases (out,) of a layer of a stack of one, in float64."""
    from empirical.models.layers import Linear

    assert isinstance(layer, Linear) and layer.bias is not None
    return layer.weight[0].detach().double(), layer.bias[0].detach().double()


def pixel_layer(model: "MLP", data: "Dataset") -> tuple[np.ndarray, np.ndarray]:
    """The first layer of an MLP as a function of pixels in [0, 1], with normalisation folded into its weights.

    Parameters
    ----------
    model : MLP
        A stack of one.
    data : Dataset
        Data set on which it was trained.

    Returns
    -------
    weights : (H, d) array
        Incoming weights of the units.
    biases : (H,) array
        Biases of the units.

    Examples
    --------
    >>> import torch
    >>> from empirical.data import load
    >>> from empirical.models import build
    >>> data = load("digits")
    >>> weights, biases = pixel_layer(build("mlp", alpha=1, base_width=4, data=data, depth=1), data)
    >>> weights.shape, biases.shape
    ((4, 64), (4,))
    """
    ends = [data.normalised(data.inputs.new_full(data.inputs.shape[1:], level).float()).double().flatten()
            for level in (0.0, data.scale)]
    weights, biases = _affine(model.hidden[0])
    return ((ends[1] - ends[0]) * weights).cpu().numpy(), (biases + weights @ ends[0]).cpu().numpy()


def run(config: Adversarial, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Measure both steps at every width.

    Parameters
    ----------
    config : Adversarial
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
        ``widths``: for each width the result of :func:`~empirical.studies.solutions.plan.about`, whether the network ``reached``
        its target loss, and the mean ``certified`` and ``found`` steps; ``counted`` (images that all networks classify
        correctly); over those that the nearest neighbour also classifies correctly, ``nearest`` (mean certified step of that
        rule) and ``found_there`` (mean found step of the widest network).

    Raises
    ------
    InputError
        If no test image is classified correctly at every width and by the nearest neighbour.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Adversarial, 32, 0, alphas=("1/32", "1/16"), points=40, **{**SOURCES["digits"], "epochs": 10})
    >>> with TemporaryDirectory() as folder:
    ...     steps = run(quick, Path(folder) / "adversarial" / "run", device="cpu")
    >>> [bool(item["certified"] <= item["found"]) for item in steps["widths"]]
    [True, True]
    """
    from scipy.spatial.distance import cdist

    from empirical.hull.directions import PixelNetwork, adversarial_steps
    from empirical.models.mlp import MLP
    from theory.certified import certified_steps, nearest_neighbour_steps

    networks = config.networks()
    prepared = ready(config, networks, Path(folder).parent, device=device, data_dir=data_dir)
    data = prepared.data
    models = [first_member(network, prepared.experiment, data, prepared.device) for network in networks]
    (points, truth), (anchors, known) = ((data.inputs[rows].flatten(1).double().cpu().numpy() / data.scale,
                                          data.labels[rows].cpu().numpy())
                                         for rows in (data.splits["test"][:config.points], data.splits["train"]))
    functions = [PixelNetwork(model, data) for model in models]
    right = np.logical_and.reduce([function.classes(points) == truth for function in functions])
    rule = known[cdist(points, anchors).argmin(1)] == truth
    if not (right & rule).any():
        raise InputError("no test image is classified correctly at every width: train longer, or leave out narrow networks")
    points, rule = points[right], rule[right]
    lengths = np.array([np.linalg.norm(adversarial_steps(function, points), axis=1) for function in functions])
    ends = np.isfinite(lengths).all(axis=0)  # drop images from which the search met no boundary
    points, rule, lengths = points[ends], rule[ends], lengths[:, ends]
    widths = []
    for network, facts, model, found in zip(networks, prepared.results, models, lengths):
        assert isinstance(model, MLP)  # the certificate is for one hidden layer
        readout, offsets = (x.cpu().numpy() for x in _affine(model.readout))
        proved = certified_steps(*pixel_layer(model, data), readout, offsets, points, found)
        reached = facts["reached"] is None or facts["reached"][0]
        widths.append({**about(network, facts), "reached": reached, "certified": proved.mean(), "found": found.mean()})
    return {"widths": widths, "counted": len(points), "found_there": lengths[-1, rule].mean(),
            "nearest": nearest_neighbour_steps(points[rule], anchors, known).mean(),
            "manifest": prepared.manifest(config.threads)}


MEASURE = Stage("steps", "empirical.studies.solutions.adversarial:run", Adversarial, needs={"train": Adversarial.networks})


def _configs(data: str, scale: str, n: int | None = None) -> list[Adversarial]:
    """One run per replica, with all widths."""
    if scale not in REPLICAS or (scale == "quick" and data != "digits"):
        return []
    few: dict[str, Any] = {"epochs": 20} if scale == "quick" else {}
    widths = WIDTHS[:2] if scale == "quick" else WIDTHS
    alphas = tuple(str(Fraction(hidden, UNIT)) for hidden in widths)
    return [of_width(Adversarial, widths[-1], seed, alphas=alphas, **{**SOURCES[data], **LOSS, **few})
            for seed in seeds(n or REPLICAS[scale])]


def tabulate(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per replica and width.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        Errors and mean ``certified`` and ``found`` steps; numbers of the whole replica are repeated in its rows.

    Examples
    --------
    >>> tabulate([]).empty
    True
    """
    import pandas

    return pandas.DataFrame([{**row, **{key: result[key] for key in ("counted", "nearest", "found_there")}}
                             for _, result in MEASURE.results(finished) for row in result["widths"]])


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Found steps by width, against errors, and against the nearest-neighbour rule; one number per replica.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        All widths are measured on the same images: one cluster. Replicas whose networks did not all reach the target loss are
        left out.

    Examples
    --------
    >>> import pandas
    >>> evidence(pandas.DataFrame(), ())
    []
    """
    if frame.empty:
        return []
    whole = frame.groupby("seed").filter(lambda part: part.reached.all())
    if whole.empty:
        return []
    name, narrow, wide = str(frame.data.iloc[0]), frame.hidden.min(), frame.hidden.max()
    left, planned = whole.seed.nunique(), frame.seed.nunique()
    by = whole.pivot(index="seed", columns="hidden", values=["certified", "found"])
    tight = [(by["certified"][hidden] / by["found"][hidden]).mean() for hidden in (narrow, wide)]
    note = f"{left} of {planned} replicas reached the loss; " * (left < planned) + (
        f"certified steps are {tight[0]:.0%} of found ones at width {narrow}, {tight[1]:.0%} at {wide}")
    ranks = [part[["found", "test_error"]].corr("spearman").iloc[0, 1] for _, part in whole.groupby("seed")]
    once = whole[whole.hidden == wide]
    common: dict[str, Any] = dict(column="real", runs=runs, piece=f"h{wide}", note=note, cluster=name, levels=levels("mlp", name))
    where = f"MLP, {name}, width {wide}"
    return [
        Evidence("s3.answers-give-way-to-small-changes", setting=where,
                 estimate=mean_interval(once.found_there / once.nearest, log=True), **common),
        Evidence("s3.width-moves-the-boundary-away", setting=f"{where} against {narrow}",
                 estimate=mean_interval(by["found"][wide] / by["found"][narrow], log=True), **common),
        Evidence("s3.larger-steps-fewer-errors", setting=f"MLP, {name}, widths {narrow} to {wide}",
                 estimate=bounded(mean_interval(np.nan_to_num(ranks)), -1, 1), **common)]  # equal errors: no correlation


ADVERSARIAL_DIGITS = Study("adversarial-digits", "smallest adversarial changes of MLPs on digits, by width", (TRAIN, MEASURE),
                           partial(_configs, "digits"), tabulate, evidence, processes=True, extensible=True,
                           pilot_seconds=50.0)
ADVERSARIAL_MNIST = Study("adversarial-mnist", "smallest adversarial changes of MLPs on MNIST, by width", (TRAIN, MEASURE),
                          from_files(partial(_configs, "mnist")), tabulate, evidence, processes=True, extensible=True,
                          declared=partial(_configs, "mnist"), pilot_seconds=400.0)
