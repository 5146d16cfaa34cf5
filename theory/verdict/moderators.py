"""Does a declared attribute of settings separate where a claim holds from where it does not?"""

from collections.abc import Iterable
from dataclasses import dataclass

from theory.claims import Evidence
from theory.verdict.pool import clusters

ERROR = 0.05


@dataclass(frozen=True)
class Moderator:
    """The test of one attribute.

    Attributes
    ----------
    name : of the attribute.
    means : level -> mean effect over its clusters.
    p : that the levels' means are equal (one-way analysis of variance over clusters).
    """

    name: str
    means: dict[str, float]
    p: float

    @property
    def separates(self) -> bool:
        """Whether the levels differ."""
        return self.p <= ERROR


def moderator(name: str, evidence: Iterable[Evidence]) -> Moderator | None:
    """The test of an attribute of settings; None unless two levels have two clusters or more each.

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
    effects = {level: [effect for effect, _ in clusters(items).values()] for level, items in groups.items()}
    large = {level: values for level, values in effects.items() if len(values) > 1}
    if len(large) < 2:
        return None
    return Moderator(name, {level: sum(v) / len(v) for level, v in large.items()}, float(f_oneway(*large.values()).pvalue))
