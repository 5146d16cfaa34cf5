"""Write the report from the tables that exist, compute the studies of a scale, write it again.

The first report takes some seconds and answers already, from the tables that are kept with the project; it is named at once.

Scales. "quick" and "run" compute what takes seconds and minutes. "full" computes every study: the toy models at the
size of the kept tables (about ten minutes on two cores), and the real networks, which take hours on CPUs and need data that a
user brings. So ``--room toy`` limits the work to the toy models; whatever is not computed is shown from the tables that
are kept with the project. "published" trains the networks of the papers, for which a GPU is needed.
A sweep that was stopped goes on where it was.
"""

import time

from figures.catalogue import ROOMS
from figures.wording import counted, duration
from lab.arguments import add_run_arguments, folder, only, processes
from lab.cli import note, say
from lab.errors import InputError, UsageError
from lab.tables import SCALES

HELP = "write the report, compute the studies of a scale (what is finished is not repeated), and write it again"


def add_arguments(parser):
    parser.add_argument("--scale", choices=SCALES, default="run", help="quick: seconds; run: minutes; full: everything, toy "
                        "models in about ten minutes on two cores, real networks in hours; published: the networks of "
                        "the papers, on a GPU")
    parser.add_argument("--room", choices=ROOMS, nargs="+", default=list(ROOMS), help="compute the studies of these rooms "
                        "alone; the others' kept tables are shown")
    parser.add_argument("--only", nargs="+", metavar="STUDY", help="these studies alone")
    parser.add_argument("--out", type=folder, default="runs", help="folder of the run store")
    parser.add_argument("--report", type=folder, default="report", help="folder of the report")
    parser.add_argument("--jobs", type=processes, default=None, help="processes (default: one a core)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster in place of local processes")
    add_run_arguments(parser, "--quick", "--dry-run")
    only(parser, "--scale", when=lambda args: not args.quick, words="goes without --quick, which is --scale quick")


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
        plans = [dry_run(name, study(name).runs(study(name).at(scale)), store=store, schema=study(name).schema_of)
                 for name in names]
        for plan in plans:
            say(f"{plan['experiment']}: {plan['done']} done, {plan['missing']} missing")
        return {"studies": plans}
    executor = Cluster(args.scheduler) if args.scheduler else None
    computed: list = []
    kept: list = []
    failed: dict = {}
    ahead = Ahead(in_order([study(name) for name in names]), scale, store)
    with Workers(args.jobs or cores()) as workers:
        if ahead.missing:
            first = build(args.out, args.report, workers)
            say(f"the report is {first['report']}, for now from tables that are kept with the project or were computed before")
            say(f"now {counted(ahead.missing, 'run')} of {counted(len(ahead.studies), 'study', 'studies')} are computed here; "
                "the report is written again at the end, and Ctrl-C loses nothing that is finished")
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
    """The studies in order; says before each how far the whole is, and about how long the rest takes.

    A run is taken to cost what it did where the study's table was made (unknown: what a run costs on average); the ratio of the
    time that went by to what was expected so corrects for this machine and scale.

    Attributes
    ----------
    studies : those with runs that are not finished.
    missing : their number of runs.
    """

    def __init__(self, studies, scale: str, store):
        self._all, self._start = list(studies), time.monotonic()
        self._runs = {each.name: _missing(each, scale, store) for each in self._all}
        known = {name: _seconds_a_run(name, store.root) for name, runs in self._runs.items() if runs}
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
        """``, about 3 min left`` once something is done."""
        if not done:
            return ""
        left = (sum(self._expected.values()) - done) * (time.monotonic() - self._start) / done
        return f", about {duration(left)} left"


def _missing(study, scale: str, store) -> int:
    """Runs of a study that are not finished; none where they cannot be planned (which is told when it is their turn)."""
    from lab.sweep import dry_run

    try:
        return dry_run(study.name, study.runs(study.at(scale)), store=store, schema=study.schema_of)["missing"]
    except InputError:
        return 0


def _seconds_a_run(name: str, store) -> float | None:
    """Wall-clock seconds that a run of a study took, by its best table."""
    from figures.catalogue import best_table

    table = best_table(name, store)
    facts = {} if table is None else table.manifest
    return facts["wall_seconds"] / len(facts["runs"]) if facts.get("wall_seconds") and facts["runs"] else None
