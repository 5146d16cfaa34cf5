"""``python -m empirical sweep``: train every width and compare narrow copies with the wide network."""

from fractions import Fraction

from empirical.flags import add_log_argument, add_network_arguments, data_of, network_of, refuse_idle_data_flags
from empirical.settings import PARAMETRISATIONS, SCHEMES, STARTS, matched, recipe
from empirical.trackers import choose
from lab.arguments import (
    add_run_arguments,
    add_threads_argument,
    base_width,
    device,
    epochs,
    fraction,
    not_negative_float,
    only,
    positive_float,
    positive_int,
    seeds,
    share,
    store_name,
    whole,
)
from lab.cli import note, say
from lab.names import old_flag

HELP = "compare one wide network with many narrow ones: span errors, probes and similarities at every width"


def add_arguments(parser):
    add_network_arguments(parser, "resnet18")
    parser.add_argument("--download", action="store_true", help="fetch CIFAR-10 from its publisher if it is missing")
    parser.add_argument("--alphas", type=fraction, nargs="+", metavar="A",
                        default=[Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 8)],
                        help="width multipliers; the largest is that of the wide network")
    parser.add_argument("--seeds", type=seeds, default=3, help="number of replicas of the whole comparison")
    parser.add_argument("--base-width", type=base_width, help="channels of the first layer at alpha = 1 "
                        "(default: by data set; 64 for the standard ResNet-18 and VGG-16); a --model must take base_width")
    parser.add_argument("--depth", type=whole(1, 1000), help="layers of the MLP or blocks of the Transformer (default: by "
                        "architecture)")
    parser.add_argument("--epochs", type=epochs, help="passes over the training data (default: by data set)")
    parser.add_argument("--match", choices=("epochs", "train-loss"), default="epochs",
                        help="train every width for equally many epochs, or to the same training loss")
    parser.add_argument("--target-loss", type=positive_float, help="training loss at which --match train-loss stops "
                        "(default: by data set); networks that do not reach it are counted, and the exit code stays 0")
    parser.add_argument("--copies", choices=("features", "parameters"), default="features",
                        help="train enough narrow copies to match the wide network's features, or also its parameters")
    parser.add_argument("--start", choices=STARTS, default="own",
                        help="narrow copies start independently, or as slices of the wide network's initial weights")
    parser.add_argument("--sites", choices=("all", "penultimate"), default="all", help="sites where features are compared")
    parser.add_argument("--learning-rate", type=positive_float, help="peak learning rate at alpha = 1 (default: by data set)")
    old_flag(parser, "--lr", "--learning-rate")
    parser.add_argument("--optimizer", choices=("sgd", "adamw"), help="optimizer (default: by data set)")
    parser.add_argument("--schedule", choices=("cosine", "constant"), help="learning-rate schedule (default: cosine; constant "
                        "with --match train-loss)")
    parser.add_argument("--batch-size", type=positive_int, help="inputs per training step (default: by data set)")
    parser.add_argument("--weight-decay", type=not_negative_float, help="weight decay (default: by data set)")
    parser.add_argument("--no-augment", action="store_true", help="train without random shifts and flips")
    parser.add_argument("--init", choices=SCHEMES, help="initialisation (default: by data set; a --model keeps its own)")
    parser.add_argument("--parametrisation", choices=PARAMETRISATIONS, default="standard",
                        help="how initialisation and learning rates scale with width")
    parser.add_argument("--train-size", type=positive_int, help="number of training rows (default: all)")
    parser.add_argument("--image-size", type=positive_int, help="image size in pixels per side (default: as in the data)")
    parser.add_argument("--max-length", type=positive_int, help="tokens per sentence pair (default: by data set)")
    parser.add_argument("--label-noise", type=share, default=0.0, help="share of training labels to redraw at random; 1 gives "
                        "random labels")
    parser.add_argument("--stack", type=positive_int, help="maximum number of copies trained together (default: what is fastest)")
    parser.add_argument("--device", type=device, help="cpu, cuda, cuda:1, mps (default: CUDA if available)")
    parser.add_argument("--name", type=store_name, help="name of the table and of the folder in the run store (default: from the "
                        "configuration)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="address of a Dask cluster to use instead of local processes")
    add_log_argument(parser)
    add_threads_argument(parser)
    add_run_arguments(parser, "--seed", "--jobs", "--out", "--quick", "--dry-run")
    refuse_idle_data_flags(parser)
    only(parser, "--target-loss", when=lambda args: args.match == "train-loss", words="needs --match train-loss")


def run(args) -> dict:
    from empirical.sweep import carry_out, planned
    from lab.cluster import Cluster
    from lab.store import RunStore
    from lab.sweep import dry_run

    choose(args.log)
    alphas = args.alphas[:3] if args.quick else args.alphas
    seeds = range(args.seed, args.seed + (min(args.seeds, 2) if args.quick else args.seeds))
    plan = planned({**recipe(network_of(args), data_of(args), args.quick), **_changes(args)}, alphas, seeds, out=args.out,
                   name=args.name, match=args.match, copies=args.copies, start=args.start, sites=args.sites, stack=args.stack,
                   device=args.device, data_dir=args.data_dir, download=args.download)
    study, setting = plan.study, plan.setting
    if args.dry_run:
        plans = dry_run(study.name, study.runs(plan.configs), store=RunStore(args.out), schema=study.schema_of)
        say(f"{study.name}: {plans['done']} runs done, {plans['missing']} missing"
            + (f", about {plans['estimated_seconds']:.0f} s of work" if plans["estimated_seconds"] else ""))
        return plans
    result = carry_out(plan, out=args.out, scale="quick" if args.quick else "full", device=args.device, data_dir=args.data_dir,
                       jobs=args.jobs, executor=Cluster(args.scheduler) if args.scheduler else None)
    for row in result.rows:
        _print(row)
    for failure in result.failed:
        note(f"failed: {failure['reason']}")
    short, networks = result.short
    if short:
        note(f"{short} of {networks} networks ended above the training loss {setting.target_loss:g} and are not matched: raise "
             "--epochs or --target-loss")
    return {"name": study.name, "arch": setting.arch, "data": plan.data.facts, "match": args.match,
            "short_of_target_loss": {"networks": short, "of": networks} if networks else None, "seeds": list(seeds),
            "setting": setting.shared(), "alphas": result.rows, "table": str(result.path), "failed": result.failed,
            "exit_code": 1 if result.failed else 0}


def _changes(args) -> dict:
    """The settings that the command line changes."""
    changes = {key: value for key in ("base_width", "depth", "epochs", "learning_rate", "optimizer", "schedule", "batch_size",
                                      "weight_decay", "init", "train_size", "image_size", "max_length")
               if (value := getattr(args, key)) is not None}
    changes |= {key: getattr(args, key) for key in ("parametrisation", "label_noise", "threads")}
    if args.no_augment:
        changes["augment"] = False
    if args.match == "train-loss":
        control = matched(data_of(args))
        changes = {**control, **changes, "target_loss": args.target_loss or control["target_loss"]}
    return changes


def _print(row: dict) -> None:
    def show(key):
        return f"{row[key]:.3f}"

    say(f"alpha {row['alpha']:>5} x{row['copies']:<3} span error {show('span_error')}  "
        f"reverse {show('reverse_span_error')}  gap {show('gap')}  "
        f"probe {row['probe_narrow'].mean:.3f} (wide {row['probe_wide'].mean:.3f})  CKA {row['cka'].mean:.3f}  "
        f"train {row['train_accuracy_narrow'].mean:.3f}  test {row['test_accuracy_narrow'].mean:.3f}")


def draw(result, axes) -> None:
    """Draw span errors in both directions by width, with a second wide network as the baseline."""
    from empirical.studies.width.summary import draw_span_errors

    draw_span_errors(result["alphas"], axes)
