"""``python -m toy graded-teacher``: concatenated narrow students against one wide student of a graded teacher."""

import time

from lab.arguments import add_run_arguments, not_negative_float, number, positive_float, positive_int, replicas
from lab.cli import note, say
from lab.errors import InputError
from lab.estimate import exact, mean_interval, share_interval
from lab.names import old_flag
from lab.pictures import NARROW, WIDE, series
from lab.progress import Progress


def add_arguments(parser) -> None:
    """Arguments for the teacher, the students, the stopping rule and the ridges."""
    parser.add_argument("--strengths", type=number(), nargs="+", default=[1.0, 0.7, 0.4, 0.2], metavar="A",
                        help="strengths of the teacher's units; choose equal strengths for the control")
    parser.add_argument("--direction-norm", type=positive_float, default=3.0, help="norm of every teacher direction")
    parser.add_argument("--dim", type=positive_int, default=10, help="input dimension")
    parser.add_argument("--width", type=positive_int, default=2, help="hidden units of a narrow student")
    parser.add_argument("--copies", type=positive_int, default=8, help="narrow students in a concatenation")
    parser.add_argument("--reference-width", type=positive_int, default=16, help="hidden units of the wide student")
    parser.add_argument("--replicas", type=replicas, default=8, help="repetitions of the whole comparison")
    parser.add_argument("--init-scale", type=positive_float, default=0.1, help="standard deviation of initial weights")
    parser.add_argument("--gradient-tol", type=positive_float, default=1e-8, help="largest gradient at convergence")
    parser.add_argument("--time-cap", type=positive_float, default=1e6,
                        help="flow time at which training stops without convergence")
    parser.add_argument("--ridge", type=not_negative_float, nargs="+", default=[1e-6],
                        help="ridge relative to the mean diagonal of the source Gram; the first is the one reported")
    parser.add_argument("--time-limit", type=positive_float, default=None, help="seconds after which unfinished students "
                        "are stopped, counted separately for narrow and wide students")
    parser.add_argument("--no-theory", action="store_true", help="omit the predictions of theory.span")
    add_run_arguments(parser, "--seed", "--jobs", "--quick", "--dry-run")
    old_flag(parser, "--threads", "--jobs")


def run(args) -> dict:
    """Simulate, compare, and add theory's predictions."""
    from lab.flow import prepare
    from theory.gaussian import erf
    from theory.gaussian._indices import fault
    from toy.graded_teacher.compare import check_comparison, compare, loss_levels
    from toy.graded_teacher.kernels import descent
    from toy.graded_teacher.teacher import Teacher

    begin = time.perf_counter()
    teacher = {"strengths": args.strengths, "direction_norm": args.direction_norm, "dim": args.dim}
    setting = {"width": args.width, "copies": args.copies, "reference_width": args.reference_width,
               "replicas": min(args.replicas, 2) if args.quick else args.replicas, "seed": args.seed,
               "init_scale": args.init_scale, "gradient_tol": args.gradient_tol, "time_cap": args.time_cap}
    check_comparison(Teacher(**teacher), **setting, ridges=args.ridge)
    students = setting["replicas"] * (args.copies + 2)
    if args.dry_run:
        return {"would_simulate": {**teacher, **setting, "ridge": args.ridge, "students": students}}
    prepare(descent, erf.fill_i2, fault)
    with Progress(students, "graded-teacher") as progress:
        result = compare(**teacher, **setting, ridges=args.ridge, threads=args.jobs, time_limit=args.time_limit,
                         progress=progress.step)
    tables = [_estimates(result, k) for k in range(len(args.ridge))]
    notes = _notes(result, args)
    for line in notes:
        note(line)
    out = {
        **teacher, **setting, "ridge": args.ridge[0], **tables[0],
        "by_ridge": [{"ridge": r, **t} for r, t in zip(args.ridge, tables)],
        "training": {"narrow": _training(result.narrow), "wide": _training(result.wide)},
        "narrow_solutions": loss_levels(result.narrow),
        "notes": notes,
    }
    if not args.no_theory:
        out["theory"] = _theory(args)
    out["seconds"] = time.perf_counter() - begin
    _print(out)
    return out


def _estimates(result, k: int) -> dict:
    def over_replicas(values):
        return mean_interval(values[:, k])

    def per_unit(values):
        return [mean_interval(values[:, k, m]) for m in range(values.shape[2])]

    return {
        "span_error_per_teacher_unit": per_unit(result.narrow_to_teacher),
        "wide_span_error_per_teacher_unit": per_unit(result.wide_to_teacher),
        "untrained_span_error_per_teacher_unit": per_unit(result.untrained_to_teacher),
        "span_error": over_replicas(result.narrow_to_wide),
        "reverse_span_error": over_replicas(result.wide_to_narrow_units),
        "reverse_span_error_pooled": over_replicas(result.wide_to_narrow),
        "seed_baseline_span_error": over_replicas(result.wide_to_wide),
        "span_gap": over_replicas(result.narrow_to_wide - result.wide_to_wide),
        "feature_performance": {"narrow": over_replicas(result.narrow_probe), "wide": over_replicas(result.wide_probe)},
        "cka": over_replicas(result.cka),
    }


def _training(students) -> dict:
    from lab.flow import STATUS

    return {"students": students.replicas, "loss": mean_interval(students.loss),
            "converged": share_interval(int(students.converged.sum()), students.replicas),
            "largest_gradient": float(students.gradient.max()), "statuses": students.summary(),
            "each": {"status": [STATUS[s] for s in students.status], "loss": students.loss, "time": students.time,
                     "gradient": students.gradient}}


def _notes(result, args) -> list[str]:
    notes = []
    for name, students in (("narrow", result.narrow), ("wide", result.wide)):
        late = int((~students.converged).sum())
        if late:
            notes.append(f"{late} of {students.replicas} {name} students had not reached the gradient tolerance "
                         f"{args.gradient_tol:g} (time cap {args.time_cap:g}): {students.summary()}; largest gradient "
                         f"{students.gradient.max():.1e}, largest loss {students.loss.max():.1e}")
    return notes


def _theory(args) -> dict:
    from theory.span import predict

    try:
        p = predict(args.strengths, args.direction_norm, args.dim, args.width, args.copies, args.init_scale,
                    args.ridge[0])
    except InputError as error:
        return {"unavailable": str(error)}
    return {
        "isolated_units": p.isolated, "other_units": p.rest, "unique": p.unique, "competing_losses": p.competitors,
        "loss": exact(p.loss), "plateaus": p.plateaus, "first_plateau_time": p.first_time,
        "escape_rates": p.escape_rates,
        "span_error_per_teacher_unit": [exact(x) for x in p.span_error_per_teacher_unit],
        "span_error_of_the_teacher": exact(p.span_error),
        "reverse_span_error_from_the_teacher": exact(p.reverse_span_error),
        "reverse_span_error_pooled_from_the_teacher": exact(p.reverse_span_error_pooled),
        "feature_performance": exact(p.feature_performance),
    }


def _print(out: dict) -> None:
    def show(e):
        return f"{e:.4f}"

    say(f"{out['copies']} x width {out['width']} against width {out['reference_width']}, {out['replicas']} repetitions,"
        f" ridge {out['ridge']:g}, {out['seconds']:.1f} s")
    say("span error per teacher unit:  " + "  ".join(show(e) for e in out["span_error_per_teacher_unit"]))
    if "span_error_per_teacher_unit" in out.get("theory", {}):
        say("  theory:                     "
            + "  ".join(f"{e.mean:.4f}" for e in out["theory"]["span_error_per_teacher_unit"]))
    for name, text in (("span_error", "span error, narrow -> wide:   "),
                       ("reverse_span_error", "span error, wide -> narrow:   "),
                       ("seed_baseline_span_error", "seed baseline, wide -> wide:  ")):
        say(text + show(out[name]))
    for name in ("narrow", "wide"):
        say(f"target left unexplained, {name}: ".ljust(30) + show(out["feature_performance"][name]))


def draw(result, axes) -> None:
    """Span error of each teacher unit, from the narrow students and from the wide student."""
    strengths = [abs(strength) for strength in result["strengths"]]
    theory = result.get("theory", {}).get("span_error_per_teacher_unit")
    series(axes, strengths, result["span_error_per_teacher_unit"], f"{result['copies']} × width {result['width']}",
           theory=theory and [exactly.mean for exactly in theory], color=NARROW)
    series(axes, strengths, result["wide_span_error_per_teacher_unit"], f"width {result['reference_width']}", color=WIDE)
    axes.set(xlabel="strength of the teacher's unit", ylabel="span error")
    axes.legend()
