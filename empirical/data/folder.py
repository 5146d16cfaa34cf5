"""ImageNet-style folders with one folder of image files per class, ``root/<class>/*.jpg``, or the same under ``root/train`` and
``root/val`` (or ``validation``, ``valid`` or ``test``, the first that exists), whose images are then the test split. Needs pillow
(``pip install 'widthlab[images]'``).

Images are rotated by their EXIF orientation and converted to RGB. Transparent images get a white background; 16-bit grey images
are scaled to 8 bits, and of 16-bit colours Pillow keeps the upper 8 bits; depths without a fixed range (floating point, beyond 16
bits) are refused. Only the first frame of an animation is used. The shorter side is scaled to ``image_size`` pixels, and the
centre is cropped; all images are held in memory as bytes.

Names that start with a dot, and ``__MACOSX``, are skipped at every depth. A class folder without any image is an error; other
files that are not images, and unused folders next to ``train``, are listed on standard error and in the data set's facts.

Without a folder of test images, and for the probe splits, rows are drawn from an addressed stream: a fifth of the images for
testing, and a fifth of the others for each probe split.
"""

import warnings
from pathlib import Path

import numpy as np
import torch

from empirical.data import Dataset, assemble
from empirical.data.checks import image_size as checked_size
from empirical.declared import Source
from empirical.streams import stream
from lab.errors import ArgumentError, InputError
from lab.files import reading

DATA = Source("folder")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm")
TEST_FOLDERS = ("val", "validation", "valid", "test")
SIZE, MOST_BYTES = 64, 8 * 2**30
LONGEST = 50  # times the shorter side


def load(*, data_dir: str | None = None, train_size: int = 0, image_size: int = 0, split: int = 0, **_) -> Dataset:
    """All images under ``data_dir``.

    Raises
    ------
    ArgumentError
        If no folder is given or pillow is missing.
    InputError
        If there are fewer than two classes, a class has no images, files cannot be read, or the images do not fit into
        memory.
    """
    if data_dir is None:
        raise ArgumentError("image folders need data_dir, a folder with one folder per class", "data_dir")
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise ArgumentError("reading image files needs pillow: pip install 'widthlab[images]'") from None
    root, size = Path(data_dir), checked_size(image_size) or SIZE
    train = root / "train" if (root / "train").is_dir() else root
    test = next((root / name for name in TEST_FOLDERS if train != root and (root / name).is_dir()), None)
    files, names, others = _files(train)
    test_files, test_names, more = _files(test) if test else ([], names, 0)
    unused = {d.name for d in _visible(root) if d.is_dir()} - {"train", test and test.name} if train != root else ()
    tested = test.name if test else "a fifth of it"
    notes = [f"the folder {name} is not used: {train.name} is for training and {tested} for testing" for name in sorted(unused)]
    if others + more:
        notes.append(f"{others + more} files in class folders are not used: they are not {', '.join(SUFFIXES)}")
    facts = {"folder_classes": len(names), "notes": notes}
    if test_names != names:
        raise InputError(f"{test} has other classes than {train}: only one of them has {min(set(test_names) ^ set(names))!r}")
    if len(names) < 2:
        raise InputError(f"{train} has {len(names)} folders with images, but at least two classes are needed")
    if (len(files) + len(test_files)) * 3 * size * size > MOST_BYTES:
        raise InputError(f"{len(files) + len(test_files)} images of {size}x{size} pixels need over 8 GB: lower image_size",
                         "image_size")
    if not test_files:
        order = torch.randperm(len(files), generator=stream(split, "folder", "test")).tolist()
        cut = len(files) // 5
        files, test_files = [files[i] for i in order[cut:]], [files[i] for i in order[:cut]]
    images = torch.from_numpy(np.stack([read_image(path, size) for path, _ in files + test_files]))
    labels = torch.tensor([label for _, label in files + test_files])
    probe = len(files) // 5
    return assemble(root.resolve().name, images, labels, classes=len(names), test_rows=len(test_files),
                    train_size=train_size, probe_fit=probe, probe_score=probe, split=split, shift=max(1, size // 8),
                    flip=True, facts=facts)


def _visible(folder: Path) -> list[Path]:
    """The contents of a folder in a fixed order, without hidden files of operating systems or notebooks."""
    return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.name != "__MACOSX")


def _tree(folder: Path):
    """All visible files at every depth."""
    for path in _visible(folder):
        if path.is_dir():
            yield from _tree(path) if not path.is_symlink() else ()
        else:
            yield path


def _files(folder: Path) -> tuple[list[tuple[Path, int]], list[str], int]:
    """(file, class number) in a fixed order, the names of the classes, and the number of other files."""
    try:
        groups = {d.name: list(_tree(d)) for d in _visible(folder) if d.is_dir()}
    except OSError as error:
        raise ArgumentError(f"{folder}: {error.strerror}; give the folder that contains one folder per class") from None
    images = {name: sorted(f for f in files if f.suffix.lower() in SUFFIXES) for name, files in groups.items()}
    for name, files in images.items():
        if not files:
            kinds = ", ".join(sorted({f.suffix or f.name for f in groups[name]})[:4])
            raise InputError(f"{folder / name} has no image that can be read ({kinds or 'it is empty'}; supported are "
                             f"{', '.join(SUFFIXES)}): convert its files, or remove the folder if it is not a class")
    count = sum(map(len, images.values()))
    return [(f, i) for i, files in enumerate(images.values()) for f in files], list(images), \
        sum(map(len, groups.values())) - count


def read_image(path: Path, size: int) -> np.ndarray:
    """One image as uint8 (3, size, size).

    Raises
    ------
    InputError
        If it is damaged, too large, too elongated, or has a depth without a fixed range; the message names the file.
    """
    from PIL import Image, ImageOps

    with reading(path, "a readable image", "remove it or download it again"), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)  # Pillow warns about damaged metadata
        with Image.open(path) as image:
            if max(image.size) > LONGEST * min(image.size):
                raise ValueError(f"{image.width}x{image.height} pixels: one side is over {LONGEST} times the other")
            image = _rgb(ImageOps.exif_transpose(image))
            scale = size / min(image.size)
            image = image.resize([max(size, round(side * scale)) for side in image.size], Image.Resampling.BILINEAR)
            left, top = (image.width - size) // 2, (image.height - size) // 2
            return np.asarray(image.crop((left, top, left + size, top + size))).transpose(2, 0, 1)


def _rgb(image):
    """A Pillow image of any mode, converted to RGB."""
    from PIL import Image

    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range; convert it to 8 bits")
    if image.mode.startswith("I"):  # I, I;16, I;16B, ...: up to 32 bits, of which images use 16
        levels = np.asarray(image).astype(np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise ValueError("its pixels have more than 16 bits and so an unknown range; convert it to 8 bits")
        image = Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")
