"""scikit-learn's handwritten digits (1,797 images of 8x8 in 16 grey levels): the embedded default, no files needed."""

import torch

from empirical.data import Dataset, assemble, resize
from empirical.streams import stream

# half of the images train; measures need the rest: their fit wants several rows a feature
TEST, PROBE_FIT, PROBE_SCORE = 197, 500, 200


def load(*, train_size: int = 0, image_size: int = 0, **_) -> Dataset:
    """Digits at 8x8, or resized to ``image_size``."""
    from sklearn.datasets import load_digits

    found = load_digits()
    order = torch.randperm(len(found.target), generator=stream("digits", "test"))
    images = torch.as_tensor(found.images * (255 / 16)).round().byte().unsqueeze(1)
    images = resize(images, image_size)
    size = "" if images.shape[-1] == 8 else f" at {images.shape[-1]}x{images.shape[-1]}"
    return assemble(f"digits{size}", images[order], torch.as_tensor(found.target)[order], test_rows=TEST,
                    train_size=train_size, probe_fit=PROBE_FIT, probe_score=PROBE_SCORE,
                    shift=max(1, images.shape[-1] // 8), facts={"source": "scikit-learn"})
