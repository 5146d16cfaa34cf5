"""The study: how often both views are learnt, by width, strength of the second view, and scale of the start."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from lab.combine import share_difference
from lab.errors import InputError
from lab.estimate import exact, share_interval
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from toy.multi_view.model import predict, simulate

BLOCK = 500  # replicas per run


@dataclass(frozen=True)
class TwoViews:
    """One setting: copies × width neurons."""

    second_strength: float
    width: int
    copies: int = 1
    init_scale: float = 0.2
    replicas: int = 1000
    seed: int = 0


def run(config: TwoViews, folder: Path) -> dict:
    """Simulation and prediction for one setting."""
    arguments = dict(second_strength=config.second_strength, width=config.width, copies=config.copies,
                     init_scale=config.init_scale, replicas=config.replicas, seed=config.seed)
    views, theory = simulate(**arguments), predict(**arguments)
    if not views.finished.all():
        raise InputError(f"{(~views.finished).sum()} networks did not reach the loss: raise time_cap")
    return {"networks": views.both_by_one.size, "one": int(views.both_by_one.sum()), "all": int(views.both_by_all.sum()),
            "theory_one": theory.both_by_one, "theory_all": theory.both_by_all}


def configs(scale: str, n: int | None = None) -> list[TwoViews]:
    """Widths 1 … 1024 alone, and 64 neurons split into copies; small and large starts. Quick: fewer widths, small starts."""
    quick = scale == "quick"
    n = n or {"quick": 100, "run": 2 * BLOCK, "full": 3 * BLOCK}[scale]
    block = min(n, BLOCK) if quick else BLOCK
    alone = [TwoViews(s, m, init_scale=start)
             for s in (1.0, 0.8) for start in ((0.2,) if quick else (0.2, 1.0))
             for m in ((1, 64) if quick else (1, 4, 16, 64, 256, 1024))]
    split = [TwoViews(s, m, 64 // m) for s in (1.0, 0.8) for m in ((1, 16) if quick else (1, 4, 16))]
    return [replace(cell, replicas=block, seed=CONFIRMATORY + i) for cell in alone + split for i in range(-(-n // block))]


def tabulate(finished) -> pd.DataFrame:
    """One row per setting: shares that learn both views, over all seeds, and theory's."""
    rows: list[dict] = []
    cells: dict[TwoViews, list] = {}
    for config, result in finished:
        cells.setdefault(replace(config, seed=CONFIRMATORY), []).append(result)
    for config, results in cells.items():
        row = {"second_strength": config.second_strength, "init_scale": config.init_scale, "width": config.width,
               "copies": config.copies}
        for kind, n in (("one", sum(r["networks"] for r in results)), ("all", config.replicas * len(results))):
            both = sum(r[kind] for r in results)
            share = share_interval(both, n)
            row |= {f"{kind}_both": both, f"{kind}_n": n, f"{kind}_share": share.mean, f"{kind}_low": share.low,
                    f"{kind}_high": share.high, f"{kind}_theory": results[0][f"theory_{kind}"]}
        rows.append(row)
    return pd.DataFrame(rows)


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """64 neurons as single networks against one network of 64, small starts."""
    pieces: list[Evidence] = []
    small = table[table.init_scale == table.init_scale.min()]
    for strength, cells in small.groupby("second_strength"):
        split = cells[cells.copies > 1]
        if split.empty:
            continue
        narrow = split.loc[split.width.idxmin()]
        wide = cells[(cells.copies == 1) & (cells.width == narrow.width * narrow.copies)]
        if wide.empty:
            continue
        wide = wide.iloc[0]
        setting = f"two views, second strength {strength:g}, {narrow.copies:.0f}×{narrow.width:.0f} against {wide.width:.0f}"
        piece, levels = f"strength{strength:g}", {"views": "equal" if strength == 1 else "unequal"}
        pieces += [
            Evidence("s0.wide-finds-every-view", "toy", setting, share_difference(
                int(wide.all_both), int(wide.all_n), int(narrow.all_both), int(narrow.all_n)), runs, piece=piece, levels=levels),
            Evidence("s0.wide-finds-every-view", "theory", setting, exact(wide.all_theory - narrow.all_theory),
                     note="of each view's leading neuron alone", piece=piece, levels=levels),
        ]
    return pieces


STUDY = Study("multi-view", "two views of one class: who learns both?", "toy.multi_view.study:run", configs, tabulate,
              evidence, processes=True, extensible=True)
