"""``python -m toy teacher-student``."""

from lab.arguments import add_run_arguments, not_negative_float, number, positive_float, positive_int, replicas, whole
from lab.cli import note, say
from lab.names import old_flag
from lab.pictures import series

MOST_UNITS = 20  # beyond, the equations take longer than the simulation


def add_arguments(parser):
    parser.add_argument("--dim", type=positive_int, default=500, help="input dimension N")
    parser.add_argument("--width", type=positive_int, default=4, help="hidden units K of the student")
    parser.add_argument("--teacher-width", type=positive_int, default=2, help="orthonormal units M of the teacher")
    parser.add_argument("--strengths", type=number(), nargs="+", default=None, help="A_1 ... A_M (default: all 1)")
    parser.add_argument("--activation", choices=["erf", "relu", "tanh", "linear"], default="erf", help="of both networks")
    parser.add_argument("--learning-rate", type=positive_float, default=0.5, help="eta; a step is eta / N")
    parser.add_argument("--readout-learning-rate", type=not_negative_float, default=None,
                        help="eta_v (default: eta; 0: first layer only)")
    parser.add_argument("--noise", type=not_negative_float, default=0.1, help="standard deviation of the label noise")
    parser.add_argument("--batch-size", type=positive_int, default=1, help="samples per step")
    parser.add_argument("--weight-decay", type=not_negative_float, default=0.0, help="decay rate")
    parser.add_argument("--samples", type=whole(0), default=0, help="size of a finite training set (0: fresh inputs)")
    parser.add_argument("--init-scale", type=positive_float, default=0.5, help="square root of the starting Q_ii")
    parser.add_argument("--time", type=positive_float, default=100.0, help="length of the run in units of N steps")
    parser.add_argument("--saves", type=whole(1, 10**6), default=11, help="number of saved times")
    parser.add_argument("--replicas", type=replicas, default=64, help="independent students")
    parser.add_argument("--method", choices=["full", "span"], default="full",
                        help="span: exact in law at any N, batch 1 and fresh inputs")
    parser.add_argument("--time-limit", type=positive_float, default=None, help="seconds after which the run stops")
    old_flag(parser, "--inputs", "--dim")
    old_flag(parser, "--readout-rate", "--readout-learning-rate")
    old_flag(parser, "--batch", "--batch-size")
    old_flag(parser, "--initial-scale", "--init-scale")
    add_run_arguments(parser, "--seed", "--jobs", "--quick", "--dry-run")


def run(args) -> dict:
    from lab.errors import InputError, UsageError
    from toy.teacher_student.model import predict, simulate
    from toy.teacher_student.setting import check

    if args.strengths is not None and len(args.strengths) != args.teacher_width:
        raise UsageError(f"--strengths names {len(args.strengths)} units, --teacher-width {args.teacher_width}")
    quick = args.quick
    arguments = dict(
        dim=min(args.dim, 100) if quick else args.dim, width=args.width,
        strengths=args.strengths or [1.0] * args.teacher_width, activation=args.activation,
        learning_rate=args.learning_rate, readout_learning_rate=args.readout_learning_rate, noise=args.noise,
        batch_size=args.batch_size, weight_decay=args.weight_decay, samples=args.samples, init_scale=args.init_scale,
        times=[min(args.time, 20.0 if quick else args.time) * s / max(1, args.saves - 1) for s in range(args.saves)],
        replicas=min(args.replicas, 16) if quick else args.replicas, seed=args.seed, method=args.method)
    check(**arguments)
    if args.dry_run:
        return {"would_simulate": arguments}

    from lab import dormand_prince
    from lab.compile_ahead import prepare
    from lab.estimate import mean_interval
    from lab.progress import Progress
    from lab.threads import numba_threads
    from theory.committee.kernels import rhs
    from toy.teacher_student.ensemble import plan
    from toy.teacher_student.kernels import advance_narrow
    from toy.teacher_student.overlaps import classify

    if args.method == "full" and plan(args.width, args.batch_size, arguments["dim"])[0]:
        prepare(advance_narrow, rhs, dormand_prince.integrate)
    steps = round(arguments["times"][-1] * arguments["dim"])
    with numba_threads(args.jobs), Progress(steps, "steps") as bar:
        result = simulate(time_limit=args.time_limit, progress=lambda done, _: bar.step(done - bar.done), **arguments)
    small_rate = args.activation == "relu"
    reached = arguments["times"][:max(1, int((result.error == result.error).any(axis=1).sum()))]
    try:
        if args.width + args.teacher_width > MOST_UNITS:  # four-unit integrals: the cost grows with the fourth power
            raise InputError(f"students and teachers of more than {MOST_UNITS} units together take too long")
        theory = predict(small_rate=small_rate, **{**arguments, "times": reached})
        equations = "small learning rate" if small_rate else "large N"
    except InputError as reason:
        theory, equations = None, f"none: {reason}"
    good, rows = ~result.diverged, []
    for s, time in enumerate(result.times):
        known = good & (result.error[s] == result.error[s])  # not NaN
        row = {"time": time, "error": mean_interval(result.error[s, known]) if known.any() else None}
        if theory is not None and s < len(theory.times):
            row["predicted"] = mean_interval(theory.error[s])
        if result.training_error is not None and known.any():
            row["training_error"] = mean_interval(result.training_error[s, known])
        rows.append(row)
        if not known.any():
            continue
        say(f"time {time:>8.2f}  " + "  ".join(
            f"{name} {value:.5f}"
            for name, value in row.items() if name != "time" and value is not None))
    out = {**{k: v for k, v in arguments.items() if k != "times"}, "equations": equations, "trajectory": rows,
           "diverged": int(result.diverged.sum()), "finished": result.finished, "steps": result.steps,
           "seconds": result.seconds}
    if result.finished and good.any() and args.activation != "relu":
        units = classify(result.Q[-1, good], result.v[-1, good], args.activation)
        out["units"] = {"removable": mean_interval(units.removable.mean(axis=-1)),
                        "repeated": mean_interval(units.repeated.mean(axis=-1)),
                        "distinct": mean_interval(units.distinct)}
        say("units: " + ", ".join(f"{name} {value.mean:.3f}" for name, value in out["units"].items()))
    if not result.finished:
        note(f"stopped by the time limit after {result.steps} steps")
    if result.diverged.any():
        note(f"{int(result.diverged.sum())} of {good.size} replicas diverged")
    return out


def draw(result, axes) -> None:
    """The generalisation error over time, with that of the order-parameter equations."""
    rows = result["trajectory"]
    series(axes, [row["time"] for row in rows], [row["error"] for row in rows], "generalisation error",
           theory=[row["predicted"].mean if "predicted" in row else None for row in rows])
    if any("training_error" in row for row in rows):
        series(axes, [row["time"] for row in rows], [row.get("training_error") for row in rows], "training error")
    axes.set(xlabel="time (steps / dimension)", ylabel="error", yscale="log")
    axes.legend()
