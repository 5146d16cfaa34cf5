"""One-hidden-layer ReLU networks on finite data: initialise, train and evaluate many replicas at once.

The equations are in :mod:`toy.mlp.kernels`. Replicas may share their data or have their own. At every width, each has its own
streams for its start and the order of its samples, so that results do not depend on threads.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lab import checks
from lab.arrays import real
from lab.errors import ArgumentError, InputError
from lab.names import renamed
from lab.results import Results
from lab.streams import generator
from lab.team import Team
from lab.threads import single_threaded_blas
from toy.mlp.kernels import ADAM, CROSS_ENTROPY, MOMENTUM, SQUARED, Loss, Optimizer, outputs_one, train_one

INITIALISATIONS = ("he", "glorot", "lecun")


@dataclass(frozen=True)
class Networks(Results, axes="flat: replica parameter; losses: replica epoch; epochs: replica",
               rows="replica", picture="losses ~ epoch"):
    """Replicas of a network with ``width`` hidden units; called on inputs, they give their outputs.

    Attributes
    ----------
    flat : (R, p) float32 array
        All parameters: W (d, m), b (m,), V (m, k), c (k,) one after the other.
    dim : int
        Input dimension d.
    width : int
        Hidden units m.
    outputs : int
        Outputs k.
    losses : (R, epochs) float array or None
        Mean training loss while each epoch ran, NaN where it did not; None before training.
    epochs : (R,) int array or None
        Epochs that ran, negative if the loss stopped being finite; None before training.
    kept : (R, marks, p) float32 array or None
        Parameters after the marked epochs.

    Examples
    --------
    >>> networks = initialise(dim=3, width=4, outputs=2, replicas=5)
    >>> networks.flat.shape, networks(np.zeros((6, 3))).shape
    ((5, 26), (5, 6, 2))
    """

    flat: np.ndarray
    dim: int
    width: int
    outputs: int
    losses: np.ndarray | None = None
    epochs: np.ndarray | None = None
    kept: np.ndarray | None = None

    @property
    def replicas(self) -> int:
        """Number R of networks."""
        return self.flat.shape[0]

    @property
    def diverged(self) -> np.ndarray:
        """(R,) bool: did training stop because the loss was no longer finite?"""
        return self._trained(self.epochs) < 0

    @property
    def last_losses(self) -> np.ndarray:
        """(R,) mean training loss of the last epoch that ran."""
        last = np.abs(self._trained(self.epochs)) - 1
        return self._trained(self.losses)[np.arange(self.replicas), last]

    def parameters(self, r: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """W, b, V, c of one replica."""
        d, m, k, p = self.dim, self.width, self.outputs, self.flat[r]
        return p[:d * m].reshape(d, m), p[d * m:d * m + m], p[d * m + m:-k].reshape(m, k), p[-k:]

    def at(self, mark: int) -> "Networks":
        """The networks as they were at a mark."""
        return replace(self, flat=np.ascontiguousarray(self._trained(self.kept)[:, mark]), kept=None)

    @staticmethod
    def _trained(values: np.ndarray | None) -> np.ndarray:
        if values is None:
            raise InputError("these networks are not trained, or no marks were kept: call toy.mlp.train first")
        return values

    def hidden(self, r: int, x: np.ndarray) -> np.ndarray:
        """(n, m) hidden activations of one replica."""
        W, b, _, _ = self.parameters(r)
        return np.maximum(np.asarray(real(x, "inputs"), dtype=np.float32) @ W + b, 0)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Outputs (R, n, k) for inputs (n, d), or (R, n, d) with one set per replica."""
        x = _inputs(x, self.replicas)
        if x.shape[2] != self.dim:
            raise InputError(f"the networks take inputs of dimension {self.dim}, got {x.shape[2]}")
        out = np.empty((self.replicas, x.shape[1], self.outputs), dtype=np.float32)
        _each_replica(lambda r, _: outputs_one(_own(x, r), self.flat[r], self.width, self.outputs, out[r]), self.replicas)
        return out


def _own(data: np.ndarray, r: int) -> np.ndarray:
    """The data of replica r in data of shape (1 or R, …)."""
    return data[r if len(data) > 1 else 0]


def _each_replica(work: Callable[[int, np.ndarray], None], replicas: int) -> None:
    """``work(r, stop)`` for every replica, on as many threads as Numba would use; ``stop`` as in :class:`lab.team.Team`."""
    with single_threaded_blas(), Team() as team:  # threads of BLAS would fight with those of the team over the cores
        team.run(lambda r: work(r, team.stop), range(replicas))


def _inputs(x, replicas) -> np.ndarray:
    x = np.ascontiguousarray(real(x, "inputs"), dtype=np.float32)
    x = x[None] if x.ndim == 2 else x
    if x.ndim != 3 or x.shape[0] not in (1, replicas) or 0 in x.shape:
        raise InputError(f"inputs must be (n, d) or ({replicas}, n, d), got shape {x.shape}")
    if not np.all(np.isfinite(x)):
        raise InputError("inputs must be finite; found NaN or infinite values")
    return x


@renamed(rule="init", scale="init_scale", first="first_replica")
def initialise(dim: int, width: int, outputs: int, replicas: int, seed: int = 0, *address, init: str = "he",
               init_scale: float = 1.0, first_replica: int = 0) -> Networks:
    """Gaussian starts with zero biases.

    Parameters
    ----------
    dim : int ≥ 1
        Input dimension d.
    width : int ≥ 1
        Hidden units m.
    outputs : int ≥ 1
        Outputs k.
    replicas : int ≥ 1
        Networks R.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r draws from the stream (seed, *address, "weights", width, first_replica + r), so that widths are
        independent; starts that differ only in ``init`` and ``init_scale`` are multiples of each other.
    *address : str or int
        Purpose of the networks, as part of their streams' addresses.
    init : {"he", "glorot", "lecun"}, default "he"
        Variance of a layer's weights: 2/fan-in, 2/(fan-in + fan-out), 1/fan-in.
    init_scale : float > 0, default 1
        Multiplies all weights.
    first_replica : int ≥ 0, default 0
        Number of the first replica.

    Returns
    -------
    Networks
        Untrained.

    Raises
    ------
    InputError
        For counts below 1, an unknown rule or a scale that is not positive.

    References
    ----------
    He et al. (2015), arXiv 1502.01852; Glorot & Bengio (2010), AISTATS; LeCun et al. (1998), Efficient BackProp.

    Examples
    --------
    >>> W, b, V, c = initialise(2, 3, 1, replicas=1).parameters(0)
    >>> W.shape, b, V.shape, c
    ((2, 3), array([0., 0., 0.], dtype=float32), (3, 1), array([0.], dtype=float32))
    """
    for name, value in (("dim", dim), ("width", width), ("outputs", outputs), ("replicas", replicas)):
        checks.whole_number(name, value)
    checks.choice("init", init, INITIALISATIONS)
    checks.real_number("init_scale", init_scale, above=0)
    flat = np.zeros((replicas, dim * width + width + width * outputs + outputs), dtype=np.float32)
    for r in range(replicas):
        rng = generator(seed, *address, "weights", width, first_replica + r)
        for begin, fan_in, fan_out in ((0, dim, width), (dim * width + width, width, outputs)):
            variance = {"he": 2 / fan_in, "glorot": 2 / (fan_in + fan_out), "lecun": 1 / fan_in}[init]
            flat[r, begin:begin + fan_in * fan_out] = (init_scale * math.sqrt(variance)
                                                       * rng.standard_normal(fan_in * fan_out, dtype=np.float32))
    return Networks(flat, dim, width, outputs)


@renamed(batch="batch_size", rate="learning_rate", decay="learning_rate_decay", optimiser="optimizer", loss_goal="target_loss",
         first="first_replica")
def train(networks: Networks, x: np.ndarray, y: np.ndarray, *, epochs: int, batch_size: int = 128,
          learning_rate: float = 0.01, learning_rate_decay: float = 1.0, momentum: float = 0.9, weight_decay: float = 0.0,
          optimizer: Optimizer = MOMENTUM, loss: Loss = CROSS_ENTROPY, train_first_layer: bool = True,
          target_loss: float = -math.inf, marks: Sequence[int] = (), seed: int = 0, address: tuple = (),
          first_replica: int = 0) -> Networks:
    """Train all replicas; the given networks are not changed.

    Parameters
    ----------
    networks : Networks
        Networks at the start of training.
    x : (n, d) or (R, n, d) array
        Inputs, shared by all replicas or one set per replica.
    y : (n,) or (R, n) int array, or (n, k) or (R, n, k) float array
        Classes 0 … k − 1 for cross-entropy, targets for the squared loss.
    epochs : int ≥ 0
        Passes over the data.
    batch_size : int ≥ 1, default 128
        Samples per step.
    learning_rate : float > 0, default 0.01
        Learning rate of the first epoch.
    learning_rate_decay : float > 0, default 1
        Factor of the learning rate per epoch.
    momentum : float in [0, 1), default 0.9
        Momentum of SGD; ``ADAM`` ignores it.
    weight_decay : float ≥ 0, default 0
        Weight decay, decoupled for ``ADAM``.
    optimizer : {MOMENTUM, ADAM}, default MOMENTUM
        SGD with momentum, or AdamW.
    loss : {CROSS_ENTROPY, SQUARED}, default CROSS_ENTROPY
        Loss that is minimised.
    train_first_layer : bool, default True
        False leaves W and b at their start (random features).
    target_loss : float, default −inf
        An epoch whose mean loss is at most this is the last.
    marks : increasing ints in 0 … epochs, default ()
        Epochs after which parameters are kept (0: the start).
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r orders its samples by the stream (seed, *address, "order", width, first_replica + r).
    address : tuple of str or int, default ()
        Purpose of the networks, as part of their streams' addresses.
    first_replica : int ≥ 0, default 0
        Number of the first replica.

    Returns
    -------
    Networks
        Trained, with their losses.

    Raises
    ------
    InputError
        For shapes that do not fit, classes out of range, values that are not finite.

    References
    ----------
    ``ADAM``: Kingma & Ba (2015), arXiv 1412.6980, with decoupled weight decay by Loshchilov & Hutter (2019), arXiv 1711.05101.

    Examples
    --------
    >>> x = np.array([[-1.0], [1.0]])
    >>> start = initialise(dim=1, width=8, outputs=2, replicas=3)
    >>> done = train(start, x, np.array([0, 1]), epochs=200, learning_rate=0.1)
    >>> done(x).argmax(axis=2)
    array([[0, 1],
           [0, 1],
           [0, 1]])
    """
    R, k = networks.replicas, networks.outputs
    x = _inputs(x, R)
    if x.shape[2] != networks.dim:
        raise InputError(f"the networks take inputs of dimension {networks.dim}, got {x.shape[2]}")
    n = x.shape[1]
    target, label = _targets(y, loss, R, n, k)
    if optimizer not in (MOMENTUM, ADAM):
        raise InputError("optimizer must be MOMENTUM or ADAM")
    checks.whole_number("epochs", epochs, 0)
    checks.whole_number("batch_size", batch_size)
    checks.real_number("learning_rate", learning_rate, above=0)
    checks.real_number("learning_rate_decay", learning_rate_decay, above=0)
    checks.real_number("momentum", momentum, least=0, below=1)
    checks.real_number("weight_decay", weight_decay, least=0)
    batch_size = min(batch_size, n)
    looks = np.asarray(marks, dtype=np.int64)
    if np.any(np.diff(looks) < 0) or np.any(looks < 0) or np.any(looks > epochs):
        raise ArgumentError(f"marks must be increasing epochs from 0 to {epochs}")
    order = np.empty((R, epochs, n), dtype=np.int32)
    for r in range(R):
        rng = generator(seed, *address, "order", networks.width, first_replica + r)
        for epoch in range(epochs):
            order[r, epoch] = rng.permutation(n)
    flat = networks.flat.copy()
    kept = np.zeros((R, looks.size, flat.shape[1]), dtype=np.float32)
    losses, ran = np.empty((R, epochs)), np.zeros(R, dtype=np.int64)
    frozen = 0 if train_first_layer else networks.dim * networks.width + networks.width
    f4 = np.float32

    def one(r, stop):
        ran[r] = train_one(_own(x, r), _own(target, r), _own(label, r), flat[r], frozen, order[r], batch_size, networks.width,
                           k, int(loss), int(optimizer), f4(learning_rate), f4(learning_rate_decay), f4(momentum),
                           f4(weight_decay), looks, kept[r], losses[r], float(target_loss), stop)

    _each_replica(one, R)
    return replace(networks, flat=flat, losses=losses, epochs=ran, kept=kept if looks.size else None)


def _targets(y, loss: int, R: int, n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Targets (1 or R, n, k) float32 and classes (1 or R, n); the kernel reads one of them, the other is a placeholder."""
    target, label = np.zeros((1, 1, k), np.float32), np.zeros((1, 1), np.int64)
    if loss == CROSS_ENTROPY:
        label = np.ascontiguousarray(y, dtype=np.int64)
        label = label[None] if label.ndim == 1 else label
        if label.shape not in ((1, n), (R, n)):
            raise InputError(f"labels must be ({n},) or ({R}, {n}), got shape {np.shape(y)}")
        if label.min() < 0 or label.max() >= k:
            raise InputError(f"labels must be classes 0 to {k - 1}, got {label.min()} to {label.max()}")
    elif loss == SQUARED:
        target = np.ascontiguousarray(y, dtype=np.float32)
        target = target[None] if target.ndim == 2 else target
        if target.shape not in ((1, n, k), (R, n, k)) or not np.all(np.isfinite(target)):
            raise InputError(f"targets must be finite and ({n}, {k}) or ({R}, {n}, {k}), got shape {np.shape(y)}")
    else:
        raise ArgumentError("loss must be CROSS_ENTROPY or SQUARED")
    return target, label
