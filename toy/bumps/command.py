"""``python -m toy bumps``."""

from lab.arguments import add_run_arguments, positive_float, positive_int, replicas
from lab.cli import say
from lab.estimate import mean_interval, share_interval
from lab.names import old_flag
from lab.pictures import series
from toy.bumps import MODES


def add_arguments(parser):
    parser.add_argument("--mode", choices=MODES, default="slide",
                        help="what moves: centres, heights, or both")
    parser.add_argument("--bumps", nargs="+", type=positive_int, default=[1, 2, 4, 8], help="numbers of bumps")
    parser.add_argument("--half-line", type=positive_float, default=10.0, help="bumps start within this distance of the target")
    parser.add_argument("--bump-width", type=positive_float, default=1.0, help="width of bumps and target")
    parser.add_argument("--times", nargs="+", type=positive_float, default=[1.0, 10.0, 100.0, 1000.0],
                        help="times at which loss and distance are recorded")
    parser.add_argument("--replicas", type=replicas, default=1000, help="repetitions")
    old_flag(parser, "--width", "--bump-width")
    add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    from toy.bumps.model import check, predict, simulate

    common = dict(mode=args.mode, half_line=args.half_line, bump_width=args.bump_width, times=args.times,
                  replicas=min(args.replicas, 100) if args.quick else args.replicas, seed=args.seed)
    for m in args.bumps:
        check(bumps=m, **common)
    if args.dry_run:
        return {"would_simulate": {**common, "bumps": args.bumps}}
    cells = []
    for m in args.bumps:
        simulated, theory = simulate(bumps=m, **common), predict(bumps=m, **common).curve
        arrived = [share_interval(int(k), len(simulated.loss)) for k in simulated.arrived.sum(axis=0)]
        cells.append({"bumps": m, "arrived": arrived, "loss": [mean_interval(column) for column in simulated.loss.T],
                      "predicted": theory})
        for i, time in enumerate(args.times):
            predicted = "" if theory is None else f" (predicted {'arrival' if args.mode == 'slide' else 'loss'} {theory[i]:.4f})"
            say(f"{m:>4} bumps, time {time:g}: arrived {cells[-1]['arrived'][i].mean:.3f}, loss "
                f"{cells[-1]['loss'][i].mean:.4f}{predicted}")
    return {"mode": args.mode, "times": args.times, "cells": cells}


def draw(result, axes) -> None:
    """The share that has arrived, over time; the loss where bumps only cover."""
    key, name = ("loss", "loss, relative to no bump") if result["mode"] == "cover" else ("arrived", "share that has arrived")
    for cell in result["cells"]:
        series(axes, result["times"], cell[key], f"{cell['bumps']} bumps", theory=cell["predicted"])
    axes.set(xlabel="time", ylabel=name, xscale="log")
    axes.legend()
