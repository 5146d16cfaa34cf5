"""Verdicts as sentences, generated from the evidence alone: where a claim holds, how large the effect is, and what would settle
what is open."""

import math
from collections.abc import Sequence

from theory.verdict.decide import DEPENDS, INCONCLUSIVE, NOT_MEASURED, OPEN, REFUTED, Column, Verdict
from theory.verdict.pieces import ERROR, HOLDS, NO_EFFECT, PILOT, TOO_FEW, UNDECIDED, UNINFORMATIVE, Piece, shared_error
from theory.verdict.power import detectable, most_replicas, replicas_needed, too_many
from theory.verdict.rule import Rule

NAMES = {"theory": "theory", "toy": "toy models", "real": "real networks"}
ROOM = 100  # characters for the names of settings in a summary; longer lists are counted. A scope has four times as much
_UNJUDGED = {PILOT: "pilot only", UNINFORMATIVE: "no variation", TOO_FEW: "fewer than three replicas"}


def number(value: float) -> str:
    """A number to three significant digits, with a typographic minus sign."""
    return f"{value:.3g}".replace("-", "−")


def measured(estimate) -> str:
    """``mean [low, high]``."""
    if not estimate.has_interval or estimate.is_exact:
        return number(estimate.mean)
    return f"{number(estimate.mean)} [{number(estimate.low)}, {number(estimate.high)}]"


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    words = list(dict.fromkeys(words))
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


# ------------------------------------------------------------------------------------------------------------ settings
def _settings(pieces: Sequence[Piece], of: int, room: int = ROOM) -> str:
    """The settings by name if there is room, else their number."""
    names = list(dict.fromkeys(piece.evidence.setting for piece in pieces))
    text = listed(names) if not any("," in name or " and " in name for name in names) else "; ".join(names)
    return text if len(text) <= room else f"{len(pieces)} of {of} settings"


def _alone(pieces: Sequence[Piece], room: int = ROOM) -> str:
    """All the settings of a column: by number, or the only one by name."""
    return "both settings" if len(pieces) == 2 else f"all {len(pieces)} settings" if pieces[1:] else _settings(pieces, 1, room)


def column_scope(column: Column) -> str:
    """Where a claim holds by one column: "all 7 settings", "all 7 settings except X", "X; not in Y; the rest inconclusive"; empty
    if nothing is decided."""
    judged, room = column.judged, 4 * ROOM
    holding, refuting, open_ = column.of(HOLDS), column.of(*REFUTED), column.of(UNDECIDED)
    if not holding and not refuting and column.verdict in OPEN:
        return ""
    if len(holding) == len(judged):
        return _alone(holding, room)
    if len(refuting) == len(judged):
        return f"in none of {len(judged)} settings" if len(judged) > 1 else f"not in {_settings(refuting, 1, room)}"
    if refuting and not open_ and len(refuting) < len(holding):
        return f"all {len(judged)} settings except {_settings(refuting, len(judged), room)}"
    mean = f"on average over {column.pool.mean.n} settings" if column.on_average and column.pool is not None else ""
    parts = [*[mean] * (column.verdict == HOLDS), _settings(holding, len(judged), room),
             *[f"not {mean}"] * bool(mean and column.verdict in REFUTED),
             *[f"not in {_settings(refuting, len(judged), room)}"] * bool(refuting)]
    return "; ".join(filter(None, [*parts, *["the rest inconclusive"] * bool(open_)]))


def scope(verdict: Verdict) -> str:
    """Where a claim holds: its declared scope, then the scope of each column."""
    scopes = [(name, column_scope(column)) for name, column in verdict.columns.items()]
    by_column = (f"{NAMES[name]}: {text}" for name, text in scopes if text)
    return ". ".join(filter(None, [verdict.claim.scope.rstrip("."), *by_column]))


# ------------------------------------------------------------------------------------------------------------ sentences
def column_summary(rule: Rule, column: Column) -> str:
    """The verdict of one column as a sentence without its full stop."""
    if column.verdict == NOT_MEASURED:
        return NOT_MEASURED
    if not column.judged:
        return f"not judged: {listed([_UNJUDGED[piece.judgement] for piece in column.pieces])}"
    if column.awaited:
        so_far = _sides(rule, column, False)
        return f"{INCONCLUSIVE}: the primary setting ({column.awaited.evidence.setting}) has to be measured again" + (
            f"; so far, {so_far}" if so_far else "")
    if column.verdict == INCONCLUSIVE:
        return "; ".join(filter(None, [INCONCLUSIVE, _sides(rule, column, False), needs(rule, column)])) + moderated(column)
    if column.verdict == DEPENDS:
        return _sides(rule, column) + moderated(column)
    same = column.of(HOLDS) if column.verdict == HOLDS else column.of(*REFUTED)
    what = HOLDS if column.verdict == HOLDS else _refuted(rule, column.verdict)
    count = len(column.judged)
    if len(same) == count:
        return f"{what} in {_alone(same)}{_effect(column, same)}"
    if column.on_average and column.pool is not None:
        alone = f", individually in {len(same)} of {count}" if same else ""
        return f"{what} on average over {column.pool.mean.n} settings ({measured(column.pool.mean)}){alone}"
    return f"{what} in {_settings(same, count)}{_effect(column, same)}; the rest inconclusive"


def _effect(column: Column, same: Sequence[Piece]) -> str:
    """The number behind pieces with one judgement: the mean over settings if they are all, else the primary or only one."""
    if len(same) == len(column.judged) and column.pool is not None:
        return f" ({measured(column.pool.mean)})"
    best = next((piece for piece in same if piece.primary), same[0] if len(same) == 1 else None)
    return "" if best is None else f" ({measured(best.evidence.estimate)})"


def _sides(rule: Rule, column: Column, rest: bool = True) -> str:
    """Where it holds and where it does not."""
    count = len(column.judged)
    holding, refuting, open_ = column.of(HOLDS), column.of(*REFUTED), column.of(UNDECIDED)
    if not open_ and holding and refuting and len(refuting) < len(holding):
        return f"holds except in {_settings(refuting, count)}"
    parts = [f"holds in {_settings(holding, count)}"] if holding else []
    for word in REFUTED:
        if pieces := column.of(word):
            parts.append(f"{_refuted(rule, word)} in {_settings(pieces, count)}")
    return "; ".join(parts + ["the rest inconclusive"] * bool(open_ and rest))


def _refuted(rule: Rule, word: str) -> str:
    return f"no effect of {number(rule.margin)} or more" if word == NO_EFFECT and rule.margin is not None else word


def moderated(column: Column) -> str:
    """Whether the moderator separates the settings, as a clause; empty if no moderator could be tested."""
    tested = column.moderator
    if tested is None:
        return ""
    if not tested.separates:
        return f"; {tested.name} does not separate the settings (p = {tested.p:.2g})"
    means = ", ".join(f"{level}: {number(e.mean)}" for level, e in sorted(tested.means.items(), key=lambda item: -item[1].mean))
    return f"; {tested.name} separates the settings ({means})"


def needs(rule: Rule, column: Column) -> str:
    """What would settle an open column, judged by its primary piece or by the one that needs the fewest replicas."""
    piece = nearest(rule, column)
    estimate, error = piece.evidence.estimate, error_of(column, piece)
    needed = replicas_needed(estimate, rule, error)
    start = (f"{piece.evidence.setting}: {measured(estimate)}, n = {estimate.n}, "
             f"enough to detect a distance of {number(detectable(estimate, error))} from the bound")
    if needed is None:
        return start
    if too_many(estimate, needed):
        return f"{start}; too close to the bound to decide here, which would take more than {most_replicas(estimate)} replicas"
    return f"{start}; {needed} replicas would give 80 % power at the measured effect"


def error_of(column: Column, piece: Piece) -> float:
    """The one-sided error at which a piece is tested in the worst case."""
    if piece.primary:
        return ERROR
    return shared_error(column.pieces) / max(1, sum(not p.primary for p in column.judged))


def nearest(rule: Rule, column: Column) -> Piece:
    """The piece that would settle an open column first: the primary one, else the one that needs the fewest replicas."""

    def replicas(piece: Piece) -> float:
        return replicas_needed(piece.evidence.estimate, rule, error_of(column, piece)) or math.inf

    return min(column.of(UNDECIDED) or column.judged, key=lambda piece: (not piece.primary, replicas(piece)))


def summary(verdict: Verdict) -> str:
    """A claim's verdict in a sentence or two; columns with the same sentence are named together."""
    columns_of: dict[str, list[str]] = {}
    for name, column in verdict.columns.items():
        columns_of.setdefault(column_summary(verdict.claim.rule, column), []).append(NAMES[name])
    sentence = ". ".join(f"{(where := listed(names))[0].upper()}{where[1:]}: {text}" for text, names in columns_of.items())
    return f"{sentence}.{_between(verdict)}"


def _between(verdict: Verdict) -> str:
    """For a claim that depends on the setting: why no moderator explains it."""
    if verdict.verdict != DEPENDS or any(column.moderator for column in verdict.columns.values()):
        return ""
    if verdict.claim.moderator:
        return f" Too few settings to test whether {verdict.claim.moderator} separates them."
    return " No moderator was declared."
