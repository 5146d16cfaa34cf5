"""A study: an experiment whose tidy table feeds figures and evidence.

Measuring, storing and plotting are separate. A study's runs go through the run store; :func:`compute` turns them into one tidy
table with a manifest; figures and the ledger read only the table. So a table computed a minute ago and one that is kept with
the project (``figures/results/<name>.csv``) are treated alike.

A study *declares* its runs, scale by scale. Only a table of exactly these runs has the study's name. Runs with other settings
are the user's own: their table is named after the settings, and is not evidence.
"""

import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from lab import manifest
from lab.cli import jsonable
from lab.discover import DeclarationError, by_name, sources
from lab.errors import InputError
from lab.stages import Stage, carry_out, complete, ordered, stage_of
from lab.store import RunStore, exclusive, run_id
from lab.sweep import Workers
from lab.tables import SCALES, Table, is_older, read_manifest, size, write_table

if TYPE_CHECKING:
    import pandas


# Seeds (or first replicas) from here on are confirmatory; smaller ones served to size the study, and decide nothing.
CONFIRMATORY = 100


@dataclass(frozen=True)
class Study:
    """An experiment with its table.

    Parameters
    ----------
    name : str
        Name of the table and of the experiment in the run store.
    title : str
        One line of description.
    run : str or tuple of Stage
        ``"module:function"``, called as ``(config, folder, **options) -> dict``; or the study's stages, if it has several kinds
        of run (:mod:`lab.stages`).
    configs : callable
        ``scale -> list of configurations``; scale is "quick" (seconds), "run" (part of ``make run``, minutes) or "full". An
        empty list means that the study takes too long for that scale, and the kept table is shown.
    tabulate : callable
        ``[(config, result), ...] -> DataFrame``, one row per observation, with intervals as ``x, x_low, x_high, x_n`` if the
        reader cannot compute them.
    evidence : callable, default none
        ``(DataFrame, run ids) -> list of theory.claims.Evidence``.
    processes : bool, default False
        True if runs are single-threaded and should go to several processes, False if a run uses all threads.
    schema : int, default 1
        Raised when the meaning of a result changes; stages have their own.
    scales : tuple of str
        Scales that ``configs`` accepts; networks of the published size have a fourth, "published".
    declared : callable, optional
        Like ``configs``, for studies on data that a user provides: the same runs, without naming the data.
    after : tuple of str
        Names of the studies whose runs it uses, if they exist.
    family : str
        Pictures that show studies side by side take those of one family.
    label : str
        Name of the study in such a picture.
    control_of : str
        Name of the study in which this one changes a single thing, which its label names.
    extensible : bool, default False
        Whether ``configs`` and ``declared`` take a second argument, ``(scale, replicas)``: the number of independent
        replicas of every setting, counted as in the ``n`` of the evidence's estimates; without it, the declared number.
        Runs with fewer replicas are a subset of those with more, so that finished runs are kept when replicas are added.
    pilot_seconds : float, default 0.0
        Time on one core for the runs of the full scale, estimated from a few timed ones; used in plans until there is a table.

    Examples
    --------
    >>> import pandas
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     width: int = 8
    >>> study = Study("demo", "what width does", "my.module:run", lambda scale: [Settings(4), Settings(8)],
    ...               lambda finished: pandas.DataFrame([{"width": c.width, **r} for c, r in finished]))
    >>> [config.width for config in study.at("quick")]
    [4, 8]
    """

    name: str
    title: str
    run: str | tuple[Stage, ...]
    configs: Callable[[str], Sequence[Any]]
    tabulate: Callable[[Sequence[tuple[Any, dict]]], "pandas.DataFrame"]
    evidence: Callable[["pandas.DataFrame", tuple[str, ...]], list] = lambda table, runs: []
    processes: bool = False
    schema: int = 1
    scales: tuple[str, ...] = SCALES[:3]
    declared: Callable[[str], Sequence[Any]] | None = None
    after: tuple[str, ...] = ()
    family: str = ""
    label: str = ""
    control_of: str = ""
    extensible: bool = False
    pilot_seconds: float = 0.0

    def __post_init__(self):
        ordered(self.stages)  # a misspelt stage or a cycle is an error at declaration

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The kinds of run; a single one, for all configurations, if ``run`` is a function."""
        return (Stage("run", self.run, schema=self.schema),) if isinstance(self.run, str) else self.run

    def schema_of(self, config) -> int:
        """Schema of the run with this configuration."""
        return stage_of(self.stages, config).schema

    def at(self, scale: str, replicas: int | None = None) -> list:
        """The configurations at a scale, with ``replicas`` of every setting in place of the declared number."""
        return self._listed(self.configs, scale, replicas)

    def _listed(self, configs: Callable, scale: str, replicas: int | None) -> list:
        if scale not in self.scales:
            return []
        if replicas is None:
            return list(configs(scale))
        if not self.extensible:
            raise InputError(f"the study {self.name} takes no other number of replicas than it declares")
        return list(configs(scale, replicas))

    def runs(self, configs: Sequence) -> list:
        """The configurations and those of the runs that they need, in the order in which they are carried out."""
        return [config for part in complete(self.stages, configs).values() for config in part]

    def plan(self, scale: str, replicas: int | None = None) -> str | None:
        """:func:`plan` of the runs that the study declares at a scale, None if it declares none; ``replicas`` as in
        :meth:`at`."""
        declared = self._listed(self.declared or self.configs, scale, replicas)
        return plan(declared, self.schema_of) if declared else None

    def declares(self, facts: Mapping) -> bool:
        """Whether a table with this manifest consists of the runs that the study declares at its scale and replicas."""
        replicas = facts.get("replicas")
        return (replicas is None or self.extensible) and self.plan(facts["scale"], replicas) == facts.get("plan")

    def scale_of(self, configs: Sequence) -> str | None:
        """The largest scale at which the study declares exactly these runs."""
        wanted = plan(configs, self.schema_of)
        return next((scale for scale in reversed(self.scales) if self.plan(scale) == wanted), None)


def fingerprint(configs: Sequence, schema: int | Callable[[Any], int] = 1) -> str:
    """A short name for a set of runs, independent of their order.

    ``schema`` is a number for all runs, or a function of the configuration.
    """
    ids = sorted({run_id(config, schema(config) if callable(schema) else schema) for config in configs})
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:8]


def plan(configs: Sequence, schema: int | Callable[[Any], int] = 1) -> str:
    """:func:`fingerprint` of the planned settings only.

    Fields with ``metadata={"planned": False}`` record a fact at the time of planning (the checksum of a user's data), and are
    left out.
    """
    def planned(config):
        return replace(config, **{f.name: f.default for f in fields(config) if not f.metadata.get("planned", True)})

    return fingerprint([planned(config) for config in configs], schema)


# NAME = Study("name", ...), or a call of a function that makes studies, whose name ends with _study
_MADE = re.compile(r"^(?:([A-Za-z]\w*) *= *)?(?:\w+_study|Study)\(\s*(?:name *= *)?(\"[^\"]+\")?", re.M)


def declared_studies(package: str) -> dict[str, str]:
    """Study name → ``"module:ATTRIBUTE"`` of every study that is declared at the top level of a module below a package.

    The names are read from the sources; nothing is imported.

    Raises
    ------
    lab.discover.DeclarationError
        If a study is not assigned to a variable, its name is not a literal, or a name is taken.
    """
    studies = []
    for module, source in sources(package, below=True).items():
        for variable, name in _MADE.findall(source):
            if not (variable and name):
                raise DeclarationError(f'{module}: a study is declared as VARIABLE = Study("name", ...), with a literal name')
            studies.append((module, (name.strip('"'), f"{module}:{variable}")))
    return dict(by_name(studies, lambda entry: entry[0]).values())


def load(reference: str) -> Study:
    """The study named ``"module:ATTRIBUTE"``."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def in_order(studies: Sequence[Study]) -> list[Study]:
    """The studies in the given order, but each after those whose runs it uses."""
    waiting, order = {study.name: study for study in studies}, []
    while waiting:
        ready = next((s for s in waiting.values() if not set(s.after) & (waiting.keys() - {s.name})), None)
        if ready is None:
            raise ValueError(f"the studies {', '.join(waiting)} wait for each other")
        order.append(waiting.pop(ready.name))
    return order


@overload
def compute(study: Study, scale: str, *, configs: Sequence, store: RunStore, jobs: int | None = None,
            executor: Executor | None = None, workers: Workers | None = None, options: dict | None = None,
            replicas: int | None = None, looks: dict | None = None) -> Table: ...


@overload
def compute(study: Study, scale: str, *, store: RunStore, jobs: int | None = None, executor: Executor | None = None,
            workers: Workers | None = None, options: dict | None = None, configs: Sequence | None = None,
            replicas: int | None = None, looks: dict | None = None) -> Table | None: ...


def compute(study: Study, scale: str, *, store: RunStore, jobs: int | None = None, executor: Executor | None = None,
            workers: Workers | None = None, options: dict | None = None, configs: Sequence | None = None,
            replicas: int | None = None, looks: dict | None = None) -> Table | None:
    """Carry out a study's missing runs and write its table to ``<store>/tables/<name>.csv``.

    A table without the runs that failed is written as ``<name>.partial.csv``, so it never replaces a complete one. Nor does a
    table of a smaller scale, or with fewer replicas, replace a larger one.

    Parameters
    ----------
    study : Study
        What to carry out.
    scale : str
        One of the study's scales.
    store : RunStore
        The run store, which also holds the tables.
    jobs : int, optional
        Processes, for a study whose runs are single-threaded (default: the cores).
    executor : concurrent.futures.Executor, optional
        In place of local processes (see :class:`lab.cluster.Cluster`).
    workers : Workers, optional
        Local processes that outlive this call, in place of new ones.
    options : dict, optional
        Passed to every run; must not change results.
    configs : sequence, optional
        Other runs of the same kind in place of the study's. Unless the study declares exactly these at some scale, the table
        is the user's own, ``<name>-<fingerprint>.csv``.
    replicas : int, optional
        Replicas of every setting, in place of the number that the study declares.
    looks : dict, optional
        The numbers of replicas that were declared before any look at the results, for the manifest.

    Returns
    -------
    Table or None
        The table; None if the study has no runs at this scale.

    Raises
    ------
    InputError
        If no run finished, or ``configs`` is empty.

    Examples
    --------
    >>> import pandas
    >>> study = Study("demo", "nothing that takes seconds", "my.module:run", lambda scale: [],
    ...               lambda finished: pandas.DataFrame())
    >>> compute(study, "quick", store=RunStore("runs")) is None
    True
    """
    name, own = study.name, False
    if configs is None:
        configs = study.at(scale, replicas)
    elif declared := study.scale_of(configs):
        scale = declared
    else:
        name, own = f"{study.name}-{fingerprint(configs, study.schema_of)}", True
    if not configs:
        if own:
            raise InputError(f"{study.name}: there are no runs to carry out")
        return None
    folder = store.tables
    jobs = (jobs or manifest.cores()) if study.processes else 1
    outcome = carry_out(study.stages, study.name, configs, store=store, jobs=jobs, executor=executor, workers=workers,
                        options=options, label=study.title)
    if not outcome.finished:
        raise InputError(f"{study.name}: every run failed; the first: {outcome.failed[0][1]}")
    frame = study.tabulate(outcome.finished)
    facts = {
        "title": study.title,
        "scale": scale,
        "own": own,
        "plan": plan(configs, study.schema_of),
        "planned": len(outcome.finished) + len(outcome.failed),  # including the runs that planned ones need
        "whole": not outcome.failed,
        "command": " ".join(_command()),
        "runs": outcome.run_ids,
        "failed": [{"config": str(config), "reason": reason} for config, reason in outcome.failed],
        **_costs(outcome.manifests),
    }
    if replicas is not None:
        facts |= {"replicas": replicas, "looks": looks}
    if own and "<" not in study.evidence.__qualname__:  # lets the user's report call it again
        facts |= {"family": study.family, "evidence": f"{study.evidence.__module__}:{study.evidence.__qualname__}"}
    if own and facts["whole"]:
        facts["summary"] = [{"claim": e.claim, "setting": e.setting, **e.estimate.to_json()}
                            for e in study.evidence(frame, tuple(outcome.run_ids))]
    table = Table(name, frame, facts)
    with exclusive(folder):
        if own or not _is_smaller(study, facts, folder):
            write_table(table, folder)
    return table


def _is_smaller(study: Study, facts: Mapping, folder: Path) -> bool:
    """Whether there is a complete table already of the study's runs at a larger scale, or with more replicas."""
    try:
        existing = read_manifest(study.name, folder)
    except InputError:  # a damaged table may be replaced
        return False
    return existing is not None and not is_older(existing) and size(existing) > size(facts) and study.declares(existing)


def _costs(manifests: Sequence[dict]) -> dict:
    """Totals over the manifests of runs: machine, time, memory, and facts about their data."""
    facts = {
        "environment": manifest.environment(),
        **{key: round(sum(m[key] for m in manifests), 1) for key in ("wall_seconds", "cpu_seconds")
           if all(key in m for m in manifests)},
        "peak_memory_mb": max(m["peak_memory_mb"] for m in manifests),
    }
    for key in ("data", "device", "dtype", "training"):  # one entry if all agree
        values = sorted({json.dumps(jsonable(m[key]), sort_keys=True) for m in manifests if key in m})
        if values:
            facts[key] = json.loads(values[0]) if len(values) == 1 else [json.loads(v) for v in values]
    if all(m.get("threads") for m in manifests):  # runs of older versions did not record their threads
        threads = sorted({m["threads"] for m in manifests})
        facts["threads"] = threads[0] if len(threads) == 1 else threads
    return facts


# flags with folders of this machine, and their replacements in a command for readers
_PLACES = {"--out": None, "--report": None, "--jobs": None, "--scheduler": None, "--data-dir": "DATA"}


def _command() -> list[str]:
    """The command line, without the folders of this machine."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    words = ["python", "-m", spec.name.removesuffix(".__main__")] if spec else [Path(sys.argv[0]).name]
    given = iter(sys.argv[1:])
    for word in given:
        flag, _, value = word.partition("=")
        if flag in _PLACES:
            if not value:
                next(given, None)
            words += [flag, _PLACES[flag]] if _PLACES[flag] else []
        else:
            words.append(word)
    return words
