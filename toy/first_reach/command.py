"""``python -m toy first-reach``."""

from lab.arguments import add_run_arguments, number, positive_float, positive_int, replicas
from lab.cli import say
from lab.estimate import share_interval
from lab.names import old_flag
from lab.pictures import series


def add_arguments(parser):
    parser.add_argument("--strengths", nargs="+", type=positive_float, default=[1.0, 0.05], help="A_1 ... A_M")
    parser.add_argument("--threshold", type=number(least=0, below=1), default=0.3,
                        help="b in [0, 1); from 0.7072 on no neuron reaches two features")
    parser.add_argument("--dim", type=positive_int, default=4, help="input dimension")
    parser.add_argument("--width", type=positive_int, default=1, help="neurons per narrow network")
    parser.add_argument("--copies", type=positive_int, default=8, help="narrow networks per concatenation")
    parser.add_argument("--replicas", type=replicas, default=1000, help="independent concatenations")
    parser.add_argument("--init-readout", type=positive_float, default=0.1, help="output weights at the start")
    old_flag(parser, "--output-start", "--init-readout")
    add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def _theory(theory, m: int) -> str:
    """The prediction for feature m in words, with its status."""
    if theory.missed_by_one[m] is not None:
        limit = "" if theory.kind[m] == "exact" else (" in the limit of a vanishing second strength (standard error "
                                                          f"{theory.standard_error[m]:.4f})")
        return f"predicted {theory.missed_by_one[m]:.4f}, {theory.missed_by_all[m]:.4f}{limit}"
    if theory.limit_by_one[m] is None:
        return "no prediction"
    return (f"no prediction at this strength; for a vanishing one {theory.limit_by_one[m]:.4f} "
            f"(standard error {theory.limit_standard_error[m]:.4f}), {theory.limit_by_all[m]:.4f}")


def run(args) -> dict:
    from lab.flow import prepare
    from toy.first_reach.model import check, predict, simulate, sphere_flow

    common = dict(strengths=args.strengths, threshold=args.threshold, dim=args.dim,
                  replicas=min(args.replicas, 100) if args.quick else args.replicas, seed=args.seed,
                  init_readout=args.init_readout)
    sizes = {"narrow": (args.width, args.copies), "wide": (args.width * args.copies, 1)}
    for width, copies in sizes.values():
        check(width=width, copies=copies, **common)
    if args.dry_run:
        return {"would_simulate": common}
    result = {"strengths": args.strengths, "threshold": args.threshold}
    prepare(sphere_flow)
    predictions = [predict(width=width, copies=copies, **common) for width, copies in sizes.values()]  # meanwhile
    for (name, (width, copies)), theory in zip(sizes.items(), predictions):
        simulated = simulate(width=width, copies=copies, **common)
        networks = simulated.finished.size
        result[name] = {
            "width": width, "copies": copies, "unfinished": int((~simulated.finished).sum()),
            "miss_one": [share_interval(int(k), networks) for k in (~simulated.learnt).sum(axis=(0, 1))],
            "miss_concatenation": [share_interval(int(k), common["replicas"]) for k in simulated.missed_by_all.sum(axis=0)],
            "predicted_miss_one": theory.missed_by_one, "predicted_miss_concatenation": theory.missed_by_all,
            "predicted_kind": theory.kind, "predicted_standard_error": theory.standard_error,
            "limit_miss_one": theory.limit_by_one, "limit_miss_concatenation": theory.limit_by_all,
            "limit_standard_error": theory.limit_standard_error,
        }
        say(f"{name}: {copies} x width {width}")
        for m, strength in enumerate(args.strengths):
            one, both = result[name]["miss_one"][m], result[name]["miss_concatenation"][m]
            say(f"  feature of strength {strength:g}: missed by one {one:.4f}, "
                f"by the concatenation {both:.4f}; {_theory(theory, m)}")
    return result


def draw(result, axes) -> None:
    """Share that misses a feature, by its strength: concatenated narrow networks, and the wide one."""
    for name, words in (("narrow", "narrow, concatenated"), ("wide", "wide")):
        series(axes, result["strengths"], result[name]["miss_concatenation"], words,
               theory=result[name]["predicted_miss_concatenation"])
    axes.set(xlabel="strength of the feature", ylabel="share that misses it")
    axes.legend()
