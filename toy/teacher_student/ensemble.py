"""Many students at once: weights in the layout of the kernels, and order parameters computed from them.

Which layout a student has follows from its width, input dimension and batch alone, never from the number of replicas or
threads: a replica gives the same bits alone and among a thousand.
"""

import numpy as np

from lab import kernel_streams as streams
from lab.errors import ArgumentError
from lab.streams import normal
from toy.teacher_student import kernels
from toy.teacher_student.block import (
    DECAY_V,
    DECAY_W,
    ERF,
    LANES,
    LINEAR,
    NOISE,
    PANEL,
    RATE_V,
    RATE_W,
    RELU,
    TANH,
    aligned_zeros,
)

_INPUTS = 4096  # inputs whose weights are copied at a time
ACTIVATIONS = {"erf": ERF, "relu": RELU, "tanh": TANH, "linear": LINEAR}


def plan(width: int, batch_size: int, dim: int) -> tuple[bool, int, int]:
    """(lanes are replicas?, steps per block, replicas or groups per task): the fastest measured.

    With many inputs the recursion, which several replicas of a task overlap, takes little of the time, and shorter blocks cost
    next to nothing and save memory.
    """
    if width <= 8 or (width <= 16 and batch_size <= 4):
        return True, max(1, (4 if dim < 16384 else 2) // batch_size), 1
    chunk = max(1, 16 // batch_size)
    return False, chunk, 4 if chunk > 1 and dim < 2048 else 1


def address(s, purpose: str) -> tuple:
    """Address of a stream of the setting; widths are independent, also in the samples that they see."""
    return "teacher-student", purpose, s.width


def _parameters(s) -> np.ndarray:
    out = np.zeros(5, dtype=np.float32)
    out[RATE_W], out[RATE_V] = s.learning_rate / s.dim, s.readout_learning_rate / s.dim
    out[DECAY_W] = s.weight_decay * s.learning_rate / s.dim
    out[DECAY_V] = s.weight_decay * s.readout_learning_rate / s.dim
    out[NOISE] = s.noise
    return out


class FullEnsemble:
    """Students with all their weights. ``starts(setting, replica) -> (weights (K, N), readout (K,))``."""

    def __init__(self, s, starts):
        self.setting = s
        self.narrow, self.chunk, self.together = plan(s.width, s.batch_size, s.dim)
        self.groups = -(-s.replicas // LANES)
        self.padded = s.width if self.narrow else -(-s.width // LANES) * LANES
        d, m, n = s.dim, self.padded, s.replicas
        open_ = streams.open_lanes if self.narrow else streams.open_streams
        self.streams = [open_(s.seed, *address(s, what), replicas=n).ravel() for what in ("data", "noise", "order")]
        rows = self.groups * LANES if self.narrow else n
        self.W, self.V = aligned_zeros(rows * d * m), aligned_zeros(rows * m)
        self.done = 0
        for r in range(n):
            weights, readout = starts(s, r)
            if self.narrow:
                self._cube()[r // LANES, :, :, r % LANES] = weights.T
            else:
                for first, panel in self._panels(r):
                    panel[:, :max(0, min(s.width - first, panel.shape[1]))] = weights[first:first + panel.shape[1]].T
            self._readout()[r, :s.width] = readout
        full = np.zeros((s.strengths.size, d))
        full[:, :s.teacher_directions.shape[1]] = s.teacher_directions
        self.teacher = np.ascontiguousarray(full.T, dtype=np.float32).ravel()
        self.inputs, self.labels = np.zeros((1, 0, d), np.float32), np.zeros((1, 0), np.float32)
        if s.samples:
            self.inputs, self.labels = self._data(full)

    def _cube(self):
        return self.W.reshape(self.groups, self.setting.dim, self.padded, LANES)

    def _panels(self, r):
        """(first neuron, view [input][neuron]) of each panel of a replica's weights."""
        d, m = self.setting.dim, self.padded
        flat = self.W[r * d * m:(r + 1) * d * m]
        for first in range(0, m, PANEL):
            wide = min(PANEL, m - first)
            yield first, flat[first * d:(first + wide) * d].reshape(d, wide)

    def _readout(self):
        """A writable view (replicas, neurons)."""
        if self.narrow:
            return _Lanewise(self.V.reshape(self.groups, self.padded, LANES))
        return self.V.reshape(-1, self.padded)

    def _data(self, teacher) -> tuple[np.ndarray, np.ndarray]:
        """A finite training set for every replica; the noise of its labels is drawn once."""
        s = self.setting
        rows = self.groups * LANES if self.narrow else s.replicas
        x, y = np.zeros((rows, s.samples, s.dim), np.float32), np.zeros((rows, s.samples), np.float32)
        for r in range(s.replicas):
            x[r] = normal(s.seed, *address(s, "training inputs"), r, shape=(s.samples, s.dim), dtype=np.float32)
            noise = normal(s.seed, *address(s, "training noise"), r, shape=s.samples)
            y[r] = activate(s.teacher_activation, x[r] @ teacher.T) @ s.strengths + s.noise * noise
        return x, y

    def advance(self, steps: int) -> None:
        """Take `steps` steps."""
        s = self.setting
        advance = kernels.advance_narrow if self.narrow else kernels.advance_wide
        advance(self.W, self.V, *self.streams, self.teacher, s.strengths.astype(np.float32), self.inputs, self.labels,
                _parameters(s), s.dim, self.padded, s.batch_size, self.chunk, self.done, int(steps),
                ACTIVATIONS[s.activation], ACTIVATIONS[s.teacher_activation], self.together)
        self.done = (self.done + int(steps)) % self.chunk

    def draws(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """The samples of the next steps: inputs (replicas, steps, B, N) and, where there is noise, ζ (replicas, steps, B).

        The streams do not move. Samples come in blocks; a kernel fills a block as (N, samples), each row padded to whole vectors,
        or as (N, samples, 16 replicas).
        """
        s, together = self.setting, LANES if self.narrow else 1
        n = self.chunk * s.batch_size
        row = -(-n * together // LANES) * LANES
        blocks = -(-(self.done + steps) // self.chunk)
        replicas, kept = slice(s.replicas), slice(self.done * s.batch_size, (self.done + steps) * s.batch_size)
        parts = []
        for stream, rows in zip(self.streams, (s.dim, 1)):
            states = stream.reshape(-1, streams.WORDS).copy()
            drawn = np.empty((len(states), blocks, rows, row), np.float32)
            buffer = np.empty(-(-rows * row // 32) * 32, np.float32)
            for r, state in enumerate(states):
                for b in range(blocks):
                    streams.fill_normal(state, buffer)
                    drawn[r, b] = buffer[:rows * row].reshape(rows, row)
            drawn = drawn[..., :n * together].reshape(len(states), blocks, rows, n, together)
            parts.append(drawn.transpose(0, 4, 1, 3, 2).reshape(-1, blocks * n, rows)[replicas, kept])
        inputs, zeta = parts
        return inputs.reshape(-1, steps, s.batch_size, s.dim), zeta.reshape(-1, steps, s.batch_size)

    def weights(self, r: int, low: int = 0, high: int | None = None) -> np.ndarray:
        """First-layer weights (K, inputs low to high) of one replica, float64."""
        s, here = self.setting, slice(low, high)
        if self.narrow:
            return self._cube()[r // LANES, here, :, r % LANES].T.astype(np.float64)
        out = np.empty((s.width, len(range(s.dim)[here])))
        for first, panel in self._panels(r):
            rows = out[first:first + panel.shape[1]]
            rows[:] = panel[here].T[:len(rows)]
        return out

    def readout(self, r: int) -> np.ndarray:
        """Second-layer weights (K,) of one replica, float64."""
        return np.asarray(self._readout()[r, :self.setting.width], dtype=np.float64)

    def order_parameters(self, Q, R, v) -> None:
        """Writes Q (replicas, K, K), R (replicas, K, M), v (replicas, K), float64."""
        s = self.setting
        with np.errstate(over="ignore", invalid="ignore"):
            for r in range(s.replicas):
                pieces = (self.weights(r, low, low + _INPUTS) for low in range(0, s.dim, _INPUTS))
                Q[r] = sum(w @ w.T for w in pieces)
                R[r], v[r] = self.weights(r, 0, s.teacher_directions.shape[1]) @ s.teacher_directions.T, self.readout(r)

    def training_error(self) -> np.ndarray:
        """(replicas,) mean of (y - y^)**2 / 2 over each replica's training set."""
        s = self.setting
        out = np.empty(s.replicas)
        with np.errstate(over="ignore", invalid="ignore"):
            for r in range(s.replicas):
                output = activate(s.activation, self.inputs[r] @ self.weights(r).T) @ self.readout(r)
                out[r] = 0.5 * np.mean((output - self.labels[r])**2)
        return out

    def diverged(self, limit: float) -> np.ndarray:
        """(replicas,) True where a weight is beyond the limit or not a number."""
        s = self.setting
        if self.narrow:
            sizes = np.maximum(_largest(self._cube(), (1, 2)), _largest(self.V.reshape(self.groups, -1, LANES), (1,)))
        else:
            rows = s.dim * self.padded
            sizes = np.maximum(_largest(self.W.reshape(-1, rows), (1,)), _largest(self.V.reshape(-1, self.padded), (1,)))
        return ~(sizes.ravel()[:s.replicas] <= limit)


def _largest(x, axis):
    """Largest absolute value along axes, without a copy of x; NaN where there is one."""
    with np.errstate(invalid="ignore"):
        return np.maximum(x.max(axis=axis), -x.min(axis=axis))


class _Lanewise:
    """A (groups, neurons, 16) array addressed as (replica, neurons)."""

    def __init__(self, array):
        self.array = array

    def __getitem__(self, key):
        r, columns = key
        return self.array[r // LANES, columns, r % LANES]

    def __setitem__(self, key, value):
        r, columns = key
        self.array[r // LANES, columns, r % LANES] = value


def check_span(s) -> None:
    """Refuse a setting for which the span law does not hold."""
    k, m = s.strengths.size, s.width
    if s.samples or s.batch_size != 1:
        raise ArgumentError("the span law holds for fresh inputs and a batch_size of 1: else set method to full",
                            "batch_size", "method")
    if s.teacher_directions.shape[1] > k:
        raise ArgumentError(f"the span law needs the teacher in a basis of its span: {k} rows and at most {k} columns")
    if s.dim < k + m:
        raise ArgumentError(f"the span law needs a dim of at least M + K = {k + m}, got {s.dim}: or set method to full",
                            "dim", "method")


class SpanEnsemble:
    """Students by their coordinates in the span. ``starts(setting, replica) -> (A (K, k), L (K, K), readout (K,))``."""

    chunk = 1

    def __init__(self, s, starts):
        from toy.teacher_student.span_law import advance_span

        k, m = s.strengths.size, s.width
        self.setting, self.advance_span = s, advance_span
        self.groups = groups = -(-s.replicas // LANES)
        self.streams = [streams.open_lanes(s.seed, *address(s, what), replicas=s.replicas)
                        for what in ("span data", "span noise", "span radius")]
        self.A, self.L = np.zeros((groups, m, k, LANES), np.float32), np.zeros((groups, m, m + 1, LANES), np.float32)
        self.V = np.zeros((groups, m, LANES), np.float32)
        # teacher = T_low basis, T_low lower triangular: the basis is the rotation of the given coordinates
        square = np.zeros((k, k))
        square[:, :s.teacher_directions.shape[1]] = s.teacher_directions
        rotation, upper = np.linalg.qr(square.T)
        self.rotation, self.teacher = rotation, np.ascontiguousarray(upper.T, dtype=np.float32)
        for r in range(s.replicas):
            along, triangle, readout = starts(s, r)
            place = (r // LANES, ..., r % LANES)
            full = np.zeros((m, k))
            full[:, :along.shape[1]] = along
            self.A[place] = full @ rotation
            self.L[r // LANES, :, :m, r % LANES] = triangle
            self.V[place] = readout

    def advance(self, steps: int) -> None:
        """Take `steps` steps."""
        s, g = self.setting, self.groups
        rest = s.dim - self.teacher.shape[0] - s.width
        self.advance_span(self.A.reshape(g, -1), self.L.reshape(g, -1), self.V.reshape(g, -1), *self.streams,
                          self.teacher, s.strengths.astype(np.float32), _parameters(s), rest, int(steps),
                          ACTIVATIONS[s.activation], ACTIVATIONS[s.teacher_activation])

    def _replicas_first(self, x):
        return np.moveaxis(x, -1, 1).reshape(-1, *x.shape[1:-1])[:self.setting.replicas].astype(np.float64)

    def order_parameters(self, Q, R, v) -> None:
        """As :meth:`FullEnsemble.order_parameters`."""
        A, L, v[:] = (self._replicas_first(x) for x in (self.A, self.L, self.V))
        with np.errstate(over="ignore", invalid="ignore"):
            Q[:] = A @ A.transpose(0, 2, 1) + L @ L.transpose(0, 2, 1)
            R[:] = A @ self.teacher.T.astype(np.float64)

    def diverged(self, limit: float) -> np.ndarray:
        """(replicas,) True where a coordinate is beyond the limit or not a number."""
        sizes = np.maximum(_largest(self.A, (1, 2)), np.maximum(_largest(self.L, (1, 2)), _largest(self.V, (1,))))
        return ~(sizes.ravel()[:self.setting.replicas] <= limit)


def activate(name: str, z: np.ndarray) -> np.ndarray:
    """The activation of an array (NumPy)."""
    if name == "erf":
        from scipy.special import erf

        return erf(z / np.sqrt(2))
    return {"relu": lambda: np.maximum(z, 0.0), "tanh": lambda: np.tanh(z), "linear": lambda: z}[name]()
