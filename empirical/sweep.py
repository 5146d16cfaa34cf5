"""Width sweeps from Python: train networks of every width, compare copies with the wide network, write one table.

:func:`sweep` does what ``python -m empirical sweep`` does; the command is made of the same two steps, :func:`planned` and
:func:`carry_out`. Architecture and data are the laboratory's, by name, or a user's own (:mod:`empirical.own`): their networks
are trained, resumed, compared, tabulated and judged alike.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from empirical.declared import architecture, is_own, short
from empirical.settings import STARTS, Network, Setting, matched, recipe
from empirical.widths import check_alphas
from lab import checks
from lab.arguments import fraction
from lab.cli import note
from lab.errors import ArgumentError
from lab.tables import Table

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas
    import torch
    from matplotlib.axes import Axes

    from empirical.data import Dataset
    from lab.study import Study

__all__ = ["Plan", "Sweep", "carry_out", "planned", "sweep"]
ALPHAS = (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 8))
S = TypeVar("S", bound="Sourced")
MATCHES, COPIES = ("epochs", "train-loss"), ("features", "parameters")


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep, before anything is trained.

    Attributes
    ----------
    study : Study
        Study that computes the runs and makes their table.
    configs : list of Setting
        Configurations of the runs.
    setting : Setting
        Settings that all networks share, with the checksums of data and source from files.
    data : Dataset
        Data on the CPU.
    match : {"epochs", "train-loss"}
        See :func:`sweep`.
    seeds : sequence of int
        Replicas.

    Examples
    --------
    >>> plan = planned(recipe("mlp", "digits", quick=True), [Fraction(1), Fraction(1, 2)], [0, 1], out="runs")
    >>> plan.study.name, len(plan.configs)  # six networks or stacks, four comparisons
    ('mlp-digits', 10)
    """

    study: "Study"
    configs: list[Setting]
    setting: Setting
    data: "Dataset"
    match: str
    seeds: Sequence[int]


@dataclass(frozen=True, repr=False)
class Sweep:
    """A finished width sweep.

    Attributes
    ----------
    name : str
        Name of the sweep.
    setting : Setting
        Settings that its networks share.
    rows : list of dict
        One for each width, the largest first, with every measure as a :class:`lab.estimate.Estimate` over replicas; see
        :func:`empirical.studies.width.summary.summarise`.
    table : Table
        One row for each comparison, site and number of copies; its manifest says what was run.
    path : Path
        Path of its csv.
    short : tuple of int
        Number of networks that ended above the target loss, and number of networks that have one.

    Examples
    --------
    >>> import pandas
    >>> table = Table("mlp-digits", pandas.DataFrame(), {"failed": []})
    >>> finished = Sweep("mlp-digits", Setting(**recipe("mlp", "digits")), [], table, Path("mlp-digits.csv"), (0, 0))
    >>> finished.failed, len(finished.to_frame())
    ([], 0)
    """

    name: str
    setting: Setting
    rows: list[dict]
    table: Table
    path: Path
    short: tuple[int, int]

    @property
    def failed(self) -> list[dict]:
        """The runs that failed: ``config``, ``reason``."""
        return self.table.manifest["failed"]

    def to_frame(self) -> "pandas.DataFrame":
        """The table of all comparisons."""
        return self.table.frame

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw span errors in both directions by width; returns the matplotlib axes (by default, those of a new figure)."""
        from empirical.studies.width.summary import draw_span_errors
        from lab.pictures import drawing

        with drawing(axes) as axes:
            draw_span_errors(self.rows, axes)
        return axes

    def __repr__(self) -> str:
        errors = ", ".join(f"{row['alpha']}: {row['span_error'].mean:.3g}" for row in self.rows)
        return f"Sweep({self.name}: span errors by alpha {{{errors}}}, {len(self.failed)} runs failed, {self.path})"


def sweep(model: str | Callable = "resnet18", data: str | Callable | None = None, *,
          alphas: Sequence[Fraction | float | str] = ALPHAS, seeds: int | Sequence[int] = 3, out: str | Path = "runs",
          name: str | None = None, match: str = "epochs", copies: str = "features", start: str = "own", sites: str = "all",
          stack: int | None = None, device: str | None = None, data_dir: str | None = None, jobs: int | None = None,
          executor: "Executor | None" = None, **changes: Any) -> Sweep:
    """Train every width, compare the copies with the wide network, and write the table.

    Parameters
    ----------
    model : str or callable
        Name of an architecture, or a function of the width multiplier that returns a module, itself or by its name,
        ``"package.module:function"`` (see :mod:`empirical.own.network`).
    data : str or callable, optional
        Name of a data set, or a function that returns data (see :mod:`empirical.own.data`); by default the embedded data that
        the architecture takes.
    alphas : sequence of Fraction, float or str
        Width multipliers, numbers or texts like "1/8"; the largest is that of the wide network.
    seeds : int or sequence of int
        Number of replicas, or their seeds.
    out : str or Path
        Folder of the run store; finished runs in it are not repeated.
    name : str, optional
        Name of the table and of the folder in the run store; by default from model and data.
    match : {"epochs", "train-loss"}
        With "train-loss", every width is trained to the same training loss, ``target_loss``.
    copies : {"features", "parameters"}
        Train enough narrow copies to match the wide network's features, or also its parameters.
    start : {"own", "slice"}
        With "slice" the copies start as slices of the wide network.
    sites : {"all", "penultimate"}
        Sites where features are compared.
    stack : int, optional
        Maximum number of copies trained together; by default what is fastest here.
    device : str, optional
        Device, as named by PyTorch; by default CUDA if available.
    data_dir : str, optional
        Folder with the data's files.
    jobs : int, optional
        Processes; by default one for each core.
    executor : concurrent.futures.Executor, optional
        Executor to use instead of local processes.
    **changes
        Fields of :class:`empirical.settings.Setting` (epochs, learning_rate, ...), in the recipe of the data.

    Returns
    -------
    Sweep
        Estimates for each width, and the table behind them.

    Raises
    ------
    ArgumentError
        If the arguments are invalid.
    InputError
        If no run finished.

    Examples
    --------
    Even the smallest sweep takes seconds, so this example only shows a refusal:

    >>> sweep("mlp", "digits", alphas=["1", "2/3"])
    Traceback (most recent call last):
    ...
    lab.errors.ArgumentError: alpha 1 is not a multiple of alpha 2/3: ...
    """
    from empirical.own.names import name_of

    model = name_of(model, "model")
    data = architecture(model).default_data if data is None else name_of(data, "data")
    for argument, value, choices in (("match", match, MATCHES), ("copies", copies, COPIES), ("start", start, STARTS),
                                     ("sites", sites, ("all", "penultimate"))):
        checks.choice(argument, value, choices)
    unknown = set(changes) - {f.name for f in fields(Setting)} - {"arch", "data", "alpha", "seed"}
    if unknown:
        raise ArgumentError(f"a setting has no field {min(unknown)}: choose among {', '.join(f.name for f in fields(Setting))}")
    if match == "train-loss":
        changes = {**matched(data), **changes}
    seeds = range(checks.whole_number("seeds", seeds, 1, 1000)) if not isinstance(seeds, Sequence) else seeds
    plan = planned({**recipe(model, data), **changes}, [_alpha(a) for a in alphas], [checks.seed(s) for s in seeds], out=out,
                   name=name, match=match, copies=copies, start=start, sites=sites, stack=stack, device=device, data_dir=data_dir)
    return carry_out(plan, out=out, device=device, data_dir=data_dir, jobs=jobs, executor=executor)


def _alpha(value: Fraction | float | str) -> Fraction:
    try:
        return fraction(str(value))
    except argparse.ArgumentTypeError as error:
        raise ArgumentError(f"alphas: {error}", "alphas") from None


def planned(settings: Mapping, alphas: Sequence[Fraction], seeds: Sequence[int], *, out: str | Path, name: str | None = None,
            match: str = "epochs", copies: str = "features", start: str = "own", sites: str = "all", stack: int | None = None,
            device: str | None = None, data_dir: str | None = None, download: bool = False) -> Plan:
    """Plan the runs of a sweep; impossible ones are refused before anything is trained.

    Parameters
    ----------
    settings : mapping
        Fields of :class:`empirical.settings.Setting`.
    alphas : sequence of Fraction
        Width multipliers; the largest is the wide network's.
    seeds : sequence of int
        Replicas.
    out : str or Path
        Folder of the run store.
    name : str, optional
        Name of the table and of the folder in the run store; by default from model and data.
    match : {"epochs", "train-loss"}
        See :func:`sweep`.
    copies : {"features", "parameters"}
        See :func:`sweep`.
    start : {"own", "slice"}
        See :func:`sweep`.
    sites : {"all", "penultimate"}
        Sites where features are compared.
    stack : int, optional
        Maximum number of copies trained together; by default what is fastest here.
    device : str, optional
        Device, as named by PyTorch; by default CUDA if available.
    data_dir : str, optional
        Folder with the data's files.
    download : bool
        Fetch the data from their publisher if they are missing.

    Returns
    -------
    Plan
        For :func:`carry_out`.

    Raises
    ------
    ArgumentError
        If the arguments are invalid.

    Examples
    --------
    >>> plan = planned(recipe("mlp", "digits", quick=True), [Fraction(1), Fraction(1, 4)], [0], out="runs", stack=2)
    >>> [(config.alpha, config.stack) for config in plan.configs]  # wide, second wide, two stacks of copies; two comparisons
    [('1', 1), ('1', 1), ('1/4', 2), ('1/4', 2), ('1', 1), ('1/4', 2)]
    """
    setting = Setting(**settings).check()
    check_alphas(alphas, setting.base_width)
    if start == "slice" and is_own(setting.arch):
        raise ArgumentError(f"copies can start as slices only in networks made of the laboratory's layers, but {setting.arch} is "
                            "your own: leave start at own", "start")

    from empirical.data import dataset, load, with_checksum
    from empirical.device import pick_device
    from empirical.models import outline
    from empirical.studies import named
    from empirical.studies.width.plan import equal_parameters, plan
    from empirical.studies.width.study import SECOND, width_study

    target = pick_device(device)
    if download:
        load(setting.data, data_dir=data_dir, download=True)
    data = dataset(setting, data_dir)
    setting = with_sources(with_checksum(setting, data))
    outlines = {alpha: outline(setting, alpha, data) for alpha in alphas}  # refuses impossible widths before anything is trained
    if is_own(setting.arch):
        _refuse_unscaled(setting.arch, {alpha: model.sites["penultimate"] for alpha, model in outlines.items()})
    narrow = equal_parameters(setting, data, max(alphas)) if copies == "parameters" else None
    configs = plan(setting, alphas, seeds, stack=stack or partial(_measured_stack, data_dir, target, out), sites=sites,
                   start=start, narrow=narrow, second=SECOND)
    changed = {"loss": match == "train-loss", "parameters": narrow is not None, "slices": start == "slice",
               "wider": max(alphas) > 1}
    name = name or "-".join([short(setting.arch), short(setting.data), *(word for word, true in changed.items() if true)])
    study = named(width_study(name, f"{short(setting.arch)} on {data.name}", lambda scale: []))
    return Plan(study, configs, setting, data, match, seeds)


class Sourced(Protocol):
    """A configuration (a dataclass) that names its architecture and the checksum of its source."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def arch(self) -> str: ...
    @property
    def model_checksum(self) -> str: ...


def with_sources(setting: S) -> S:
    """The setting, with the checksum of its architecture's source if that is a user's own."""
    if not is_own(setting.arch):
        return setting
    from empirical.own.names import checksum

    return replace(setting, model_checksum=checksum(setting.arch))


def _refuse_unscaled(arch: str, features: Mapping[Fraction, int]) -> None:
    """Refuse a user's architecture that ignores its width; note if copies have more or fewer features than the wide network.

    ``features``: alpha -> number of features that enter the readout.
    """
    reference = max(features)
    for alpha, count in features.items():
        if alpha < reference and count >= features[reference]:
            raise ArgumentError(f"{arch} has {count} features before its readout at alpha {alpha}, and {features[reference]} at "
                                f"{reference}: make its layers scale with alpha", "model")
        copies = reference / alpha
        if count * copies != features[reference]:
            note(f"{arch}: {copies} copies of alpha {alpha} have {count * copies} features before the readout, the wide network "
                 f"{features[reference]}")


def _measured_stack(data_dir: str | None, device: "torch.device", out: str | Path, network: Network, copies: int) -> int:
    from empirical.data import dataset
    from empirical.stacked import choose_stack

    return choose_stack(network, dataset(network, data_dir, str(device)), device, copies, Path(out))


def carry_out(plan: Plan, *, out: str | Path, scale: str = "full", device: str | None = None, data_dir: str | None = None,
              jobs: int | None = None, executor: "Executor | None" = None) -> Sweep:
    """Compute the missing runs of a plan and write its table.

    Parameters
    ----------
    plan : Plan
        Plan made by :func:`planned`.
    out : str or Path
        Folder of the run store.
    scale : {"quick", "full"}
        Scale, for the table's manifest.
    device : str, optional
        Device, as named by PyTorch; by default CUDA if available.
    data_dir : str, optional
        Folder with the data's files.
    jobs : int, optional
        Processes; by default one for each core.
    executor : concurrent.futures.Executor, optional
        Executor to use instead of local processes.

    Returns
    -------
    Sweep
        Estimates for each width, and the table behind them.

    Raises
    ------
    InputError
        If no run finished.

    Examples
    --------
    Its two steps are those of :func:`sweep`:

    >>> plan = planned(recipe("mlp", "digits", quick=True), [Fraction(1), Fraction(1, 2)], [0], out="runs")
    >>> carry_out(replace(plan, configs=[]), out="runs")  # a plan without runs has no table
    Traceback (most recent call last):
    ...
    lab.errors.InputError: mlp-digits: there are no runs to carry out
    """
    from empirical.device import pick_device
    from empirical.studies.width.summary import short_of_target, summarise
    from lab.store import RunStore
    from lab.study import compute

    store, target = RunStore(out), pick_device(device)
    table = compute(plan.study, scale, store=store, jobs=jobs or (1 if target.type == "cuda" else None), configs=plan.configs,
                    executor=executor, options={"device": str(target), "data_dir": data_dir})
    compared = len(table.frame) > 0
    return Sweep(plan.study.name, plan.setting, summarise(table.frame) if compared else [], table,
                 store.root / "tables" / f"{table.stem}.csv", short_of_target(table.frame) if compared else (0, 0))
