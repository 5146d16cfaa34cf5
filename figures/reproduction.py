"""Compare what was recomputed on this machine with the kept tables.

``make run`` computes most toy models with fewer replicas, or in fewer settings, than their kept tables have. The report shows
the more complete table. The smaller one serves as an independent replication: each of its numbers is compared with the kept one
for the same setting, and the report lists those that differ by more than chance.
"""

import math
from pathlib import Path

from figures.catalogue import repeated, study
from lab.combine import difference
from lab.estimate import Estimate

ERROR = 0.05  # chance that any number of a study is reported as different although none is


def reproduction(store: Path) -> list[dict]:
    """Compare the numbers of fresh tables with those of the kept tables that the report shows instead.

    Parameters
    ----------
    store : the run store.

    Returns
    -------
    list of dict : one per study: ``study``, ``scale`` of the fresh table, ``numbers`` (how many both tables have for the same
        claim and setting), ``same`` (how many of these agree within chance), and ``differ``: the others, each with ``claim``,
        ``setting``, and ``mean``, ``low``, ``high``, ``n`` of ``here`` and ``kept``.
    """
    comparisons = []
    for fresh, kept in repeated(store):
        here, there = ({(e.claim, e.setting): e for e in study(t.name).evidence(t.frame, t.runs)} for t in (fresh, kept))
        both = [key for key in here if key in there]
        differ = [{"claim": claim, "setting": setting, "here": new.to_json(), "kept": old.to_json()}
                  for (claim, setting), new, old in ((key, here[key].estimate, there[key].estimate) for key in both)
                  if differs(new, old, ERROR / len(both))]
        comparisons.append({"study": fresh.name, "scale": fresh.manifest["scale"], "numbers": len(both),
                            "same": len(both) - len(differ), "differ": differ})
    return comparisons


def differs(a: Estimate, b: Estimate, error: float) -> bool:
    """Whether two independent estimates of one number differ by more than chance, at this two-sided error."""
    gap = difference(a, b)
    if gap.is_exact or gap.is_constant:  # nothing was sampled, or nothing varied
        return not math.isclose(a.mean, b.mean, rel_tol=1e-9, abs_tol=1e-12)
    return gap.has_interval and min(gap.p_above(0.0), gap.p_below(0.0)) < error / 2
