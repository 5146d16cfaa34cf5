"""``python -m toy multi-view``."""

from lab.arguments import add_run_arguments, number, positive_float, positive_int, replicas, whole
from lab.cli import say
from lab.estimate import share_interval
from lab.names import old_flag
from lab.pictures import series


def add_arguments(parser):
    parser.add_argument("--second-strength", type=number(above=0, most=1), default=0.8,
                        help="strength of the second view, in (0, 1]")
    parser.add_argument("--widths", nargs="+", type=positive_int, default=[1, 4, 16, 64, 256], help="neurons per network")
    parser.add_argument("--copies", type=positive_int, default=1, help="networks per concatenation")
    parser.add_argument("--replicas", type=replicas, default=1000, help="independent concatenations")
    parser.add_argument("--init-scale", type=positive_float, default=0.2, help="standard deviation of the starts")
    parser.add_argument("--power", type=whole(3, 100), default=4, help="q of the activation z^q, at least 3")
    old_flag(parser, "--scale", "--init-scale")
    add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    from lab.flow import prepare
    from toy.multi_view.model import check, predict, simulate, view_flow

    common = dict(second_strength=args.second_strength, copies=args.copies, init_scale=args.init_scale, power=args.power,
                  replicas=min(args.replicas, 100) if args.quick else args.replicas, seed=args.seed)
    for width in args.widths:
        check(width=width, **common)
    if args.dry_run:
        return {"would_simulate": {**common, "widths": args.widths}}
    prepare(view_flow)
    rows = []
    predictions = [predict(width=width, **common) for width in args.widths]  # while the kernels are compiled
    for width, theory in zip(args.widths, predictions):
        views = simulate(width=width, **common)
        rows.append({"width": width, "unfinished": int((~views.finished).sum()),
                     "both_by_one": share_interval(int(views.both_by_one.sum()), views.both_by_one.size),
                     "both_by_concatenation": share_interval(int(views.both_by_all.sum()), views.both_by_all.size),
                     "predicted_one": theory.both_by_one, "predicted_concatenation": theory.both_by_all})
        one, both = rows[-1]["both_by_one"], rows[-1]["both_by_concatenation"]
        say(f"width {width:>5}: both views by one network {one:.3f} "
            f"(predicted {theory.both_by_one:.3f}); by {args.copies} copies {both:.3f} "
            f"(predicted {theory.both_by_all:.3f})")
    return {"second_strength": args.second_strength, "copies": args.copies, "widths": rows}


def draw(result, axes) -> None:
    """Share that learns both views, by width: one network, and copies together."""
    rows, copies = result["widths"], result["copies"]
    for who, predicted, words in (("one", "one", "one network"), ("concatenation", "concatenation", f"{copies} copies")):
        series(axes, [row["width"] for row in rows], [row[f"both_by_{who}"] for row in rows], words,
               theory=[row[f"predicted_{predicted}"] for row in rows])
    axes.set(xlabel="width", ylabel="share with both views", xscale="log")
    axes.legend()
