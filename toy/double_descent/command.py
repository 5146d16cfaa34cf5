"""``python -m toy double-descent``."""

from lab.arguments import add_run_arguments, not_negative_float, positive_int, replicas, whole
from lab.cli import say
from lab.estimate import mean_interval
from lab.names import old_flag
from lab.pictures import series
from toy.double_descent import FAMILIES


def add_arguments(parser):
    parser.add_argument("--family", default="least-squares", choices=FAMILIES,
                        help="model that is fitted")
    parser.add_argument("--features", nargs="+", type=positive_int, default=[10, 20, 30, 36, 40, 44, 60, 100, 200, 400],
                        help="numbers of features, or of hidden units")
    parser.add_argument("--samples", type=positive_int, default=40, help="training samples")
    parser.add_argument("--dim", type=positive_int, default=400, help="all features of least squares, else the input dimension")
    parser.add_argument("--noise-variance", type=not_negative_float, default=0.2, help="variance of the label noise")
    parser.add_argument("--ridge", type=not_negative_float, default=0.0, help="ridge; weight decay of the network")
    parser.add_argument("--replicas", type=replicas, default=200, help="independent fits")
    parser.add_argument("--teacher-width", type=whole(0), default=0, help="ReLU units of the network's teacher; 0: linear")
    old_flag(parser, "--noise", "--noise-variance")
    old_flag(parser, "--teacher", "--teacher-width")
    add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    from toy.double_descent.model import check, predict, simulate

    common = dict(family=args.family, features=args.features, samples=args.samples, dim=args.dim,
                  noise_variance=args.noise_variance, ridge=args.ridge,
                  replicas=min(args.replicas, 20) if args.quick else args.replicas, seed=args.seed,
                  teacher_width=args.teacher_width)
    check(**common)
    if args.dry_run:
        return {"would_fit": common}
    risks, theory = simulate(**common).risks, predict(**common).risks
    rows = []
    for i, p in enumerate(args.features):
        rows.append({"features": p, "risk": mean_interval(risks[:, i]), "predicted": None if theory is None else theory[i]})
        predicted = "" if theory is None else f" (predicted {theory[i]:.4f})"
        say(f"{p:>6} features: risk {rows[-1]['risk']:.4f}{predicted}")
    return {"family": args.family, "samples": args.samples, "curve": rows}


def draw(result, axes) -> None:
    """The risk by the number of features, and the interpolation threshold."""
    rows = result["curve"]
    series(axes, [row["features"] for row in rows], [row["risk"] for row in rows], "simulation",
           theory=[row["predicted"] for row in rows])
    axes.axvline(result["samples"], color="0.6", linewidth=0.8, linestyle=":")
    axes.set(xlabel="features", ylabel="test risk", xscale="log", yscale="log")
