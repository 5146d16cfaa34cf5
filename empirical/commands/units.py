"""``python -m empirical units``: removable and repeated units of real networks by width."""

from dataclasses import replace
from fractions import Fraction

from empirical.declared import short
from empirical.flags import add_log_argument, add_network_arguments, data_of, network_of, refuse_idle_data_flags
from empirical.settings import SCHEMES, Setting, recipe
from empirical.studies.units.plan import OLD_SWEEPS, PLAIN, SWEEPS
from empirical.trackers import choose
from empirical.widths import refuse_width
from lab.arguments import (
    add_run_arguments,
    add_threads_argument,
    base_width,
    device,
    epochs,
    fraction,
    only,
    positive_float,
    positive_int,
    seeds,
    store_name,
    whole,
)
from lab.cli import say
from lab.errors import UsageError
from lab.names import old_flag

HELP = "measure removable and repeated units by width, for each value of a hyperparameter"


def add_arguments(parser):
    add_network_arguments(parser, "alexnet")
    parser.add_argument("--trained", type=store_name, metavar="EXPERIMENT", help="measure the finished networks of this width "
                        "sweep in the run store (the name of its folder) instead of training new ones")
    parser.add_argument("--sweep", type=lambda name: OLD_SWEEPS.get(name, name), choices=tuple(SWEEPS), default="init",
                        help="hyperparameter to sweep")
    parser.add_argument("--values", nargs="+", metavar="VALUE", default=[], help="values of the hyperparameter (default: all)")
    parser.add_argument("--alphas", type=fraction, nargs="+", metavar="A", help="width multipliers",
                        default=[Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2)])
    parser.add_argument("--seeds", type=seeds, default=3, help="number of networks of each kind")
    parser.add_argument("--base-width", type=base_width, help="base width at alpha = 1 (default: by recipe)")
    parser.add_argument("--epochs", type=epochs, help="passes over the training data (default: by recipe)")
    parser.add_argument("--learning-rate", type=positive_float, help="initial learning rate (default: by recipe)")
    old_flag(parser, "--lr", "--learning-rate")
    parser.add_argument("--batch-size", type=positive_int, help="inputs per training step (default: by recipe)")
    parser.add_argument("--init", choices=SCHEMES, help="initialisation, unless it is swept (default: by recipe)")
    parser.add_argument("--recipe", choices=("paper", "data"), default="paper",
                        help="training recipe: that of S1's AlexNet (no regulariser), or that of the data set")
    parser.add_argument("--train-size", type=positive_int, help="number of training rows (default: all)")
    parser.add_argument("--image-size", type=positive_int, help="image size in pixels per side (default: as in the data)")
    parser.add_argument("--orders", type=whole(1, 1000), default=3, help="number of random orders and of targeted orders")
    parser.add_argument("--images", type=positive_int, default=500, help="number of test inputs for ablation curves")
    parser.add_argument("--rows", type=positive_int, default=None, help="number of inputs for correlations (default: the probe "
                        "splits)")
    parser.add_argument("--device", type=device, help="cpu, cuda, cuda:1, mps (default: CUDA if available)")
    parser.add_argument("--name", type=store_name, help="name of the table and of the folder in the run store (default: from the "
                        "configuration)")
    add_log_argument(parser)
    add_threads_argument(parser)
    add_run_arguments(parser, "--seed", "--jobs", "--out", "--quick", "--dry-run")
    refuse_idle_data_flags(parser)
    only(parser, "--arch", "--model", "--sweep", "--values", "--alphas", "--seeds", "--seed", "--base-width", "--epochs",
         "--learning-rate", "--batch-size", "--init", "--recipe", "--train-size", "--image-size", "--threads",
         when=lambda args: not args.trained, words="cannot be combined with --trained: those networks are already trained")


def run(args) -> dict:
    choose(args.log)
    planned = [] if args.trained else _planned(args)  # refuse what is impossible before loading anything

    from empirical.data import dataset
    from empirical.device import pick_device
    from empirical.studies import named
    from empirical.studies.units.study import units_study
    from empirical.studies.units.summary import summarise
    from lab.store import RunStore
    from lab.study import compute
    from lab.sweep import dry_run

    device, store = pick_device(args.device), RunStore(args.out)
    configs = _of_trained(args, store) if args.trained else _on_data(planned, args)
    setting = configs[0]
    data = dataset(setting, args.data_dir)
    arch = short(setting.arch)
    name = args.name or (f"units-{args.trained}" if args.trained else f"units-{arch}-{short(setting.data)}-{args.sweep}")
    study = named(units_study(name, f"units of {arch} on {data.name}", lambda scale: []))
    if args.dry_run:
        return dry_run(name, study.runs(configs), store=store, schema=study.schema_of)
    table = compute(study, "quick" if args.quick else "full", store=store, configs=configs,
                    jobs=args.jobs or (1 if device.type == "cuda" else None),
                    options={"device": str(device), "data_dir": args.data_dir})
    rows = summarise(table.frame)
    for row in rows:
        _print(row)
    failed = table.manifest["failed"]
    return {"name": name, "data": data.facts, "setting": setting.shared(), "rows": rows,
            "table": str(store.root / "tables" / f"{table.stem}.csv"), "failed": failed, "exit_code": 1 if failed else 0}


def _of_trained(args, store) -> list:
    """Runs that measure the finished networks of an experiment."""
    from empirical.studies.trained import finished_networks
    from empirical.studies.units.plan import plan_trained

    networks = finished_networks(store.root / args.trained)
    settings = {replace(n, alpha="1", seed=0, stack=1) for n in networks}
    if len(settings) > 1:
        raise UsageError(f"{args.trained} has networks with {len(settings)} different settings and is not a single width sweep")
    return plan_trained(networks, args.trained, orders=_orders(args), images=args.images,
                        rows=args.rows or 0)


def _orders(args) -> int:
    return min(args.orders, 2) if args.quick else args.orders


def _planned(args) -> list:
    """The runs of a sweep over one hyperparameter, as far as they can be planned without the data."""
    from empirical.studies.units.plan import plan

    changes = {key: value for key in ("base_width", "epochs", "learning_rate", "batch_size", "init", "train_size", "image_size",
                                              "threads")
               if (value := getattr(args, key)) is not None}
    if args.quick:
        changes = {"epochs": 3, **({} if args.model else {"base_width": 4}), **changes}
    plain = PLAIN if args.recipe == "paper" else {}
    setting = Setting(**{**recipe(network_of(args), data_of(args)), **plain, **changes}).check()
    alphas, seeds = (args.alphas[:2], min(args.seeds, 2)) if args.quick else (args.alphas, args.seeds)
    for alpha in alphas:
        refuse_width(alpha, setting.base_width)
    runs = plan(setting, args.sweep, alphas, range(args.seed, args.seed + seeds), values=args.values,
                orders=_orders(args), images=args.images)
    return [replace(run, rows=args.rows or 0) for run in runs]


def _on_data(runs: list, args) -> list:
    """The same runs with the checksums of their data, once it is clear that their networks can be built."""
    from empirical.ablation import places
    from empirical.data import dataset
    from empirical.models import outline
    from empirical.studies.units.plan import with_checksums
    from empirical.sweep import with_sources

    data = dataset(runs[0], args.data_dir)
    for run in {run.alpha: run for run in runs}.values():
        places(outline(run, run.alpha, data))
    return [with_sources(run) for run in with_checksums(runs, args.data_dir)]


def _print(row: dict) -> None:
    if row["site"] != "all":
        return

    def show(key):
        return "–" if row.get(key) is None else f"{row[key].mean:.2f}"

    say(f"{row['case']}, alpha {row['alpha']:g}: test {show('test_accuracy')}  AUC {show('auc')}  "
        f"prunability {show('prunability')}  similar units {show('similar_per_unit')} "
        f"(start {show('similar_per_unit_start')})  compressibility {show('compressibility')} "
        f"(start {show('compressibility_start')})  dead {show('dead')}  smaller network: {show('kept_share')} of the units, "
        f"agreement {show('agreement')}")


def draw(result, axes) -> None:
    """Draw prunability by width, one line per value of the hyperparameter."""
    from empirical.studies.units.summary import draw_prunability

    draw_prunability(result["rows"], axes)
