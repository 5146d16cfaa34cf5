"""``python -m empirical gpu``: test and time this GPU, then compare widths of ResNet-18 at its published width."""

from pathlib import Path

from lab.arguments import add_run_arguments, device, folder, only, positive_float, processes, whole
from lab.cli import jsonable, say

HELP = "use one GPU for a limited time: device tests, speed, then as much of ResNet-18 on CIFAR-10 at full width as fits"
STAGES = ("tests", "bench", "study")


def add_arguments(parser):
    parser.add_argument("--data-dir", metavar="DIR", help="folder with CIFAR-10 (cifar-10-batches-py or its tar.gz)")
    parser.add_argument("--minutes", type=positive_float, default=8.0, help="time limit in minutes; another call resumes there")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), help="stages to run")
    parser.add_argument("--every-way", action="store_true", help="bench: time every way to run a step, not only the fast ones")
    parser.add_argument("--compile", action="store_true", help="bench: also time torch.compile")
    parser.add_argument("--steps", type=whole(1, 10**4), default=10, help="bench: number of steps per timing")
    parser.add_argument("--jobs", type=processes, default=None, help="processes for the measures (default: all cores but two)")
    parser.add_argument("--device", type=device, default="cuda", help="cuda, cuda:1, ...")
    parser.add_argument("--out", type=folder, default="runs-gpu", help="folder of the run store")
    add_run_arguments(parser, "--quick", "--dry-run")
    only(parser, "--every-way", "--compile", "--steps", when=lambda args: bool({"bench", "study"} & set(args.stages)),
         words="works only in the stages bench and study")
    only(parser, "--data-dir", when=lambda args: bool({"bench", "study"} & set(args.stages)),
         words="works only in the stages bench and study")
    only(parser, "--jobs", when=lambda args: "study" in args.stages and not args.quick,
         words="works only in the stage study, which --quick leaves out")


def run(args) -> dict:
    import json

    from empirical.device import pick_device
    from empirical.gpu import Clock
    from empirical.studies import gpu as study
    from lab.store import write_atomically

    clock, out = Clock(args.minutes), Path(args.out)
    stages = set(args.stages) - ({"study"} if args.quick else set())
    if args.dry_run:
        return _plan(out)
    device = pick_device(args.device)
    results: dict = {"minutes": args.minutes, "device": str(device)}
    out.mkdir(parents=True, exist_ok=True)

    def note(key, value):  # results are written at once because the machine may be taken away
        results[key] = value
        results["stages"] = clock.stages
        write_atomically(out / "gpu.json", json.dumps(jsonable(results), indent=1) + "\n")

    if "tests" in stages:
        with clock.stage("tests"):
            note("tests", _tests(device))
    if {"bench", "study"} & stages:
        from empirical.data import dataset

        with clock.stage("data"):
            data = dataset(study.declared("published")[0], args.data_dir, str(device))
        note("data", data.facts)
        with clock.stage("bench"):
            ways = _ways(args, data, device, out)
            note("ways", ways)
            if "bench" in stages:
                from empirical.gpu import bench_pass

                note("features", bench_pass(data, device))
        if "study" in stages:
            note("study", _study(args, data, device, ways, clock, out))
    failed = [c for c in results.get("tests", []) if not c["passed"]] + results.get("study", {}).get("failed", [])
    say("time by stage: " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in clock.stages.items()))
    return {**results, "exit_code": 1 if failed else 0}


def _tests(device) -> list[dict]:
    from empirical.device_checks import CHECKS

    results = []
    for check in CHECKS:
        try:
            results += [one.facts() for one in check(device)]
        except Exception as error:  # a device can fail in any way, and the other checks are still worth running
            results.append({"check": check.__name__, "passed": False, "error": f"{type(error).__name__}: {error}"[:600]})
    for one in results:
        if not one["passed"]:
            say(f"FAILED {one}")
    say(f"device tests: {sum(one['passed'] for one in results)} of {len(results)} passed")
    return results


def _ways(args, data, device, out) -> dict:
    from empirical.gpu import CANDIDATES, COMPILED, measured_ways, stacks

    chosen = {name: way for name, way in CANDIDATES.items() if way.graph or args.every_way}  # graphs were always faster
    chosen = {**chosen, **(COMPILED if args.compile else {})}
    return measured_ways(stacks(), data, device, out, steps=min(args.steps, 2) if args.quick else args.steps, candidates=chosen)


def _study(args, data, device, ways, clock, out) -> dict:
    from empirical.gpu import Session
    from lab import manifest
    from lab.store import RunStore
    from lab.sweep import Workers

    session = Session(RunStore(out), data, args.data_dir, device, ways, clock)
    workers = Workers(args.jobs or max(1, manifest.cores() - 2), threads=1)
    try:
        session.carry_out(workers)
    finally:
        workers.stop()
    missing = session.missing()
    for scale, count in missing.items():
        say(f"scale {scale!r}: " + (f"{count} runs missing" if count else "complete"))
    return {"tables": session.written, "missing": missing, "failed": session.failed}


def _plan(out: Path) -> dict:
    """The plan, and its duration from earlier measurements on a device (None without any)."""
    from empirical.gpu import WAYS, read_ways
    from empirical.studies import gpu as study
    from empirical.studies.trained import TRAIN

    path = out / WAYS
    seconds = {entry["alpha"]: entry["seconds"] for entry in read_ways(path).values()}
    tiers = {}
    for scale in study.TIERS:
        networks = TRAIN.of(study.declared(scale))
        steps = {n: n.epochs * (40_000 // n.batch_size) for n in networks}
        known = all(n.alpha in seconds for n in networks)
        total = sum(steps[n] * seconds[n.alpha] for n in networks) if known else None
        tiers[scale] = {"stacks": len(networks), "networks": sum(n.stack for n in networks),
                        "comparisons": len(study.declared(scale)) - len(networks), "training_seconds": total}
        say(f"{scale:>10}: {tiers[scale]['networks']} networks in {len(networks)} stacks, {tiers[scale]['comparisons']} "
            "comparisons; " + (f"about {total:.0f} s of training" if known else "time unknown: no device has been measured yet"))
    return {"study": study.NAME, "epochs": study.RECIPE["epochs"], "tiers": tiers}
