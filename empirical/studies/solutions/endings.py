"""Networks that are trained to nearly no loss on the same samples: how far they agree, by width and by way of training.

A replica is a set of training samples, on which :data:`COPIES` networks of each width are trained from independent starts. It
contributes their spread, agreement and barriers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.settings import Network, Setting
from empirical.studies.levels import levels
from empirical.studies.solutions.plan import SOURCES, about, from_files, of_width, seeds, unlike_published
from empirical.studies.trained import TRAIN, ready
from lab.combine import bounded
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

COPIES = 8
WIDTHS = (16, 64, 256)
LOSS = {"target_loss": 0.01, "schedule": "constant", "warmup": 0.0, "learning_rate": 0.05, "epochs": 600}
REGIMES: dict[str, dict[str, Any]] = {"base": {}, "learning rate × 1/4": {"learning_rate": 0.0125, "epochs": 2400},
                                      "whole set a step": {"batch_size": 300, "learning_rate": 0.1, "epochs": 1500},
                                      "weight decay": {"weight_decay": 1e-4}, "smaller start": {"init": "lecun-normal"}}
REPLICAS = {"quick": 2, "full": 6}
KEYS = ("agreement", "barrier", "barrier_matched", "error_barrier", "error_barrier_matched")


@dataclass(frozen=True, kw_only=True)
class Endings(Setting):
    """A comparison of the trained networks of a stack.

    Attributes
    ----------
    regime : str
        Way of training, in words; one of :data:`REGIMES`.
    stack : int
        Number of networks, trained on the same samples.

    Examples
    --------
    >>> of_width(Endings, 16, 100, regime="base", stack=4, **SOURCES["digits"]).networks()[0].stack
    4
    """

    regime: str
    stack: int = COPIES

    def networks(self) -> list[Network]:
        """The run that trains them."""
        return [Network(**self.shared(), stack=self.stack)]


def run(config: Endings, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Compare the networks of a stack.

    Parameters
    ----------
    config : Endings
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
        Loss and accuracy of each network (``train``, ``test``), ``reached`` (whether each reached its target loss),
        ``parameters``; ``agreement`` on test samples over all pairs; barriers over disjoint pairs, with their units as they are
        and matched;
        ``data``, the name of data that are not the published ones.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Endings, 4, 0, regime="base", stack=2, **{**SOURCES["digits"], "epochs": 1, "train_size": 60})
    >>> with TemporaryDirectory() as folder:
    ...     sorted(set(run(quick, Path(folder) / "endings" / "run", device="cpu")) & set(KEYS))
    ['agreement', 'barrier', 'barrier_matched', 'error_barrier', 'error_barrier_matched']
    """
    from empirical.models import build_for
    from empirical.models.mlp import MLP
    from empirical.networks import load_trained, read_member
    from empirical.solutions import agreement, answers, barrier, matched_units

    (network,) = config.networks()
    prepared = ready(config, [network], Path(folder).parent, device=device, data_dir=data_dir)
    data, target, (facts,) = prepared.data, prepared.device, prepared.results
    stack = load_trained(network, data, TRAIN.folder(prepared.experiment, network), target)
    states = [read_member(stack, config.stack, i) for i in range(config.stack)]
    one = build_for(config, data).to(target)
    assert isinstance(one, MLP)  # the only networks whose units are matched here
    inputs = data.batch(data.splits["train"]).unsqueeze(0)
    barriers: dict[str, list[float]] = {key: [] for key in KEYS[1:]}
    for state, other in zip(states[::2], states[1::2]):
        for suffix, end in (("", other), ("_matched", matched_units(one, state, other, inputs))):
            between = barrier(one, state, end, data)
            barriers[f"barrier{suffix}"].append(between["loss"])
            barriers[f"error_barrier{suffix}"].append(between["error"])
    return {**{key: facts[key] for key in ("parameters", "train", "test", "reached", "epochs")},
            "agreement": agreement(answers(stack, data, data.splits["test"])),
            **{key: float(np.mean(values)) for key, values in barriers.items()}, **unlike_published(data),
            "manifest": prepared.manifest(config.threads)}


MEASURE = Stage("compare", "empirical.studies.solutions.endings:run", Endings, needs={"train": Endings.networks})
STAGES = (TRAIN, MEASURE)


def _configs(data: str, regimes: Sequence[str], scale: str, n: int | None = None, *, widths: Sequence[int] = WIDTHS,
             **changes: Any) -> list[Endings]:
    """Every way of training and width; replica by replica."""
    if scale not in REPLICAS or (scale == "quick" and data != "digits"):
        return []
    if scale == "quick":
        return [of_width(Endings, hidden, seed, regime="base", stack=2, **{**SOURCES[data], **LOSS, "epochs": 40})
                for seed in seeds(n or 2) for hidden in WIDTHS[:2]]
    return [of_width(Endings, hidden, seed, regime=regime, **{**SOURCES[data], **LOSS, **REGIMES[regime], **changes})
            for seed in seeds(n or REPLICAS[scale]) for regime in regimes for hidden in widths]


def tabulate(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per stack.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        For each stack the number of networks that ``reached`` their loss, the mean and ``spread`` (standard deviation) of their
        test errors, their agreement and barriers.

    Examples
    --------
    >>> tabulate([]).empty
    True
    """
    import pandas

    rows = []
    for config, result in MEASURE.results(finished):
        errors = 1 - np.array(result["test"]["accuracy"])
        reached = config.stack if result["reached"] is None else sum(result["reached"])
        rows.append({**about(config, result, None), "regime": config.regime, "copies": config.stack, "reached": reached,
                     "spread": errors.std(ddof=1), **{key: result[key] for key in KEYS}, "epochs": np.mean(result["epochs"])})
    return pandas.DataFrame(rows)


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Spread, disagreement and barriers of the widest networks; beside those of the narrowest, where there are several widths.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        Ways of training share samples and starts: one cluster. Replicas in which a network did not reach the loss are left out.

    Examples
    --------
    >>> import pandas
    >>> evidence(pandas.DataFrame({"regime": []}), ())
    []
    """
    pieces = []
    for regime, rows in frame.groupby("regime", sort=False):
        whole = rows.groupby("seed").filter(lambda part: (part.reached == part.copies).all())
        if whole.empty:
            continue
        name, narrow, wide = str(rows.data.iloc[0]), rows.hidden.min(), rows.hidden.max()
        left, counted = whole.seed.nunique(), rows.seed.nunique()
        common: dict[str, Any] = dict(column="real", runs=runs, piece=str(regime).replace(" ", "-"), cluster=name,
                      levels=levels("mlp", name), note=f"{left} of {counted} replicas reached the loss" * (left < counted))
        by = whole.pivot(index="seed", columns="hidden", values=["spread", "test_error", *KEYS[:3]])
        spread = by["spread"].clip(lower=1e-4)  # one error in 10,000 test samples
        setting = f"MLP, {name}, {regime}, width {wide}"
        if wide > narrow:
            pieces += [
                Evidence("s2.wide-solutions-agree", estimate=mean_interval(spread[wide] / spread[narrow], log=True),
                         setting=f"{setting} against {narrow}", **common),
                Evidence("s2.width-generalises", setting=f"{setting} against {narrow}", estimate=bounded(
                    mean_interval(by["test_error"][narrow] - by["test_error"][wide]), -1, 1), **common)]
        pieces += [
            Evidence("s3.minimisers-differ", setting=setting,
                     estimate=bounded(mean_interval(1 - by["agreement"][wide]), 0, 1), **common),
            Evidence("s2.barriers-are-order", setting=setting, estimate=bounded(mean_interval(
                by["barrier_matched"][wide] / by["barrier"][wide].clip(lower=1e-9)), 0), **common)]
    return pieces


DIGITS_ENDINGS = Study("endings-digits", "networks of nearly no training loss on digits: five ways of training", STAGES,
                       partial(_configs, "digits", tuple(REGIMES)), tabulate, evidence, processes=True, extensible=True)
MNIST_ENDINGS = Study("endings-mnist", "networks of nearly no training loss on MNIST", STAGES,
                      from_files(partial(_configs, "mnist", ("base",))), tabulate, evidence, processes=True, extensible=True,
                      declared=partial(_configs, "mnist", ("base",)))
_CIFAR10 = partial(_configs, "cifar10", ("base",), widths=WIDTHS[-1:], stack=COPIES // 2, learning_rate=0.01)
CIFAR10_ENDINGS = Study("endings-cifar10", "networks of one width of nearly no training loss on CIFAR-10", STAGES,
                        from_files(_CIFAR10), tabulate, evidence, processes=True, extensible=True, declared=_CIFAR10,
                        pilot_seconds=900.0)
