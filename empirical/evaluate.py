"""Loss and accuracy of a stack of networks, in evaluation mode and without augmentation."""

import torch

from empirical.data import Dataset
from empirical.models import Stack
from empirical.steps import losses

__all__ = ["evaluate"]


@torch.inference_mode()
def evaluate(model: Stack, data: Dataset, rows: str | torch.Tensor, batch: int = 1024) -> dict[str, list[float]]:
    """Mean loss and accuracy of each network of a stack.

    Parameters
    ----------
    model : Stack
        Stack in evaluation mode.
    data : Dataset
        Data on the model's device.
    rows : str or torch.Tensor
        Name of a split, one of :data:`empirical.data.SPLITS`, or int64 row numbers.
    batch : int
        Rows per forward pass.

    Returns
    -------
    dict of str to list of float
        ``loss`` (cross-entropy) and ``accuracy``, one number for each network.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> data = noise()
    >>> len(evaluate(start(data, stack=3), data, "test")["loss"])
    3
    """
    rows = data.splits[rows] if isinstance(rows, str) else rows
    loss, hits = (torch.zeros(model.copies, device=rows.device, dtype=torch.float64) for _ in range(2))
    for part in rows.split(batch):
        logits = model(data.batch(part).unsqueeze(0)).float()
        labels = data.labels[part].expand(model.copies, -1)
        loss += losses(logits, labels).double() * len(part)
        hits += (logits.argmax(-1) == labels).sum(1)
    return {"loss": (loss / len(rows)).tolist(), "accuracy": (hits / len(rows)).tolist()}
