"""Queries in lock-step: slots that are priced together and refilled as queries finish.

Each slot holds one query's working set and factor (see :mod:`theory.hull.wolfe`). A round prices all active slots
with one matrix product a block of points, then advances every slot on its own in parallel. A query whose support
outgrows its slot is set aside with its weights and goes on in larger slots.
"""

from dataclasses import dataclass

import numpy as np

from theory.hull import active_set
from theory.hull.active_set import CONTINUE, CONVERGED, OVERFLOW
from theory.hull.pricing import FARTHEST, NEAREST, VIOLATING
from theory.hull.team import Team, single_threaded_blas

STATE_BYTES = 256 << 20  # for the slots' matrices
SMALL = 256  # up to this dimension inner products are taken in float64 from the start


@dataclass
class Answer:
    """What became of one query: bounds in units, the working set with its weights, the certifying direction."""

    upper: float
    lower: float
    index: np.ndarray
    weights: np.ndarray
    direction: np.ndarray | None
    code: int
    rounds: int


class Pool:
    """Slots for queries with working sets of up to ``capacity`` points."""

    def __init__(self, points, tol: float, capacity: int, slots: int, block: int, team: Team):
        self.points, self.tol, self.capacity, self.block = points, tol, capacity, block
        self.team = team
        d = points.shape[1]
        B, W = slots, capacity
        self.query_id = np.full(B, -1)
        self.fresh = np.zeros(B, np.int64)
        self.index = np.zeros((B, W), np.int64)
        self.size, self.passive = np.zeros(B, np.int64), np.zeros(B, np.int64)
        self.alpha = np.zeros((B, W))
        self.K, self.R = np.zeros((B, W, W)), np.zeros((B, W, W))
        self.ones = np.zeros((B, W))
        self.order, self.column = np.zeros((B, W), np.int64), np.full((B, W), -1)
        self.gamma2 = np.ones(B)
        self.precise = np.full(B, int(d <= SMALL))
        self.origin, self.query = np.zeros((B, d)), np.zeros((B, d))
        self.direction, self.best = np.zeros((B, d)), np.zeros((B, d))
        self.hx, self.hr, self.shift = np.zeros((B, 2)), np.zeros(B), np.zeros(B)
        self.upper, self.lower = np.full(B, np.inf), np.zeros(B)
        self.rounds, self.tries = np.zeros(B, np.int64), np.zeros(B, np.int64)
        self.fine, self.code = np.zeros(B, np.int64), np.zeros(B, np.int64)
        self.kept_index, self.kept_alpha = np.zeros((B, W), np.int64), np.zeros((B, W))
        self.kept_size, self.kept_upper = np.zeros(B, np.int64), np.full(B, np.inf)
        self.exclude = np.full(B, -1)
        self.kind = np.zeros(B, np.int64)  # how the first working set is chosen
        self.small = 1e-3 * points.radius / points.unit
        threads = team.threads
        small = d <= SMALL
        self.rows32 = np.empty((threads, 1 if small else W, d), np.float32)
        self.rows64 = np.empty((threads, W, d))
        self.works = np.zeros((threads, 13, max(W, d)))

    def put(self, slot: int, query_id: int, query: np.ndarray, excluded: int, start: Answer | None,
            kind: int = NEAREST) -> None:
        """Place a query in a free slot; with ``start``, from the weights it had reached in a smaller one."""
        self.query_id[slot] = query_id
        self.query[slot] = query
        self.exclude[slot] = excluded
        self.fresh[slot], self.kind[slot] = 1, kind
        self.size[slot] = self.passive[slot] = 0
        self.upper[slot], self.lower[slot], self.kept_upper[slot] = np.inf, 0.0, np.inf
        self.column[slot] = -1
        self.tries[slot] = self.fine[slot] = 0
        self.precise[slot] = int(self.points.shape[1] <= SMALL)
        self.rounds[slot] = 0
        if start is not None:
            k = len(start.index)
            self.index[slot, :k], self.alpha[slot, :k] = start.index, start.weights
            self.size[slot] = k
            self.rounds[slot] = start.rounds

    def take(self, slot: int) -> Answer:
        """The state of a slot as an answer; the slot is free afterwards."""
        self.query_id[slot] = -1
        kept = self.kept_upper[slot] < self.upper[slot]
        w = self.kept_size[slot] if kept else self.size[slot]
        index, weights = (a[slot, :w] for a in
                          ((self.kept_index, self.kept_alpha) if kept else (self.index, self.alpha)))
        keep = weights > 0
        return Answer(float(min(self.kept_upper[slot], self.upper[slot])), float(self.lower[slot]), index[keep],
                      weights[keep], self.best[slot].copy() if self.lower[slot] > 0 else None,
                      int(self.code[slot]), int(self.rounds[slot]))

    def _price(self, slots: np.ndarray, dtype, first: int):
        """Candidates for these slots, as :meth:`theory.hull.pricing.Points.price` gives them, about the origins."""
        points = self.points
        fresh = self.fresh[slots] == 1
        directions = self.direction[slots]
        directions[fresh] = (self.query[slots][fresh] - points.centre) / points.unit
        # the origin's own coordinate turns a score about the origin into one about the centre
        shift = (self.shift[slots] - directions @ points.centre) / points.unit
        upper = self.upper[slots]
        floor = self.tol * np.maximum(upper, self.small)
        least = self.hx[slots, 0] + 0.3 * self.tol * np.maximum(upper, np.where(upper <= floor, 0.0, self.small))
        level = np.where(fresh, -np.inf, least + shift)
        W = self.capacity
        member = np.full((len(slots), W + 1), np.iinfo(np.int64).max)
        sizes = np.where(fresh, 0, self.size[slots])
        inside = np.arange(W) < sizes[:, None]
        member[:, :W][inside] = self.index[slots][inside]
        excluded = self.exclude[slots]
        member[:, W] = np.where(excluded >= 0, excluded, np.iinfo(np.int64).max)
        member.sort(axis=1)
        members = sizes + (excluded >= 0)
        most = min(max(self.block, first if fresh.any() else 0), points.shape[0])
        kind = np.where(fresh, self.kind[slots], VIOLATING)
        who, count, rest = points.price(directions, level, kind, member, members, most, dtype, self.team)
        rest -= shift
        return who, np.minimum(count, np.where(fresh, first, most)), rest

    def _advance(self, group, who, count, rest, exhaustive):
        def work(thread, p):
            active_set.advance(
                self.points.array, 1.0 / self.points.unit, self.tol, self.small, group[p], self.fresh,
                who[p], count[p], rest[p], exhaustive, self.block, self.index, self.size, self.passive, self.alpha,
                self.K, self.R, self.ones, self.order, self.column, self.gamma2, self.precise, self.origin, self.query,
                self.direction, self.hx, self.hr, self.shift, self.upper, self.lower, self.best, self.rounds,
                self.tries, self.fine, self.code, self.kept_index, self.kept_alpha, self.kept_size, self.kept_upper,
                self.rows32[thread], self.rows64[thread], self.works[thread])

        with single_threaded_blas():
            self.team.deal(len(group), work)

    def step(self, first: int) -> np.ndarray:
        """One round for all occupied slots; returns those that are finished.

        ``first`` is the size of a new query's first working set.
        """
        active = np.flatnonzero(self.query_id >= 0)
        warm = (self.fresh[active] == 1) & (self.size[active] > 0)
        fine = (self.fine[active] == 1) & ~warm
        for group, dtype, exhaustive in ((active[~warm & ~fine], np.float32, False), (active[fine], np.float64, True),
                                         (active[warm], None, False)):
            if len(group) == 0:
                continue
            if dtype is None:
                who, count, rest = np.zeros((len(group), 1), np.int64), np.zeros(len(group), np.int64), \
                    np.full(len(group), np.inf)
            else:
                who, count, rest = self._price(group, dtype, first)
            self._advance(group, who, count, rest, exhaustive)
        return active[self.code[active] != CONTINUE]


class _Starts:
    """How queries begin: with the nearest points or with the farthest along their direction, and with how many.

    Which start needs fewer pricings depends on the data (nearest where points cluster, farthest where they spread
    evenly), and so does the size of the supports: both are read off the first queries that finish.
    """

    def __init__(self, first: int, most: int):
        self.first, self.most = first, most
        self.kinds = {NEAREST: [], FARTHEST: []}
        self.kind_of: dict[int, int] = {}
        self.supports = 0

    def kind(self, number: int) -> int:
        seen = self.kinds
        if min(map(len, seen.values())) < 8:
            chosen = (NEAREST, FARTHEST)[len(self.kind_of) % 2]
        else:
            chosen = min(seen, key=lambda k: np.mean(seen[k][:64]))
        self.kind_of[number] = chosen
        return chosen

    def learn(self, number: int, answer: Answer) -> None:
        self.kinds[self.kind_of.pop(number, NEAREST)].append(answer.rounds)
        self.supports += len(answer.index)
        finished = sum(map(len, self.kinds.values()))
        if finished >= 16:
            self.first = int(min(self.most, max(16, 1.25 * self.supports / finished)))


def project_all(points, queries: np.ndarray, excluded: np.ndarray, tol: float, block: int, max_rounds: int,
                batch: int | None, done) -> None:
    """Project every query and hand each :class:`Answer` to ``done(number, answer)``."""
    n, d = points.shape
    todo = [(i, None) for i in range(len(queries) - 1, -1, -1)]
    # a support never needs more than dim + 1 points; the first slots are sized for what is common
    capacity = max(min(n, 2 * block + min(d + 1, 2 * block)), 2)
    # points that fit the cache are priced as fast for few queries, whose state then stays in the cache too
    usual = 256 if n * d > 1 << 24 else 64
    starts = _Starts(min(block, n), capacity - 1)
    with Team() as team:
        while todo:
            slots = max(1, min(len(todo), batch or usual, STATE_BYTES // (16 * capacity**2)))
            pool = Pool(points, tol, capacity, slots, block, team)
            larger = []
            free = list(range(slots))
            while todo or len(free) < slots:
                while free and todo:
                    number, start = todo.pop()
                    pool.put(free.pop(), number, queries[number].astype(np.float64), excluded[number], start,
                             NEAREST if start else starts.kind(number))
                stop = pool.step(starts.first)
                over = (pool.rounds >= max_rounds) & (pool.query_id >= 0)
                for slot in np.union1d(stop, np.flatnonzero(over)):
                    number = int(pool.query_id[slot])
                    answer = pool.take(slot)
                    free.append(slot)
                    if answer.code == OVERFLOW and answer.rounds < max_rounds:
                        larger.append((number, answer))
                    else:
                        starts.learn(number, answer)
                        done(number, answer)
            todo = larger[::-1]
            capacity = min(2 * capacity, n + 1)


__all__ = ["CONVERGED", "Answer", "Pool", "project_all"]
