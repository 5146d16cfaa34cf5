"""``python -m empirical bench``: speed of this device, as times and ratios measured in one process."""

import time
from dataclasses import replace
from fractions import Fraction

from empirical.flags import data_of, refuse_idle_data_flags
from empirical.settings import ARCHITECTURES, DATA, Network, recipe
from empirical.widths import check_alphas
from lab.arguments import add_run_arguments, add_threads_argument, base_width, device, fraction, positive_int, whole
from lab.cli import say

HELP = "measure speed on this device: training by width, stacked and separate copies, feature moments, analysis"


def add_arguments(parser):
    parser.add_argument("--arch", choices=ARCHITECTURES, default="resnet18", help="architecture")
    parser.add_argument("--data", choices=DATA, default=None, help="data set (default: digits, or entailment for text)")
    parser.add_argument("--data-dir", metavar="DIR", help="folder or archive with the files of the data set")
    parser.add_argument("--alphas", type=fraction, nargs="+", metavar="A",
                        default=[Fraction(1), Fraction(1, 2), Fraction(1, 4), Fraction(1, 8)],
                        help="width multipliers; the largest is that of the wide network")
    parser.add_argument("--base-width", type=base_width, help="channels of the first layer at alpha = 1 (default: by data set)")
    parser.add_argument("--batch-size", type=positive_int, help="inputs per training step (default: by data set)")
    parser.add_argument("--rows", type=positive_int, default=2048, help="number of inputs whose features are extracted")
    parser.add_argument("--steps", type=whole(1, 10**4), default=10, help="number of training steps to time")
    parser.add_argument("--repeat", type=whole(1, 10**4), default=5, help="interleaved repetitions of the feature extraction")
    parser.add_argument("--device", type=device, help="cpu, cuda, cuda:1, mps (default: CUDA if available)")
    add_threads_argument(parser)
    add_run_arguments(parser, "--quick", "--dry-run")
    refuse_idle_data_flags(parser)


def run(args) -> dict:
    from lab.threads import fixed

    with fixed(args.threads):
        return _run(args)


def _run(args) -> dict:
    changes = {key: value for key in ("base_width", "batch_size") if (value := getattr(args, key))}
    config = Network(**{**recipe(args.arch, data_of(args), args.quick), **changes}).check()
    check_alphas(args.alphas, config.base_width)

    from empirical.data import dataset
    from empirical.device import pick_device
    from empirical.models import outline

    device = pick_device(args.device)
    data = dataset(config, args.data_dir, str(device))
    for alpha in args.alphas:
        outline(config, alpha, data)
    if args.dry_run:
        steps, rounds = _effort(args)
        return {"would_time": [{"alpha": str(alpha), "copies": copies} for alpha, copies in _stacks(args)], "steps": steps,
                "rounds": rounds, "rows": args.rows, "setting": config}
    result = {"arch": args.arch, "data": data.name, "device": _name(device), "base_width": config.base_width,
              "batch_size": config.batch_size, "training": _training(args, config, data, device),
              **_pass(args, config, data, device)}
    say(f"accumulating the moments of features at all sites takes {result['pass_ratio']:.2f} times as long as the forward passes "
        f"alone; all measures of one comparison take {result['analysis_seconds']:.1f} s")
    return result


def _effort(args) -> tuple[int, int]:
    """The number of training steps and of repetitions of the feature extraction to time."""
    return (min(args.steps, 2), min(args.repeat, 2)) if args.quick else (args.steps, args.repeat)


def _stacks(args) -> list[tuple[Fraction, int]]:
    """Width multipliers, widest first, with the number of copies that have as many features as the wide network."""
    return [(alpha, int(max(args.alphas) / alpha)) for alpha in sorted(args.alphas, reverse=True)]


def _name(device) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{device}, {torch.get_num_threads()} threads"


def _training(args, config: Network, data, device) -> list[dict]:
    """The time per epoch by width, for copies in one stack and one by one."""
    from empirical.stacked import seconds_per_network

    rows = []
    batches = len(data.splits["train"]) // config.batch_size
    steps, _ = _effort(args)
    for alpha, copies in _stacks(args):
        alone, together = (seconds_per_network(replace(config, alpha=str(alpha), stack=n), data, device, steps)
                           for n in (1, copies))
        rows.append({"alpha": str(alpha), "copies": copies, "epoch_seconds": alone * batches,
                     "epoch_seconds_together": together * batches, "together_speedup": alone / together})
        say(f"alpha {alpha!s:>5}: {alone * batches:.2f} s per epoch and network, {together * batches:.2f} s in a stack of "
            f"{copies} ({alone / together:.1f} times as fast)")
    return rows


def _pass(args, config: Network, data, device) -> dict:
    """Time the extraction of all features that a comparison needs, relative to the forward passes alone; then the measures."""
    import torch

    from empirical.compare import compare, on_kept_rows
    from empirical.features import Features, extract, probe_parts
    from empirical.networks import prepare
    from empirical.steps import synchronize

    least = min(args.alphas)
    copies = int(max(args.alphas) / least)
    wide = replace(config, alpha=str(max(args.alphas)))
    models = {name: prepare(replace(wide, seed=i), data, device).eval() for i, name in enumerate(("wide", "other", "untrained"))}
    models["narrow"] = prepare(replace(config, alpha=str(least), stack=copies), data, device).eval()
    each = max(256, args.rows // 3)
    small = replace(data, splits={**data.splits, **{s: data.splits[s][:n] for s, n in (("probe_fit", 2 * each),
                                                                                       ("probe_score", each))}})

    @torch.inference_mode()
    def bare() -> None:
        for rows in probe_parts(small).values():
            for part in rows.split(512):
                inputs = small.batch(part).unsqueeze(0)
                for model in models.values():
                    model(inputs)

    def whole() -> Features:
        return extract(models, small, shuffle="wide").settled()  # otherwise products are computed lazily

    times: dict[str, list[float]] = {"bare": [], "pass": []}
    for turn in range(_effort(args)[1] + 1):  # the first turn is a warm-up
        for name, work in (("bare", bare), ("pass", whole)):
            start = time.perf_counter()
            work()
            synchronize(device)
            if turn:
                times[name].append(time.perf_counter() - start)
    features = whole()
    medians = {name: sorted(t)[len(t) // 2] for name, t in times.items()}
    blocks = ["narrow"] if copies == 1 else [f"narrow.{i}" for i in range(copies)]
    start = time.perf_counter()
    compare(features, "wide", "other", blocks, untrained="untrained")
    on_kept_rows(features, "wide", "other", blocks, untrained="untrained", ridge=1e-4)
    return {"forward_seconds": medians["bare"], "pass_seconds": medians["pass"],
            "pass_ratio": medians["pass"] / medians["bare"], "analysis_seconds": time.perf_counter() - start}
