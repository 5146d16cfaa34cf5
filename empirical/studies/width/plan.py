"""The runs of a width sweep: networks, or stacks of copies trained together, and comparisons."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from empirical.settings import Comparison, Network, Setting
from empirical.widths import check_alphas
from lab.errors import ArgumentError
from theory.measures import compared

if TYPE_CHECKING:
    from empirical.data import Dataset


def plan(setting: Setting, alphas: Sequence[Fraction], seeds: Sequence[int], *,
         stack: int | Callable[[Network, int], int] | None = None, sites: str = "all", start: str = "own",
         narrow: Callable[[Fraction], int] | None = None, second: int = 0, own_split: bool = False) -> list[Setting]:
    """The runs of a sweep: networks first, replica by replica and the costliest first, then comparisons.

    So a sweep that is cut short has whole replicas, and networks that one process trains in a row share their data.

    Parameters
    ----------
    setting : what all runs share; its alpha and seed are ignored.
    alphas : width multipliers; the largest is the wide network's.
    seeds : replicas.
    stack : copies trained together at most, or a function of a network and its number of copies that says how many; None
        for all copies of a width.
    sites : "all" or "penultimate".
    start : "own", or "slice" for copies that start as slices of their wide network.
    narrow : how many copies to train at a width, beyond those with as many features (see :func:`equal_parameters`).
    second : the baseline of replica s is a second wide network of its own, that of seed s + second; 0 for the wide network
        of the next replica, which makes a ring: each wide network is the target of one gap and the baseline of another.
    own_split : the data are split for every replica anew, by its seed; its networks, the second wide one too, share the split.

    Raises
    ------
    ArgumentError
        If a width does not go a whole number of times into the widest, or copies cannot start as slices.
    """
    if start == "slice" and (narrow or setting.parametrisation == "mup"):
        raise ArgumentError("slices of the wide network's start are as many as have its features, in the standard "
                            "parametrisation: leave narrow and parametrisation out", "parametrisation")
    check_alphas(alphas, setting.base_width)
    reference, alphas = max(alphas), sorted(set(alphas), reverse=True)
    others = dict(zip(seeds, [s + second for s in seeds] if second else
                      [*seeds[1:], seeds[0] if len(seeds) > 1 else seeds[0] + 1]))
    joined = tuple(name for name in compared() if name not in Comparison.OF_VERSION_2)
    comparisons = []
    for alpha in alphas:
        copies = int(reference / alpha)
        more = narrow(alpha) if narrow and alpha < reference else 0
        one = Network(**{**setting.shared(), "alpha": str(alpha)})
        together = min(copies, stack(one, copies) if callable(stack) else stack or copies)
        for seed in seeds:
            own = {"alpha": str(alpha), "seed": seed, **({"split": seed} if own_split else {})}
            comparisons.append(Comparison(**{**setting.shared(), **own},
                                          reference=str(reference), other_seed=others[seed], sites=sites,
                                          stack=together, start=start, narrow_copies=more if more > copies else 0,
                                          measures=joined))
    comparisons.sort(key=lambda comparison: seeds.index(comparison.seed))  # stable: from wide to narrow within a replica
    networks = {n: seeds.index(comparison.seed) for comparison in reversed(comparisons) for n in comparison.networks()}
    return [*sorted(networks, key=lambda n: (networks[n], -n.stack * n.width**2)), *comparisons]


def equal_parameters(setting: Setting, data: "Dataset", reference: Fraction) -> Callable[[Fraction], int]:
    """How many networks of a width have as many parameters as one wide network.

    Parameters
    ----------
    setting : of all of them.
    data : that they are trained on.
    reference : alpha of the wide network.

    Returns
    -------
    function
        alpha -> number of networks, rounded down.
    """
    from empirical.models import outline, parameters

    def count(alpha: Fraction) -> int:
        return parameters(outline(setting, alpha, data))

    return lambda alpha: count(reference) // count(alpha)
