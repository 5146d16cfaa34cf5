"""Data sets: splits, checks of what comes from outside, augmentation, corrupted labels."""

import gzip
import os
import pickle
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from empirical.data import SPLITS, cifar10, corrupt, dataset, entailment, load, mnist
from empirical.data.augment import augment, draw
from empirical.settings import Setting, recipe
from empirical.streams import stream
from lab.errors import ArgumentError, InputError

ROWS = 60


@pytest.fixture
def small_batches(monkeypatch):
    """Let batches of 60 rows count as CIFAR-10 and probe splits be small."""
    for name, value in {"BATCH_ROWS": ROWS, "PROBE_FIT": 100, "PROBE_SCORE": 60}.items():
        monkeypatch.setattr(cifar10, name, value)


def write_batches(folder: Path, suffix: str = ".png") -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in cifar10.BATCH_MD5:
        batch = {"data": rng.integers(0, 256, (ROWS, 3072), dtype=np.uint8), "labels": (np.arange(ROWS) % 10).tolist(),
                 "filenames": [f"{i}{suffix}" for i in range(ROWS)], "batch_label": "x"}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    return folder


def test_digits_splits_are_disjoint_and_fixed():
    data = load("digits")
    rows = torch.cat([data.splits[s] for s in SPLITS])
    assert len(rows) == len(set(rows.tolist())) == 1797
    fewer = load("digits", train_size=100)
    assert torch.equal(fewer.splits["probe_fit"], data.splits["probe_fit"])
    assert set(fewer.splits["train"].tolist()) <= set(data.splits["train"].tolist())


def test_every_split_deals_the_digits_out_anew():
    """Test images, too; the images are the same."""
    first, other = load("digits"), load("digits", split=7)
    for name in SPLITS:
        a, b = ({row.numpy().tobytes() for row in data.inputs[data.splits[name]]} for data in (first, other))
        assert len(a) > 150 and 0 < len(a & b) < 0.8 * len(a)
    assert sorted(first.labels.tolist()) == sorted(other.labels.tolist()) and first.checksum != other.checksum
    setting = Setting(**recipe("mlp", "digits"))
    assert dataset(replace(setting, split=7)).checksum == other.checksum and dataset(setting).checksum == first.checksum
    wrong = [corrupt(load("digits", split=s), 1.0, s).labels[load("digits").splits["train"]] for s in (0, 7)]
    assert (wrong[0] == wrong[1]).float().mean() < 0.5


@pytest.mark.slow
def test_every_split_of_entailment_is_generated_anew():
    assert set(entailment.generate(3000, 100)) != set(entailment.generate(3000, 101))
    assert entailment.load(split=100).vocabulary == entailment.load(split=101).vocabulary


def test_batches_are_normalised_by_the_training_split():
    data = load("digits")
    x = data.batch(data.splits["train"])
    assert x.shape == (900, 1, 8, 8) and abs(x.mean()) < 1e-4 and abs(x.std() - 1) < 1e-3
    assert load("digits", image_size=16).inputs.shape[-2:] == (16, 16)


def test_splits_too_large_for_the_data():
    with pytest.raises(ArgumentError, match="too large"):
        load("digits", train_size=2000)
    with pytest.raises(ArgumentError, match="unknown data"):
        load("cats")


def test_corrupted_labels_leave_the_probe_splits_alone():
    data = load("digits")
    noisy, randomised = corrupt(data, 0.2), corrupt(data, 1.0)
    changed = noisy.labels != data.labels
    assert changed[data.splits["train"]].sum() == 180
    for split in ("probe_fit", "probe_score", "test"):
        assert not changed[data.splits[split]].any()
        assert torch.equal(randomised.labels[data.splits[split]], data.labels[data.splits[split]])
    train = data.splits["train"]
    agreement = (randomised.labels[train] == data.labels[train]).float().mean()
    assert 0.05 < agreement < 0.16 and "random labels" in randomised.name
    with pytest.raises(ArgumentError, match="share"):
        corrupt(data, -0.1)


def test_augmentation_is_a_shift_and_a_mirror_image():
    x = torch.arange(2 * 1 * 5 * 5, dtype=torch.float32).view(2, 1, 5, 5)
    still = torch.tensor([[1, 1, 0], [1, 1, 0]])
    assert torch.equal(augment(x, still, 1), x)
    assert torch.equal(augment(x, torch.tensor([[1, 1, 1], [1, 1, 0]]), 1)[0], x[0].flip(-1))
    moved = augment(x, torch.tensor([[2, 1, 0], [1, 0, 0]]), 1)
    assert torch.equal(moved[0, :, :-1], x[0, :, 1:]) and torch.equal(moved[0, :, -1], x[0, :, -2])
    assert torch.equal(moved[1, :, :, 1:], x[1, :, :, :-1])
    draws = draw(1000, 2, True, stream(0, "test"))
    assert draws[:, :2].min() == 0 and draws[:, :2].max() == 4 and 400 < draws[:, 2].sum() < 600


def test_streams_are_addressed():
    a, b, c = (torch.randn(3, generator=stream(*key)) for key in ((0, "1/2", 3), (0, "1/2", 3), (0, "1/2", 4)))
    assert torch.equal(a, b) and not torch.equal(a, c)


def test_cifar_from_folder_and_archive(tmp_path, small_batches):
    folder = write_batches(tmp_path / cifar10.FOLDER)
    data = cifar10.load(data_dir=str(tmp_path))
    assert data.inputs.shape == (6 * ROWS, 3, 32, 32) and data.classes == 10 and len(data.splits["test"]) == ROWS
    assert data.name == "CIFAR-10 (not the original files)" and data.facts["files_as_published"] == 0
    with tarfile.open(tmp_path / "some.tar.gz", "w:gz") as archive:
        archive.add(folder, cifar10.FOLDER)
    packed = cifar10.load(data_dir=str(tmp_path / "some.tar.gz"))
    assert packed.checksum == data.checksum
    raw = (tmp_path / "some.tar.gz").read_bytes()
    (tmp_path / "half.tar.gz").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(InputError, match=r"half\.tar\.gz.*truncated"):
        cifar10.load(data_dir=str(tmp_path / "half.tar.gz"))


def test_cifar_re_encoding_has_its_own_name(tmp_path, small_batches):
    write_batches(tmp_path / cifar10.FOLDER, ".jpg")
    assert cifar10.load(data_dir=str(tmp_path)).name == "CIFAR-10 (JPEG re-encoding)"


class Attack:
    def __reduce__(self):
        return os.system, ("touch /tmp/widthlab-was-here",)


@pytest.mark.parametrize("damage, message", [
    (lambda raw: raw[: len(raw) // 2], "truncated"),
    (lambda raw: raw[:50] + b"\xff" * 10 + raw[60:], "truncated|not a CIFAR"),
    (lambda raw: pickle.dumps(Attack()), "asks to run .*system"),
    (lambda raw: pickle.dumps({"data": np.zeros((3, 3072), np.uint8), "labels": [0, 1, 2]}), "holds"),
    (lambda raw: pickle.dumps({"data": np.zeros((ROWS, 3072), np.uint8), "labels": [11] * ROWS}), "outside 0..9"),
    (lambda raw: pickle.dumps([1, 2]), "not a CIFAR-10 batch"),
    (lambda raw: b"", "truncated"),
])
def test_bad_batches_are_refused_in_one_line(tmp_path, small_batches, damage, message):
    folder = write_batches(tmp_path / cifar10.FOLDER)
    path = folder / "data_batch_3"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=message) as caught:
        cifar10.load(data_dir=str(tmp_path))
    assert "data_batch_3" in str(caught.value)
    assert not Path("/tmp/widthlab-was-here").exists()


def test_missing_cifar(tmp_path):
    with pytest.raises(ArgumentError, match="data_dir"):
        cifar10.load()
    with pytest.raises(ArgumentError, match="no CIFAR-10"):
        cifar10.load(data_dir=str(tmp_path))
    (tmp_path / "data_batch_1").write_bytes(b"x")
    with pytest.raises(InputError, match="data_batch_2"):
        cifar10.load(data_dir=str(tmp_path))


def test_download_keeps_only_the_published_archive(tmp_path, monkeypatch):
    fake = tmp_path / "fake"
    fake.write_bytes(b"not the archive")
    monkeypatch.setattr(cifar10, "URL", fake.as_uri())
    with pytest.raises(InputError, match="not the published archive"):
        cifar10.download(tmp_path / "kept")
    assert not list((tmp_path / "kept").glob("*"))
    monkeypatch.setattr(cifar10, "URL", (tmp_path / "absent").as_uri())
    with pytest.raises(InputError, match="cannot download"):
        cifar10.download(tmp_path / "kept")


def write_idx(path: Path, array: np.ndarray, packed: bool = False) -> None:
    raw = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(raw) if packed else raw)


def test_idx_files(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "a", array)
    write_idx(tmp_path / "b.gz", array, packed=True)
    assert np.array_equal(mnist.read_idx(tmp_path / "a"), array)
    assert np.array_equal(mnist.read_idx(tmp_path / "b.gz"), array)
    (tmp_path / "c").write_bytes((tmp_path / "a").read_bytes()[:-3])
    with pytest.raises(InputError, match="truncated"):
        mnist.read_idx(tmp_path / "c")
    with pytest.raises(ArgumentError, match="data_dir"):
        mnist.load()
    with pytest.raises(ArgumentError, match="no MNIST"):
        mnist.load(data_dir=str(tmp_path))
    (tmp_path / "mnist.npz").write_bytes(b"PK nonsense")
    with pytest.raises(InputError, match=r"mnist\.npz"):
        mnist.load(data_dir=str(tmp_path))


@pytest.mark.skipif("WIDTHLAB_DATA" not in os.environ, reason="needs CIFAR-10 in the folder named by WIDTHLAB_DATA")
def test_real_cifar():
    data = load("cifar10", data_dir=os.environ["WIDTHLAB_DATA"])
    assert data.name.startswith("CIFAR-10") and len(data.splits["test"]) == 10_000
    assert torch.allclose(data.mean.flatten() / 255, torch.tensor([0.4914, 0.4822, 0.4465]), atol=2e-3)
