"""Stages of a study: kinds of run, where later ones use the results of earlier ones, such as train → compare.

A :class:`Stage` is a function with a name, the kind of configuration that it carries out, and the runs of other stages that
each of its runs needs. These alone determine the order of runs, which function carries one out, and what happens to a run
whose input failed: :func:`carry_out` works stage after stage, adds the runs that others need, and skips those that cannot
succeed.

A stage does not belong to a study: networks that one study has trained are runs of the same stage, with the same ids, in all
studies that train or measure networks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.discover import DeclarationError
from lab.errors import InputError
from lab.store import RunStore, read_result, run_id
from lab.sweep import Outcome, Workers, execute, sweep


@dataclass(frozen=True)
class Stage:
    """A kind of run.

    Attributes
    ----------
    name : str
        Name of the stage, shown to the user and used by the stages that need it.
    run : str
        ``"module:function"``, with the signature ``(config, folder, **options) -> dict``, so that any worker can import it.
    config : type or None
        Class of the configurations that it carries out (subclasses excluded); None in a study with a single stage, for any class.
    needs : mapping of str to callable
        Name of another stage → function that lists, for a configuration, the configurations of that stage whose runs it uses, in
        the same experiment of the run store.
    schema : int, default 1
        Raised when the meaning of a result changes.
    """

    name: str
    run: str
    config: type | None = None
    needs: Mapping[str, Callable[[Any], Sequence[Any]]] = field(default_factory=dict)
    schema: int = 1

    def carries(self, config) -> bool:
        """Whether a run with this configuration belongs to this stage."""
        return self.config is None or type(config) is self.config

    def of(self, configs: Iterable) -> list:
        """The configurations that belong to this stage."""
        return [config for config in configs if self.carries(config)]

    def results(self, finished: Iterable[tuple[Any, dict]]) -> list[tuple[Any, dict]]:
        """The finished runs, (configuration, result), that belong to this stage."""
        return [(config, result) for config, result in finished if self.carries(config)]

    def id(self, config) -> str:
        """Name of the run with this configuration, in every experiment."""
        return run_id(config, self.schema)

    def folder(self, experiment: Path, config) -> Path:
        """The folder of a run in that of an experiment, ``runs/<experiment>`` (it may not exist yet)."""
        return Path(experiment) / self.id(config)

    def obtain(self, config, experiment: Path, options: Mapping | None = None) -> dict:
        """The stored ``{"result", "manifest"}`` of a run, which is carried out now if it is not finished.

        This waits if another process is carrying it out.

        Parameters
        ----------
        config : dataclass
            A configuration of this stage.
        experiment : Path
            Folder of the experiment.
        options : mapping, optional
            Options of the run, which do not change its result.

        Raises
        ------
        InputError
            If it failed.
        """
        folder = self.folder(experiment, config)
        if (stored := read_result(folder)) is None:
            problem = execute(self.run, config, folder, self.schema, dict(options or {}))
            stored = read_result(folder)
            if problem or stored is None:
                raise InputError(f"{self.name} {folder.name} failed: {problem or 'its result has disappeared'}")
        return stored


def ordered(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages in the given order, but each after those that it needs.

    Raises
    ------
    DeclarationError
        If two stages have the same name or kind of configuration, a stage needs one that does not exist, or stages need each
        other.
    """
    names, kinds = [stage.name for stage in stages], [stage.config for stage in stages]
    for what, values in (("named", names), ("for", kinds)):
        twice = [value for i, value in enumerate(values) if value in values[:i]]
        if twice:
            raise DeclarationError(f"two stages are {what} {getattr(twice[0], '__name__', twice[0])}")
    if len(stages) > 1 and None in kinds:
        raise DeclarationError(f"the stage {names[kinds.index(None)]} does not say which configurations are its own")
    for stage in stages:
        for name in stage.needs:
            if name not in names:
                raise DeclarationError(f"the stage {stage.name} needs a stage {name}, but there are only {', '.join(names)}")
    waiting, order = {stage.name: stage for stage in stages}, []
    while waiting:
        ready = next((stage for stage in waiting.values() if not stage.needs.keys() & waiting.keys()), None)
        if ready is None:
            raise DeclarationError(f"the stages {', '.join(waiting)} need each other")
        order.append(waiting.pop(ready.name))
    return tuple(order)


def stage_of(stages: Sequence[Stage], config) -> Stage:
    """The stage that carries out a configuration.

    Raises
    ------
    InputError
        If there is none.
    """
    for stage in stages:
        if stage.carries(config):
            return stage
    raise InputError(f"no stage carries out a {type(config).__name__}; there are {', '.join(s.name for s in stages)}")


def complete(stages: Sequence[Stage], configs: Sequence) -> dict[str, list]:
    """Stage name → the given runs and, after them, those that they need, in the order in which stages are carried out.

    Raises
    ------
    InputError
        If no stage carries out a configuration, or ``needs`` lists a configuration under a stage that does not carry it out.
    """
    by_name = {stage.name: stage for stage in ordered(stages)}
    runs: dict[str, list] = {name: [] for name in by_name}
    for config in configs:
        runs[stage_of(stages, config).name].append(config)
    for stage in reversed(by_name.values()):  # a needed run may itself need others
        for name, needed in stage.needs.items():
            known = set(runs[name])
            for other in (other for config in runs[stage.name] for other in needed(config)):
                if not by_name[name].carries(other):
                    raise InputError(f"the stage {stage.name} needs a run of {name}, which carries out no "
                                     f"{type(other).__name__}")
                if other not in known:
                    known.add(other)
                    runs[name].append(other)
    return runs


def carry_out(stages: Sequence[Stage], experiment: str, configs: Sequence, *, store: RunStore, jobs: int = 1, executor=None,
              workers: Workers | None = None, options: dict | None = None, label: str | None = None) -> Outcome:
    """As :func:`lab.sweep.sweep`, stage after stage, including the runs that the given ones need.

    If a needed run failed, the run is not started and counts as failed, with that reason.

    Parameters
    ----------
    stages : sequence of Stage
        The stages of the study, in any order.
    experiment, configs, store, jobs, executor, workers, options, label
        See :func:`lab.sweep.sweep`.

    Returns
    -------
    lab.sweep.Outcome
        All runs, stage after stage.
    """
    total = Outcome()
    failed: dict[Any, str] = {}
    runs = complete(stages, configs)
    with ExitStack() as stack:
        if sum(map(bool, runs.values())) > 1 and jobs > 1 and workers is None and executor is None:
            workers = stack.enter_context(Workers(min(jobs, max(map(len, runs.values())))))  # one start for all stages
        for stage in ordered(stages):
            ready = []
            for config in runs[stage.name]:
                inputs = [other for needed in stage.needs.values() for other in needed(config) if other in failed]
                if inputs and read_result(stage.folder(store.root / experiment, config)) is None:
                    total.failed.append((config, f"a run that it needs failed: {failed[inputs[0]]}"))
                else:
                    ready.append(config)
            outcome = sweep(experiment, stage.run, ready, store=store, jobs=jobs, executor=executor, workers=workers,
                            schema=stage.schema, options=options,
                            label=f"{label or experiment}: {stage.name}" if len(stages) > 1 else label)
            for name in ("finished", "failed", "folders", "manifests"):
                getattr(total, name).extend(getattr(outcome, name))
            if any(stage.name in other.needs for other in stages):
                failed |= dict(total.failed)
    return total
