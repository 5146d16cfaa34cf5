"""Write the report from existing tables, compute the studies of a scale, and write the report again.

The first report takes only seconds, because it uses the tables that are kept with the project.

Scales: "quick" takes seconds and "run" minutes. "full" computes every study: the toy models at the size of the kept tables (about
ten minutes on two cores), and the real networks, which take hours on CPUs and need data that the user provides; ``--room toy``
limits it to the toy models. "published" trains the networks of the papers, which needs a GPU. The report shows the kept tables of
all studies that are not computed. An interrupted sweep resumes where it stopped.
"""

import time

from figures.catalogue import ROOMS
from figures.wording import counted, duration
from lab.arguments import add_run_arguments, folder, only, processes
from lab.cli import note, say
from lab.errors import InputError, UsageError
from lab.tables import SCALES

HELP = "write the report, compute the studies of a scale (finished runs are not repeated), and write the report again"


def add_arguments(parser):
    parser.add_argument("--scale", choices=SCALES, default="run", help="quick: seconds; run: minutes; full: everything, toy "
                        "models in about ten minutes on two cores, real networks in hours; published: the networks of "
                        "the papers, on a GPU")
    parser.add_argument("--room", choices=ROOMS, nargs="+", default=list(ROOMS), help="compute only the studies of these rooms; "
                        "for the others, the report shows the kept tables")
    parser.add_argument("--only", nargs="+", metavar="STUDY", help="only these studies")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--report", type=folder, default="report", help="folder of the report")
    parser.add_argument("--jobs", type=processes, default=None, help="number of processes (default: one per core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="address of a Dask cluster to use instead of local processes")
    add_run_arguments(parser, "--quick", "--dry-run")
    only(parser, "--scale", when=lambda args: not args.quick, words="cannot be combined with --quick, which means --scale quick")


def run(args) -> dict:
    from figures.catalogue import spelt, studies, study
    from figures.commands.report import write
    from figures.report import build
    from lab.cluster import Cluster
    from lab.manifest import cores
    from lab.store import RunStore
    from lab.study import compute, in_order
    from lab.sweep import Workers, dry_run

    names = [spelt(name) for name in args.only or studies(args.room)]
    unknown = sorted(set(names) - set(studies()))
    if unknown:
        raise UsageError(f"no study is called {unknown[0]!r}; there are: {', '.join(studies())}")
    store, scale = RunStore(args.out), "quick" if args.quick else args.scale
    if args.dry_run:
        plans = [_with_cost(dry_run(name, study(name).runs(study(name).at(scale)), store=store, schema=study(name).schema_of),
                            study(name), scale, store.root) for name in names]
        for plan in plans:
            cost = plan["estimated_seconds"]
            say(f"{plan['experiment']}: {plan['done']} done, {plan['missing']} missing" + (
                f", about {duration(cost)}" if cost else ""))
        return {"studies": plans}
    executor = Cluster(args.scheduler) if args.scheduler else None
    computed: list = []
    kept: list = []
    failed: dict = {}
    ahead = Ahead(in_order([study(name) for name in names]), scale, store)
    with Workers(args.jobs or cores()) as workers:
        if ahead.missing:
            first = build(args.out, args.report, workers)
            say(f"the report is {first['report']}, for now from kept tables and earlier runs")
            say(f"computing {counted(ahead.missing, 'run')} of {counted(len(ahead.studies), 'study', 'studies')}; the report "
                "will be written again at the end, and Ctrl-C loses no finished run")
        for each in ahead:
            try:
                table = compute(each, scale, store=store, jobs=args.jobs, executor=executor, workers=workers)
            except InputError as error:
                note(f"{each.name}: {error}")
                failed[each.name] = str(error)
                continue
            (kept if table is None else computed).append(each.name)
            if table is not None and table.manifest["failed"]:
                failed[each.name] = f"{len(table.manifest['failed'])} runs failed"
        result = write(args, workers)
    return {**result, "computed": computed, "kept": kept, "failed": failed, "exit_code": 1 if failed else 0}


class Ahead:
    """The studies in order; prints the overall progress and the estimated time left before each.

    The expected cost of a run is its cost when the study's table was made, or the average cost if that is unknown. The ratio of
    elapsed to expected time corrects for this machine and scale.

    Attributes
    ----------
    studies : the studies with unfinished runs.
    missing : the number of these runs.
    """

    def __init__(self, studies, scale: str, store):
        self._all, self._start = list(studies), time.monotonic()
        self._runs = {each.name: _missing(each, scale, store) for each in self._all}
        known = {name: _seconds_per_run(name, store.root) for name, runs in self._runs.items() if runs}
        costs = {name: seconds for name, seconds in known.items() if seconds}
        usual = sum(costs.values()) / len(costs) if costs else 0.0
        self._expected = {name: runs * costs.get(name, usual) for name, runs in self._runs.items()}
        self.studies = [each for each in self._all if self._runs[each.name]]
        self.missing = sum(self._runs.values())

    def __iter__(self):
        self._start, runs, expected = time.monotonic(), 0, 0.0
        for each in self._all:
            if self._runs[each.name]:
                note(f"{runs} of {self.missing} runs done{self._left(expected)}; next: {each.name}, "
                     f"{counted(self._runs[each.name], 'run')}")
            yield each
            runs, expected = runs + self._runs[each.name], expected + self._expected[each.name]

    def _left(self, done: float) -> str:
        """``, about 3 min left``, or nothing before anything is done."""
        if not done:
            return ""
        left = (sum(self._expected.values()) - done) * (time.monotonic() - self._start) / done
        return f", about {duration(left)} left"


def _missing(study, scale: str, store) -> int:
    """The number of unfinished runs of a study; 0 if they cannot be planned (the error is reported when it is their turn)."""
    from lab.sweep import dry_run

    try:
        return dry_run(study.name, study.runs(study.at(scale)), store=store, schema=study.schema_of)["missing"]
    except InputError:
        return 0


def _with_cost(plan: dict, study, scale: str, store) -> dict:
    """The plan with seconds for what is missing: by runs that are finished, else by the study's table, else by its pilot."""
    if plan["estimated_seconds"] is None and plan["missing"]:
        known, count = _seconds_per_run(study.name, store), len(plan["runs"])
        if known is None and study.pilot_seconds and scale == "full":
            known = study.pilot_seconds / count
        plan["estimated_seconds"] = None if known is None else known * plan["missing"]
    return plan


def _seconds_per_run(name: str, store) -> float | None:
    """Wall-clock seconds per run of a study, from its best table."""
    from figures.catalogue import best_table

    table = best_table(name, store)
    facts = {} if table is None else table.manifest
    return facts["wall_seconds"] / len(facts["runs"]) if facts.get("wall_seconds") and facts["runs"] else None
