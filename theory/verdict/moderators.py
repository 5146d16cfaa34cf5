"""Does a declared attribute separate the settings in which a claim holds from those in which it does not?"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lab.estimate import Estimate, mean_interval
from theory.claims import Evidence
from theory.verdict.pool import clusters

ERROR = 0.05
LEAST_CLUSTERS = 3  # per level; with two, Welch's test errs twice as often as its nominal level


@dataclass(frozen=True)
class Moderator:
    """The test of one attribute.

    Attributes
    ----------
    name : str
        Name of the attribute.
    means : mapping of str to Estimate
        Level → mean effect over its clusters, each of which counts once; ``n`` is their number.
    p : float
        p-value for equal means of all levels, by Welch's analysis of variance over clusters, which allows unequal variances.
    """

    name: str
    means: Mapping[str, Estimate]
    p: float

    @property
    def separates(self) -> bool:
        """Whether the levels differ."""
        return self.p <= ERROR


def moderator(name: str, evidence: Iterable[Evidence]) -> Moderator | None:
    """The test of an attribute of settings; None unless two levels have three clusters or more each.

    Parameters
    ----------
    name : str
        Key of ``Evidence.levels``.
    evidence : iterable of Evidence
        Judged pieces of one column.
    """
    from scipy.stats import f_oneway

    groups: dict[str, list[Evidence]] = {}
    for item in evidence:
        if name in item.levels:
            groups.setdefault(str(item.levels[name]), []).append(item)
    effects = {level: [c.effect for c in clusters(items).values()] for level, items in groups.items()}
    large = {level: values for level, values in effects.items() if len(values) >= LEAST_CLUSTERS and np.ptp(values) > 0}
    if len(large) < 2:
        return None
    p = float(f_oneway(*large.values(), equal_var=False).pvalue)
    return Moderator(name, {level: mean_interval(values) for level, values in large.items()}, 1.0 if math.isnan(p) else p)
