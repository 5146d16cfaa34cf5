"""The ReLU landscape: Safran and Shamir's shares of spurious runs, and Arjevani and Field's results on its symmetric minima."""

from functools import cache, partial

import numpy as np

from figures.published import Published
from lab.estimate import Estimate, exact, share_interval
from toy.relu_landscape.study import PUBLISHED as SHARES
from toy.relu_landscape.study import PUBLISHED_RUNS

BOUNDED = 1.0  # eigenvalues above it count as growing
SIZES = (16, 32)


def _share(k: int, n: int, frame) -> Estimate | None:
    row = frame[(frame.teacher_width == k) & (frame.width == n) & (frame.method == "gradient-descent")]
    return None if row.empty else share_interval(int(row.spurious.iloc[0]), int(row.share_n.iloc[0]))


def _their_share(value: float, frame) -> Estimate:
    return share_interval(round(value * PUBLISHED_RUNS), PUBLISHED_RUNS)


@cache
def _eigenvalues(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Hessian eigenvalues at the symmetric spurious minimum and at the teacher, ascending."""
    from theory.landscape import hessian, symmetric_minimum

    target = np.eye(k)
    return np.linalg.eigvalsh(hessian(symmetric_minimum(k), target)), np.linalg.eigvalsh(hessian(target, target))


def _doubling(of) -> Estimate:
    """Exponent in k of a number, from 16 to 32."""
    small, large = (of(k) for k in SIZES)
    return exact(float(np.log2(large / small) / np.log2(SIZES[1] / SIZES[0])))


def _large(k: int) -> np.ndarray:
    values = _eigenvalues(k)[0]
    return values[values > BOUNDED]


def _how_many(frame) -> Estimate:
    return _doubling(lambda k: len(_large(k)))


def _how_large(frame) -> Estimate:
    return _doubling(lambda k: np.median(_large(k)))


def _apart(k: int) -> np.ndarray:
    """Distances between the sorted eigenvalues at the two minima."""
    spurious, teacher = _eigenvalues(k)
    return np.abs(spurious - teacher)


def _agreement(frame) -> Estimate:
    return _doubling(lambda k: np.sqrt(np.mean(_apart(k) ** 2)))


def _farthest(frame) -> Estimate:
    return _doubling(lambda k: _apart(k).max())


def _saddles(frame) -> Estimate:
    """The share of symmetric minima, k = 6 to 20, that one additional neuron turns into saddles."""
    from theory.landscape import symmetric_minimum
    from theory.landscape.symmetric import opened

    return exact(float(np.mean([opened(symmetric_minimum(k)) > 0 for k in range(6, 21, 2)])))


_FIELD = "Arjevani & Field 2020, 2021 (arXiv 2008.01805, 2107.10370)"
_ANNIHILATION = "Arjevani & Field 2022 (arXiv 2210.06088)"

PUBLISHED = (
    *(Published(name=f"safran-shamir/k{k}-n{n}", quantity=f"share of runs that end in a spurious minimum, k = {k}, n = {n}",
                value=value, tolerance=0.1, protocol="gradient descent, step 0.1, to a gradient of 1e-9; 1000 runs per setting",
                source="Safran & Shamir 2018 (arXiv 1712.08968)", read="counted in the authors' released runs",
                study="relu-landscape", ours=partial(_share, k, n), theirs=partial(_their_share, value))
      for (k, n), value in SHARES.items()),
    Published(name="symmetric/growing-count", quantity="exponent in k of the number of Hessian eigenvalues that grow with k, the "
              "other k² − O(k) staying bounded", value=1.0, tolerance=0.1,
              protocol="exact, symmetric spurious minima, as k grows", source=_FIELD, read="abstract",
              ours=_how_many, reduced="from k = 16 to 32, one family"),
    Published(name="symmetric/growth", quantity="exponent in k of the eigenvalues that grow", value=1.0, tolerance=0.1,
              protocol="exact, symmetric spurious minima, as k grows", source=_FIELD, read="abstract", ours=_how_large,
              reduced="from k = 16 to 32, one family"),
    Published(name="symmetric/agreement", quantity="exponent in k of the root mean square distance of sorted eigenvalues, "
              "spurious minimum against global", value=-0.5, sense="at most", tolerance=0.1,
              protocol="exact; agreement to O(d^-1/2)", source=_FIELD, read="abstract",
              ours=_agreement, reduced="from k = 16 to 32, one family"),
    Published(name="symmetric/farthest", quantity="the same exponent for the eigenvalue that differs most", value=-0.5,
              sense="at most", tolerance=0.1, protocol="exact; agreement to O(d^-1/2)", source=_FIELD, read="abstract",
              ours=_farthest, reduced="from k = 16 to 32, one family",
              why="one simple eigenvalue stays at .21 where the teacher has .26; the others approach each other as 1/k"),
    Published(name="symmetric/saddles", value=1.0, tolerance=0.01,
              quantity="share of symmetric spurious minima that one additional neuron turns into saddles",
              protocol="exact", source=_ANNIHILATION, read="abstract", ours=_saddles,
              reduced="one family, k = 6 to 20"),
    Published(name="symmetric/less-symmetric", quantity="less symmetric minima need more than one additional neuron",
              value=float("nan"), tolerance=0.0, protocol="exact", source=_ANNIHILATION, read="abstract",
              why="the abstract names no minimum and no number; here, splitting one neuron turns every minimum that training "
                  "reaches into a saddle (table relu-landscape)"),
)
