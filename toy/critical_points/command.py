"""``python -m toy critical-points``."""

from lab.arguments import add_run_arguments, replicas, whole
from lab.cli import say
from lab.estimate import mean_interval
from toy.critical_points import LANDSCAPES


def add_arguments(parser):
    parser.add_argument("--landscape", choices=LANDSCAPES, default="relu", help="a teacher-student loss, or a random field")
    parser.add_argument("--size", type=whole(2), default=4, help="units of teacher and student, or dimension of the field")
    parser.add_argument("--starts", type=whole(2), default=60, help="searches per replica")
    parser.add_argument("--replicas", type=replicas, default=4, help="repetitions")
    add_run_arguments(parser, "--seed", "--quick", "--dry-run")


def run(args) -> dict:
    from toy.critical_points.model import check, predict, simulate

    common = dict(landscape=args.landscape, size=args.size, starts=min(args.starts, 20) if args.quick else args.starts,
                  replicas=min(args.replicas, 2) if args.quick else args.replicas, seed=args.seed)
    check(**common)
    if args.dry_run:
        return {"would_search": common}
    points, theory = simulate(**common), predict(**common)
    summary = {}
    for name, words in (("fall", "share of negative directions, high minus low loss"),
                        ("coins", "variance of the index at given loss over that of coins")):
        values = getattr(points, name)
        values, predicted = values[values == values], getattr(theory, name)
        summary[name] = {"measured": mean_interval(values) if values.size else None, "predicted": predicted}
        if values.size:
            say(f"{words}: {values.mean():.3f}" + ("" if predicted is None else f" (predicted {predicted:.3f})"))
    say(f"{points.loss.size} distinct critical points; {points.found.sum()} of {points.starts * len(points.found)} searches "
        "ended at one")
    return {**common, "directions": points.directions, "points": [
        {"replica": r, "loss": x, "index": i} for r, x, i in zip(points.replica, points.loss, points.index)],
        "found": points.found, **summary}


def draw(result, axes) -> None:
    """Index against loss."""
    points = result["points"]
    axes.plot([p["loss"] for p in points], [p["index"] / result["directions"] for p in points], "o", alpha=0.5)
    axes.set(xlabel="loss" if result["landscape"] == "relu" else "energy per dimension", ylabel="share of negative directions")
