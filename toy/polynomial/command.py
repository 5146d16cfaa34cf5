"""``python -m toy polynomial``."""

from lab.arguments import add_run_arguments, positive_int, replicas, whole
from lab.cli import say
from lab.estimate import mean_interval
from lab.pictures import series

FIELDS = ("truth_inside", "truth_outside", "pair_inside", "pair_outside", "train_error")


def add_arguments(parser):
    parser.add_argument("--degree", type=whole(1, 60), default=3, help="degree of the true boundary")
    parser.add_argument("--degrees", nargs="+", type=whole(1, 60), default=[3, 4, 6, 8, 10], help="degrees of the classifiers")
    parser.add_argument("--widths", nargs="+", type=positive_int, default=[4, 16, 64, 256], help="widths of the networks")
    parser.add_argument("--samples", type=whole(3, 10**6), default=40, help="training points")
    parser.add_argument("--replicas", type=replicas, default=8, help="data sets")
    add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    from lab.compile_ahead import prepare
    from toy.mlp.kernels import outputs_one, train_one
    from toy.polynomial.fit import descend_all
    from toy.polynomial.model import check, make_data, simulate, simulate_networks
    from toy.polynomial.starts import predict

    replicas = min(args.replicas, 2) if args.quick else args.replicas
    widths = args.widths[:2] if args.quick else args.widths
    common = dict(samples=args.samples, degree=args.degree, seed=args.seed)
    check(args.degrees, widths, **common)
    if args.dry_run:
        return {"would_train": {**common, "degrees": args.degrees, "widths": widths, "replicas": replicas}}
    prepare(train_one, descend_all, outputs_one)
    cells: dict = {}
    for replica in range(replicas):
        for row in (*simulate(args.degrees, replica=replica, **common),
                    *simulate_networks(widths, replica=replica, **common)):
            cells.setdefault((row.regime, row.size), []).append(row)
        for row in predict(args.degrees, replica=replica, **common):
            cells.setdefault((f"{row.regime}, theory", row.size), []).append(row)
    rows = []
    for (regime, size), results in cells.items():
        row = {"regime": regime, "size": size}
        for field in FIELDS:
            values = [getattr(result, field) for result in results]
            row[field] = None if values[0] != values[0] else mean_interval(values)
        rows.append(row)
        pair = "" if row["pair_outside"] is None else f", between starts {row['pair_outside'].mean:.3f} outside"
        say(f"{regime:<22} {size:>4}: agrees with the truth {row['truth_inside'].mean:.3f} inside, "
            f"{row['truth_outside'].mean:.3f} outside{pair}")
    data = make_data(**common)
    return {"samples": len(data.x), "cells": rows}


def draw(result, axes) -> None:
    """Agreement with the truth outside the hull, by degree or width."""
    for regime in dict.fromkeys(row["regime"] for row in result["cells"]):
        rows = [row for row in result["cells"] if row["regime"] == regime]
        series(axes, [row["size"] for row in rows], [row["truth_outside"] for row in rows], regime)
    axes.set(xlabel="degree, or width", ylabel="agrees with the truth outside the hull")
    axes.legend()
