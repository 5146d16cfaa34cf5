"""The rows of a data set that are used for training, for fitting measures, and for scoring them."""

import torch

from empirical.streams import stream
from lab.errors import ArgumentError

DATA = None
SPLITS = ("train", "probe_fit", "probe_score", "test")


def held_out(name: str, pool: int, train_size: int, probe_fit: int, probe_score: int,
             split: int = 0) -> dict[str, torch.Tensor]:
    """Rows of the training and probe splits among ``pool`` rows; the probe splits do not depend on ``train_size``.

    Parameters
    ----------
    name : str
        Name of the data in error messages.
    pool : int
        Rows to choose from.
    train_size : int
        Number of training rows; 0 for all that are not in the probe splits.
    probe_fit : int
        Number of rows on which measures are fitted.
    probe_score : int
        Number of rows on which measures are scored.
    split : int
        Number of the random assignment of rows to splits.

    Returns
    -------
    dict of str to torch.Tensor
        ``train``, ``probe_fit`` and ``probe_score`` -> int64 row numbers in random order.

    Raises
    ------
    ArgumentError
        If there are too few rows.

    Examples
    --------
    >>> {name: len(rows) for name, rows in held_out("noise", 32, 0, 8, 8).items()}
    {'train': 16, 'probe_fit': 8, 'probe_score': 8}
    """
    most = pool - probe_fit - probe_score
    if train_size < 0:
        raise ArgumentError(f"train_size {train_size} is negative", "train_size")
    if most < 1 or train_size > most:
        raise ArgumentError(f"{name} has {max(most, 0)} rows for training beside the probe splits "
                            f"({probe_fit} + {probe_score}): train_size {train_size or pool} is too large", "train_size")
    cuts = (probe_fit, probe_score, train_size or most)
    fit, score, train = torch.randperm(pool, generator=stream(split, "splits", pool))[:sum(cuts)].split(cuts)
    return {"train": train, "probe_fit": fit, "probe_score": score}
