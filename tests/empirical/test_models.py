"""Models as functions of width; stacks of copies against their members one by one."""

from fractions import Fraction
from itertools import pairwise

import pytest
import torch

from empirical.data import load
from empirical.models import build
from empirical.models.initialise import initialise, parameter_groups, take_slices
from empirical.models.layers import Conv, Embedding, Linear
from empirical.networks import read_member
from empirical.steps import losses
from empirical.streams import stream
from lab.errors import ArgumentError

ARCHS = ("mlp", "vgg16", "resnet18", "transformer")
FIRST_LAYER = {"mlp": "hidden.0.weight", "vgg16": "blocks.0.0.0.weight", "resnet18": "stem.0.weight",
               "transformer": "token.weight"}


def data_for(arch):
    return load("entailment" if arch == "transformer" else "digits")


def made(arch, width="1/2", copies=1, base_width=16, first=0, **kwargs):
    data = data_for(arch)
    model = build(arch, alpha=width, base_width=base_width, data=data, copies=copies)
    return initialise(model, [stream(0, "test", first + i) for i in range(copies)], **kwargs), data


@pytest.mark.parametrize("arch", ARCHS)
def test_every_width_is_exact(arch):
    wide, data = made(arch, "1")
    for alpha in ("1/2", "3/4", "2"):
        narrow, _ = made(arch, alpha)
        assert {s: Fraction(n) for s, n in narrow.sites.items()} == {s: n * Fraction(alpha) for s, n in wide.sites.items()}
    taps = {}
    logits = narrow(data.batch(torch.arange(5)).unsqueeze(0), taps)
    assert logits.shape == (1, 5, data.classes)
    assert {s: x.shape for s, x in taps.items()} == {s: (1, 5, n) for s, n in narrow.sites.items()}


def test_published_sizes():
    # parameters of the CIFAR forms with batch norm (ResNet-18: 11.17 M; VGG-16 without the large layers: 14.72 M)
    class Cifar:
        name, is_text, classes, inputs = "CIFAR-10", False, 10, torch.zeros(1, 3, 32, 32)

    count = {arch: sum(p.numel() for p in build(arch, alpha="1", base_width=64, data=Cifar()).parameters())
             for arch in ("resnet18", "vgg16")}
    vgg = [3, 64, 64, 128, 128, 256, 256, 256, *[512] * 6]
    convolutions = sum(9 * a * b for a, b in pairwise(vgg))
    assert count == {"resnet18": 11_173_962, "vgg16": convolutions + 2 * sum(vgg[1:]) + 512 * 10 + 10}


@pytest.mark.parametrize("alpha, message", [("1/32", "smallest alpha is 1/16"), ("1/3", "multiple of 1/16")])
def test_impossible_widths(alpha, message):
    for arch in ARCHS:
        with pytest.raises(ArgumentError, match=message):
            build(arch, alpha=alpha, base_width=16, data=data_for(arch))


def test_architecture_and_data_must_fit():
    with pytest.raises(ArgumentError, match="sentence pairs"):
        build("transformer", alpha="1", base_width=16, data=load("digits"))
    with pytest.raises(ArgumentError, match="images"):
        build("mlp", alpha="1", base_width=16, data=load("entailment"))
    with pytest.raises(ArgumentError, match="unknown architecture"):
        build("lenet", alpha="1", base_width=16, data=load("digits"))


@pytest.mark.parametrize("arch", ARCHS)
def test_a_stack_is_its_members(arch):
    """Outputs, features, losses and gradients of a stack of three equal those of its members alone."""
    copies = 3
    stack, data = made(arch, copies=copies)
    rows = torch.stack([data.splits["train"][torch.arange(i, i + 16)] for i in range(copies)])
    inputs = data.batch(rows.flatten()).unflatten(0, rows.shape)
    labels = data.labels[rows]
    taps = {}
    together = losses(stack(inputs, taps), labels)
    together.sum().backward()
    gradients = {name: p.grad for name, p in stack.named_parameters()}
    for i in range(copies):
        alone, _ = made(arch, first=i)
        for name, value in read_member(stack, copies, i).items():
            if "running" not in name and "tracked" not in name:  # forward has moved those
                assert torch.equal(value, alone.state_dict()[name])
        own = {}
        loss = losses(alone(inputs[i:i + 1], own), labels[i:i + 1])
        loss.sum().backward()
        assert torch.allclose(together[i], loss[0], rtol=1e-5, atol=1e-6)
        for site, x in own.items():
            assert torch.allclose(taps[site][i], x[0], rtol=1e-4, atol=1e-5)
        for name, p in alone.named_parameters():
            part = gradients[name].chunk(copies)[i]
            assert (part - p.grad).abs().max() <= 2e-4 * p.grad.abs().max() + 1e-6, name


@pytest.mark.parametrize("arch", ("resnet18", "transformer"))
def test_shared_inputs_broadcast(arch):
    stack, data = made(arch, copies=2)
    stack.eval()
    x = data.batch(torch.arange(4)).unsqueeze(0)
    assert torch.allclose(stack(x), stack(x.expand(2, *x.shape[1:])), atol=1e-6)


@pytest.mark.parametrize("scheme, variance", [("he-normal", 2 / 128), ("he-uniform", 2 / 128), ("lecun-normal", 1 / 128),
                                              ("glorot-uniform", 2 / 256), ("glorot-normal", 2 / 256)])
def test_initial_variance(scheme, variance):
    model, _ = made("mlp", "1", base_width=128, scheme=scheme)
    weight = model.hidden[1].weight
    assert abs(weight.var().item() / variance - 1) < 0.05
    assert abs(model.readout.weight.var().item() * 128 - 1) < 0.2 and not model.readout.bias.any()


def test_padding_does_not_matter_to_the_transformer():
    model, data = made("transformer", "1")
    model.eval()
    ids = data.batch(torch.arange(3)).unsqueeze(0)
    longer = torch.nn.functional.pad(ids, (0, 0))
    used = int((ids != 0).sum(-1).max())
    assert torch.allclose(model(ids), model(longer[..., :used]), atol=1e-5)


@pytest.mark.parametrize("optimizer, exponents", [
    ("sgd", {"input": 1, "vector": 1, "hidden": 0, "output": -1}),
    ("adamw", {"input": 0, "vector": 0, "hidden": -1, "output": -1}),
])
def test_mup_rates(optimizer, exponents):
    alpha = Fraction(1, 4)
    model, _ = made("mlp", alpha, alpha=alpha, parametrisation="mup")
    groups = parameter_groups(model, learning_rate=0.1, weight_decay=1e-3, optimizer=optimizer, alpha=alpha,
                              parametrisation="mup")
    rate = {id(p): g["lr"] for g in groups for p in g["params"]}
    assert len(rate) == len(list(model.parameters()))
    for parameter, role in ((model.hidden[0].weight, "input"), (model.hidden[0].bias, "vector"),
                            (model.hidden[1].weight, "hidden"), (model.readout.weight, "output")):
        assert rate[id(parameter)] == pytest.approx(0.1 * 0.25 ** exponents[role])
    standard = parameter_groups(model, learning_rate=0.1, weight_decay=1e-3, optimizer=optimizer, alpha=alpha,
                                parametrisation="standard")
    assert {g["lr"] for g in standard} == {0.1}


@pytest.mark.parametrize("optimizer, learning_rate", [("sgd", 0.1), ("adamw", 3e-3)])
def test_mup_changes_features_equally_at_every_width(optimizer, learning_rate):
    """Coordinate check: what a few steps change in the logits keeps its size in muP and not in the standard one."""
    data = load("digits")
    rows = data.splits["train"][:256]

    def change(alpha, parametrisation):
        from empirical.networks import make_optimizer, prepare
        from empirical.settings import Network

        config = Network(arch="mlp", data="digits", alpha=str(alpha), base_width=64, epochs=1, optimizer=optimizer,
                         learning_rate=learning_rate, parametrisation=parametrisation, weight_decay=0.0)
        model = prepare(config, data, torch.device("cpu"))
        optim = make_optimizer(config, model, torch.device("cpu"))
        x, y = data.batch(rows).unsqueeze(0), data.labels[rows].unsqueeze(0)
        before, after = {}, {}
        model(x, before)
        for _ in range(3):
            optim.zero_grad()
            losses(model(x), y).sum().backward()
            optim.step()
        model(x, after)
        return (after["penultimate"] - before["penultimate"]).detach().pow(2).mean().sqrt().item()

    ratio = {p: change(Fraction(16), p) / change(Fraction(1), p) for p in ("mup", "standard")}
    assert 0.4 < ratio["mup"] < 2.5
    assert abs(torch.tensor(ratio["standard"]).log()) > abs(torch.tensor(ratio["mup"]).log())


@pytest.mark.parametrize("arch", ["mlp", "resnet18", "vgg16", "transformer"])
def test_slices_of_a_wide_start_make_it_up(arch):
    data = data_for(arch)

    def make(alpha, copies):
        return build(arch, alpha=alpha, base_width=16, data=data, copies=copies)

    wide = initialise(make("1", 1), [stream(0, "wide")], "he-normal")
    pair, later = take_slices(make("1/4", 2), wide, 0, 4), take_slices(make("1/4", 2), wide, 2, 4)
    layers = [[m for m in model.modules() if isinstance(m, Conv | Linear | Embedding)] for model in (wide, pair, later)]
    for source, first, second in zip(*layers):
        whole = source.weight[0] if isinstance(source, Linear) else source.weight
        pieces = [p[0] if isinstance(source, Linear) else p for m in (first, second) for p in m.weight.chunk(2)]
        scale = 1.0 if isinstance(source, Embedding) else (whole[0].numel() / pieces[0][0].numel()) ** 0.5
        grows = [whole.shape[axis] != pieces[0].shape[axis] for axis in (0, 1)]
        for i, piece in enumerate(pieces):  # the i-th block of each axis that grows
            rows, columns = (slice(i * n, (i + 1) * n) if g else slice(None) for n, g in zip(piece.shape, grows))
            assert torch.equal(piece, whole[rows, columns] * scale)
    with pytest.raises(ArgumentError, match="4 slices"):
        take_slices(make("1/4", 2), wide, 3, 4)
