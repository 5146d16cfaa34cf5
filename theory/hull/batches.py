"""Queries in lock-step: slots that are priced together and refilled as queries finish.

Each slot holds one query's working set and factor (:mod:`theory.hull.slots`). A round prices all active slots with one
matrix product per block of points, then advances every slot on its own in parallel. A query whose support outgrows its
slot is set aside with its weights and goes on in larger slots.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from lab.team import Team
from lab.threads import single_threaded_blas
from theory.hull.active_set import Priced, Problem, advance
from theory.hull.pricing import Points, Ranking
from theory.hull.slots import STATE, Outcome, empty_slots, first_precision, scratch

STATE_BYTES = 256 << 20  # for the slots' matrices


__all__: list[str] = []  # used by `theory.hull` alone


@dataclass
class Answer:
    """The result for one query: bounds in units, the working set with its weights, the certifying direction."""

    upper: float
    lower: float
    index: np.ndarray
    weights: np.ndarray
    direction: np.ndarray | None
    code: Outcome
    rounds: int


class Pool:
    """Slots for queries with working sets of up to ``capacity`` points."""

    def __init__(self, points: Points, tol: float, capacity: int, slots: int, block: int, team: Team):
        self.points, self.capacity, self.team = points, capacity, team
        dim = points.shape[1]
        self.problem = Problem(points.array, 1.0 / points.unit, tol, 1e-3 * points.radius / points.unit, block)
        self.slots = empty_slots(slots, capacity, dim)
        # one array per field: from Python, attributes of a record would take a third of the time of a small query
        self.state = SimpleNamespace(**{name: self.slots.state.view(np.ndarray)[name] for name in STATE.names or ()})
        self.scratch = [scratch(capacity, dim) for _ in range(team.threads)]
        self.query_id = np.full(slots, -1)
        self.exclude = np.full(slots, -1)
        self.ranking = np.zeros(slots, np.int64)  # how the first working set is chosen

    def put(self, slot: int, query_id: int, query: np.ndarray, excluded: int, start: Answer | None,
            ranking: Ranking = Ranking.NEAREST) -> None:
        """Place a query in a free slot; with ``start``, from the weights it had reached in a smaller one."""
        slots, state = self.slots, self.state
        self.query_id[slot], self.exclude[slot], self.ranking[slot] = query_id, excluded, ranking
        slots.query[slot] = query
        slots.column[slot] = -1
        state.fresh[slot] = 1
        state.members[slot] = state.passive[slot] = 0
        state.upper[slot], state.lower[slot], state.kept_upper[slot] = np.inf, 0.0, np.inf
        state.tries[slot] = state.fine[slot] = state.rounds[slot] = 0
        state.precise[slot] = first_precision(self.points.shape[1])
        if start is not None:
            k = len(start.index)
            slots.index[slot, :k], slots.alpha[slot, :k] = start.index, start.weights
            state.members[slot], state.rounds[slot] = k, start.rounds

    def take(self, slot: int) -> Answer:
        """The state of a slot as an answer; the slot is free afterwards."""
        self.query_id[slot] = -1
        slots, state = self.slots, self.state
        upper, kept, lower = state.upper[slot], state.kept_upper[slot], state.lower[slot]
        if kept < upper:
            size = state.kept_size[slot]
            index, weights = slots.kept_index[slot, :size], slots.kept_alpha[slot, :size]
        else:
            size = state.members[slot]
            index, weights = slots.index[slot, :size], slots.alpha[slot, :size]
        keep = weights > 0
        return Answer(float(min(kept, upper)), float(lower), index[keep], weights[keep],
                      slots.best[slot].copy() if lower > 0 else None, Outcome(state.code[slot]), int(state.rounds[slot]))

    def _price(self, slots: np.ndarray, dtype: type, first: int) -> Priced:
        """Candidates for these slots, as :meth:`theory.hull.pricing.Points.price` gives them, about the origins."""
        points, tol, small = self.points, self.problem.tol, self.problem.small
        state = self.state
        fresh, upper = state.fresh[slots] == 1, state.upper[slots]
        directions = self.slots.direction[slots]
        directions[fresh] = (self.slots.query[slots][fresh] - points.centre) / points.unit
        # the origin's own coordinate turns a score about the origin into one about the centre
        shift = (state.shift[slots] - directions @ points.centre) / points.unit
        floor = tol * np.maximum(upper, small)
        least = state.level[slots] + 0.3 * tol * np.maximum(upper, np.where(upper <= floor, 0.0, small))
        level = np.where(fresh, -np.inf, least + shift)
        W = self.capacity
        member = np.full((len(slots), W + 1), np.iinfo(np.int64).max)
        sizes = np.where(fresh, 0, state.members[slots])
        inside = np.arange(W) < sizes[:, None]
        member[:, :W][inside] = self.slots.index[slots][inside]
        excluded = self.exclude[slots]
        member[:, W] = np.where(excluded >= 0, excluded, np.iinfo(np.int64).max)
        member.sort(axis=1)
        members = sizes + (excluded >= 0)
        most = min(max(self.problem.block, first if fresh.any() else 0), points.shape[0])
        ranking = np.where(fresh, self.ranking[slots], Ranking.VIOLATING)
        candidates, counts, others = points.price(directions, level, ranking, member, members, most, dtype, self.team)
        return Priced(candidates, np.minimum(counts, np.where(fresh, first, most)), others - shift, dtype == np.float64)

    def _advance(self, group: np.ndarray, priced: Priced) -> None:
        def work(thread, part):
            # contiguous pieces, whatever the number of threads: the kernel is compiled once
            slots, candidates, counts, others = (np.ascontiguousarray(array[part]) for array in (group, *priced[:3]))
            advance(self.problem, self.slots, slots, Priced(candidates, counts, others, priced.exhaustive), self.scratch[thread])

        with single_threaded_blas():
            self.team.deal(len(group), work)

    def step(self, first: int) -> np.ndarray:
        """One round for all occupied slots; returns those that are finished.

        ``first`` is the size of a new query's first working set.
        """
        active = np.flatnonzero(self.query_id >= 0)
        state = self.state
        warm = (state.fresh[active] == 1) & (state.members[active] > 0)  # nothing to price: the working set was carried over
        fine = (state.fine[active] == 1) & ~warm
        for group, dtype in ((active[~warm & ~fine], np.float32), (active[fine], np.float64)):
            if len(group):
                self._advance(group, self._price(group, dtype, first))
        if warm.any():
            none = np.zeros((warm.sum(), 1), np.int64)
            self._advance(active[warm], Priced(none, none[:, 0], np.full(len(none), np.inf), False))
        return active[state.code[active] != Outcome.CONTINUE]


class _Starts:
    """How queries start: with the nearest points or with the farthest along their direction, and with how many.

    Which start needs fewer pricings depends on the data (nearest if the points cluster, farthest if they are spread
    evenly), and so does the size of the supports: both are learned from the first queries that finish.
    """

    def __init__(self, first: int, most: int):
        self.first, self.most = first, most
        self.rounds: dict[Ranking, list[int]] = {Ranking.NEAREST: [], Ranking.FARTHEST: []}
        self.ranking_of: dict[int, Ranking] = {}
        self.supports = 0

    def ranking(self, number: int) -> Ranking:
        """How this query starts: alternately until eight of each kind are done, then by the one that took fewer rounds."""
        if min(map(len, self.rounds.values())) < 8:
            chosen = (Ranking.NEAREST, Ranking.FARTHEST)[len(self.ranking_of) % 2]
        else:
            chosen = min(self.rounds, key=lambda kind: np.mean(self.rounds[kind][:64]))
        self.ranking_of[number] = chosen
        return chosen

    def learn(self, number: int, answer: Answer) -> None:
        """Record the rounds and the support of a finished query."""
        self.rounds[self.ranking_of.pop(number, Ranking.NEAREST)].append(answer.rounds)
        self.supports += len(answer.index)
        finished = sum(map(len, self.rounds.values()))
        if finished >= 16:
            self.first = int(min(self.most, max(16, 1.25 * self.supports / finished)))


def project_all(points: Points, queries: np.ndarray, excluded: np.ndarray, tol: float, block: int, max_rounds: int,
                batch: int | None, done: Callable[[int, Answer], None]) -> None:
    """Project every query and hand each :class:`Answer` to ``done(number, answer)``."""
    n, d = points.shape
    todo: list[tuple[int, Answer | None]] = [(i, None) for i in range(len(queries) - 1, -1, -1)]
    # a support never needs more than dim + 1 points; the first slots are sized for common supports
    capacity = max(min(n, 2 * block + min(d + 1, 2 * block)), 2)
    # points that fit the cache are priced as fast for few queries, whose state then also stays in the cache
    usual = 256 if n * d > 1 << 24 else 64
    starts = _Starts(min(block, n), capacity - 1)
    with Team() as team:
        while todo:
            slots = max(1, min(len(todo), batch or usual, STATE_BYTES // (16 * capacity**2)))
            pool = Pool(points, tol, capacity, slots, block, team)
            larger: list[tuple[int, Answer | None]] = []
            free = list(range(slots))
            while todo or len(free) < slots:
                while free and todo:
                    number, start = todo.pop()
                    pool.put(free.pop(), number, queries[number].astype(np.float64), excluded[number], start,
                             Ranking.NEAREST if start else starts.ranking(number))
                stop = pool.step(starts.first)
                over = (pool.state.rounds >= max_rounds) & (pool.query_id >= 0)
                for slot in np.union1d(stop, np.flatnonzero(over)):
                    number = int(pool.query_id[slot])
                    answer = pool.take(slot)
                    free.append(slot)
                    if answer.code == Outcome.OVERFLOW and answer.rounds < max_rounds:
                        larger.append((number, answer))
                    else:
                        starts.learn(number, answer)
                        done(number, answer)
            todo = larger[::-1]
            capacity = min(2 * capacity, n + 1)

