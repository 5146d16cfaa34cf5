"""What was computed again here, beside the kept tables that the report shows in its place.

``make run`` computes most toy models with fewer replicas, or in fewer settings, than their kept tables have. The report
shows the more complete table; the smaller one is worth as much as an independent reader's repetition: each of its numbers
is laid beside the kept table's for the same setting, and those are named that differ by more than chance.
"""

import math
from pathlib import Path

from figures.catalogue import repeated, study
from lab.combine import difference
from lab.estimate import Estimate

ERROR = 0.05  # that any number of a study is said to differ where none does


def reproduction(store: Path) -> list[dict]:
    """Numbers of fresh tables beside those of the kept tables that are shown in their place.

    Parameters
    ----------
    store : the run store.

    Returns
    -------
    A row a study: ``study``, ``scale`` of the fresh table, ``numbers`` that both tables have (same claim and setting),
    ``same`` of them that agree within chance, and ``differ``: the others, each with ``claim``, ``setting``, and ``mean``,
    ``low``, ``high``, ``n`` of ``here`` and ``kept``.
    """
    found = []
    for fresh, kept in repeated(store):
        here, there = ({(e.claim, e.setting): e for e in study(t.name).evidence(t.frame, t.runs)} for t in (fresh, kept))
        both = [key for key in here if key in there]
        differ = [{"claim": claim, "setting": setting, "here": mine.to_json(), "kept": theirs.to_json()}
                  for (claim, setting), mine, theirs in ((key, here[key].estimate, there[key].estimate) for key in both)
                  if differs(mine, theirs, ERROR / len(both))]
        found.append({"study": fresh.name, "scale": fresh.manifest["scale"], "numbers": len(both),
                      "same": len(both) - len(differ), "differ": differ})
    return found


def differs(a: Estimate, b: Estimate, error: float) -> bool:
    """Whether two independent estimates of one number differ by more than chance at this (two-sided) error."""
    gap = difference(a, b)
    if gap.is_exact or gap.is_constant:  # nothing was sampled, or nothing varied
        return not math.isclose(a.mean, b.mean, rel_tol=1e-9, abs_tol=1e-12)
    return gap.has_interval and min(gap.p_above(0.0), gap.p_below(0.0)) < error / 2
