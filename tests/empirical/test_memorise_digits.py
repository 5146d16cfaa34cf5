"""Memorising on real networks: altered images, polygons through images of one label, and what the table says."""

import numpy as np
import pandas
import pytest
import torch

from empirical.data import load
from empirical.models import build
from empirical.models.initialise import initialise
from empirical.paths import classes_on, polygons
from empirical.settings import Network
from empirical.streams import stream
from empirical.studies.solutions import memorise
from empirical.studies.solutions.plan import of_width
from empirical.train import train
from lab.study import CONFIRMATORY
from theory.claims import claims


def test_altered_pictures_keep_labels_and_lose_shapes():
    digits, noise, mixed = (load(name, split=3) for name in ("digits", "digits-noise", "digits-scrambled"))
    for other in (noise, mixed):
        assert torch.equal(other.labels, digits.labels) and other.checksum != digits.checksum
        assert all(torch.equal(other.splits[name], rows) for name, rows in digits.splits.items())
    assert torch.equal(mixed.inputs.flatten(1).sort(1).values, digits.inputs.flatten(1).sort(1).values)  # the same ink
    assert not torch.equal(mixed.inputs[0], digits.inputs[0])
    middle = noise.inputs.float().mean(0) - digits.inputs.float().mean(0)
    assert middle.abs().max() < 20 and np.corrcoef(noise.inputs[:2].flatten(1).numpy())[0, 1] < 0.95
    assert not torch.equal(load("digits-noise", split=4).inputs, noise.inputs)
    one, other = (load(name, split=3, label_noise=1.0) for name in ("digits", "digits-noise"))
    assert torch.equal(one.labels, other.labels)


def test_polygons_pass_through_pictures_of_their_label():
    data = load("digits", train_size=60, label_noise=1.0)
    curves = polygons(data, corners=3, points=4, seed=1)
    assert curves.shape == (10, 12, 1, 8, 8)
    pictures, labels = data.batch(data.splits["train"]), data.labels[data.splits["train"]]
    for label, curve in enumerate(curves):
        for corner in curve[::4]:
            assert label in labels[(pictures - corner).flatten(1).abs().max(1).values < 1e-6]
    torch.testing.assert_close(curves[0][2], (curves[0][0] + curves[0][4]) / 2)
    torch.testing.assert_close(curves[0][11], 0.25 * curves[0][8] + 0.75 * curves[0][0])
    model = build("mlp", alpha=1, base_width=6, data=data)
    initialise(model, [stream(0, "test")])
    assert (classes_on(model.eval(), curves)[4] == model(curves[4].unsqueeze(0))[0].argmax(-1).numpy()).all()


def test_fewer_epochs_are_the_beginning_of_more(tmp_path):
    """Looks along training are trainings of their own: the same steps, as the rate is constant."""
    ends = []
    for epochs, stop in ((2, None), (4, 2)):
        config = of_width(Network, 8, 0, **{**memorise.PLAIN, "train_size": 100}, data="digits", epochs=epochs)
        folder = tmp_path / str(epochs)
        folder.mkdir()
        ends.append(train(config, load("digits", train_size=100), folder, device=torch.device("cpu"), stop_after=stop)[0])
    for one, other in zip(*(model.parameters() for model in ends)):
        assert torch.equal(one, other)


def test_what_the_table_says():
    """Random labels: three regions more, twice the re-splits a merger, fitted two looks later; one replica has not fitted."""
    rows = []
    for seed in range(4):
        for task, regions, resplits, fitted in (("true labels", 2.0, 10, 4), ("random labels", 5.0, 20, 16),
                                                ("half random", 4.0, 15, 8), ("noise pictures", 2.0, 1, 8)):
            failed = task == "random labels" and seed == 0
            rows += [{"task": task, "data": "digits", "hidden": hidden, "seed": CONFIRMATORY + seed, "epochs": epochs,
                      "regions": regions + seed, "train_error": 0.1 * failed, "fitted": np.nan if failed else fitted,
                      "deaths": 100.0, "births": 50.0, "resplits": resplits + seed, "chance": 5.0}
                     for hidden in (16, 64) for epochs in (1, 32)]
    found = {(e.claim, e.piece): e for e in memorise.evidence(pandas.DataFrame(rows), ("a",))}
    more = found["s2.memorising-needs-more-regions", "regions"]
    assert more.estimate.mean == pytest.approx(3.0) and more.note == "3 of 4 replicas had fitted"
    assert found["s2.merged-regions-stay-merged", "true"].estimate.mean == pytest.approx(0.115)
    assert found["s2.resplits-follow-random-labels", "share1"].estimate.mean == pytest.approx(0.1)
    assert found["s2.resplits-are-no-chance", "random-labels"].estimate.mean == pytest.approx(17 / 50)
    late = found["s3.random-labels-are-fitted", ""].estimate
    assert late.n == 4 and late.mean == pytest.approx((4**3 * 16) ** 0.25)
    assert all("real" in claims()[claim].columns for claim, _ in found)
    runs = memorise._configs("full")
    assert len({(run.task, run.seed) for run in runs}) == 40 and min(run.seed for run in runs) == CONFIRMATORY
