"""Two studies: the shares of spurious minima over k and n, and winning tickets, rewound and perturbed."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from lab.combine import difference, share_difference
from lab.estimate import Estimate, share_interval, transformed
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence
from theory.landscape import effective_over_nominal

# (k, n) -> share of spurious runs among the 1000 runs per cell that Safran & Shamir released
PUBLISHED = {
    (6, 6): 0.003, (8, 8): 0.126, (10, 10): 0.346, (14, 14): 0.736, (16, 16): 0.851, (20, 20): 0.949,
    (8, 9): 0.001, (12, 13): 0.003, (14, 15): 0.055, (16, 17): 0.180, (18, 19): 0.369,
    **{(k, k + 2): 0.0 for k in range(6, 21)},
}
PUBLISHED_RUNS = 1000
SPEAKING = range(8, 21, 2)  # teachers whose cells are evidence: with fewer units, hardly any run ends in a spurious minimum
ROOM = 0.05  # published failure share of fresh networks above which a ticket has something to improve


@dataclass(frozen=True)
class Cell:
    """One cell of the table."""

    teacher_width: int
    width: int
    replicas: int = 1000
    seed: int = 0
    method: str = "gradient-descent"


def run_landscape(config: Cell, folder: Path, threads: int | None = 1) -> dict:
    """Train one cell; a run uses one thread, so that cells fill the cores."""
    from toy.relu_landscape.minima import levels
    from toy.relu_landscape.model import simulate

    students = simulate(config.teacher_width, config.width, config.replicas, config.seed, method=config.method, threads=threads)
    return {
        "spurious": int(students.spurious.sum()), "unfinished": students.unfinished, "steps": float(students.steps.mean()),
        "rise": students.rise,
        "levels": [{"loss": level.loss, "count": level.count, "kind": level.kind,
                    "escape_index": int(level.escape_index.max())} for level in levels(students, spectrum=False)],
    }


def cells(teachers, extra=(0, 1, 2), replicas: int = 1000, seed: int = 0, method: str = "gradient-descent") -> list[Cell]:
    """Cells n = k + extra, the most expensive first: the last ones to run should be short."""
    table = [Cell(k, k + more, replicas, seed, method) for k in teachers for more in extra]
    return sorted(table, key=lambda cell: -cell.teacher_width * cell.width)


def configs_landscape(scale: str) -> list[Cell]:
    """Quick: three small teachers. The whole table takes minutes: ``make run`` shows the kept one."""
    if scale == "quick":
        return cells((6, 8, 10), replicas=300, seed=CONFIRMATORY)
    return cells(range(6, 21), seed=CONFIRMATORY) if scale == "full" else []


def tabulate_landscape(finished) -> pd.DataFrame:
    """One row per cell: share with its Wilson interval, the published share, levels, escape, effective tickets."""
    failures = {(c.teacher_width, c.seed, c.replicas, c.method): r["spurious"] / c.replicas
                for c, r in finished if c.teacher_width == c.width}
    rows = []
    for config, result in finished:
        share = share_interval(result["spurious"], config.replicas)
        minima = sum(level["count"] for level in result["levels"])
        at_teacher = failures.get((config.teacher_width, config.seed, config.replicas, config.method), math.nan)
        tickets = math.comb(config.width, config.teacher_width) if config.width >= config.teacher_width else 0
        ratio = effective_over_nominal(result["spurious"], config.replicas, round(at_teacher * config.replicas), config.replicas,
                                       tickets) if config.width > config.teacher_width and at_teacher > 0 else None
        published = PUBLISHED.get((config.teacher_width, config.width), math.nan)
        spread = math.sqrt(max(published * (1 - published), 1e-3) * (1 / config.replicas + 1 / PUBLISHED_RUNS))
        rows.append({
            "teacher_width": config.teacher_width, "width": config.width, "method": config.method, "seed": config.seed,
            "spurious": result["spurious"], "share_n": config.replicas, "share": share.mean, "share_low": share.low,
            "share_high": share.high, "published": published, "published_z": (share.mean - published) / spread,
            "unfinished": result["unfinished"], "minima": minima, "levels": len(result["levels"]),
            "losses": " ".join(f"{level['loss']:.6f}:{level['count']}" for level in result["levels"]),
            "commonest": max(result["levels"], key=lambda level: level["count"])["kind"] if minima else "",
            "escaping": sum(level["count"] for level in result["levels"] if level["escape_index"] > 0),
            "escape_index_low": min((level["escape_index"] for level in result["levels"]), default=math.nan),
            "escape_index_high": max((level["escape_index"] for level in result["levels"]), default=math.nan),
            "restarts_share": (at_teacher ** (config.width / config.teacher_width) if config.width > config.teacher_width
                               else math.nan),
            "tickets": tickets,
            "effective_tickets": ratio.mean * tickets if ratio else math.nan,
            "effective_tickets_low": ratio.low * tickets if ratio else math.nan,
            "effective_tickets_high": ratio.high * tickets if ratio else math.nan,
            "steps": result["steps"], "rise": result["rise"],
        })
    return pd.DataFrame(rows).sort_values(["method", "teacher_width", "width"], ignore_index=True)


def restarts(spurious: int, n: int, nets: float) -> Estimate:
    """P_fail^nets, the probability that all of several independent networks fail, by transforming P_fail's interval."""
    return transformed(share_interval(spurious, n), partial(_power, nets))


def _power(nets: float, share: float) -> float:
    return share**nets


def nominal_over_effective(spurious: int, n: int, spurious_at_teacher: int, n_at_teacher: int, tickets: int) -> Estimate:
    """C(n, k)/N_eff (``theory.landscape``): the number of nominal tickets that are worth one independent ticket."""
    return transformed(effective_over_nominal(spurious, n, spurious_at_teacher, n_at_teacher, tickets), _inverse)


def _inverse(ratio: float) -> float:
    return math.inf if ratio == 0 else 1 / ratio


def evidence_landscape(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Success with width, width against restarts, minima that become saddles, effective tickets.

    Cells of one teacher share its students at n = k: one cluster.
    """
    pieces = []
    chosen = table[(table.method == "gradient-descent") & table.teacher_width.isin(SPEAKING)]
    for k, group in chosen.groupby("teacher_width"):
        rows = {int(row.width): row for row in group.itertuples()}
        if k not in rows:
            continue
        narrow = rows.pop(k)
        measured = partial(Evidence, column="toy", runs=runs, cluster=f"k = {k}", levels={"teacher": str(k)})
        if narrow.minima:
            pieces.append(measured("s2.spurious-minima-become-saddles", setting=f"k = n = {k}", piece=f"k{k}",
                                   estimate=share_interval(int(narrow.escaping), int(narrow.minima))))
        for n, wide in rows.items():
            counts = int(narrow.spurious), int(narrow.share_n), int(wide.spurious), int(wide.share_n)
            cell = partial(measured, setting=f"k = {k}, n = {n}", piece=f"k{k}-n{n}")
            pieces += [
                cell("s2.success-grows-with-width", estimate=share_difference(*counts)),
                cell("s2.wide-beats-multistart", estimate=difference(
                    restarts(*counts[:2], n / k), share_interval(*counts[2:]))),
            ]
            if n == k + 1 and narrow.spurious:
                pieces.append(cell("s2.tickets-are-not-independent", estimate=nominal_over_effective(
                    *counts[2:], *counts[:2], math.comb(n, k))))
    return pieces


LANDSCAPE = Study("relu-landscape", "ReLU landscape: spurious minima by teacher and width",
                  "toy.relu_landscape.study:run_landscape", configs_landscape, tabulate_landscape, evidence_landscape,
                  processes=True)


@dataclass(frozen=True)
class Tickets:
    """One ticket experiment."""

    teacher_width: int
    width: int
    replicas: int = 1000
    seed: int = 0


def run_tickets(config: Tickets, folder: Path) -> dict:
    """Rewind and perturb the tickets of one cell."""
    from toy.relu_landscape.tickets import perturb

    result = perturb(config.teacher_width, config.width, config.replicas, config.seed)
    return {"wins": result.wins, "runs": result.runs}


def configs_tickets(scale: str) -> list[Tickets]:
    """Cells where wide networks hardly ever fail, and cells where they often do."""
    if scale == "quick":
        return [Tickets(8, 9, 100, CONFIRMATORY), Tickets(10, 11, 100, CONFIRMATORY)]
    pairs, replicas = [(12, 13), (10, 20), (10, 12), (10, 11), (8, 9)], 300  # the longest first
    if scale == "full":
        pairs, replicas = [(18, 19), (16, 17), (14, 15), *pairs], 1000
    return [Tickets(k, n, replicas, CONFIRMATORY) for k, n in pairs]


def tabulate_tickets(finished) -> pd.DataFrame:
    """One row per cell and arm: P(win) with its Wilson interval."""
    rows = []
    for config, result in finished:
        for arm, wins in result["wins"].items():
            n = result["runs"][arm]
            if n:
                share = share_interval(wins, n)
                rows.append({"teacher_width": config.teacher_width, "width": config.width, "arm": arm, "wins": wins, "win_n": n,
                             "win": share.mean, "win_low": share.low, "win_high": share.high})
    return pd.DataFrame(rows)


def evidence_tickets(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """How often tickets win alone and with other remaining neurons, compared with fresh wide and narrow networks.

    Tickets come from the fresh wide networks that won; the share of these networks is uncorrelated with the share of tickets that
    win. Other remaining neurons are judged only where fresh networks fail often enough for a ticket to have something to improve.
    """
    pieces = []
    for (k, n), group in table.groupby(["teacher_width", "width"]):
        counts = {row.arm: (int(row.wins), int(row.win_n)) for row in group.itertuples()}
        room = PUBLISHED.get((k, n), 0.0) >= ROOM
        for claim, better, worse, judged in (
            ("s2.tickets-need-their-rest", "fresh wide", "alone", True),
            ("s2.perturbed-rest-spoils-tickets", "redrawn rest", "fresh wide", room),
            ("s2.adversarial-rest-spoils-tickets", "adversarial rest", "fresh wide", room),
            ("s2.tickets-beat-fresh-starts", "alone", "fresh narrow", True),
        ):
            if judged and better in counts and worse in counts:
                pieces.append(Evidence(claim, "toy", f"k = {k}, n = {n}", share_difference(*counts[better], *counts[worse]), runs,
                                       piece=f"k{k}-n{n}", cluster=f"k = {k}", levels={"teacher": str(k)}))
    return pieces


TICKETS = Study("relu-tickets", "ReLU landscape: winning tickets, rewound and perturbed",
                "toy.relu_landscape.study:run_tickets", configs_tickets, tabulate_tickets, evidence_tickets, processes=True)
