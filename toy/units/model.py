"""One-hidden-layer networks on the synthetic data of S1: x ~ N(0, I_d), label = argmax of a random teacher.

The teacher has 32 ReLU units and two outputs, Gaussian weights of variance 2/fan-in and 1/fan-in, no biases. Its classes are
seldom of equal size, and where one has 90 % of the inputs a network without any unit predicts 90 % right; ``balanced`` moves
the boundary between the teacher's outputs to the median, so that each class has half of the inputs. Students of m
ReLU units are trained by SGD with momentum on n samples: learning rate 0.01, times 0.95 an epoch, batches of 128.

Dimension. Data, teacher and starts are Gaussian, and SGD (with momentum) turns with the coordinates. So rotate them such
that sample i lies in the span of the first i axes: X = L Q with L lower triangular,

    L_ij ~ N(0, 1) for j < i,    L_ii ~ chi with d - i + 1 degrees of freedom    (Bartlett 1933),

and the rotated weights are Gaussian as before. Training moves the weights along the first min(n, d) axes alone, and only
min(n + test_samples, d) axes are ever seen: the cost of d = 10,000 and n = 1,000 is that of d = 1,000, exact in law (derived
here). Both hold for SGD without weight decay, not for Adam.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from lab import checks
from lab.errors import InputError
from lab.names import renamed
from lab.results import Results
from lab.streams import generator
from theory.random_units import similar_pair_share
from toy.mlp import MOMENTUM, Networks, initialise, train
from toy.mlp.train import INITIALISATIONS

TEACHER_UNITS, OUTPUTS = 32, 2


@dataclass(frozen=True)
class Data(Results, axes="x: sample axis; y: sample; test_x: test axis; test_y: test", rows="sample"):
    """Samples in the rotated coordinates.

    Attributes
    ----------
    x, y : (n, axes) float32 and (n,) classes of the training samples; zero beyond the first ``moving`` axes.
    test_x, test_y : held-out samples.
    dim : d, of which ``axes`` are seen and ``moving`` trained.
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    dim: int

    @property
    def axes(self) -> int:
        """Coordinates that some sample has."""
        return self.x.shape[1]

    @property
    def moving(self) -> int:
        """Coordinates that some training sample has."""
        return min(len(self.x), self.dim)


@dataclass(frozen=True)
class Trained(Results, axes="train_accuracy test_accuracy: replica", picture="test_accuracy"):
    """Students with their data, one a replica, before and after training."""

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
    pair_share : share of similar pairs.
    similar_per_unit : units that are similar to one, that share times (width − 1).
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
    dim, samples, test_samples : d, n and held-out samples.
    balanced : move the teacher's boundary so that the classes are of equal size.
    seed, replica : keys of the streams.

    Raises
    ------
    InputError
        For counts below 1, or more numbers than fit the memory set aside for them (2 GB).
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
    """Train one student a replica, each on data and from a teacher of its own.

    Parameters
    ----------
    dim : int ≥ 1, default 10
        Input dimension d.
    samples : int ≥ 1, default 10,000
        Training samples n.
    width : int ≥ 1, default 128
        Hidden units m.
    init_scale : float > 0, default 1
        Of the start, relative to ``init``.
    init : {"he", "glorot", "lecun"}, default "he"
        Rule of the start, see :func:`toy.mlp.initialise`; fan-in is that of d.
    replicas : int ≥ 1, default 4
        Students.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Students of all widths and scales share data and teacher, and those of one width their start but for its scale, on
        purpose: differences are paired.
    first_replica : int ≥ 0, default 0
        Replica r has the number first_replica + r in all its streams.
    epochs : int ≥ 0, default 60
        Passes over the samples.
    batch_size : int ≥ 1, default 128
        Samples a step.
    learning_rate : float > 0, default 0.01
        Of the first epoch.
    learning_rate_decay : float in (0, 1], default 0.95
        Factor of the learning rate per epoch.
    momentum : float in [0, 1), default 0.9
        Of SGD.
    test_samples : int ≥ 1, default 4000
        Held-out samples.
    balanced : bool, default False
        Move the teacher's boundary so that the classes are of equal size.

    Returns
    -------
    Trained

    Raises
    ------
    InputError
        For impossible sizes, or if a training diverged.
    """
    check(dim, samples, width, init_scale, init, replicas, seed, first_replica, epochs, batch_size, learning_rate,
          learning_rate_decay, momentum, test_samples, balanced)
    sets, starts, ends, fits, scores = [], [], [], [], []
    for r in range(first_replica, first_replica + replicas):
        data = make_data(dim, samples, test_samples, balanced, seed, r)
        # drawn for the axes that are seen, scaled as for all d
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
def predict(dim: int = 10, *, samples: int = 10_000, width: int = 128, init_scale: float = 1.0, init: str = "he",
            replicas: int = 4, seed: int = 0, epochs: int = 60, batch_size: int = 128, learning_rate: float = 0.01,
            learning_rate_decay: float = 0.95, momentum: float = 0.9, test_samples: int = 4000, balanced: bool = False,
            threshold: float = 0.5) -> Prediction:
    """What theory says of a student before training, and of one that training leaves as it started (a large start).

    Parameters
    ----------
    dim, width
        As in :func:`simulate`.
    samples, init_scale, init, replicas, seed, epochs, batch_size, learning_rate, learning_rate_decay, momentum, test_samples, \
balanced
        Of the simulation; theory does not depend on them.
    threshold : float in (0, 1), default 0.5
        Of |r|, from which two units are similar.

    Returns
    -------
    Prediction

    Raises
    ------
    InputError
        As :func:`simulate`; for a dimension below 2, or a threshold out of range.
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
    """The trained network, with the weights of the axes that training does not see as they were."""
    W, b, V, c = moved.parameters(0)
    rest = start.parameters(0)[0][len(W):]
    return replace(start, flat=np.concatenate([W.ravel(), rest.ravel(), b, V.ravel(), c])[None])
