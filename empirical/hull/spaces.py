"""Where hulls are taken: pixels, wavelet coefficients, principal components, features of trained networks.

All spaces are float32 matrices with one row for each image. A complete orthonormal wavelet transform is a rotation and would
give the same distances as pixels. So the wavelet space keeps only the coefficients of largest variance on the training rows (as
selections in the literature do), enough for ``WAVELET_SHARE`` of all variance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lab.errors import ArgumentError, InputError

if TYPE_CHECKING:
    from empirical.data import Dataset
    from empirical.models import Stack

WAVELET_SHARE = 0.99


@dataclass(frozen=True)
class Space:
    """Points (the training rows) and queries (the test rows) of one space.

    Attributes
    ----------
    points : ndarray
        float32 (n, d).
    queries : ndarray
        float32 (m, d).
    point_labels : ndarray
        int64 (n,).
    query_labels : ndarray
        int64 (m,).
    name : str
        Name of the result.
    facts : dict
        Shape of the images, share of variance kept, ...
    wrong : ndarray or None
        bool (m,), which queries the network misclassifies; None without a network.

    Examples
    --------
    >>> zero = np.zeros(2, int)
    >>> Space(np.zeros((2, 3)), np.ones((2, 3)), zero, zero, "pixels", {}).points.shape
    (2, 3)
    """

    points: np.ndarray
    queries: np.ndarray
    point_labels: np.ndarray
    query_labels: np.ndarray
    name: str
    facts: dict[str, Any]
    wrong: np.ndarray | None = None


def pixels(data: "Dataset", *, own: bool = False) -> Space:
    """All training rows and all test rows as pixels in [0, 1]; probe splits are training rows here, since nothing is fitted.

    Parameters
    ----------
    data : Dataset
        Images, or numbers of any shape, which are used unchanged.
    own : bool
        Whether to take only the training split, the rows that a network has seen.

    Returns
    -------
    Space
        With one dimension for each pixel and channel.

    Raises
    ------
    InputError
        If the data are sentences.

    Examples
    --------
    >>> from empirical.tiny import noise
    >>> space = pixels(noise(rows=40))
    >>> space.points.shape, space.queries.shape
    ((32, 3), (8, 3))
    """
    if data.is_text:
        raise InputError(f"{data.name} has no pixels: choose images, or a site of a network")
    test = data.splits["test"].cpu().numpy()
    train = data.splits["train"].cpu().numpy() if own else np.setdiff1d(np.arange(len(data.labels)), test)
    images = data.inputs.cpu().numpy().reshape(len(data.labels), -1)
    labels = data.labels.cpu().numpy()
    scale = np.float32(1 / data.scale)
    return Space(images[train] * scale, images[test] * scale, labels[train], labels[test], "pixels",
                 {"image_shape": list(data.inputs.shape[1:])})


def _transform(flat: np.ndarray, shape: Sequence[int], wavelet: str) -> np.ndarray:
    """Periodic two-dimensional transform of each channel, as deep as the sides stay whole numbers, flattened to rows."""
    import pywt

    level = pywt.dwt_max_level(min(shape[1:]), pywt.Wavelet(wavelet).dec_len)
    while level and any(side % 2**level for side in shape[1:]):
        level -= 1
    parts = pywt.wavedec2(flat.reshape(-1, *shape), wavelet, mode="periodization", level=level, axes=(2, 3))
    blocks = [parts[0], *(block for detail in parts[1:] for block in detail)]
    return np.concatenate([b.reshape(len(flat), -1) for b in blocks], axis=1).astype(np.float32, copy=False)


def refuse_wavelet(wavelet: str) -> None:
    """Raise an ArgumentError if PyWavelets does not know the wavelet."""
    import pywt

    known = pywt.wavelist(kind="discrete")
    if wavelet not in known:
        raise ArgumentError(f"unknown wavelet {wavelet!r}: PyWavelets has {', '.join(known[:8])}, ...")


def wavelets(space: Space, wavelet: str = "haar", share: float = WAVELET_SHARE) -> Space:
    """The wavelet coefficients of largest training variance that together hold ``share`` of it.

    Parameters
    ----------
    space : Space
        Space of pixels.
    wavelet : str
        Wavelet, as named by PyWavelets.
    share : float
        Share of the training variance in (0, 1]; 1 keeps all coefficients.

    Returns
    -------
    Space
        With the coefficients that are kept.

    Raises
    ------
    ArgumentError
        If PyWavelets does not know the wavelet.

    Examples
    --------
    >>> images, labels = np.random.default_rng(0).random((6, 16)).astype(np.float32), np.zeros(6, int)
    >>> space = Space(images[:4], images[4:], labels[:4], labels[4:], "pixels", {"image_shape": [1, 4, 4]})
    >>> wavelets(space, share=1.0).points.shape, wavelets(space, share=0.5).points.shape[1] < 16
    ((4, 16), True)
    """
    refuse_wavelet(wavelet)
    shape = space.facts["image_shape"]
    points, queries = (np.concatenate([_transform(part, shape, wavelet) for part in
                                       np.array_split(x, max(1, len(x) // 4096))]) for x in (space.points, space.queries))
    variance = points.var(axis=0, dtype=np.float64)
    order = np.argsort(-variance, kind="stable")
    held = np.cumsum(variance[order]) / variance.sum()
    keep = np.sort(order[:len(order) if share >= 1 else int(np.searchsorted(held, share)) + 1])
    return Space(np.ascontiguousarray(points[:, keep]), np.ascontiguousarray(queries[:, keep]), space.point_labels,
                 space.query_labels, f"wavelets ({wavelet})", {"wavelet": wavelet, "share": share}, space.wrong)


def components(space: Space, dim: int) -> Space:
    """The first ``dim`` principal components of the points, and the queries in the same coordinates.

    Parameters
    ----------
    space : Space
        Any space.
    dim : int
        Number of components.

    Returns
    -------
    Space
        Of ``dim`` dimensions.

    Raises
    ------
    ArgumentError
        If the space has fewer dimensions, or there are fewer points.

    Examples
    --------
    >>> from empirical.tiny import noise
    >>> components(pixels(noise()), 2).points.shape
    (32, 2)
    """
    n, d = space.points.shape
    if not 1 <= dim <= min(d, n - 1):
        raise ArgumentError(f"dim {dim}: there are at most {min(d, n - 1)} principal components of {n} points in dimension {d}",
                            "dim")
    mean = space.points.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((d, d))
    for part in np.array_split(space.points, max(1, n // 4096)):
        centred = part - mean
        covariance += centred.T @ centred
    values, vectors = np.linalg.eigh(covariance)
    basis = vectors[:, ::-1][:, :dim]

    def project(x: np.ndarray) -> np.ndarray:
        parts = np.array_split(x, max(1, len(x) // 4096))
        return np.concatenate([(part - mean) @ basis for part in parts]).astype(np.float32)

    held = float(values[::-1][:dim].sum() / values.sum())
    return Space(project(space.points), project(space.queries), space.point_labels, space.query_labels,
                 f"{space.name}, {dim} principal components", {**space.facts, "variance_held": held}, space.wrong)


def features(model: "Stack", data: "Dataset", site: str, batch: int = 1024) -> Space:
    """Features of one trained network at a site: its training rows and the test rows.

    Parameters
    ----------
    model : Stack
        A stack of one, in evaluation mode, on the data's device.
    data : Dataset
        Data set that the network was trained on.
    site : str
        Site where features are read.
    batch : int
        Rows at a time.

    Returns
    -------
    Space
        With one dimension for each feature, and ``wrong``.

    Raises
    ------
    ArgumentError
        If the network has no such site.

    Examples
    --------
    >>> from empirical.tiny import noise, start
    >>> data = noise(rows=40)
    >>> features(start(data, width=4), data, "penultimate").points.shape
    (16, 4)
    """
    import torch

    if site not in model.sites:
        raise ArgumentError(f"unknown site {site!r}: this network has {', '.join(model.sites)}")
    values, wrong = {}, []
    with torch.inference_mode():
        for split in ("train", "test"):
            rows = []
            for part in data.splits[split].split(batch):
                taps: dict = {}
                logits = model(data.batch(part).unsqueeze(0), taps)
                rows.append(taps[site][0].float().cpu().numpy())
                if split == "test":
                    wrong.append((logits[0].argmax(-1) != data.labels[part]).cpu().numpy())
            values[split] = np.concatenate(rows)
    labels = {split: data.labels[data.splits[split]].cpu().numpy() for split in values}
    return Space(values["train"], values["test"], labels["train"], labels["test"], site, {}, np.concatenate(wrong))
