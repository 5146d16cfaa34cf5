"""``python -m toy units``."""

from lab.arguments import add_run_arguments, number, positive_float, positive_int, replicas, whole
from lab.cli import say
from lab.estimate import mean_interval
from lab.names import old_flag
from lab.pictures import series

SHOWN = ("auc", "prunability", "auc_targeted", "auc_best", "similar_per_unit", "similar_per_unit_start", "pair_share",
         "pair_share_start", "pair_share_shuffled", "twin_share", "compressibility", "compressibility_start", "effective_rank",
         "predictable", "dead", "constant", "kept_share", "agreement", "kept_merged", "agreement_merged", "floor")


def add_arguments(parser):
    parser.add_argument("--widths", nargs="+", type=positive_int, default=[32, 64, 128, 256, 512], help="hidden units")
    parser.add_argument("--dim", type=positive_int, default=10, help="dimension of the inputs")
    parser.add_argument("--samples", type=positive_int, default=10_000, help="training samples")
    parser.add_argument("--init-scale", type=positive_float, default=0.1, help="scale of the initial weights, relative to --init")
    parser.add_argument("--init", choices=("he", "glorot", "lecun"), default="he", help="rule of the initial weights")
    parser.add_argument("--balanced", action="store_true", help="move the teacher's boundary so that classes are of equal size")
    parser.add_argument("--replicas", type=replicas, default=4, help="students per width, each with a teacher of its own")
    parser.add_argument("--epochs", type=whole(1, 10**6), default=60, help="passes over the samples")
    parser.add_argument("--learning-rate", type=positive_float, default=0.01, help="learning rate, multiplied by 0.95 per epoch")
    parser.add_argument("--threshold", type=number(above=0, below=1), default=0.5,
                        help="|r| below 1 from which two units are similar")
    old_flag(parser, "--scale", "--init-scale")
    old_flag(parser, "--rate", "--learning-rate")
    add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    import numpy as np

    from lab.compile_ahead import prepare
    from theory.measures.ablation import growth_per_doubling
    from toy.mlp.kernels import outputs_one, train_one
    from toy.units.measure import report
    from toy.units.model import check, predict, simulate

    common = dict(dim=args.dim, samples=args.samples, init_scale=args.init_scale, init=args.init, seed=args.seed,
                  epochs=min(args.epochs, 20) if args.quick else args.epochs, learning_rate=args.learning_rate,
                  replicas=min(args.replicas, 3) if args.quick else args.replicas, balanced=args.balanced)
    widths = sorted(set(args.widths))[:3] if args.quick else sorted(set(args.widths))
    for width in widths:
        check(width=width, **common)
    if args.dry_run:
        return {"would_train": {"widths": widths, **common}}
    prepare(train_one, outputs_one)
    rows, values = [], {}
    for width in widths:
        trained = simulate(width=width, **common)
        reports = [report(trained, r, seed=args.seed, threshold=args.threshold) for r in range(trained.end.replicas)]
        values[width] = {key: np.array([one.numbers[key] for one in reports]) for key in SHOWN}
        theory = predict(width=width, threshold=args.threshold, **common) if args.dim > 1 else None
        rows.append({"width": width, "theory_at_start": theory, "train_accuracy": mean_interval(trained.train_accuracy),
                     "test_accuracy": mean_interval(trained.test_accuracy),
                     **{key: _estimate(v) for key, v in values[width].items()},
                     "fractions": reports[0].fractions, "unchanged": np.mean([one.unchanged for one in reports], axis=0),
                     "targeted": np.mean([one.targeted for one in reports], axis=0),
                     "best": np.mean([one.best for one in reports], axis=0)})
        row = {key: v.mean() for key, v in values[width].items()}
        say(f"width {width:>4}: test accuracy {trained.test_accuracy.mean():.3f}  AUC {row['auc']:.2f}  prunability "
            f"{row['prunability']:.2f}  similar units {row['similar_per_unit']:.1f} (start {row['similar_per_unit_start']:.1f})  "
            f"compressibility {row['compressibility']:.2f} (start {row['compressibility_start']:.2f})  dead {row['dead']:.2f}  "
            f"smaller network {row['kept_share']:.2f} of the units, agrees {row['agreement']:.2f}")
    growth = {}
    if len(widths) > 1:
        for key in ("auc", "prunability", "pair_share", "pair_share_start", "twin_share", "kept_share"):
            growth[key] = _estimate(growth_per_doubling(widths, np.stack([values[w][key] for w in widths], axis=-1)))
        say("growth of shares per doubling of width (1: a constant share, 2 in absolute numbers): "
            + ", ".join(f"{key} {e.mean:.2f}" for key, e in growth.items() if e))
    return {"data": {"dim": args.dim, "samples": args.samples, "balanced": args.balanced}, "start": {
        "init": args.init, "init_scale": args.init_scale}, "widths": rows, "growth_of_shares": growth}


def _estimate(values):
    """Mean with its interval; None if some replica has no value (fewer than two varying units, or a share of zero)."""
    import numpy as np

    return mean_interval(values) if np.all(np.isfinite(values)) else None


def draw(result, axes) -> None:
    """Shares of units by width: prunable, kept, similar."""
    rows = result["widths"]
    shares = {"prunability": "prunable", "kept_share": "kept by the smaller network", "pair_share": "similar pairs",
              "pair_share_start": "similar pairs at the start"}
    for key, words in shares.items():
        series(axes, [row["width"] for row in rows], [row[key] for row in rows], words)
    axes.set(xlabel="width", ylabel="share", xscale="log")
    axes.legend()
