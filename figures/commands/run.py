"""Compute the studies of a scale, then write the report.

Scales. "quick" and "run" compute what takes seconds and minutes. "full" computes every study: the toy models at the
size of the kept tables (about ten minutes on two cores), and the real networks, which take hours on CPUs and need data that a
user brings. So ``--room toy`` limits the work to the toy models; whatever is not computed is shown from the tables that
are kept with the project. "published" trains the networks of the papers, for which a GPU is needed.
A sweep that was stopped goes on where it was.
"""

from figures.catalogue import ROOMS
from lab.arguments import add_run_arguments, folder, only, processes
from lab.cli import note, say
from lab.errors import InputError, UsageError
from lab.tables import SCALES

HELP = "compute the studies of a scale (what is finished is not repeated), then write the report"


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
    computed, kept, failed = [], [], {}
    with Workers(args.jobs or cores()) as workers:
        for name in (each.name for each in in_order([study(name) for name in names])):
            try:
                table = compute(study(name), scale, store=store, jobs=args.jobs, executor=executor, workers=workers)
            except InputError as error:
                note(f"{name}: {error}")
                failed[name] = str(error)
                continue
            (kept if table is None else computed).append(name)
            if table is not None and table.manifest["failed"]:
                failed[name] = f"{len(table.manifest['failed'])} runs failed"
        result = write(args, workers)
    return {**result, "computed": computed, "kept": kept, "failed": failed, "exit_code": 1 if failed else 0}
