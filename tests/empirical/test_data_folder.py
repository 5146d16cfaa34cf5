"""Folders of images: hidden names, deep and transparent pictures, bombs, classes that would vanish."""

import numpy as np
import pytest

from empirical.data import folder, load
from tests.empirical.refusals import refused

Image = pytest.importorskip("PIL.Image")
SIDE = 8


def tree(root, classes=("cat", "dog"), count=10):
    for i, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for j in range(count):
            Image.fromarray(np.full((SIDE, SIDE), 20 * i + j, np.uint8)).save(root / name / f"{j}.png")
    return root


def test_hidden_names_are_no_images(tmp_path):
    whole = load("folder", data_dir=str(tree(tmp_path / "a", count=18)), image_size=SIDE)
    root = tree(tmp_path / "b", count=18)
    (root / "cat" / "._0.png").write_bytes(b"\0\5\x16\7")
    for place in ("cat/.ipynb_checkpoints", "dog/deeper/__MACOSX", ".ipynb_checkpoints", "__MACOSX/cat", ".git"):
        (root / place).mkdir(parents=True)
        (root / place / "0.png").write_bytes((root / "cat" / "0.png").read_bytes())
    assert load("folder", data_dir=str(root), image_size=SIDE).checksum == whole.checksum


def test_a_class_without_readable_images_is_refused(tmp_path):
    root = tree(tmp_path)
    (root / "hen").mkdir()
    refused("hen has no image.*it is empty", load, "folder", data_dir=str(root), image_size=SIDE)
    (root / "hen" / "0.gif").write_bytes(b"GIF89a")
    refused(r"hen has no image.*\.gif", load, "folder", data_dir=str(root), image_size=SIDE)


@pytest.mark.parametrize("name", folder.TEST_FOLDERS)
def test_every_name_of_a_test_folder_counts(tmp_path, name):
    tree(tmp_path / "train")
    tree(tmp_path / name, count=3)
    data = load("folder", data_dir=str(tmp_path), image_size=SIDE)
    assert len(data.splits["test"]) == 6 and len(data.labels) == 26 and data.facts["notes"] == []


def test_what_is_left_aside_is_said(tmp_path, capsys):
    tree(tmp_path / "train")
    for name in ("val", "test", "extra"):
        tree(tmp_path / name, count=2)
    (tmp_path / "train" / "cat" / "x.gif").write_bytes(b"GIF89a")
    data = load("folder", data_dir=str(tmp_path), image_size=SIDE)
    said = capsys.readouterr().err
    assert len(data.labels) == 24 and len(data.facts["notes"]) == 3
    assert all(f"the folder {name} is not used" in said for name in ("extra", "test")) and "1 files in class folders" in said


@pytest.mark.parametrize("kind", ["I;16", "I", "I;16B"])
def test_deep_grey_images_are_scaled_to_eight_bits(tmp_path, kind):
    levels = np.arange(64, dtype=np.uint16).reshape(SIDE, SIDE) * 1040
    path = tmp_path / "a.png"
    if kind == "I":  # what Pillow makes of a 16-bit PGM
        path = tmp_path / "a.ppm"
        path.write_bytes(b"P5 8 8 65535\n" + levels.astype(">u2").tobytes())
    elif kind == "I;16B":  # told by its contents, whatever its name
        Image.frombytes("I;16B", (SIDE, SIDE), levels.astype(">u2").tobytes()).save(path, format="TIFF")
    else:
        Image.fromarray(levels).save(path)
    with Image.open(path) as image:
        assert image.mode == kind
    found = folder.read_image(path, SIDE)
    assert np.array_equal(found, np.broadcast_to(np.rint(levels / 257).astype(np.uint8), (3, SIDE, SIDE)))


@pytest.mark.parametrize("pixels", [np.full((SIDE, SIDE), 0.5, np.float32), np.full((SIDE, SIDE), 70_000, np.int32),
                                    np.full((SIDE, SIDE), -1, np.int32)])
def test_depths_without_a_fixed_range_are_refused(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.png", format="TIFF")
    refused(r"a\.png.*unknown range", folder.read_image, tmp_path / "a.png", SIDE)


def test_transparency_lies_on_white_and_orientation_is_applied(tmp_path):
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    pixels[:, :4] = (255, 0, 0, 255)  # the right half is transparent black
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = folder.read_image(tmp_path / "a.png", SIDE)
    assert (found[:, :, 4:] == 255).all() and (found[1:, :, :4] == 0).all()
    image = Image.fromarray(pixels).convert("RGB")
    exif = image.getexif()
    exif[0x0112] = 6  # the first row is the right side
    image.save(tmp_path / "b.png", exif=exif)
    upright = folder.read_image(tmp_path / "b.png", SIDE)
    assert (upright[0, :4] == 255).all() and (upright[0, 4:] == 0).all()


@pytest.mark.parametrize("size", [(20_000, 10_000), (9_500, 9_500)])
def test_picture_bombs_are_named(tmp_path, size):
    Image.new("1", size).save(tmp_path / "a.png")
    refused(r"a\.png.*pixels", folder.read_image, tmp_path / "a.png", SIDE)


def test_elongated_pictures_are_named(tmp_path):
    Image.new("1", (60_000, 1)).save(tmp_path / "a.png")
    refused(r"a\.png.*60000x1 pixels", folder.read_image, tmp_path / "a.png", 64)
