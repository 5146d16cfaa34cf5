"""``python -m toy memorise``."""

from lab.arguments import add_run_arguments, number, positive_float, positive_int, replicas, whole
from lab.cli import say
from lab.estimate import mean_interval
from lab.names import old_flag
from lab.pictures import series
from toy.memorise import TASKS


def add_arguments(parser):
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), help="kinds of data")
    parser.add_argument("--widths", nargs="+", type=positive_int, default=[8, 64, 512], help="hidden units")
    parser.add_argument("--samples", type=positive_int, default=60, help="training samples")
    parser.add_argument("--replicas", type=replicas, default=10, help="networks per task and width, each with its own data")
    parser.add_argument("--epochs", type=whole(1, 10**6), default=3000, help="most epochs; training stops at loss 0.01")
    parser.add_argument("--learning-rate", type=positive_float, default=3e-3, help="learning rate of AdamW")
    parser.add_argument("--batch-size", type=positive_int, default=50, help="samples per step")
    parser.add_argument("--label-noise", type=number(least=0, most=1), default=0.0,
                        help="share of the labels that are redrawn at random")
    old_flag(parser, "--rate", "--learning-rate")
    add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    from lab.compile_ahead import prepare
    from theory.regions import follow_one
    from toy.memorise.model import check, simulate
    from toy.mlp.kernels import outputs_one, train_one

    common = dict(samples=args.samples, replicas=min(args.replicas, 3) if args.quick else args.replicas, seed=args.seed,
                  epochs=min(args.epochs, 300) if args.quick else args.epochs, learning_rate=args.learning_rate,
                  batch_size=args.batch_size, label_noise=args.label_noise)
    widths = args.widths[:1] if args.quick else args.widths
    for task in args.tasks:
        for width in widths:
            check(task=task, width=width, **common)
    if args.dry_run:
        return {"would_train": {"tasks": args.tasks, "widths": widths, **common}}
    prepare(train_one, outputs_one, follow_one)
    rows = []
    for task in args.tasks:
        for width in widths:
            history = simulate(task, width, **common)
            rows.append({"task": task, "width": width, "diverged": int(history.diverged.sum()),
                         "train_error": mean_interval(history.train_error[:, -1]),
                         "test_error": mean_interval(history.test_error[:, -1]),
                         "regions": mean_interval(history.regions.count[:, -1]), "true_regions": history.true_regions,
                         "deaths": mean_interval(history.regions.deaths), "births": mean_interval(history.regions.births),
                         "resplits": mean_interval(history.regions.resplits), "chance": mean_interval(history.regions.chance)})
            row = rows[-1]
            say(f"{task:<14} width {width:>4}: train error {row['train_error'].mean:.3f}, test error "
                f"{row['test_error'].mean:.3f}, regions {row['regions'].mean:.1f}, died {row['deaths'].mean:.1f}, born "
                f"{row['births'].mean:.1f}, of them re-splits {row['resplits'].mean:.1f} (by chance {row['chance'].mean:.1f})")
    return {"cells": rows}


def draw(result, axes) -> None:
    """Decision regions at the end of training, by width."""
    for task in dict.fromkeys(row["task"] for row in result["cells"]):
        rows = [row for row in result["cells"] if row["task"] == task]
        series(axes, [row["width"] for row in rows], [row["regions"] for row in rows], task)
    axes.set(xlabel="width", ylabel="decision regions", xscale="log")
    axes.legend()
