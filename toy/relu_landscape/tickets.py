"""Tickets: do k neurons explain the success of a wide student? Rewind them and perturb the other neurons.

In a wide student (n > k) that succeeds, every teacher unit is matched by a neuron. Those k neurons, at their
*initial* weights, are the winning ticket. It is trained again

"alone"              as a network of width k;
"original rest"      with the n − k other neurons as they started: the same run with its neurons in another order;
"redrawn rest"       with n − k fresh neurons;
"adversarial rest"   with n − k neurons of a spurious minimum of width k, anti-aligned ones first.

The shares of successes are compared with those of fresh networks of width k ("fresh narrow") and n ("fresh wide"). A
lottery ticket in the sense of the hypothesis wins alone. Tickets are selected from winners, so a ticket with its original
rest wins by construction. A lower share with a new rest shows that the other neurons matter; a share above "fresh wide" shows
that the ticket does.
"""

from dataclasses import dataclass

import numpy as np

from lab.docstrings import arguments_as_in
from lab.errors import ArgumentError, InputError
from lab.estimate import Estimate, share_interval
from lab.names import renamed
from toy.relu_landscape import model
from toy.relu_landscape.minima import ANTI_ALIGNED, roles
from toy.relu_landscape.model import Landscape, initial_weights, simulate

ARMS = ("fresh narrow", "fresh wide", "alone", "original rest", "redrawn rest", "adversarial rest")
RESOLVED = 1e-4  # the wide run continues to this objective, where each neuron's teacher unit is clear


@dataclass(frozen=True)
class Perturbation:
    """Successes by arm.

    Attributes
    ----------
    teacher_width : int
        k, units of the teacher.
    width : int
        n, hidden units of the wide students.
    wins : dict of str to int
        Successes of each of ``ARMS``.
    runs : dict of str to int
        Runs of each; 0 if no ticket, or no spurious minimum, was there to build it from.

    Examples
    --------
    >>> result = Perturbation(2, 3, wins={"alone": 3}, runs={"alone": 4})
    >>> result.share("alone").mean
    0.75
    """

    teacher_width: int
    width: int
    wins: dict[str, int]
    runs: dict[str, int]

    def share(self, arm: str) -> Estimate | None:
        """P(win) of an arm with its Wilson interval."""
        return share_interval(self.wins[arm], self.runs[arm]) if self.runs[arm] else None


def winning_ticket(weights, teacher_width: int) -> np.ndarray:
    """(k,) the neuron that learnt each teacher unit, by the assignment with the largest Σ_m w_{i(m) m}.

    Raises
    ------
    InputError
        Fewer neurons than teacher units.
    """
    from scipy.optimize import linear_sum_assignment

    weights = np.asarray(weights)
    if weights.ndim != 2 or len(weights) < teacher_width:
        raise InputError(f"a ticket of {teacher_width} neurons needs at least as many, got weights of shape {weights.shape}")
    neurons, units = linear_sum_assignment(-weights[:, :teacher_width])
    return neurons[np.argsort(units)]


def adversarial_rest(trap: np.ndarray, teacher_width: int, size: int) -> np.ndarray:
    """(size, d) neurons of a spurious minimum (k, d): anti-aligned ones first, then shared, then aligned, repeated as needed.

    Repeated neurons are shortened so that copies together have the length of one.
    """
    order = np.argsort(roles(trap, teacher_width)[0], kind="stable")  # ANTI_ALIGNED = −1 comes first
    picks = order[np.arange(size) % len(order)]
    times = np.bincount(picks, minlength=len(trap))
    return trap[picks] / times[picks, None]


def check(teacher_width, width, replicas=1, seed=0, dim=None, method="gradient-descent") -> None:
    """Refuse arguments that :func:`perturb` cannot take."""
    model.check(teacher_width, width, replicas, seed, dim, method)
    if width <= teacher_width:
        raise ArgumentError(f"a ticket of {teacher_width} neurons has no rest in a network of that size: raise width", "width")


@renamed(teacher="teacher_width")
@arguments_as_in(simulate)
def perturb(teacher_width: int, width: int, replicas: int = 1000, seed: int = 0, dim: int | None = None,
            method: str = "gradient-descent", *, threads: int | None = None) -> Perturbation:
    """Train ``replicas`` wide students, rewind the winners' tickets and train them again with each kind of rest.

    Parameters
    ----------
    teacher_width : int ≥ 1
        k, units of the teacher.
    width : int > teacher_width
        n, hidden units of the wide students.

    Returns
    -------
    Perturbation
        Successes and runs of each arm.

    Raises
    ------
    InputError
        As :func:`toy.relu_landscape.model.simulate`; also for a width not above the teacher's, which leaves no other neurons.

    References
    ----------
    Frankle & Carbin 2019 (arXiv 1803.03635) for the hypothesis; the arms are our own.

    Examples
    --------
    >>> result = perturb(2, 3, replicas=4)
    >>> result.wins["alone"], result.runs["alone"]
    (4, 4)
    """
    check(teacher_width, width, replicas, seed, dim, method)
    dim = teacher_width if dim is None else dim
    common = dict(seed=seed, dim=dim, method=method, threads=threads)
    rest = width - teacher_width

    def train(start, **options) -> Landscape:
        return simulate(teacher_width, start.shape[1], start=start, **common, **options)

    wide = simulate(teacher_width, width, replicas, target_loss=RESOLVED, **common)
    narrow = simulate(teacher_width, teacher_width, replicas, **common)
    start = initial_weights(width, dim, replicas, seed)
    winners = np.flatnonzero(~wide.spurious)
    results = {"fresh narrow": narrow, "fresh wide": wide}
    if winners.size:
        chosen = np.stack([winning_ticket(wide.weights[r], teacher_width) for r in winners])
        mask = np.ones((winners.size, width), dtype=bool)
        np.put_along_axis(mask, chosen, False, axis=1)
        ticket = np.take_along_axis(start[winners], chosen[..., None], axis=1)
        others = start[winners][mask].reshape(winners.size, rest, dim)
        fresh = initial_weights(rest, dim, replicas, seed, role="redrawn rest")[winners]
        results["alone"] = train(ticket)
        results["original rest"] = train(np.concatenate([ticket, others], axis=1))
        results["redrawn rest"] = train(np.concatenate([ticket, fresh], axis=1))
        traps = narrow.minima
        if traps.size:
            bad = np.stack([adversarial_rest(narrow.weights[traps[r % traps.size]], teacher_width, rest) for r in winners])
            results["adversarial rest"] = train(np.concatenate([ticket, bad], axis=1))
    return Perturbation(teacher_width, width,
                        {arm: int(np.sum(~results[arm].spurious)) if arm in results else 0 for arm in ARMS},
                        {arm: results[arm].loss.size if arm in results else 0 for arm in ARMS})


assert ANTI_ALIGNED < 0  # adversarial_rest sorts by it
