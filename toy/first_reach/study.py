"""The study: the same number of starts in one wide network, in narrow ones, and in their concatenation.

Both without and with capture. Under capture, theory holds in the limit of a vanishing second strength, which is a separate
setting. (Simulated at 0.002 of the first strength, 3 % of the wide networks slide along an edge of reach.)
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from lab.combine import share_difference
from lab.errors import InputError
from lab.estimate import Estimate, exact, share_interval, student
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from theory.first_reach import DRAWS
from toy.first_reach.model import predict, simulate

BLOCK = 5000  # replicas per run
RESTLESS = 0.01  # share of the networks that may slide along an edge of reach for ever; of width 8, 0.2 % do


@dataclass(frozen=True)
class Reach:
    """One setting: all neurons split over copies of one width."""

    threshold: float
    width: int
    copies: int
    strengths: tuple[float, ...] = (1.0, 0.05)
    dim: int = 4
    replicas: int = 2000
    seed: int = 0


def run(config: Reach, folder: Path) -> dict:
    """Simulation and prediction for one setting."""
    arguments = dict(strengths=config.strengths, threshold=config.threshold, dim=config.dim, width=config.width,
                     copies=config.copies, replicas=config.replicas, seed=config.seed)
    networks, theory = simulate(**arguments), predict(**arguments)
    return {
        "unfinished": unfinished(networks.finished),
        "networks": networks.finished.size,
        "missed_by_one": np.sum(~networks.learnt, axis=(0, 1)).tolist(),
        "missed_by_all": networks.missed_by_all.sum(axis=0).tolist(),
        # where theory covers only the limit of a vanishing second strength, that limit (see ``theory_kind``)
        "theory_one": [a if a is not None else b for a, b in zip(theory.missed_by_one, theory.limit_by_one)],
        "theory_error": [a if a is not None else b for a, b in zip(theory.standard_error, theory.limit_standard_error)],
        "theory_all": [a if a is not None else b for a, b in zip(theory.missed_by_all, theory.limit_by_all)],
    }


def unfinished(finished: np.ndarray) -> float:
    """Share of the networks that did not come to rest; an error if it is above ``RESTLESS`` by more than chance.

    One network of 50 is 2 %, whatever the true share; so the whole interval has to lie above.
    """
    share = share_interval(int(np.sum(~finished)), finished.size)
    if share.low > RESTLESS:
        raise InputError(f"{share.mean:.1%} of {share.n} networks did not come to rest, more than the {RESTLESS:.0%} that may "
                         "slide along an edge of reach: raise time_cap, or take a larger second strength")
    return share.mean


def configs(scale: str, n: int | None = None) -> list[Reach]:
    """Eight neurons as 8 networks of width 1, 4 of width 2, 2 of width 4, 1 of width 8; without and with capture."""
    n = n or {"quick": 200, "run": BLOCK, "full": 2 * BLOCK}[scale]
    block = min(n, BLOCK) if scale == "quick" else BLOCK
    return [Reach(b, width, 8 // width, replicas=block, seed=CONFIRMATORY + i)
            for b in (0.72, 0.3) for width in (1, 2, 4, 8) for i in range(-(-n // block))]


def theory_kind(threshold: float) -> str:
    """Status of theory: exact where no neuron reaches two features, else the limit of a vanishing second strength."""
    return "exact" if threshold >= np.sqrt(0.5) else "limit"


def theory_difference(narrow, wide, which: str) -> Estimate | None:
    """Predicted share missed by "one" or "all" narrow networks minus the wide one's, with its Monte Carlo error.

    None where the two are equal in every setting, and for older tables, which lack the error.
    """
    if theory_kind(narrow.threshold) == "exact":
        return exact(narrow.one_theory - wide.one_theory) if which == "one" else None
    if "theory_error" not in narrow:
        return None
    value, error = narrow[f"{which}_theory"] - wide.all_theory, 0.0
    for row, count in ((narrow, narrow.copies if which == "all" else 1), (wide, wide.copies)):
        error = np.hypot(error, count * row.one_theory ** (count - 1) * row.theory_error)
    return student(value, error, DRAWS, np.inf)


def tabulate(finished) -> pd.DataFrame:
    """One row per setting and feature: shares of networks and of concatenations that miss it, over all seeds, and theory's."""
    rows: list[dict] = []
    cells: dict[Reach, list] = {}
    for config, result in finished:
        cells.setdefault(replace(config, seed=CONFIRMATORY), []).append(result)
    for config, results in cells.items():
        for m, strength in enumerate(config.strengths):
            row = {"threshold": config.threshold, "dim": config.dim, "width": config.width, "copies": config.copies,
                   "feature": m + 1, "strength": strength, "second_strength": config.strengths[-1],
                   "unfinished": float(np.mean([r["unfinished"] for r in results])),
                   "theory_kind": theory_kind(config.threshold), "theory_error": results[0]["theory_error"][m]}
            for kind, n in (("one", sum(r["networks"] for r in results)), ("all", config.replicas * len(results))):
                missed = sum(r[f"missed_by_{kind}"][m] for r in results)
                share = share_interval(missed, n)
                row |= {f"{kind}_missed": missed, f"{kind}_n": n, f"{kind}_share": share.mean, f"{kind}_low": share.low,
                        f"{kind}_high": share.high, f"{kind}_theory": results[0][f"theory_{kind}"][m]}
            rows.append(row)
    return pd.DataFrame(rows)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Narrowest against widest, for the weaker feature, in both regimes."""
    pieces: list[Evidence] = []
    for (threshold, strength), cells in table[table.feature == table.feature.max()].groupby(["threshold", "strength"]):
        narrow, wide = cells.loc[cells.width.idxmin()], cells.loc[cells.width.idxmax()]
        regime = "reach" if threshold >= np.sqrt(0.5) else "capture"
        where = f"{'pure reach' if regime == 'reach' else 'reach with capture'} (b = {threshold:g})"
        sides = f"{narrow.copies:.0f}×{narrow.width:.0f} against 1×{wide.width:.0f}"
        levels = {"regime": regime}
        for claim, which in (("s0.narrow-starts-miss-features", "one"), ("s0.concatenated-starts-miss-features", "all")):
            pieces.append(Evidence(claim, "toy", f"{where}, second strength {strength:g}, {sides}", share_difference(
                int(narrow[f"{which}_missed"]), int(narrow[f"{which}_n"]), int(wide.all_missed), int(wide.all_n)), runs,
                piece=regime, levels=levels))
            theory = theory_difference(narrow, wide, which)
            if theory is not None:
                weak = "of any" if theory_kind(threshold) == "exact" else "of vanishing"
                pieces.append(Evidence(claim, "theory", f"{where}, {weak} second strength, {sides}", theory,
                                       piece=regime, levels=levels))
    return pieces


STUDY = Study("first-reach", "first reach: which features do the starts decide?", "toy.first_reach.study:run", configs,
              tabulate, evidence, processes=True, extensible=True)
