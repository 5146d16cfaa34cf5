"""Does a declared attribute of settings separate where a claim holds from where it does not?"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lab.estimate import Estimate, mean_interval
from theory.claims import Evidence
from theory.verdict.pool import clusters

ERROR = 0.05
LEAST_CLUSTERS = 3  # of a level; with two, Welch's test errs twice as often as it says


@dataclass(frozen=True)
class Moderator:
    """The test of one attribute.

    Attributes
    ----------
    name : of the attribute.
    means : level -> mean effect over its clusters, each counting once; its ``n`` is their number.
    p : that the levels' means are equal: Welch's analysis of variance over clusters, which lets levels vary unequally.
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
    name : key of ``Evidence.levels``.
    evidence : judged pieces of one column.
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
