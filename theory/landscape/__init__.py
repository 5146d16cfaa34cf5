"""The loss landscape of ReLU teacher-student networks, in closed form.

Setting: x ~ N(0, I_d); student sum_{i<=n} relu(w_i.x), teacher sum_{j<=k} relu(v_j.x), output weights 1 (ReLU units are
positively homogeneous: a positive output weight is a longer w). Half the mean squared error is

    F(W) = 1/2 sum_ij f(w_i, w_j) - sum_ij f(w_i, v_j) + 1/2 sum_ij f(v_i, v_j),
    f(w, v) = <relu(w.x) relu(v.x)> = |w||v| [sin(theta) + (pi - theta) cos(theta)] / 2pi,   theta the angle of w and v.

Gradient, with w^ = w/|w|:            grad_i = w_i/2 + sum_{j != i} g(w_i, w_j) - sum_j g(w_i, v_j),
                                      g(w, v) = [ |v| sin(theta) w^ + (pi - theta) v ] / 2pi.
Hessian:   H_ii = I/2 + H'_ii,        H'_ii = sum_{j != i} h1(w_i, w_j) - sum_j h1(w_i, v_j),
                                      h1(w, v) = |v| sin(theta)/(2 pi |w|) (I - w^ w^T + n n^T),
           H_ij = [ (pi - theta) I + n_wv v^^T + n_vw w^^T ] / 2pi   (w = w_i, v = w_j),
                                      n = n_vw = (v^ - cos(theta) w^)/sin(theta),  n_wv with the roles exchanged.

Widening (derived here, ``landscape-split``). Replace unit i of a critical point by p_i copies alpha_ia w_i,
alpha_ia > 0, sum_a alpha_ia = 1. The function is unchanged, the point stays critical, and the Hessian of the widened
network is congruent to  H (+) (+)_i [ I_{p_i - 1} (x) H'_ii ]  for any alphas: every added copy of unit i adds
exactly n_-(H'_ii) negative directions, so

    index(widened) = index(narrow) + sum_i (p_i - 1) n_-(H'_ii)            (:func:`escape_index`).

H'_ii has a zero mode along w_i; hence n_- <= d - 1. For two copies alpha, 1 - alpha the direction (u, -u)/sqrt 2 has
curvature 1/2 (1/alpha + 1/(1 - alpha)) u^T H'_ii u. A neuron added at zero instead has slope |u| r(u^), with r(u) the
overlap of the residual with relu(u.x) (:func:`birth_slope`). At the unit's own direction, r and its gradient vanish and
its second derivative is |w_i| H'_ii: splitting a unit is the second-order counterpart of adding one at zero.

Tickets (derived here, ``landscape-tickets``). If a network of width n were C(n, k) independent tickets of width k, it
would fail with P_fail(n) = P_fail(k)^C(n, k). :func:`effective_tickets` solves this for the number of tickets.

Sources: Safran & Shamir 2018 (arXiv 1712.08968) for loss, gradient, Hessian and the protocol; Cho & Saul 2009 for f;
splitting and tickets: derived here, for Martinelli, Brea, Gerstner et al. 2026 ("lottery tickets or escape
dimensions?").

The loss is C^2 but not C^3 where two units coincide, has a kink at a zero student, and at exactly antiparallel units its
mixed second derivative jumps.
"""

import numpy as np
import numpy.typing as npt

from lab.errors import InputError
from theory.landscape.closed_form import as_weights, gradient, hessian, loss, own_curvature
from theory.landscape.escape import birth_slope, escape_index, negative_directions, split_curvature, widen
from theory.landscape.symmetric import symmetric_minimum
from theory.landscape.tickets import effective_over_nominal, effective_tickets, ticket_null

__all__ = ["birth_slope", "effective_over_nominal", "effective_tickets", "escape_index", "gradient", "gradient_fast", "hessian",
           "loss", "negative_directions", "own_curvature", "split_curvature", "symmetric_minimum", "ticket_null", "widen"]


def gradient_fast(students: npt.ArrayLike, teachers: npt.ArrayLike) -> np.ndarray:
    """:func:`gradient` up to rounding (1e-14 of its scale), compiled; for many replicas or many calls.

    Source: as :func:`gradient`.

    Parameters
    ----------
    students : array_like, shape (replicas, n, d) or (n, d)
        Weights.
    teachers : array_like, shape (k, d)
        Weights, none of them zero.

    Returns
    -------
    ndarray
        float64, of the shape of ``students``.

    Raises
    ------
    InputError
        As :func:`gradient`, and for a zero teacher.

    Examples
    --------
    >>> gradient_fast([[1.0, 1.0]], np.eye(2)).round(4)
    array([[-0.0342, -0.0342]])
    """
    from theory.landscape.axes import gradient_axes
    from theory.landscape.kernels import gradient_replicas

    students = as_weights(students, "students", batched=True)
    teachers = as_weights(teachers, "teachers")
    if students.shape[-1] != teachers.shape[-1]:
        raise InputError(f"students live in dimension {students.shape[-1]}, teachers in {teachers.shape[-1]}")
    if not np.all(np.any(teachers != 0, axis=1)):
        raise InputError("a teacher is zero: leave it out, since it has no effect")
    replicas = students.reshape(-1, *students.shape[-2:])
    k, d = teachers.shape
    if k <= d and np.array_equal(teachers, np.eye(k, d)):  # the usual case; its kernel is four times as fast
        return gradient_axes(replicas, k).reshape(students.shape)
    return gradient_replicas(replicas, teachers).reshape(students.shape)
