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
    """The runs of a sweep: networks first, replica by replica, the most expensive first, then comparisons.

    In this order, an interrupted sweep has complete replicas, and networks that one process trains in a row share their data.

    Parameters
    ----------
    setting : settings that all runs share; alpha and seed are ignored.
    alphas : width multipliers; the largest is that of the wide network.
    seeds : replicas.
    stack : maximum number of copies trained together, or a function of a network and its number of copies that returns it; None
        for all copies of a width.
    sites : "all" or "penultimate".
    start : "own", or "slice" for copies that start as slices of their wide network.
    narrow : number of copies to train at a width, if more than match the features (see :func:`equal_parameters`).
    second : the baseline of replica s is its own second wide network, with the seed s + second; 0 for the wide network of the
        next replica, so that each wide network is the target of one gap and the baseline of another.
    own_split : whether each replica has its own split of the data, by its seed; all its networks share the split.

    Raises
    ------
    ArgumentError
        If the widest width is not a multiple of another, or copies cannot start as slices.
    """
    if start == "slice" and (narrow or setting.parametrisation == "mup"):
        raise ArgumentError("copies that start as slices must match the wide network's features, in the standard "
                            "parametrisation: leave out narrow and parametrisation", "parametrisation")
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
    """The number of networks of a width that have as many parameters as one wide network.

    Parameters
    ----------
    setting : setting of all networks.
    data : data that they are trained on.
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
