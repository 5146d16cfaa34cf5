"""ImageNet-style folders: one folder a class with image files in it, ``root/<class>/*.jpg``, or the same under ``root/train``
and ``root/val`` (or ``test``), whose images are then the test split. Needs pillow (``pip install 'widthlab[images]'``).

Images become RGB, their shorter side ``image_size`` pixels, and are cropped to the centre; all are held in memory as bytes.
Without a folder of test images, and for the probe splits, rows are drawn from an addressed stream: a fifth of the images to
test, of the rest a fifth each to the probe splits.
"""

from pathlib import Path

import numpy as np
import torch

from empirical.data import Dataset, assemble
from empirical.streams import stream
from lab.errors import InputError, UsageError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm"}
SIZE, MOST_BYTES = 64, 8 * 2**30


def load(*, data_dir: str | None = None, train_size: int = 0, image_size: int = 0, **_) -> Dataset:
    """All images under ``data_dir``.

    Raises
    ------
    UsageError
        If no folder was named or pillow is missing.
    InputError
        If there are fewer than two classes, files cannot be read, or the images do not fit into memory.
    """
    if data_dir is None:
        raise UsageError("image folders need --data-dir DIR, with one folder a class in it")
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise UsageError("reading image files needs pillow: pip install 'widthlab[images]'") from None
    root, size = Path(data_dir), image_size or SIZE
    if not 4 <= size <= 256:
        raise UsageError(f"--image-size {size} is outside 4..256")
    train = root / "train" if (root / "train").is_dir() else root
    test = next((root / name for name in ("val", "test") if train != root and (root / name).is_dir()), None)
    files, names = _files(train)
    other, found = _files(test) if test else ([], names)
    if found != names:
        raise InputError(f"{test} has other classes than {train}: {sorted(set(found) ^ set(names))[0]!r} is in one of them only")
    if len(names) < 2:
        raise InputError(f"{train} has {len(names)} folders with images, at least two classes are needed")
    if (len(files) + len(other)) * 3 * size * size > MOST_BYTES:
        raise InputError(f"{len(files) + len(other)} images of {size} pixels a side are over 8 GB: lower --image-size")
    if not other:
        order = torch.randperm(len(files), generator=stream("folder", "test")).tolist()
        cut = len(files) // 5
        files, other = [files[i] for i in order[cut:]], [files[i] for i in order[:cut]]
    images = torch.from_numpy(np.stack([_read(path, size) for path, _ in files + other]))
    labels = torch.tensor([label for _, label in files + other])
    probe = len(files) // 5
    return assemble(root.resolve().name, images, labels, test_rows=len(other), train_size=train_size, probe_fit=probe,
                    probe_score=probe, shift=max(1, size // 8), flip=True, facts={"folder_classes": len(names)})


def _files(folder: Path) -> tuple[list[tuple[Path, int]], list[str]]:
    """(file, class number) in a fixed order, and the names of the classes."""
    try:
        groups = {d.name: sorted(f for f in d.rglob("*") if f.suffix.lower() in SUFFIXES) for d in sorted(folder.iterdir())
                  if d.is_dir()}
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; give the folder that holds one folder a class") from None
    groups = {name: files for name, files in groups.items() if files}
    return [(f, i) for i, files in enumerate(groups.values()) for f in files], list(groups)


def _read(path: Path, size: int) -> np.ndarray:
    """One image as uint8 (3, size, size)."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            image = image.convert("RGB")
            scale = size / min(image.size)
            image = image.resize([max(size, round(side * scale)) for side in image.size], Image.Resampling.BILINEAR)
            left, top = (image.width - size) // 2, (image.height - size) // 2
            return np.asarray(image.crop((left, top, left + size, top + size))).transpose(2, 0, 1)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path} is not a readable image ({error}); remove it or fetch it anew") from None
