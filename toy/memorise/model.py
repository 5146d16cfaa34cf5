"""Memorise or generalise: the same network, structured labels, random labels, or inputs replaced by noise.

Data. An angle θ, uniform on the circle, becomes the point x(θ) of a closed curve in R^d: the harmonics
(cos jθ, sin jθ)/√H, j = 1 … H, rotated into R^d; |x| = 1. Structured labels are the sign of sin(kθ), so that the truth has 2k
regions. Three tasks of n samples each:

``structured``
    the labels as they are: there is something to learn;
``random-labels``
    labels drawn anew: all that can be done is to memorise;
``noise-inputs``
    structured labels, but every input replaced by a random point of the unit sphere, which holds no angle.

Decision regions are counted on the data's curve; for noise inputs on the great circle through two random points. Test error
is that on fresh samples of the same task (chance, where there is nothing to learn).
"""

from dataclasses import dataclass

import numpy as np

from lab.errors import InputError
from lab.streams import generator
from toy.memorise.regions import Regions, follow
from toy.mlp import ADAM, initialise, train

TASKS = ("structured", "random-labels", "noise-inputs")


@dataclass(frozen=True)
class History:
    """What R replicas did.

    Attributes
    ----------
    marks : (T,) epochs of the looks.
    train_error, test_error : (R, T) shares of samples.
    regions : deaths, births and counts of decision regions over the looks.
    loss : (R,) last training loss.
    true_regions : 2k, regions of the structured labels.
    diverged : (R,) bool.
    """

    marks: np.ndarray
    train_error: np.ndarray
    test_error: np.ndarray
    regions: Regions
    loss: np.ndarray
    true_regions: int
    diverged: np.ndarray


def _curve(theta, harmonics):
    j = np.arange(1, harmonics + 1)
    waves = theta[..., None] * j
    return np.concatenate([np.cos(waves), np.sin(waves)], axis=-1) / np.sqrt(harmonics)


def make_data(task: str, samples: int, dim: int = 20, harmonics: int = 8, waves: int = 3, tests: int = 2000,
              points: int = 1024, seed: int = 0, replica: int = 0) -> dict[str, np.ndarray]:
    """Training and test samples of one replica, and the curve on which its regions are counted.

    Parameters
    ----------
    task : one of ``TASKS``.
    samples, tests, points : numbers of training samples, test samples and points of the curve.
    dim, harmonics : d and H, 2H ≤ d.
    waves : k; the truth has 2k regions.
    seed, replica : keys of the streams.

    Returns
    -------
    dict : ``x``, ``y``, ``test_x``, ``test_y``, ``curve``.

    Raises
    ------
    InputError
        For an unknown task or impossible sizes.
    """
    if task not in TASKS:
        raise InputError(f"no task is called {task!r}; there are: {', '.join(TASKS)}")
    if 2 * harmonics > dim or min(harmonics, waves, samples, tests) < 1 or points < 3:
        raise InputError(f"{harmonics} harmonics need a dimension of at least {2 * harmonics}, got {dim}; "
                         "all counts must be at least 1, points at least 3")
    rng, labels = (generator(seed, "memorise", what, replica) for what in ("data", "labels"))
    frame = np.linalg.qr(rng.standard_normal((dim, dim)))[0][:2 * harmonics]
    theta = rng.uniform(0, 2 * np.pi, samples + tests)
    grid = 2 * np.pi * np.arange(points) / points
    x, curve = _curve(theta, harmonics) @ frame, _curve(grid, harmonics) @ frame
    y = (np.sin(waves * theta) > 0).astype(np.int64)
    if task == "random-labels":
        y = labels.integers(0, 2, samples + tests)
    if task == "noise-inputs":
        x = rng.standard_normal((samples + tests, dim))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        plane = np.linalg.qr(x[:2].T)[0]
        curve = np.stack([np.cos(grid), np.sin(grid)], 1) @ plane.T
    return {"x": x[:samples].astype(np.float32), "y": y[:samples], "test_x": x[samples:].astype(np.float32),
            "test_y": y[samples:], "curve": curve.astype(np.float32)}


def simulate(task: str = "structured", width: int = 128, samples: int = 60, replicas: int = 10, seed: int = 0,
             dim: int = 20, harmonics: int = 8, waves: int = 3, epochs: int = 3000, batch: int = 50, rate: float = 3e-3,
             scale: float = 1.0, loss_goal: float = 0.01, looks: int = 40, same_data: bool = False) -> History:
    """Train ``replicas`` networks of one width on one task and watch their decision regions.

    Parameters
    ----------
    task, samples, dim, harmonics, waves : the data, see :func:`make_data`.
    width : hidden units.
    replicas, seed : replica r has data, start and sample order of its own.
    epochs, batch, rate, loss_goal : AdamW with cross-entropy, until an epoch's mean loss is at most ``loss_goal``.
    scale : of the start, relative to He's.
    looks : how often along training, on a logarithmic scale of epochs, regions are counted.
    same_data : all replicas see the data of replica 0 and differ in start and order alone.

    Raises
    ------
    InputError
        For an unknown task or impossible sizes.
    """
    if replicas < 1 or looks < 2 or epochs < 1:
        raise InputError("replicas and epochs must be at least 1, looks at least 2")
    sets = [make_data(task, samples, dim, harmonics, waves, seed=seed, replica=0 if same_data else r)
            for r in range(replicas)]
    x, y, test_x, test_y, curve = (np.stack([s[key] for s in sets]) for key in ("x", "y", "test_x", "test_y", "curve"))
    marks = np.unique(np.concatenate([[0], np.geomspace(1, epochs, looks).round().astype(int)]))
    start = initialise(dim, width, 2, replicas, seed, "memorise", scale=scale)
    done = train(start, x, y, epochs=epochs, batch=batch, rate=rate, optimiser=ADAM, loss_goal=loss_goal, marks=marks,
                 seed=seed, address=("memorise",))
    train_error, test_error = np.empty((2, replicas, marks.size))
    classes = np.empty((replicas, marks.size, curve.shape[1]), dtype=np.int64)
    for t in range(marks.size):
        now = done.at(t)
        train_error[:, t] = np.mean(now(x).argmax(2) != y, axis=1)
        test_error[:, t] = np.mean(now(test_x).argmax(2) != test_y, axis=1)
        classes[:, t] = now(curve).argmax(2)
    last = np.abs(done.epochs) - 1
    return History(marks, train_error, test_error, follow(classes), done.losses[np.arange(replicas), last], 2 * waves,
                   done.diverged)
