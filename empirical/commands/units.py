"""``python -m empirical units``: removable and repeated units of real networks against width."""

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

HELP = "removable and repeated units against width, for each value of a hyperparameter"


def add_arguments(parser):
    add_network_arguments(parser, "alexnet")
    parser.add_argument("--trained", type=store_name, metavar="EXPERIMENT", help="measure the finished networks of a width "
                        "sweep in the run store (the name of its folder) instead of training some")
    parser.add_argument("--sweep", type=lambda name: OLD_SWEEPS.get(name, name), choices=tuple(SWEEPS), default="init",
                        help="hyperparameter that is swept")
    parser.add_argument("--values", nargs="+", metavar="VALUE", default=[], help="these values of it alone")
    parser.add_argument("--alphas", type=fraction, nargs="+", metavar="A", help="width multipliers",
                        default=[Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2)])
    parser.add_argument("--seeds", type=seeds, default=3, help="networks of each kind")
    parser.add_argument("--base-width", type=base_width, help="channels that stand for one unit of width at alpha = 1")
    parser.add_argument("--epochs", type=epochs, help="passes over the training data")
    parser.add_argument("--learning-rate", type=positive_float, help="learning rate at the start")
    old_flag(parser, "--lr", "--learning-rate")
    parser.add_argument("--batch-size", type=positive_int, help="images a step")
    parser.add_argument("--init", choices=SCHEMES, help="initial weights, where they are not swept")
    parser.add_argument("--recipe", choices=("paper", "data"), default="paper",
                        help="training: as S1's AlexNet (no regulariser), or what suits the data set")
    parser.add_argument("--train-size", type=positive_int, help="training rows (default: all)")
    parser.add_argument("--image-size", type=positive_int, help="pixels a side (default: the data's own)")
    parser.add_argument("--orders", type=whole(1, 1000), default=3, help="random orders, and targeted ones")
    parser.add_argument("--images", type=positive_int, default=500, help="test inputs of the ablation curves")
    parser.add_argument("--rows", type=positive_int, default=None, help="inputs for correlations (default: the probe splits)")
    parser.add_argument("--device", type=device, help="cpu, cuda, cuda:1, mps (default: CUDA if there is one)")
    parser.add_argument("--name", type=store_name, help="name of the table and of the folder in the run store")
    add_log_argument(parser)
    add_threads_argument(parser)
    add_run_arguments(parser, "--seed", "--jobs", "--out", "--quick", "--dry-run")
    refuse_idle_data_flags(parser)
    only(parser, "--arch", "--model", "--sweep", "--values", "--alphas", "--seeds", "--seed", "--base-width", "--epochs",
         "--learning-rate", "--batch-size", "--init", "--recipe", "--train-size", "--image-size", "--threads",
         when=lambda args: not args.trained, words="goes without --trained: those networks are trained already")


def run(args) -> dict:
    choose(args.log)
    planned = [] if args.trained else _planned(args)  # what is impossible is refused before anything is loaded

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
    """The finished networks of an experiment, as runs."""
    from empirical.studies.trained import finished_networks
    from empirical.studies.units.plan import plan_trained

    networks = finished_networks(store.root / args.trained)
    settings = {replace(n, alpha="1", seed=0, stack=1) for n in networks}
    if len(settings) > 1:
        raise UsageError(f"{args.trained} holds networks of {len(settings)} settings, not of one width sweep")
    return plan_trained(networks, args.trained, orders=_orders(args), images=args.images,
                        rows=args.rows or 0)


def _orders(args) -> int:
    return min(args.orders, 2) if args.quick else args.orders


def _planned(args) -> list:
    """The runs of a sweep of one hyperparameter, as far as they can be planned without the data."""
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
    """The same runs, with the checksums of their data, whose networks can be built for them."""
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
        f"(start {show('compressibility_start')})  dead {show('dead')}  smaller network {show('kept_share')} of the units, "
        f"agrees {show('agreement')}")


def draw(result, axes) -> None:
    """Prunability by width, a line for every value of the hyperparameter."""
    from empirical.studies.units.summary import draw_prunability

    draw_prunability(result["rows"], axes)
