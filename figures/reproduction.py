"""What was computed again here, beside the kept tables that the report shows in its place.

``make run`` computes most toy models with fewer replicas, or in fewer settings, than their kept tables have. The report
shows the more complete table; the smaller one is worth as much as an independent reader's repetition: each of its numbers
is judged by the rule of its claim, and the judgement laid beside the kept table's for the same setting.
"""

from pathlib import Path

from figures.catalogue import repeated, study
from theory.claims import claims


def reproduction(store: Path) -> list[dict]:
    """Numbers of fresh tables beside those of the kept tables that are shown in their place.

    Parameters
    ----------
    store : the run store.

    Returns
    -------
    A row a study: ``study``, ``scale`` of the fresh table, ``numbers`` that both tables have (same claim and setting),
    ``same`` of them with the same judgement, and ``differ``: the others, each with ``claim``, ``setting``, and ``mean``,
    ``low``, ``high``, ``n``, ``judgement`` of ``here`` and ``kept``.
    """
    found = []
    for fresh, kept in repeated(store):
        here, there = ({(e.claim, e.setting): e for e in study(t.name).evidence(t.frame, t.runs)} for t in (fresh, kept))
        pairs = [{"claim": key[0], "setting": key[1], "here": _judged(here[key]), "kept": _judged(there[key])}
                 for key in here if key in there]
        differ = [pair for pair in pairs if pair["here"]["judgement"] != pair["kept"]["judgement"]]
        found.append({"study": fresh.name, "scale": fresh.manifest["scale"], "numbers": len(pairs),
                      "same": len(pairs) - len(differ), "differ": differ})
    return found


def _judged(evidence) -> dict:
    return {**evidence.estimate.to_json(), "judgement": claims()[evidence.claim].rule.judge(evidence.estimate)}
