"""``python -m toy relu-landscape``."""

from lab.arguments import add_run_arguments, only, positive_float, positive_int, replicas, whole
from lab.cli import say
from lab.names import old_flag
from lab.pictures import points, series
from toy.relu_landscape import METHODS


def add_arguments(parser):
    parser.add_argument("--teacher-width", type=positive_int, default=12, help="k, orthonormal teacher units")
    parser.add_argument("--width", type=positive_int, default=None, help="n, student neurons (default: the teacher's)")
    parser.add_argument("--dim", type=positive_int, default=None, help="d, input dimension (default: the teacher's units)")
    parser.add_argument("--replicas", type=replicas, default=1000, help="runs (with --table: per cell)")
    parser.add_argument("--method", choices=METHODS, default="gradient-descent", help="optimiser; different "
                        "optimisers may reach different minima from one start")
    parser.add_argument("--learning-rate", type=positive_float, default=0.1, help="step of gradient descent")
    parser.add_argument("--max-steps", type=whole(1, 10**12), default=1_000_000, help="steps after which a run stops "
                        "unfinished; it counts as spurious")
    parser.add_argument("--time-limit", type=positive_float, default=None, help="seconds after which unfinished runs "
                        "are stopped; they count as spurious")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--table", action="store_true", help="all k = 6 ... 20, n = k ... k+2 (minutes)")
    what.add_argument("--tickets", action="store_true", help="rewind winning tickets, retrain them alone and with "
                      "perturbed other neurons")
    old_flag(parser, "--teacher", "--teacher-width")
    old_flag(parser, "--rate", "--learning-rate")
    add_run_arguments(parser, "--seed", "--jobs", "--out", "--quick", "--dry-run")
    only(parser, "--teacher-width", "--width", "--dim", when=lambda args: not args.table, words="is fixed by --table")
    only(parser, "--learning-rate", "--max-steps", "--time-limit", when=lambda args: not (args.table or args.tickets),
         words="cannot be combined with --table or --tickets, which train as for the kept tables")
    only(parser, "--out", when=lambda args: args.table, words="needs --table: only its runs are stored")


def run(args) -> dict:
    from toy.relu_landscape.model import check
    from toy.relu_landscape.tickets import check as check_tickets

    width = args.teacher_width if args.width is None else args.width
    if args.table:
        return table(args)
    setting = {"teacher_width": args.teacher_width, "width": width, "dim": args.dim or args.teacher_width,
               "replicas": min(args.replicas, 100) if args.quick else args.replicas,
               "seed": args.seed, "method": args.method}
    (check_tickets if args.tickets else check)(**setting)
    if args.dry_run:
        return {"would_simulate": setting}
    return tickets(args, setting) if args.tickets else landscape(args, setting)


def landscape(args, setting) -> dict:
    """One cell: share, levels, escape."""
    import time

    from lab.progress import Progress
    from toy.relu_landscape.descent import STATUS
    from toy.relu_landscape.minima import levels, multiplicities
    from toy.relu_landscape.model import simulate

    began = time.perf_counter()
    with Progress(setting["replicas"], "relu-landscape") as progress:
        students = simulate(**setting, learning_rate=args.learning_rate, max_steps=args.max_steps, threads=args.jobs,
                            time_limit=args.time_limit, progress=progress.step)
    ends = levels(students)
    largest = [int(level.escape_index.max()) for level in ends]
    share = students.spurious_fraction
    say(f"k = {students.teacher_width}, n = {students.width}, {students.method}: spurious {share:.4f} "
        f"of {share.n} runs, {students.unfinished} unfinished, {students.seconds:.1f} s")
    for level, index in zip(ends, largest):
        say(f"  loss {level.loss:.6f}  {level.count:>5} runs  {level.kind}; lowest curvature {level.lowest_curvature:.2e}, "
            f"one neuron more opens {index} directions")
    runs = sum(level.count for level in ends)
    return {
        **setting,
        "spurious_fraction": share,
        "unfinished": students.unfinished,
        "statuses": {name: int((students.status == code).sum()) for code, name in enumerate(STATUS)},
        "loss_levels": [{
            "loss": level.loss, "runs": level.count, "type": level.kind, "aligned": level.aligned,
            "anti_aligned": level.anti_aligned, "shared": level.shared,
            "anti_aligned_pairs": [{"neuron": i, "teacher": m} for i, m in level.pairs],
            "escape_index": level.escape_index, "index": level.index,
            "hessian_spectrum": multiplicities(level.spectrum),
        } for level in ends],
        "escape_index": {
            "lowest": min(largest, default=None), "highest": max(largest, default=None), "bound": students.dim - 1,
            "mean": sum(level.count * index for level, index in zip(ends, largest)) / runs if runs else None,
            "minima": runs, "minima_that_become_saddles": sum(
                level.count for level, index in zip(ends, largest) if index > 0),
        },
        "steps": {"mean": float(students.steps.mean()), "highest": int(students.steps.max())},
        "largest_rise_of_the_objective": students.rise,
        "seconds": time.perf_counter() - began,
        "training_seconds": students.seconds,
    }


def tickets(args, setting) -> dict:
    """Win shares of rewound tickets, alone and with perturbed other neurons."""
    import time

    from toy.relu_landscape.tickets import ARMS, perturb

    began = time.perf_counter()
    result = perturb(**setting, threads=args.jobs)
    shares = {arm: result.share(arm) for arm in ARMS}
    for arm, share in shares.items():
        if share is not None:
            say(f"{arm:>17}: wins {share:.3f} of {share.n}")
    return {**setting, "win_share": shares, "seconds": time.perf_counter() - began}


def table(args) -> dict:
    """All cells, through the run store, so that finished cells are not repeated."""
    import time
    from dataclasses import asdict

    from lab.store import RunStore
    from lab.study import compute
    from lab.sweep import dry_run
    from toy.relu_landscape.study import LANDSCAPE, cells

    configs = cells((6, 8, 10) if args.quick else range(6, 21),
                    replicas=min(args.replicas, 100) if args.quick else args.replicas, seed=args.seed,
                    method=args.method)
    store = RunStore(args.out)
    if args.dry_run:
        return dry_run(LANDSCAPE.name, configs, store=store, schema=LANDSCAPE.schema)
    began = time.perf_counter()
    result = compute(LANDSCAPE, "quick" if args.quick else "full", store=store, jobs=args.jobs, configs=configs)
    rows = result.frame.to_dict("records")
    for row in rows:
        say(f"k {row['teacher_width']:>2}  n {row['width']:>2}  spurious {100 * row['share']:6.2f} % "
            f"[{100 * row['share_low']:.2f}, {100 * row['share_high']:.2f}]  published "
            + (f"{100 * row['published']:.1f} %" if row["published"] == row["published"] else "—")
            + f"  unfinished {row['unfinished']}")
    return {"replicas": asdict(configs[0])["replicas"], "seed": args.seed, "method": args.method, "cells": rows,
            "failed": result.manifest["failed"], "seconds": time.perf_counter() - began}


def draw(result, axes) -> None:
    """Final losses; with --tickets the shares that win, with --table the shares of spurious minima by width."""
    if "loss_levels" in result:
        levels = result["loss_levels"]
        axes.bar([f"{level['loss']:.4f}" for level in levels], [level["runs"] for level in levels], width=0.5)
        axes.set(xlabel="loss of the minimum", ylabel="students that end there")
    elif "win_share" in result:
        shares = {arm.replace("_", " "): share for arm, share in result["win_share"].items() if share is not None}
        series(axes, range(len(shares)), shares.values(), "share that wins")
        axes.set(ylabel="share that wins")
        axes.set_xticks(range(len(shares)), shares, rotation=30, ha="right")
    else:
        for extra in sorted({row["width"] - row["teacher_width"] for row in result["cells"]}):
            rows = [row for row in result["cells"] if row["width"] - row["teacher_width"] == extra]
            share, low, high = ([row[key] for row in rows] for key in ("share", "share_low", "share_high"))
            points(axes, [row["teacher_width"] for row in rows], share, low, high, f"{extra} neurons more")
        axes.set(xlabel="neurons of the teacher", ylabel="share of spurious minima")
        axes.legend()
