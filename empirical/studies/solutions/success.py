"""How often training fits every sample, by width; one wide network against several narrow ones with equally many units in total.

Training *succeeds* if it ends without an error on the training samples, within a budget in which a network of the smallest width
succeeds about every other time. A replica is a set of samples, on which :data:`COPIES` networks of each width are trained from
independent starts; it contributes their shares of success. m narrow networks fail together if each of them fails; the probability
is estimated as the share of the sets of m copies in which all fail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.settings import Network, Setting
from empirical.studies.levels import levels
from empirical.studies.solutions.plan import about, of_width, seeds
from empirical.studies.trained import TRAIN, ready
from lab.combine import bounded
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

COPIES = 16
NARROW = 6
WIDTHS = (NARROW, NARROW + 1, 2 * NARROW, 4 * NARROW)
BUDGET = {"data": "digits", "train_size": 300, "epochs": 60, "schedule": "constant", "warmup": 0.0}
REPLICAS = {"quick": 2, "full": 8}
TOGETHER = ("best", "ensemble", "concatenated")


@dataclass(frozen=True, kw_only=True)
class Starts(Setting):
    """Networks of one width with independent starts, and groups of them.

    Attributes
    ----------
    stack : int
        Number of networks.
    group : int
        Networks per group; together they have as many units as the network with which they are compared.

    Examples
    --------
    >>> of_width(Starts, 6, 100, **BUDGET, group=2).networks()[0].stack
    16
    """

    stack: int = COPIES
    group: int

    def networks(self) -> list[Network]:
        """The run that trains them."""
        return [Network(**self.shared(), stack=self.stack)]


def run(config: Starts, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Evaluate groups of the networks: the best of each, their mean prediction, and all their units as one network.

    Parameters
    ----------
    config : Starts
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
        Loss and accuracy of every network (``train``, ``test``), ``parameters``, and ``together``: split (``train``, ``test``) ->
        way -> ``loss`` and ``error``, as means over groups. "best" is the network of least training loss, "ensemble" averages
        probabilities, "concatenated" is one network of all units whose readout is the mean of theirs.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Starts, 2, 0, **{**BUDGET, "epochs": 1, "train_size": 60}, stack=2, group=2)
    >>> with TemporaryDirectory() as folder:
    ...     result = run(quick, Path(folder) / "success" / "run", device="cpu")
    >>> sorted(result["together"]["train"])
    ['best', 'concatenated', 'ensemble']
    """
    import torch

    from empirical.networks import load_trained

    (network,) = config.networks()
    prepared = ready(config, [network], Path(folder).parent, device=device, data_dir=data_dir)
    data, target, (facts,) = prepared.data, prepared.device, prepared.results
    model = load_trained(network, data, TRAIN.folder(prepared.experiment, network), target)
    groups = torch.arange(config.stack - config.stack % config.group, device=target).view(-1, config.group)
    best = groups.gather(1, torch.tensor(facts["train"]["loss"], device=target)[groups].argmin(1, keepdim=True))[:, 0]
    together: dict[str, dict[str, dict[str, float]]] = {}
    with torch.inference_mode():
        for split in ("train", "test"):
            rows = data.splits[split]
            logits = torch.cat([model(data.batch(part).unsqueeze(0)).double() for part in rows.split(1024)], dim=1)
            mean = logits[groups].mean(1)
            scores = {"best": logits[best].log_softmax(-1), "concatenated": mean.log_softmax(-1),
                      "ensemble": logits[groups].log_softmax(-1).logsumexp(1) - math.log(config.group)}
            labels = data.labels[rows].expand(len(groups), -1)
            together[split] = {way: {"loss": float(-x.gather(-1, labels[..., None]).mean()),
                                     "error": float((x.argmax(-1) != labels).double().mean())} for way, x in scores.items()}
    return {**{key: facts[key] for key in ("parameters", "train", "test")}, "together": together,
            "manifest": prepared.manifest(config.threads)}


MEASURE = Stage("together", "empirical.studies.solutions.success:run", Starts, needs={"train": Starts.networks})


def _configs(scale: str, n: int | None = None) -> list[Starts]:
    """Four widths; the narrowest in groups with as many units as the widest."""
    if scale not in REPLICAS:
        return []
    few: dict[str, Any] = {"stack": 4, "epochs": 5} if scale == "quick" else {}
    return [of_width(Starts, hidden, seed, **{**BUDGET, **few}, group=max(1, WIDTHS[-1] // hidden))
            for seed in seeds(n or REPLICAS[scale]) for hidden in WIDTHS]


def tabulate(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per replica and width.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        ``copies``, how many of them ``failed``, mean loss and error, and loss and error of groups of ``group`` networks.

    Examples
    --------
    >>> tabulate([]).empty
    True
    """
    import pandas

    return pandas.DataFrame([
        {**about(config, result, None), "copies": config.stack, "failed": sum(x < 1 for x in result["train"]["accuracy"]),
         "group": config.group, **{f"{way}_{split}_{name}": result["together"][split][way][name]
                                   for way in TOGETHER for split in ("train", "test") for name in ("loss", "error")}}
        for config, result in MEASURE.results(finished)])


def all_fail(failed: int, copies: int, group: int) -> float:
    """Share of the sets of ``group`` copies in which all fail.

    Parameters
    ----------
    failed : int
        Number of copies that failed.
    copies : int
        Number of copies.
    group : int
        Number of copies in a set.

    Returns
    -------
    float
        An unbiased estimate of P_fail to the power ``group``.

    Examples
    --------
    >>> all_fail(2, 4, 2)
    0.16666666666666666
    """
    return math.comb(failed, group) / math.comb(copies, group)


def log_failure(failed: int, copies: int) -> float:
    """Logarithm of the probability to fail, with half a failure and half a success added, so that it is finite and not 0.

    Parameters
    ----------
    failed : int
        Number of copies that failed.
    copies : int
        Number of copies.

    Returns
    -------
    float
        Negative.

    Examples
    --------
    >>> round(log_failure(0, 15), 3)
    -3.466
    """
    return math.log((failed + 0.5) / (copies + 1))


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Success by width, against groups of equally many units, and against independent tickets.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        All widths share the narrow networks: one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence(pandas.DataFrame(), ())
    []
    """
    if frame.empty:
        return []
    failed = frame.pivot(index="seed", columns="hidden", values="failed").dropna().astype(int)
    copies, k = int(frame.copies.iloc[0]), int(frame.hidden.min())
    pieces = []
    for n in sorted(set(failed.columns) - {k}):
        common: dict[str, Any] = dict(column="real", runs=runs, piece=f"n{n}", cluster="digits", levels=levels("mlp", "digits"),
                      setting=f"MLP, {frame.data.iloc[0]}, {int(frame.samples.iloc[0])} images, {k} units against {n}")
        pairs = list(zip(failed[k], failed[n]))
        pieces.append(Evidence("s2.success-grows-with-width", estimate=bounded(
            mean_interval([(narrow - wide) / copies for narrow, wide in pairs]), -1, 1), **common))
        logs = [(log_failure(narrow, copies), log_failure(wide, copies)) for narrow, wide in pairs]
        if n == k + 1:
            pieces.append(Evidence("s2.tickets-are-not-independent", estimate=mean_interval(
                [math.comb(n, k) * narrow / wide for narrow, wide in logs], log=True), **common))
        if n % k == 0:
            pieces.append(Evidence("s2.wide-beats-multistart", estimate=bounded(mean_interval(
                [all_fail(narrow, copies, n // k) - wide / copies for narrow, wide in pairs]), -1, 1), **common))
            pieces.append(Evidence("s2.width-is-tickets", estimate=mean_interval(
                [wide / (n // k * narrow) for narrow, wide in logs], log=True), **common))
    return pieces


SUCCESS_DIGITS = Study("success-digits", "how often MLPs fit every digit, by width, alone and several together", (TRAIN, MEASURE),
                       _configs, tabulate, evidence, processes=True, extensible=True)
