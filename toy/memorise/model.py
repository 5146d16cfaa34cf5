"""Memorise or generalise: the same network, structured labels, random labels, or inputs replaced by noise.

Data. An angle θ, uniform on the circle, becomes the point x(θ) of a closed curve in R^d: the harmonics
(cos jθ, sin jθ)/√H, j = 1 … H, rotated into R^d; |x| = 1. Structured labels are the sign of sin(kθ), so that the truth has 2k
regions. Three tasks of n samples each:

``structured``
    the labels as they are, which can be learnt;
``random-labels``
    labels redrawn at random, so that a network can only memorise; ``label_noise`` redraws a share of the structured labels;
``noise-inputs``
    structured labels, but every input replaced by a random point of the unit sphere, which carries no information on θ.

Decision regions are counted along the data's curve; for noise inputs along the great circle through two random points. The test
error is measured on fresh samples of the same task (chance level where there is nothing to learn). The setting follows S2's
discussion of memorising and generalising networks.
"""

from dataclasses import dataclass

import numpy as np

from lab import checks
from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError
from lab.names import Keyed, renamed
from lab.results import Results
from lab.streams import generator
from theory.memorising import class_changes
from theory.regions import Regions, follow
from toy.memorise import TASKS
from toy.mlp.kernels import ADAM
from toy.mlp.train import initialise, train


@dataclass(frozen=True)
class Data(Keyed, Results, axes="x: sample axis; y: sample; test_x: test axis; test_y: test; curve: point axis", rows="sample"):
    """Training and test samples of one replica, and the curve on which its regions are counted.

    Attributes
    ----------
    x : (samples, d) float32 array
        Training inputs, of unit length.
    y : (samples,) int array
        Training labels, 0 or 1.
    test_x : (test_samples, d) float32 array
        Test inputs.
    test_y : (test_samples,) int array
        Test labels.
    curve : (points, d) float32 array
        Points around a closed curve.

    Examples
    --------
    >>> data = make_data("structured", samples=5, test_samples=3, points=8)
    >>> data.x.shape, data.test_x.shape, data.curve.shape
    ((5, 20), (3, 20), (8, 20))
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    curve: np.ndarray


@dataclass(frozen=True)
class History(Results, axes="marks: look; train_error test_error: replica look; loss diverged: replica", rows="replica look",
              picture="train_error test_error ~ marks"):
    """Errors and decision regions of R replicas at T looks along training.

    Attributes
    ----------
    marks : (T,) int array
        Epochs of the looks.
    train_error : (R, T) float array
        Share of the training samples that are misclassified.
    test_error : (R, T) float array
        Share of the test samples that are misclassified.
    regions : Regions
        Counts, deaths and births of decision regions.
    loss : (R,) float array
        Mean training loss of the last epoch.
    true_regions : int
        Regions of the structured labels, 2k.
    diverged : (R,) bool array
        Whether training stopped because the loss was no longer finite.

    Examples
    --------
    >>> history = simulate(width=4, samples=10, replicas=2, epochs=3, looks=2)
    >>> history.marks, history.train_error.shape, history.true_regions
    (array([0, 1, 3]), (2, 3), 6)
    """

    marks: np.ndarray
    train_error: np.ndarray
    test_error: np.ndarray
    regions: Regions
    loss: np.ndarray
    true_regions: int
    diverged: np.ndarray


@dataclass(frozen=True)
class Prediction(Results, theory=True):
    """Bounds for any classifier that fits its samples; the course of training has no closed form.

    Attributes
    ----------
    least_changes : float or None
        Least expected number of changes of class around the curve; None for noise inputs, which do not lie on it.
    test_error : float
        Least expected test error.

    Examples
    --------
    >>> predict("random-labels", samples=60).least_changes
    30.0
    """

    least_changes: float | None
    test_error: float


def _curve(theta, harmonics):
    j = np.arange(1, harmonics + 1)
    waves = theta[..., None] * j
    return np.concatenate([np.cos(waves), np.sin(waves)], axis=-1) / np.sqrt(harmonics)


def _check_data(task, samples, dim, harmonics, waves, test_samples, points, seed, replica=0, label_noise=0.0) -> None:
    checks.choice("task", task, TASKS)
    for name, value, least in (("samples", samples, 1), ("dim", dim, 2), ("harmonics", harmonics, 1), ("waves", waves, 1),
                               ("test_samples", test_samples, 1), ("points", points, 3), ("replica", replica, 0)):
        checks.whole_number(name, value, least)
    checks.seed(seed)
    if checks.real_number("label_noise", label_noise, least=0, most=1) and task == "random-labels":
        raise ArgumentError("random labels are random already: leave label_noise at 0", "label_noise", "task")
    if 2 * harmonics > dim:
        raise ArgumentError(f"{harmonics} harmonics need a dim of at least {2 * harmonics}, got {dim}", "dim")
    checks.fits_memory(rows=samples + test_samples + points, dim=dim)
    checks.fits_memory(dim=dim, columns=dim)


def check(task, width, samples, replicas, seed=0, dim=20, harmonics=8, waves=3, epochs=3000, batch_size=50, learning_rate=3e-3,
          init_scale=1.0, target_loss=0.01, looks=40, same_data=False, label_noise=0.0, test_samples=2000, points=1024) -> None:
    """Refuse arguments that :func:`simulate` cannot take."""
    _check_data(task, samples, dim, harmonics, waves, test_samples, points, seed, label_noise=label_noise)
    for name, value, least in (("width", width, 1), ("replicas", replicas, 1), ("epochs", epochs, 1),
                               ("batch_size", batch_size, 1), ("looks", looks, 2)):
        checks.whole_number(name, value, least)
    checks.real_number("learning_rate", learning_rate, above=0)
    checks.real_number("init_scale", init_scale, above=0)
    checks.real_number("target_loss", target_loss, least=0)
    checks.switch("same_data", same_data)
    checks.fits_memory(replicas=replicas, rows=samples + test_samples + points, dim=dim)
    checks.fits_memory(replicas=replicas, looks=looks, width=width, dim=dim + 3)
    checks.fits_memory(replicas=replicas, epochs=epochs, samples=samples)


@renamed(tests="test_samples")
def make_data(task: str, samples: int, dim: int = 20, harmonics: int = 8, waves: int = 3, test_samples: int = 2000,
              points: int = 1024, seed: int = 0, replica: int = 0, label_noise: float = 0.0) -> Data:
    """Training and test samples of one replica, and the curve on which its regions are counted.

    Parameters
    ----------
    task : {"structured", "random-labels", "noise-inputs"}
        Kind of data, see the module.
    samples : int ≥ 1
        Training samples.
    dim : int ≥ 2 ``harmonics``, default 20
        Input dimension d.
    harmonics : int ≥ 1, default 8
        Harmonics H of the data's curve.
    waves : int ≥ 1, default 3
        Waves k of the labels; the truth has 2k regions.
    test_samples : int ≥ 1, default 2000
        Test samples.
    points : int ≥ 3, default 1024
        Points of the curve.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Key of the streams.
    replica : int ≥ 0, default 0
        Number of the replica, which has streams of its own.
    label_noise : float in [0, 1], default 0
        Share of the labels that are redrawn; a larger share redraws those of a smaller one, too.

    Returns
    -------
    Data
        Samples and curve. (Fields can also be read by key: earlier versions returned a dictionary.)

    Raises
    ------
    InputError
        For an unknown task, or sizes out of range or beyond the memory.

    References
    ----------
    Constructed here, after S2's discussion; see the docstring of :mod:`toy.memorise.model`.

    Examples
    --------
    >>> make_data("structured", samples=6, test_samples=1, points=3).y
    array([1, 1, 0, 0, 1, 0])
    """
    _check_data(task, samples, dim, harmonics, waves, test_samples, points, seed, replica, label_noise)
    rng, labels = (generator(seed, "memorise", what, replica) for what in ("data", "labels"))
    frame = np.linalg.qr(rng.standard_normal((dim, dim)))[0][:2 * harmonics]
    theta = rng.uniform(0, 2 * np.pi, samples + test_samples)
    grid = 2 * np.pi * np.arange(points) / points
    x, curve = _curve(theta, harmonics) @ frame, _curve(grid, harmonics) @ frame
    y = (np.sin(waves * theta) > 0).astype(np.int64)
    if task == "random-labels" or label_noise:
        drawn = labels.integers(0, 2, samples + test_samples)
        y = drawn if not label_noise else np.where(labels.random(samples + test_samples) < label_noise, drawn, y)
    if task == "noise-inputs":
        x = rng.standard_normal((samples + test_samples, dim))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        plane = np.linalg.qr(x[:2].T)[0]
        curve = np.stack([np.cos(grid), np.sin(grid)], 1) @ plane.T
    return Data(x[:samples].astype(np.float32), y[:samples], x[samples:].astype(np.float32), y[samples:],
                curve.astype(np.float32))


@renamed(batch="batch_size", rate="learning_rate", scale="init_scale", loss_goal="target_loss")
def simulate(task: str = "structured", width: int = 128, samples: int = 60, replicas: int = 10, seed: int = 0,
             dim: int = 20, harmonics: int = 8, waves: int = 3, epochs: int = 3000, batch_size: int = 50,
             learning_rate: float = 3e-3, init_scale: float = 1.0, target_loss: float = 0.01, looks: int = 40,
             same_data: bool = False, label_noise: float = 0.0) -> History:
    """Train ``replicas`` networks of one width on one task and follow their decision regions.

    Parameters
    ----------
    task : {"structured", "random-labels", "noise-inputs"}, default "structured"
        Kind of data, see the module.
    width : int ≥ 1, default 128
        Hidden units.
    samples : int ≥ 1, default 60
        Training samples.
    replicas : int ≥ 1, default 10
        Networks R.
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Replica r has data, start and sample order from streams of its own.
    dim : int ≥ 2 ``harmonics``, default 20
        Input dimension d.
    harmonics : int ≥ 1, default 8
        Harmonics H of the data's curve.
    waves : int ≥ 1, default 3
        Waves k of the labels; the truth has 2k regions.
    epochs : int ≥ 1, default 3000
        Largest number of passes over the data.
    batch_size : int ≥ 1, default 50
        Samples per step.
    learning_rate : float > 0, default 3e-3
        Learning rate of AdamW.
    init_scale : float > 0, default 1
        Scale of the initial weights, relative to He's rule.
    target_loss : float ≥ 0, default 0.01
        An epoch whose mean cross-entropy is at most this is the last.
    looks : int ≥ 2, default 40
        Looks at the networks, evenly spaced in the logarithm of the epochs; looks that fall on one epoch count once.
    same_data : bool, default False
        Give all replicas the data of replica 0, so that they differ in start and order only.
    label_noise : float in [0, 1], default 0
        Share of the training and test labels that are redrawn at random.

    Returns
    -------
    History
        Errors and regions along training.

    Raises
    ------
    InputError
        For an unknown task, or sizes out of range or beyond the memory.

    References
    ----------
    S2's discussion; the setting is described in the docstring of :mod:`toy.memorise.model`.

    Examples
    --------
    >>> history = simulate(width=16, samples=20, replicas=2, epochs=40, learning_rate=0.02, looks=3)
    >>> history.train_error[:, -1] < history.train_error[:, 0]
    array([ True,  True])
    """
    check(task, width, samples, replicas, seed, dim, harmonics, waves, epochs, batch_size, learning_rate, init_scale, target_loss,
          looks, same_data, label_noise)
    sets = [make_data(task, samples, dim, harmonics, waves, seed=seed, replica=0 if same_data else r, label_noise=label_noise)
            for r in range(replicas)]
    x, y, test_x, test_y, curve = (np.stack([getattr(s, name) for s in sets])
                                   for name in ("x", "y", "test_x", "test_y", "curve"))
    marks = np.unique(np.concatenate([[0], np.geomspace(1, epochs, looks).round().astype(int)]))
    start = initialise(dim, width, 2, replicas, seed, "memorise", init_scale=init_scale)
    done = train(start, x, y, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, optimizer=ADAM,
                 target_loss=target_loss, marks=marks, seed=seed, address=("memorise",))
    train_error, test_error = np.empty((2, replicas, marks.size))
    classes = np.empty((replicas, marks.size, curve.shape[1]), dtype=np.int64)
    for t in range(marks.size):
        now = done.at(t)
        train_error[:, t] = np.mean(now(x).argmax(2) != y, axis=1)
        test_error[:, t] = np.mean(now(test_x).argmax(2) != test_y, axis=1)
        classes[:, t] = now(curve).argmax(2)
    return History(marks, train_error, test_error, follow(classes), done.last_losses, 2 * waves, done.diverged)


@arguments_as_in(simulate)
def predict(task: str = "structured", width: int = 128, samples: int = 60, replicas: int = 10, seed: int = 0,
            dim: int = 20, harmonics: int = 8, waves: int = 3, epochs: int = 3000, batch_size: int = 50,
            learning_rate: float = 3e-3, init_scale: float = 1.0, target_loss: float = 0.01, looks: int = 40,
            same_data: bool = False, label_noise: float = 0.0) -> Prediction:
    """Least number of class changes, and least test error, of any classifier that fits such samples.

    Parameters
    ----------
    seed : int in 0 … 2⁶⁴ − 1, default 0
        Not used: theory does not depend on it. Task, samples, waves and label noise decide.

    Returns
    -------
    Prediction
        Bounds by :mod:`theory.memorising`.

    Raises
    ------
    InputError
        As :func:`simulate`.

    References
    ----------
    Derived in :mod:`theory.memorising`.

    Examples
    --------
    >>> theory = predict("structured", label_noise=0.2)
    >>> round(theory.least_changes, 2), theory.test_error
    (14.64, 0.1)
    """
    check(task, width, samples, replicas, seed, dim, harmonics, waves, epochs, batch_size, learning_rate, init_scale, target_loss,
          looks, same_data, label_noise)
    noise = 1.0 if task == "random-labels" else label_noise
    on_curve = task != "noise-inputs"
    return Prediction(class_changes(samples, waves, noise) if on_curve else None, noise / 2 if on_curve else 0.5)
