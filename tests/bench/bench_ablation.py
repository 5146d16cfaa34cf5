"""Ablation of many masks against the forward passes they need, and against a loop over masks with one hook per unit.

    python -m tests.bench.bench_ablation [--json] [--repeat 5]

Process time, medians over interleaved repetitions in one process, one thread. "forward" is as many plain passes over as many
images as there are masks times images, in batches of the same size; "all" ablates every marked place at once, "last" the last
place alone (what comes before it is computed once), "loop" sets units to zero by hooks, one pass per mask.
"""

import argparse
import json
import time

import numpy as np
import torch

from empirical.ablation import ROWS, ablated_logits, places
from empirical.data import load
from empirical.models import build
from empirical.models.initialise import initialise
from empirical.streams import stream

NETWORKS = {"alexnet": 8, "vgg16": 8, "resnet18": 8, "transformer": 32}  # base widths
MASKS, IMAGES = 16, ROWS // 16


def interleaved(functions: dict, repeat: int) -> dict[str, float]:
    """Median process time of each function, called in turn; the first turn warms up."""
    times = {name: [] for name in functions}
    for turn in range(repeat + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            if turn:
                times[name].append(time.process_time() - start)
    return {name: float(np.median(t)) for name, t in times.items()}


@torch.inference_mode()
def looped(model, inputs, keep) -> None:
    """The obvious way."""
    def zeroing(place, off):
        def hook(module, inputs, output):
            output = output.clone()
            for u in off:
                if place.maps:
                    output[:, u] = 0
                else:
                    output[..., u * place.size:(u + 1) * place.size] = 0
            return output

        return hook

    for i in range(MASKS):
        handles = [p.register_forward_hook(zeroing(p, np.flatnonzero(~keep[name][i]))) for name, p in places(model).items()]
        model(inputs.unsqueeze(0))
        for handle in handles:
            handle.remove()


def bench(arch: str, base_width: int, repeat: int) -> dict:
    """Times of one architecture, as ratios to the plain forward passes."""
    data = load("entailment") if arch == "transformer" else load("digits", image_size=16)
    model = build(arch, alpha=1, base_width=base_width, data=data, depth=2 if data.is_text else 0)
    initialise(model, [stream(0, "bench")]).eval()
    if not data.is_text:
        model = model.to(memory_format=torch.channels_last)
    inputs = data.batch(data.splits["probe_fit"][:IMAGES])
    repeated = inputs.repeat(MASKS, *[1] * (inputs.dim() - 1)).unsqueeze(0)
    rng = np.random.default_rng(0)
    keep = {name: rng.random((MASKS, p.count)) < 0.5 for name, p in places(model).items()}
    last = list(keep)[-1]

    @torch.inference_mode()
    def forward():
        model(repeated)

    seconds = interleaved({"forward": forward, "all": lambda: ablated_logits(model, inputs, keep),
                           "last": lambda: ablated_logits(model, inputs, {last: keep[last]}),
                           "loop": lambda: looped(model, inputs, keep)}, repeat)
    return {"arch": arch, "base_width": base_width, "places": len(keep), "forward_seconds": seconds["forward"],
            **{f"{name}_over_forward": seconds[name] / seconds["forward"] for name in ("all", "last", "loop")}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = [bench(arch, width, args.repeat) for arch, width in NETWORKS.items()]
    if args.json:
        print(json.dumps(rows))
    for row in [] if args.json else rows:
        print(f"{row['arch']:<12} all places {row['all_over_forward']:.2f}  last place {row['last_over_forward']:.2f}  "
              f"loop with hooks {row['loop_over_forward']:.2f}  (times of the forward passes)")


if __name__ == "__main__":
    main()
