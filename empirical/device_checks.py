"""Checks that a device can be trusted: in every way of training, it computes what the CPU computes.

Each check compares two computations of the same thing, and reports their distance ||a - b|| / ||b|| and the tolerance. Networks
are trained for a few steps in float32 without TF32, so that results differ only by the order of sums, which the steps amplify.
Another check is that training does not wait for the device between two looks at the loss.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from empirical.data import load
from empirical.evaluate import evaluate
from empirical.features import extract
from empirical.networks import load_trained, prepare, steps_of
from empirical.settings import Network, recipe
from empirical.steps import Draws, Way, full_precision, stacked_state
from empirical.train import train
from theory.moments import Moments

CPU = torch.device("cpu")
PLAIN = Way(half=False)
WAYS = {"grouped": PLAIN, "grouped, graph": replace(PLAIN, graph=True), "apart": replace(PLAIN, apart=True),
        "apart, graph": replace(PLAIN, apart=True, graph=True)}
ARCHITECTURES = ("mlp", "resnet18", "transformer")
TOLERANCE = 1e-3  # for outputs of networks trained in float32
ROUNDING = 1e-5  # for features from the same weights
HALF = 0.05  # for the first losses in bfloat16


@dataclass(frozen=True)
class Check:
    """One comparison: its name, the distance of the two results, and the tolerance."""

    name: str
    distance: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the distance is within the tolerance; NaN never is."""
        return self.distance <= self.tolerance

    def facts(self) -> dict:
        """The comparison as JSON."""
        return {"check": self.name, "found": self.distance, "tolerance": self.tolerance, "passed": self.passed}


def small(arch: str, **changes) -> Network:
    """A stack of two small networks."""
    data = "entailment" if arch == "transformer" else "digits"
    return Network(**{**recipe(arch, data), "base_width": 16, "epochs": 2, "batch_size": 64, "train_size": 256,
                      "learning_rate": 0.01, "alpha": "1/2", "stack": 2, **changes})


def apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """||a - b|| / ||b||, in float64 on the CPU."""
    a, b = a.detach().cpu().double(), b.detach().cpu().double()
    return float((a - b).norm() / b.norm())


@full_precision()
@torch.inference_mode()
def outputs(model, data) -> torch.Tensor:
    """Logits of a stack on the rows on which measures are scored."""
    return model(data.batch(data.splits["probe_score"]).unsqueeze(0))


def _trained(config: Network, device: torch.device, way: Way, **how):
    data = load(config.data, train_size=config.train_size).to(device)
    with tempfile.TemporaryDirectory() as folder:
        for stop in (*how.get("stops", ()), None):
            model, facts = train(config, data, Path(folder), device=device, way=way, stop_after=stop)
        stored = load_trained(config, data, Path(folder), device)
    return model, stored, facts, data


def same_as_cpu(device: torch.device) -> Iterator[Check]:
    """Training in every way on the device gives the networks of the CPU, and the stored weights are the trained ones."""
    for arch in ARCHITECTURES:
        config = small(arch)
        model, _, _, data = _trained(config, CPU, PLAIN)
        expected = outputs(model, data)
        for name, way in WAYS.items():
            model, stored, _, data = _trained(config, device, way)
            logits = outputs(model, data)
            yield Check(f"{arch}, trained {name}: as on the CPU", apart(logits, expected), TOLERANCE)
            yield Check(f"{arch}, trained {name}: as stored", apart(outputs(stored, data), logits), ROUNDING)


def resumed(device: torch.device) -> Iterator[Check]:
    """Training that is killed after an epoch resumes from there."""
    config = small("resnet18")
    for name, way in WAYS.items():
        whole, _, _, data = _trained(config, device, way)
        parts, _, _, _ = _trained(config, device, way, stops=(1,))
        yield Check(f"killed and resumed, {name}", apart(outputs(parts, data), outputs(whole, data)), TOLERANCE)


def half(device: torch.device) -> Iterator[Check]:
    """Training in bfloat16 has the float32 loss in the first epoch, also as a captured graph of separate networks."""
    config = small("resnet18", epochs=1)
    curves = {name: torch.tensor(_trained(config, device, way)[2]["curve"])
              for name, way in {"float32": PLAIN, "bfloat16": Way(), "bfloat16, apart, graph": Way(graph=True, apart=True)
                                }.items()}
    for name in list(curves)[1:]:
        yield Check(f"{name}: loss as in float32", apart(curves[name], curves["float32"]), HALF)


def features(device: torch.device) -> Iterator[Check]:
    """Equal weights give equal losses and covariances of features; equal features give equal moments in float64."""
    config = small("resnet18")
    cpu = load(config.data, train_size=config.train_size)
    there = cpu.to(device)
    models = {"cpu": prepare(config, cpu, CPU).eval(), "device": prepare(config, there, device).eval()}
    loss = [torch.tensor(evaluate(model, data, "test")["loss"]) for model, data in zip(models.values(), (cpu, there))]
    yield Check("evaluation: loss as on the CPU", apart(loss[1], loss[0]), TOLERANCE)  # TF32 where the device has it
    both = [extract({"net": model}, data, shuffle=None if model.copies > 1 else "net").moments["fit"]
            for model, data in zip(models.values(), (cpu, there))]
    blocks = [f"net.{i}" for i in range(config.stack)]
    for site in both[0]:
        a, b = (torch.as_tensor(moments[site].covariance(blocks)) for moments in (both[1], both[0]))
        yield Check(f"features at {site}: covariance as on the CPU", apart(a, b), ROUNDING)
    rows = torch.randn(500, 40, generator=torch.Generator().manual_seed(0)) + 3
    a, b = (torch.as_tensor(Moments.from_samples({"x": x}).covariance("x")) for x in (rows.to(device), rows))
    yield Check("moments of the same features", apart(a, b), 1e-12)


def no_waits(device: torch.device) -> Iterator[Check]:
    """Steps between two looks at the loss do not wait for the device: CUDA raises an error at any step that would."""
    config = small("resnet18")
    data = load(config.data, train_size=config.train_size).to(device)
    for name, way in {**WAYS, "bfloat16": Way()}.items():
        steps = steps_of(config, data, device, way)
        steps.begin(Draws(config, data, 0), [0.1] * 4)
        steps(0)
        waits = 0
        try:
            torch.cuda.set_sync_debug_mode("error")
            for step in range(1, 4):
                steps(step)
        except RuntimeError:
            waits = 1
        finally:
            torch.cuda.set_sync_debug_mode("default")
        yield Check(f"waits in a step, {name}", waits, 0)


def capture_leaves_no_trace(device: torch.device) -> Iterator[Check]:
    """Capturing a step leaves the networks unchanged."""
    config = small("resnet18")
    data = load(config.data, train_size=config.train_size).to(device)
    for name in ("grouped, graph", "apart, graph"):
        steps = steps_of(config, data, device, WAYS[name])
        before = [value.clone() for value in stacked_state(steps.model).values()]
        steps.begin(Draws(config, data, 0), [0.1] * 4)
        worst = max(float((a.double() - b.double()).abs().max().cpu())
                    for a, b in zip(stacked_state(steps.model).values(), before))
        yield Check(f"changed by the capture, {name}", worst, 0.0)


CHECKS: tuple[Callable[[torch.device], Iterator[Check]], ...] = (
    same_as_cpu, resumed, half, features, no_waits, capture_leaves_no_trace)
