"""scikit-learn's handwritten digits (1,797 images of 8x8 pixels in 16 grey levels): the built-in default, needs no files."""

import numpy as np
import torch

from empirical.data import Dataset, assemble, resize
from empirical.data.checks import bytes_of, published
from empirical.declared import Source
from empirical.streams import stream

DATA = Source("digits", recipe={"base_width": 16, "epochs": 40, "batch_size": 64, "learning_rate": 0.1},
              matched={"learning_rate": 0.02, "target_loss": 0.25, "epochs": 150})
# half of the images are for training; measures need the others, because fits need several rows per feature
ROWS, TEST, PROBE_FIT, PROBE_SCORE = 1797, 197, 500, 200
# sha256 of the grey levels 0..16 and of the labels, one byte each, as shipped by scikit-learn
SHA256 = {"images": "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3",
          "labels": "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"}


def load(*, train_size: int = 0, image_size: int = 0, split: int = 0, **_) -> Dataset:
    """Digits at 8x8, or resized to ``image_size``; every split has its own test images."""
    from sklearn.datasets import load_digits

    shipped, remedy = load_digits(), "reinstall scikit-learn"
    levels = bytes_of(shipped.images.astype(np.int64), "digits: images", (ROWS, 8, 8), 16, remedy)
    labels = bytes_of(shipped.target, "digits: labels", (ROWS,), 9, remedy)
    same = published(SHA256, {"images": levels.tobytes(), "labels": labels.tobytes()}) == len(SHA256)
    order = torch.randperm(ROWS, generator=stream(split, "digits", "test"))
    images = torch.from_numpy(levels * (255 / 16)).round().byte().unsqueeze(1)
    images = resize(images, image_size)
    size = "" if images.shape[-1] == 8 else f" at {images.shape[-1]}x{images.shape[-1]}"
    return assemble(f"digits{size}{'' if same else ' (altered)'}", images[order], torch.from_numpy(labels)[order],
                    classes=10, test_rows=TEST, train_size=train_size, probe_fit=PROBE_FIT, probe_score=PROBE_SCORE,
                    split=split, shift=max(1, images.shape[-1] // 8), facts={"source": "scikit-learn"})
