"""One-hidden-layer networks on the synthetic data of S1: x ~ N(0, I_d), label = argmax of a random teacher.

The teacher has 32 ReLU units and two outputs, Gaussian weights of variance 2/fan-in and 1/fan-in, no biases. Its classes are
rarely of equal size, and if one holds 90 % of the inputs, a network without any unit is right for 90 %; ``balanced`` moves the
boundary between the teacher's outputs to the median, so that each class holds half of the inputs. Students of m ReLU units are
trained by SGD with momentum on n samples: learning rate 0.01, multiplied by 0.95 per epoch, batches of 128.

Dimension. Data, teacher and starts are Gaussian, and SGD (with momentum) is equivariant under rotations. So rotate the
coordinates such that sample i lies in the span of the first i axes: X = L Q with L lower triangular,

    L_ij ~ N(0, 1) for j < i,    L_ii ~ chi with d - i + 1 degrees of freedom    (Bartlett 1933),

and the rotated weights are Gaussian as before. Training changes only the weights along the first min(n, d) axes, and samples
reach only min(n + test_samples, d) axes: d = 10,000 with n = 1,000 costs as much as d = 1,000, exact in law (derived here). Both
hold for SGD without weight decay, not for Adam.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from lab import checks
from lab.docstrings import arguments_as_in
from lab.errors import InputError
from lab.names import renamed
from lab.results import Results
from lab.streams import generator
from theory.random_units import similar_pair_share
from toy.mlp.kernels import MOMENTUM
from toy.mlp.train import INITIALISATIONS, Networks, initialise, train

TEACHER_UNITS, OUTPUTS = 32, 2


@dataclass(frozen=True)
class Data(Results, axes="x: sample axis; y: sample; test_x: test axis; test_y: test", rows="sample"):
    """Samples in the rotated coordinates.

    Attributes
    ----------
    x : (n, axes) float32 array
        Training inputs; zero beyond the first ``moving`` axes.
    y : (n,) int array
        Training classes, 0 or 1.
    test_x : (test_samples, axes) float32 array
        Held-out inputs.
    test_y : (test_samples,) int array
        Held-out classes.
    dim : int
        Dimension d, of which samples reach ``axes`` and training changes ``moving``.

    Examples
    --------
    >>> data = make_data(dim=1000, samples=5, test_samples=3)
    >>> data.x.shape, data.axes, data.moving
    ((5, 8), 8, 5)
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    dim: int

    @property
    def axes(self) -> int:
        """Coordinates in which some sample is not zero."""
        return self.x.shape[1]

    @property
    def moving(self) -> int:
        """Coordinates in which some training sample is not zero."""
        return min(len(self.x), self.dim)


@dataclass(frozen=True)
class Trained(Results, axes="train_accuracy test_accuracy: replica", picture="test_accuracy"):
    """Students with their data, one per replica, before and after training.

    Attributes
    ----------
    data : (R,) tuple of Data
        Samples of each replica.
    start : toy.mlp.Networks
        Students before training.
    end : toy.mlp.Networks
        Students after training.
    train_accuracy : (R,) float array
        Share of the training samples that are classified correctly.
    test_accuracy : (R,) float array
        The same for held-out samples.

    Examples
    --------
    >>> students = simulate(dim=3, samples=50, width=4, replicas=2, epochs=1, test_samples=40)
    >>> students.end.replicas, students.test_accuracy.shape
    (2, (2,))
    """

    data: tuple[Data, ...]
    start: Networks
    end: Networks
    train_accuracy: np.ndarray
    test_accuracy: np.ndarray


@dataclass(frozen=True)
class Prediction(Results, theory=True):
    """Similar units before training.

    Attributes
    ----------
    pair_share : float in [0, 1]
        Share of pairs of units that are similar.
    similar_per_unit : float ≥ 0
        Units similar to a given one: that share times (width − 1).

    Examples
    --------
    >>> theory = predict(dim=10, width=101)
    >>> round(theory.pair_share, 4), round(theory.similar_per_unit, 2)
    (0.0325, 3.25)
    """

    pair_share: float
    similar_per_unit: float


def triangular_gaussian(rows: int, dim: int, rng: np.random.Generator) -> np.ndarray:
    """``rows`` standard Gaussian points of R^dim up to a rotation, exact in law: (rows, min(rows, dim)) float32."""
    axes = min(rows, dim)
    x = rng.standard_normal((rows, axes), dtype=np.float32)
    x[:axes] = np.tril(x[:axes])
    x[np.arange(axes), np.arange(axes)] = np.sqrt(rng.chisquare(dim - np.arange(axes)))
    return x


def _check_data(dim, samples, test_samples, balanced, seed, replica=0) -> None:
    for name, value, least in (("dim", dim, 1), ("samples", samples, 1), ("test_samples", test_samples, 1),
                               ("replica", replica, 0)):
        checks.whole_number(name, value, least)
    checks.switch("balanced", balanced)
    checks.seed(seed)
    checks.fits_memory(rows=samples + test_samples, coordinates=min(dim, samples + test_samples))


def check(dim, samples, width, init_scale=1.0, init="he", replicas=1, seed=0, first_replica=0, epochs=1, batch_size=128,
          learning_rate=0.01, learning_rate_decay=0.95, momentum=0.9, test_samples=4000, balanced=False) -> None:
    """Refuse arguments that :func:`simulate` cannot take."""
    _check_data(dim, samples, test_samples, balanced, seed)
    for name, value, least in (("first_replica", first_replica, 0), ("width", width, 1), ("replicas", replicas, 1),
                               ("epochs", epochs, 0), ("batch_size", batch_size, 1)):
        checks.whole_number(name, value, least)
    checks.choice("init", init, INITIALISATIONS)
    checks.real_number("init_scale", init_scale, above=0)
    checks.real_number("learning_rate", learning_rate, above=0)
    checks.real_number("learning_rate_decay", learning_rate_decay, above=0, most=1)
    checks.real_number("momentum", momentum, least=0, below=1)
    checks.fits_memory(replicas=replicas, rows=samples + test_samples, coordinates=min(dim, samples + test_samples))
    checks.fits_memory(replicas=replicas, width=width, coordinates=min(dim, samples + test_samples))
    checks.fits_memory(epochs=epochs, samples=samples)


@renamed(tests="test_samples")
def make_data(dim: int = 10, samples: int = 10_000, test_samples: int = 4000, balanced: bool = False, seed: int = 0,
              replica: int = 0) -> Data:
    """Samples and labels of one replica.

    Parameters
    ----------
    dim : int ≥ 1, default 10
        Input dimension d.
    samples : int ≥ 1, default 10,000
        Training samples n.
    test_samples : int ≥ 1, default 4000
        Held-out samples.
    balanced : bool, default False
        Move the teacher's boundary so that the classes are of equal size.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Key of the streams.
    replica : int ≥ 0, default 0
        Number of the replica, which has streams of its own.

    Returns
    -------
    Data
        Samples and labels.

    Raises
    ------
    InputError
        For counts below 1, or arrays that would not fit the memory.

    References
    ----------
    S1's synthetic data; Bartlett (1933) for the triangular factor of Gaussian samples.

    Examples
    --------
    >>> data = make_data(dim=4, samples=6, test_samples=2, balanced=True)
    >>> data.x.shape, int(data.y.sum() + data.test_y.sum())
    ((6, 4), 4)
    """
    _check_data(dim, samples, test_samples, balanced, seed, replica)
    axes = min(dim, samples + test_samples)
    x = triangular_gaussian(samples + test_samples, dim, generator(seed, "units", "data", replica))
    rng = generator(seed, "units", "teacher", replica)
    W = (rng.standard_normal((axes, TEACHER_UNITS)) * math.sqrt(2 / dim)).astype(np.float32)
    V = rng.standard_normal((TEACHER_UNITS, OUTPUTS)) / math.sqrt(TEACHER_UNITS)
    outputs = np.maximum(x @ W, 0) @ V
    margin = outputs[:, 1] - outputs[:, 0]
    y = (margin > (np.median(margin) if balanced else 0)).astype(np.int64)
    return Data(x[:samples], y[:samples], x[samples:], y[samples:], dim)


@renamed(scale="init_scale", rule="init", first="first_replica", batch="batch_size", rate="learning_rate",
         decay="learning_rate_decay", tests="test_samples")
def simulate(dim: int = 10, samples: int = 10_000, width: int = 128, init_scale: float = 1.0, init: str = "he",
             replicas: int = 4, seed: int = 0, first_replica: int = 0, epochs: int = 60, batch_size: int = 128,
             learning_rate: float = 0.01, learning_rate_decay: float = 0.95, momentum: float = 0.9,
             test_samples: int = 4000, balanced: bool = False) -> Trained:
    """Train one student per replica, each with its own data and teacher.

    Parameters
    ----------
    dim : int ≥ 1, default 10
        Input dimension d.
    samples : int ≥ 1, default 10,000
        Training samples n.
    width : int ≥ 1, default 128
        Hidden units m.
    init_scale : float > 0, default 1
        Scale of the initial weights, relative to ``init``.
    init : {"he", "glorot", "lecun"}, default "he"
        Rule of the initial weights, see :func:`toy.mlp.train.initialise`; the fan-in is d.
    replicas : int ≥ 1, default 4
        Students R.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Key of all streams. Students of all widths and scales share data and teacher, and those of one width share their start up
        to its scale, so that differences are paired.
    first_replica : int ≥ 0, default 0
        Number of the first replica in the streams' addresses.
    epochs : int ≥ 0, default 60
        Passes over the samples.
    batch_size : int ≥ 1, default 128
        Samples per step.
    learning_rate : float > 0, default 0.01
        Learning rate of the first epoch.
    learning_rate_decay : float in (0, 1], default 0.95
        Factor of the learning rate per epoch.
    momentum : float in [0, 1), default 0.9
        Momentum of SGD.
    test_samples : int ≥ 1, default 4000
        Held-out samples.
    balanced : bool, default False
        Move the teacher's boundary so that the classes are of equal size.

    Returns
    -------
    Trained
        Students before and after training.

    Raises
    ------
    InputError
        For sizes out of range or beyond the memory, or if training diverged.

    References
    ----------
    The synthetic experiments of S1.

    Examples
    --------
    >>> sizes = dict(dim=3, samples=200, width=16, replicas=1, learning_rate=0.1, test_samples=100, balanced=True)
    >>> for epochs in (0, 20):
    ...     print(epochs, bool(simulate(epochs=epochs, **sizes).test_accuracy[0] > 0.8))
    0 False
    20 True
    """
    check(dim, samples, width, init_scale, init, replicas, seed, first_replica, epochs, batch_size, learning_rate,
          learning_rate_decay, momentum, test_samples, balanced)
    sets, starts, ends, fits, scores = [], [], [], [], []
    for r in range(first_replica, first_replica + replicas):
        data = make_data(dim, samples, test_samples, balanced, seed, r)
        # drawn for the axes that samples reach, scaled as for all d
        gain = {"he": 2 / dim, "glorot": 2 / (dim + width), "lecun": 1 / dim}
        start = initialise(data.axes, width, OUTPUTS, 1, seed, "units", init=init, init_scale=init_scale,
                           first_replica=r)
        seen = {"he": 2 / data.axes, "glorot": 2 / (data.axes + width), "lecun": 1 / data.axes}
        start.parameters(0)[0][:] *= np.float32(math.sqrt(gain[init] / seen[init]))
        moved = train(_axes(start, slice(0, data.moving)), np.ascontiguousarray(data.x[:, :data.moving]), data.y,
                      epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
                      learning_rate_decay=learning_rate_decay, momentum=momentum, optimizer=MOMENTUM, seed=seed,
                      address=("units",), first_replica=r)
        if moved.diverged.any() or not np.all(np.isfinite(moved.flat)):
            raise InputError(f"the student of width {width} and init_scale {init_scale:g} diverged: lower the learning rate")
        end = _joined(start, moved)
        sets.append(data)
        starts.append(start.flat)
        ends.append(end.flat)
        fits.append(np.mean(end(data.x)[0].argmax(1) == data.y))
        scores.append(np.mean(end(data.test_x)[0].argmax(1) == data.test_y))
    shape = Networks(np.concatenate(starts), sets[0].axes, width, OUTPUTS)
    return Trained(tuple(sets), shape, replace(shape, flat=np.concatenate(ends)), np.array(fits), np.array(scores))


@renamed(scale="init_scale", rule="init", batch="batch_size", rate="learning_rate", decay="learning_rate_decay",
         tests="test_samples")
@arguments_as_in(simulate)
def predict(dim: int = 10, *, samples: int = 10_000, width: int = 128, init_scale: float = 1.0, init: str = "he",
            replicas: int = 4, seed: int = 0, epochs: int = 60, batch_size: int = 128, learning_rate: float = 0.01,
            learning_rate_decay: float = 0.95, momentum: float = 0.9, test_samples: int = 4000, balanced: bool = False,
            threshold: float = 0.5) -> Prediction:
    """Similar units of a student before training, and of one that training hardly changes (a large start).

    Theory depends on ``dim``, ``width`` and ``threshold`` only.

    Parameters
    ----------
    threshold : float in (0, 1), default 0.5
        |r| from which two units are similar.

    Returns
    -------
    Prediction
        Share of similar pairs, and similar units per unit.

    Raises
    ------
    InputError
        As :func:`simulate`; for a dimension below 2, or a threshold out of range.

    References
    ----------
    Derived in :mod:`theory.random_units`, from the arc-cosine kernel of Cho & Saul (2009).

    Examples
    --------
    The share does not depend on the width:

    >>> [round(predict(dim=10, width=width).pair_share, 4) for width in (32, 64)]
    [0.0325, 0.0325]
    """
    check(dim, samples, width, init_scale, init, replicas, seed, 0, epochs, batch_size, learning_rate, learning_rate_decay,
          momentum, test_samples, balanced)
    share = similar_pair_share(dim, threshold)
    return Prediction(share, share * (width - 1))


def _axes(networks: Networks, axes: slice) -> Networks:
    """One network, its inputs restricted to some axes."""
    W, b, V, c = networks.parameters(0)
    flat = np.concatenate([W[axes].ravel(), b, V.ravel(), c])[None]
    return Networks(np.ascontiguousarray(flat), len(W[axes]), networks.width, networks.outputs)


def _joined(start: Networks, moved: Networks) -> Networks:
    """The trained network, with its initial weights along the axes that training does not reach."""
    W, b, V, c = moved.parameters(0)
    unmoved = start.parameters(0)[0][len(W):]
    return replace(start, flat=np.concatenate([W.ravel(), unmoved.ravel(), b, V.ravel(), c])[None])
