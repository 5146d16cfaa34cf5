"""Curvature by products against whole Hessians, widening that keeps the function, pruning of no weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from empirical.curvature import Objective, density, extreme_eigenvalues
from empirical.data import load
from empirical.models import build
from empirical.models.initialise import initialise
from empirical.pruning import hold, mixed, pruned, shuffled_masks, whole_masks
from empirical.settings import Network
from empirical.steps import losses
from empirical.streams import stream
from empirical.studies.solutions.plan import of_width
from empirical.train import train
from empirical.widen import add_units, joined, split_units
from lab.errors import InputError
from theory.critical_points import index

CPU = torch.device("cpu")


def made(arch="mlp-tanh", width=4, depth=1, copies=1):
    data = load("digits")
    model = build(arch, alpha=1, base_width=width, data=data, depth=depth, copies=copies)
    initialise(model, [stream(i, "test") for i in range(copies)])
    for parameter in model.parameters():
        if parameter.dim() == 2:  # biases start at zero, where mistakes would not show
            parameter.data.normal_(std=0.1, generator=stream(1, "biases"))
    return model.eval(), data


@pytest.fixture(scope="module")
def small():
    """The objective of a small network, and its whole Hessian."""
    model, data = made(width=1, depth=2)
    objective = Objective(model, data, torch.arange(40), weight_decay=0.01)
    return objective, objective.hessian(objective.start).numpy()


def test_the_loss_is_that_of_training(small):
    model, data = made(width=1, depth=2)
    objective, rows = small[0], torch.arange(40)
    plain = losses(model(data.batch(rows).unsqueeze(0)), data.labels[rows].unsqueeze(0))[0]
    decay = sum(x.square().sum() for name, x in model.named_parameters() if name.endswith("weight"))
    assert float(objective.loss(objective.start)) == pytest.approx(float((plain + 0.005 * decay).detach()), rel=1e-5)


def test_hessian_against_differences_of_gradients(small):
    objective, whole = small
    direction = torch.randn(objective.size, dtype=torch.float64, generator=stream(0, "direction"))
    step = 1e-5 * direction
    difference = (objective.gradient(objective.start + step) - objective.gradient(objective.start - step)) / 2e-5
    np.testing.assert_allclose(objective.product(objective.start, direction), difference, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(whole @ direction.numpy(), objective.product(objective.start, direction), rtol=1e-9, atol=1e-12)
    gradients, hessians = objective.slopes(np.stack([objective.start.numpy()] * 2))
    np.testing.assert_allclose(hessians[1], whole, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(gradients[0], objective.gradient(objective.start), rtol=1e-9, atol=1e-12)


def test_extreme_eigenvalues_are_those_of_the_whole_hessian(small):
    objective, whole = small
    low, high = extreme_eigenvalues(objective.multiply(objective.start), objective.size, 2)
    exact = np.linalg.eigvalsh(whole)
    np.testing.assert_allclose([*low, *high], [*exact[:2], *exact[-2:]], rtol=1e-4)


def test_density_has_the_moments_of_the_spectrum(small):
    """Each direction's quadrature has its moments exactly; their mean has the spectrum's within its error."""
    objective, whole = small
    found = density(whole.dot, objective.size, directions=40, steps=8, seed=3)
    np.testing.assert_allclose(found.weights.sum(1), 1.0)
    powers = {order: np.trace(np.linalg.matrix_power(whole, order)) / objective.size for order in (1, 2, 3)}
    for order, exact in powers.items():
        moment = found.moment(order)
        assert abs(moment.mean - exact) < 4.5 * moment.error and moment.error < 0.5 * abs(exact)
    first = np.random.default_rng(3).choice([-1.0, 1.0], objective.size) / np.sqrt(objective.size)
    for order in (1, 5, 15):
        exact = first @ np.linalg.matrix_power(whole, order) @ first
        assert np.sum(found.weights[0] * found.nodes[0] ** order) == pytest.approx(exact, rel=1e-6)
    places = np.linspace(found.nodes.min() - 1, found.nodes.max() + 1, 4000)
    assert found.smoothed(places, 0.05).sum() * (places[1] - places[0]) == pytest.approx(1.0, abs=1e-3)


def test_a_whole_spectrum_gives_the_share_of_negative_eigenvalues(small):
    objective, whole = small
    found = density(whole.dot, objective.size, directions=60, steps=objective.size)
    share = np.mean(np.linalg.eigvalsh(whole) < -1e-3)
    below = found.below(-1e-3)
    assert 0 < share < 1 and abs(below.mean - share) < 4.5 * below.error


def test_a_spectrum_of_few_eigenvalues_ends_the_steps_early():
    found = density(np.diag([2.0] * 5 + [-1.0] * 5).dot, 10, directions=5, steps=10)
    assert found.moment(1).mean == pytest.approx(np.mean([w @ n for w, n in zip(found.weights, found.nodes)]))
    assert set(np.round(found.nodes[found.weights > 1e-9], 9)) <= {2.0, -1.0}


def test_a_stack_has_no_hessian():
    model, data = made(copies=2)
    with pytest.raises(InputError, match="stack of one"):
        Objective(model, data, torch.arange(5))


@pytest.mark.parametrize("arch, depth, factor", [("mlp", 1, 2), ("mlp-tanh", 3, 3)])
def test_widening_leaves_the_function(arch, depth, factor):
    narrow, data = made(arch, 4, depth)
    wide, inputs = made(arch, 4 * factor, depth)[0].double(), data.batch(torch.arange(60)).unsqueeze(0).double()
    narrow = narrow.double()
    before = narrow(inputs)
    own = narrow.state_dict()
    for state in (split_units(own, stream(0, "shares"), factor), add_units(own, wide.state_dict())):
        wide.load_state_dict(state)
        torch.testing.assert_close(wide(inputs), before, rtol=1e-12, atol=1e-13)
        units = wide.state_dict()["readout.weight"][0]
        assert not torch.equal(units[:, :4], units[:, 4:8])  # equal halves would stay equal


def test_splitting_opens_negative_directions():
    """Directions that move pairs as one are those of the narrow network; what pulls a pair apart comes on top."""
    narrow, data = made(width=1, depth=2)
    wide, rows = made(width=2, depth=2)[0], torch.arange(30)
    wide.load_state_dict(split_units(narrow.state_dict(), stream(0, "shares")))
    ends = [Objective(model, data, rows) for model in (narrow, wide)]
    negative = [int(index(np.linalg.eigvalsh(o.hessian(o.start).numpy()))) for o in ends]
    assert negative[1] > negative[0] > 0
    assert float(ends[0].loss(ends[0].start)) == pytest.approx(float(ends[1].loss(ends[1].start)), rel=1e-6)


def test_masks_leave_the_largest_weights_of_each_copy():
    state = {"a.weight": torch.tensor([[[1.0, -5.0, 2.0]], [[9.0, 8.0, 0.5]]]), "a.bias": torch.zeros(2, 1),
             "b.weight": torch.tensor([[[3.0]], [[0.1]]])}
    half = pruned(state, whole_masks(state), 0.5)
    assert half["a.weight"].tolist() == [[[False, True, False]], [[True, True, False]]]
    assert half["b.weight"].tolist() == [[[True]], [[False]]]
    again = pruned({**state, "a.weight": -state["a.weight"]}, half, 0.5)
    assert sum(int(m.sum()) for m in again.values()) == 2 and not (again["a.weight"] & ~half["a.weight"]).any()
    shuffled = shuffled_masks(half, stream(0, "m"))
    assert all(torch.equal(shuffled[n].flatten(1).sum(1), half[n].flatten(1).sum(1)) for n in half)
    anywhere = shuffled_masks(half, stream(0, "m"), within_layers=False)
    assert sum(int(m.sum()) for m in anywhere.values()) == 4
    rest = {name: torch.full_like(x, 7.0) for name, x in state.items()}
    assert mixed(half, state, rest)["a.weight"].tolist() == [[[7.0, -5.0, 7.0]], [[9.0, 8.0, 7.0]]]


@pytest.mark.parametrize("arch", ["resnet18", "vgg16"])
def test_convolutions_are_pruned_copy_by_copy_and_norms_are_not(arch):
    model, data = made(arch, 2, 0, copies=2)
    state = {name: x.clone() for name, x in model.state_dict().items()}
    masks = whole_masks(state, 2)
    assert set(masks) == {name for name, x in state.items() if name.endswith("weight") and x.dim() > 2}
    masks = pruned(state, masks, 0.5)
    for i in range(2):
        own = torch.cat([state[name].abs().reshape(2, -1)[i] for name in masks])
        left = torch.cat([mask[i].flatten() for mask in masks.values()])
        assert own[left].min() >= own[~left].max() and int(left.sum()) == len(left) - len(left) // 2
    model = model.train().to(memory_format=torch.channels_last)
    hold(model, masks)
    rows = torch.arange(10)
    losses(model(data.batch(rows).unsqueeze(0)), data.labels[rows].expand(2, -1)).sum().backward()
    for name, parameter in model.named_parameters():
        gone = ~masks[name].reshape(parameter.shape) if name in masks else torch.zeros_like(parameter, dtype=torch.bool)
        assert not parameter.grad[gone].any() and not parameter[gone].any() and parameter.grad[~gone].any()
    other = {name: x + 1 for name, x in state.items()}
    both = mixed(masks, state, other)
    assert all(torch.equal(x, torch.where(masks[n].reshape(x.shape), state[n], other[n]) if n in masks else state[n])
               for n, x in both.items())


@pytest.mark.parametrize("depth", [1, 2])
def test_joined_networks_answer_with_the_mean_of_their_members(depth):
    narrow, data = made("mlp", 3, depth, copies=4)
    wide, inputs = made("mlp", 6, depth, copies=2)[0], data.batch(torch.arange(40)).unsqueeze(0)
    wide.load_state_dict(joined(narrow.state_dict(), 2))
    torch.testing.assert_close(wide(inputs), narrow(inputs).unflatten(0, (2, 2)).mean(1), rtol=1e-4, atol=1e-5)


def trained(tmp_path, name, begin=None, **changes):
    config = of_width(Network, 8, 0, data="digits", train_size=100, epochs=2, stack=2, **changes)
    folder = tmp_path / name
    folder.mkdir()
    data = load("digits", train_size=100)
    return train(config, data, folder, device=CPU, begin=begin)[0].state_dict()


@pytest.mark.parametrize("changes", [{}, {"optimizer": "adamw", "learning_rate": 1e-2, "weight_decay": 0.1}])
def test_pruning_nothing_is_the_dense_network_and_pruned_weights_stay(tmp_path, changes):
    dense = trained(tmp_path, "dense", **changes)
    starts = {}

    def whole(model):
        starts.update({name: x.clone() for name, x in model.state_dict().items()})
        hold(model, whole_masks(starts))

    same = trained(tmp_path, "whole", whole, **changes)
    assert all(torch.equal(same[name], x) for name, x in dense.items())
    masks = pruned(dense, whole_masks(dense), 0.7)
    ticket = trained(tmp_path, "ticket", lambda model: hold(model, masks), **changes)
    for name, mask in masks.items():
        assert not ticket[name][~mask].any() and (ticket[name][mask] != starts[name][mask]).any()


def test_a_training_that_begins_elsewhere_goes_on_from_its_checkpoint(tmp_path):
    config = of_width(Network, 8, 0, data="digits", train_size=100, epochs=2)
    data, states = load("digits", train_size=100), []
    for name, stops in (("whole", (None,)), ("cut", (1, None))):
        folder = tmp_path / name
        folder.mkdir()
        for stop in stops:
            model, _ = train(config, data, folder, device=CPU, stop_after=stop, checkpoint_seconds=0,
                             begin=lambda model: hold(model, {"readout.weight": model.readout.weight.detach() > 0}))
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], x) for name, x in states[1].items())
    assert (replace(config, epochs=3) != config) and (states[0]["readout.weight"] == 0).any()
