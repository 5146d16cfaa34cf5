"""``python -m empirical hull``: test points against the hull of the training set, with controls."""

from fractions import Fraction

from empirical.declared import is_own
from empirical.flags import add_network_arguments, arch_of, data_of, refuse_idle_data_flags
from empirical.widths import refuse_width
from lab.arguments import (
    add_run_arguments,
    add_threads_argument,
    device,
    epochs,
    fraction,
    number,
    only,
    positive_int,
    store_name,
)
from lab.cli import note, say
from lab.estimate import Estimate

HELP = "project test points onto the hull of the training set: certified distances, and controls"


def add_arguments(parser):
    add_network_arguments(parser, None, "network, for its features (--space features) or its errors and directions in pixels")
    parser.add_argument("--space", choices=("pixels", "wavelets", "features"), default="pixels", help="space of the hulls")
    parser.add_argument("--dim", type=positive_int, help="number of principal components to keep (default: the full space)")
    parser.add_argument("--wavelet", default="haar", help="wavelet, as named by PyWavelets")
    parser.add_argument("--alphas", type=fraction, nargs="+", default=None, metavar="A",
                        help="width multipliers of the network (default: 1)")
    parser.add_argument("--trained", type=store_name, metavar="EXPERIMENT", help="use the networks of this width sweep in the "
                        "run store, and the hull of the rows that they were trained on")
    parser.add_argument("--sites", nargs="+", default=["penultimate"], help="sites where features are read")
    parser.add_argument("--epochs", type=epochs, help="passes over the training data (default: by data set)")
    parser.add_argument("--queries", type=positive_int, help="number of test points (default: all)")
    parser.add_argument("--n", type=positive_int, nargs="+", help="numbers of hull points to sweep (default: all points)")
    parser.add_argument("--no-leave-one-out", action="store_true", help="skip the control with left-out training points")
    parser.add_argument("--gaussian", type=positive_int, default=None, metavar="N",
                        help="number of queries in the Gaussian control (default: as many as test points, at most 1000)")
    parser.add_argument("--classes", type=positive_int, default=None, metavar="N",
                        help="number of queries compared with the hull of each class (default: at most 200)")
    parser.add_argument("--directions", type=positive_int, default=None, metavar="N",
                        help="number of test points followed to the hull (pixels with --arch; default: at most 200)")
    parser.add_argument("--tol", type=number(above=0, most=0.1), default=1e-6, help="relative accuracy of the distances")
    parser.add_argument("--name", type=store_name, default="hull", help="name of the table and of the folder in the run store")
    parser.add_argument("--device", type=device, help="cpu, cuda (default: CUDA if available)")
    add_threads_argument(parser)
    add_run_arguments(parser, "--seed", "--out", "--quick", "--dry-run")
    refuse_idle_data_flags(parser)
    only(parser, "--wavelet", when=lambda args: args.space == "wavelets", words="needs --space wavelets")
    only(parser, "--sites", when=lambda args: args.space == "features", words="needs --space features")
    only(parser, "--alphas", "--trained", "--threads", when=lambda args: bool(arch_of(args)), words="needs --arch or --model")
    only(parser, "--epochs", when=lambda args: bool(arch_of(args)) and not args.trained,
         words="needs --arch or --model, and cannot be combined with --trained: the networks of a sweep are already trained")


def run(args) -> dict:
    from dataclasses import replace

    from empirical.studies import named
    from empirical.studies.hull.measure import MEASURE
    from empirical.studies.hull.plan import HullRun, refuse_site
    from empirical.studies.hull.study import hull_study
    from lab.errors import UsageError
    from lab.store import RunStore
    from lab.study import compute
    from lab.sweep import dry_run

    arch, data_name = arch_of(args) or "", data_of(args)
    ways = args.space == "pixels" and bool(arch) and not args.dim
    alphas = args.alphas or [Fraction(1)]
    base = HullRun(data=data_name, space=args.space, dim=args.dim or 0, arch=arch, alpha=str(alphas[0]),
                   leave_one_out=0 if args.no_leave_one_out else -1, seed=args.seed, tol=args.tol, wavelet=args.wavelet,
                   directions=args.directions or 0, epochs=args.epochs or 0, quick=args.quick, sweep=args.trained or "",
                   threads=args.threads).check()
    if arch and not args.trained:
        for alpha in alphas:
            refuse_width(alpha, base.network().base_width)

    from empirical.data import load, with_checksum
    from empirical.sweep import with_sources

    data = load(data_name, data_dir=args.data_dir)
    if is_own(data_name):
        base = with_checksum(base, data)
    base = with_sources(base)
    test, train = len(data.splits["test"]), len(data.labels) - len(data.splits["test"])
    queries = min(args.queries or test, 50 if args.quick else test)
    if args.queries and args.queries > test:
        raise UsageError(f"--queries {args.queries} is too many: {data.name} has {test} test points")
    if args.n and args.space != "features" and not args.trained and max(args.n) > train:
        raise UsageError(f"--n {max(args.n)} is too many: {data.name} has {train} training points")
    base = replace(base, queries=queries, gaussian=min(args.gaussian or min(queries, 1000), 10**6),
                   classes=min(args.classes or 200, queries),
                   directions=min(args.directions or 200, queries) if ways else args.directions or 0)
    configs = [replace(base, alpha=str(alpha), site=site) for alpha in alphas
               for site in (args.sites if args.space == "features" else ["penultimate"])]
    configs += [replace(base, n=n, gaussian=0, classes=0, directions=0) for n in args.n or () if n < train]
    if arch and not args.trained:
        for config in configs:
            refuse_site(config, data)
    store = RunStore(args.out)
    study = named(hull_study(args.name, f"hull of {data.name}", lambda scale: []))
    if args.dry_run:
        return dry_run(study.name, study.runs(configs), store=store, schema=study.schema_of)
    table = compute(study, "quick" if args.quick else "full", store=store, configs=configs,
                    options={"device": args.device, "data_dir": args.data_dir})
    finished = ((config, store.result(study.name, config, MEASURE.schema)) for config in configs)
    rows = [_row(config, stored["result"]) for config, stored in finished if stored]
    for row in rows:
        _print(row)
    failed = table.manifest["failed"]
    for failure in failed:
        note(f"failed: {failure['reason']}")
    first = rows[0] if rows else {}
    return {"data": data.facts, "queries": queries, "tol": args.tol, **first, "runs": rows,
            "table": str(store.tables / f"{table.stem}.csv"), "failed": failed, "exit_code": 1 if failed else 0}


def _row(config, result) -> dict:
    """One run as printed, with the main numbers first."""
    test = result["test"]
    return {"space": result["space"], "dim": result["dim"], "n": result["n"], "arch": config.arch or None,
            "alpha": config.alpha if config.arch else None,
            "share_outside": test["outside"], "unconverged": test["unconverged"],
            "distance": {"lower": test["distance_lower"], "upper": test["distance_upper"], "mean": test["distance"],
                         "largest_gap": test["largest_gap"]},
            "ratios": {key: test[key] for key in ("over_nearest", "over_mean", "over_median_pair", "over_diameter")},
            "controls": {key: result[key] for key in ("training", "gaussian", "classes", "scales", "test_over_training",
                                                      "outside_minus_training") if key in result},
            "errors": result.get("errors"), "directions": result.get("directions"), "seconds": result["seconds"]}


def _print(row: dict) -> None:
    def show(e):
        if not e:
            return "-"
        return f"{e['mean']:.3f}" + (f" [{e['low']:.3f}, {e['high']:.3f}]" if e["low"] is not None else "")

    network = f"{row['arch']} alpha {row['alpha']}, " if row["arch"] else ""
    controls = row["controls"]
    say(f"{network}{row['space']}, dimension {row['dim']}, {row['n']} points: outside {show(row['share_outside'])}, distance "
        f"{show(row['distance']['mean'])}, over nearest neighbour {show(row['ratios']['over_nearest'])}, "
        f"{row['unconverged']} unconverged, {row['seconds']['test']:.1f} s")
    for name, text in (("training", "left-out training points"), ("gaussian", "Gaussian, same covariance")):
        if name in controls:
            part = controls[name]
            say(f"    {text}: outside {show(part['outside'])}, distance {show(part['distance'])}")
    if row["directions"]:
        ways = row["directions"]
        say(f"    class changes on the way to the hull {show(ways['changed_on_the_way'])}, at its end "
            f"{show(ways['changed_at_hull'])}, under a random step of equal length {show(ways['changed_random'])}; |cos| with "
            f"the adversarial step {show(ways['cosine'])} (random {show(ways['cosine_random'])})")


def draw(result, axes) -> None:
    """Draw the share of test points outside the hull, with left-out training points and Gaussian points as controls."""
    from empirical.studies.hull.summary import GROUPS, draw_outside, space_in_words

    rows = result["runs"]
    shares = {words: [row["share_outside"] if group == "test" else row["controls"].get(group, {}).get("outside") for row in rows]
              for group, words in GROUPS.items()}
    draw_outside([space_in_words(row["space"], row["dim"], row["n"], row["alpha"]) for row in rows],
                 {words: [e and Estimate.from_json(e) for e in values] for words, values in shares.items()}, axes)
