"""Width sweeps from Python: networks of every width trained, copies compared with the wide network, one table of it.

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
from typing import TYPE_CHECKING

from empirical.declared import architecture, is_own, short
from empirical.settings import STARTS, Setting, matched, recipe
from empirical.widths import check_alphas
from lab import checks
from lab.arguments import fraction
from lab.cli import note
from lab.errors import ArgumentError
from lab.tables import Table

if TYPE_CHECKING:
    import pandas

    from empirical.data import Dataset
    from lab.study import Study

ALPHAS = (Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 8))
MATCHES, COPIES = ("epochs", "train-loss"), ("features", "parameters")


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep, before anything is trained.

    Attributes
    ----------
    study : what carries them out and makes their table.
    configs : the runs.
    setting : what all networks share, with the checksums of data and source that come from files.
    data : on the CPU.
    match, seeds : see :func:`sweep`.
    """

    study: "Study"
    configs: list
    setting: Setting
    data: "Dataset"
    match: str
    seeds: Sequence[int]


@dataclass(frozen=True, repr=False)
class Sweep:
    """A finished width sweep.

    Attributes
    ----------
    name : of the sweep.
    setting : what its networks share.
    rows : a dict for each width, the largest first, with every measure as a :class:`lab.estimate.Estimate` over replicas;
        see :func:`empirical.studies.width.summary.summarise`.
    table : the :class:`lab.tables.Table`, one row a comparison, site and number of copies; its manifest says what was run.
    path : of its csv.
    short : networks that ended above the target loss, and networks that have one.
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

    def plot(self, axes=None):
        """Span errors both ways by width; returns the matplotlib axes (by default, those of a new figure)."""
        from empirical.studies.width.summary import draw_span_errors
        from lab.pictures import drawing

        with drawing(axes) as axes:
            draw_span_errors(self.rows, axes)
        return axes

    def __repr__(self) -> str:
        found = ", ".join(f"{row['alpha']}: {row['span_error'].mean:.3g}" for row in self.rows)
        return f"Sweep({self.name}: span errors by alpha {{{found}}}, {len(self.failed)} runs failed, {self.path})"


def sweep(model: str | Callable = "resnet18", data: str | Callable | None = None, *, alphas: Sequence = ALPHAS,
          seeds: int | Sequence[int] = 3, out: str | Path = "runs", name: str | None = None, match: str = "epochs",
          copies: str = "features", start: str = "own", sites: str = "all", stack: int | None = None, device: str | None = None,
          data_dir: str | None = None, jobs: int | None = None, executor=None, **changes) -> Sweep:
    """Train every width, compare the copies with the wide network, and write the table.

    Parameters
    ----------
    model : an architecture's name, or a function of the width multiplier that returns a module, itself or by its name,
        ``"package.module:function"`` (see :mod:`empirical.own.network`).
    data : a data set's name, or a function that returns data (see :mod:`empirical.own.data`); None for the embedded data
        that the architecture takes.
    alphas : width multipliers, numbers or texts like "1/8"; the largest is the wide network's.
    seeds : replicas, or how many.
    out : folder of the run store; what is finished there is not repeated.
    name : of the table and of the folder in the run store; None for one made of model and data.
    match : "epochs", or "train-loss": every width is trained to the same training loss, ``target_loss``.
    copies : "features", as many narrow copies as have the wide network's features, or "parameters".
    start : "own", or "slice", copies start as slices of the wide network.
    sites : "all", or "penultimate": where features are compared.
    stack : copies trained together at most; None for what is faster here.
    device : as for PyTorch; None for CUDA if there is one.
    data_dir : folder with the data's files.
    jobs : processes; None for one a core.
    executor : any ``concurrent.futures.Executor`` in place of local processes.
    changes : fields of :class:`empirical.settings.Setting` (epochs, learning_rate, ...), in the recipe of the data.

    Returns
    -------
    Sweep

    Raises
    ------
    ArgumentError
        If it cannot be carried out as asked for.
    InputError
        If no run finished.
    """
    from empirical.own.names import name_of

    model = name_of(model, "model")
    data = architecture(model).default_data if data is None else name_of(data, "data")
    for argument, value, choices in (("match", match, MATCHES), ("copies", copies, COPIES), ("start", start, STARTS),
                                     ("sites", sites, ("all", "penultimate"))):
        checks.choice(argument, value, choices)
    unknown = set(changes) - {f.name for f in fields(Setting)} - {"arch", "data", "alpha", "seed"}
    if unknown:
        raise ArgumentError(f"a setting has no {min(unknown)}: there are {', '.join(f.name for f in fields(Setting))}")
    if match == "train-loss":
        changes = {**matched(data), **changes}
    seeds = range(checks.whole_number("seeds", seeds, 1, 1000)) if not isinstance(seeds, Sequence) else seeds
    plan = planned({**recipe(model, data), **changes}, [_alpha(a) for a in alphas], [checks.seed(s) for s in seeds], out=out,
                   name=name, match=match, copies=copies, start=start, sites=sites, stack=stack, device=device, data_dir=data_dir)
    return carry_out(plan, out=out, device=device, data_dir=data_dir, jobs=jobs, executor=executor)


def _alpha(value) -> Fraction:
    try:
        return fraction(str(value))
    except argparse.ArgumentTypeError as error:
        raise ArgumentError(f"alphas: {error}", "alphas") from None


def planned(settings: Mapping, alphas: Sequence[Fraction], seeds: Sequence[int], *, out: str | Path, name: str | None = None,
            match: str = "epochs", copies: str = "features", start: str = "own", sites: str = "all", stack: int | None = None,
            device: str | None = None, data_dir: str | None = None, download: bool = False) -> Plan:
    """The runs of a sweep; impossible ones are refused before anything is trained.

    Parameters
    ----------
    settings : fields of :class:`empirical.settings.Setting`.
    alphas, seeds, out, name, match, copies, start, sites, stack, device, data_dir : see :func:`sweep`.
    download : fetch the data from their publisher if they are missing.

    Raises
    ------
    ArgumentError
    """
    setting = Setting(**settings).check()
    check_alphas(alphas, setting.base_width)
    if start == "slice" and is_own(setting.arch):
        raise ArgumentError(f"copies start as slices of networks that are made of the laboratory's layers, and {setting.arch} is "
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
    found = {alpha: outline(setting, alpha, data) for alpha in alphas}  # refuses impossible widths before anything is trained
    if is_own(setting.arch):
        _refuse_unscaled(setting.arch, {alpha: model.sites["penultimate"] for alpha, model in found.items()})
    narrow = equal_parameters(setting, data, max(alphas)) if copies == "parameters" else None
    configs = plan(setting, alphas, seeds, stack=stack or partial(_measured_stack, data_dir, target, out), sites=sites,
                   start=start, narrow=narrow, second=SECOND)
    changed = {"loss": match == "train-loss", "parameters": narrow is not None, "slices": start == "slice",
               "wider": max(alphas) > 1}
    name = name or "-".join([short(setting.arch), short(setting.data), *(word for word, true in changed.items() if true)])
    study = named(width_study(name, f"{short(setting.arch)} on {data.name}", lambda scale: []))
    return Plan(study, configs, setting, data, match, seeds)


def with_sources(setting: Setting) -> Setting:
    """The setting with the checksum of its architecture's source, where that is a user's own."""
    if not is_own(setting.arch):
        return setting
    from empirical.own.names import checksum

    return replace(setting, model_checksum=checksum(setting.arch))


def _refuse_unscaled(arch: str, features: Mapping[Fraction, int]) -> None:
    """Refuse an architecture that does not heed its width; say where copies have not just as many features as the wide network.

    Parameters
    ----------
    arch : name of a user's own.
    features : alpha -> features that its readout sees.
    """
    reference = max(features)
    for alpha, count in features.items():
        if alpha < reference and count >= features[reference]:
            raise ArgumentError(f"{arch} has {count} features before its readout at alpha {alpha}, and {features[reference]} at "
                                f"{reference}: let its layers follow alpha", "model")
        copies = reference / alpha
        if count * copies != features[reference]:
            note(f"{arch}: {copies} copies of alpha {alpha} have {count * copies} features before the readout, the wide network "
                 f"{features[reference]}")


def _measured_stack(data_dir, device, out, network, copies: int) -> int:
    from empirical.data import dataset
    from empirical.stacked import choose_stack

    return choose_stack(network, dataset(network, data_dir, str(device)), device, copies, Path(out))


def carry_out(plan: Plan, *, out: str | Path, scale: str = "full", device: str | None = None, data_dir: str | None = None,
              jobs: int | None = None, executor=None) -> Sweep:
    """Carry out the missing runs of a plan and write its table.

    Parameters
    ----------
    plan : of :func:`planned`.
    out, device, data_dir, jobs, executor : see :func:`sweep`.
    scale : "quick" or "full", for the table's manifest.

    Raises
    ------
    InputError
        If no run finished.
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
