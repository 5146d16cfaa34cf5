"""The study: how many replicas reach the target, and how fast, by the number of bumps and the way they move."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lab.estimate import mean_interval, share_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from theory.landscape import effective_over_nominal
from toy.bumps.model import predict, simulate


@dataclass(frozen=True)
class Line:
    """One number of bumps that move in one way."""

    mode: str
    bumps: int
    half_line: float = 20.0
    times: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    replicas: int = 1000
    seed: int = 0


def run(config: Line, folder: Path) -> dict:
    """Simulation and prediction for one setting."""
    arguments = dict(mode=config.mode, bumps=config.bumps, half_line=config.half_line, times=config.times,
                     replicas=config.replicas, seed=config.seed)
    bumps = simulate(**arguments)
    return {"arrived": bumps.arrived.sum(axis=0), "loss": [mean_interval(column) for column in bumps.loss.T],
            "theory": predict(**arguments).curve}


def configs(scale: str) -> list[Line]:
    """The numbers of bumps for each way of moving."""
    replicas = {"quick": 100, "run": 1000, "full": 2000}[scale]
    return ([Line("slide", m, replicas=replicas, seed=CONFIRMATORY) for m in (1, 2, 4, 8, 16)]
            + [Line(mode, m, replicas=max(replicas // 10, 20), seed=CONFIRMATORY)
               for mode in ("cover", "both") for m in (4, 8, 16, 32)])


def tabulate(finished) -> pd.DataFrame:
    """One row per setting and time."""
    rows = []
    for config, result in finished:
        for i, time in enumerate(config.times):
            share = share_interval(int(result["arrived"][i]), config.replicas)
            loss = result["loss"][i]
            rows.append({"mode": config.mode, "bumps": config.bumps, "half_line": config.half_line, "time": time,
                         "replicas": config.replicas, "arrived": result["arrived"][i], "arrived_share": share.mean,
                         "arrived_low": share.low, "arrived_high": share.high, "loss": loss["mean"],
                         "loss_low": loss["low"], "loss_high": loss["high"],
                         "theory": None if result["theory"] is None else result["theory"][i]})
    return pd.DataFrame(rows)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Are m sliding bumps m independent tickets? ln P_fail(m) over m ln P_fail(1), at the last time."""
    last = table[(table["mode"] == "slide") & (table.time == table.time.max())]
    failed = {int(row.bumps): (int(row.replicas - row.arrived), int(row.replicas)) for row in last.itertuples()}
    one = failed.pop(1)
    return [Evidence("s2.width-is-tickets", "toy", f"{m} sliding bumps on a line of 40 widths",
                     effective_over_nominal(*failed[m], *one, m), runs, piece=f"m{m}", cluster="sliding bumps",
                     levels={"bumps": str(m)}) for m in sorted(failed)]


STUDY = Study("bumps", "bumps on the line: slide one, or spawn many", "toy.bumps.study:run", configs, tabulate, evidence,
              processes=True)
