"""Loss and accuracy of a stack of networks, without augmentation and with nothing learnt on the way."""

import torch

from empirical.data import Dataset
from empirical.steps import losses


@torch.inference_mode()
def evaluate(model: torch.nn.Module, data: Dataset, rows: str | torch.Tensor, batch: int = 1024) -> dict[str, list[float]]:
    """Mean loss and accuracy of each member.

    Parameters
    ----------
    model : a stack, in evaluation mode.
    data : on the model's device.
    rows : a split, one of :data:`empirical.data.SPLITS`, or the numbers of some rows.
    batch : rows at a time.
    """
    rows = data.splits[rows] if isinstance(rows, str) else rows
    loss, hits = (torch.zeros(model.copies, device=rows.device, dtype=torch.float64) for _ in range(2))
    for part in rows.split(batch):
        logits = model(data.batch(part).unsqueeze(0)).float()
        labels = data.labels[part].expand(model.copies, -1)
        loss += losses(logits, labels).double() * len(part)
        hits += (logits.argmax(-1) == labels).sum(1)
    return {"loss": (loss / len(rows)).tolist(), "accuracy": (hits / len(rows)).tolist()}
