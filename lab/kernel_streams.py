"""Random streams inside kernels: sixteen lanes of xoshiro128++, started at an address of :mod:`lab.streams`.

xoshiro128++ is Blackman & Vigna's (2021; period 2**128 - 1 each). Its states come from Philox-4x32-10 (Salmon et al. 2011),
keyed by the address and counting replicas and lanes. :func:`open_streams` gives every replica sixteen lanes of its own;
:func:`open_lanes` gives each replica one lane of a vector. ``next_words`` and ``next_normals`` return one and two vectors of
:mod:`lab.vector`; ``fill_normal`` fills arrays.

Gaussians are Box & Muller's: radius sqrt(-2 ln u), u on a grid of 2**-32 (2**-53 in float64), so |z| < 6.7 (8.6); the
angle from a second word. Errors of the polynomials: :mod:`lab.vector_math`.
"""

import numpy as np

from lab import vector as vec
from lab import vector_math as vm
from lab.compiled import njit
from lab.streams import keys

LANES = vec.LANES
WORDS = 4 * LANES  # the state of a stream: word w of lane l at w * LANES + l


@njit("UniTuple(u4, 4)(u4, u4, u4, u4, u4, u4)", cache=True, error_model="numpy")
def philox(c0, c1, c2, c3, k0, k1):
    """Philox-4x32-10: four words from a counter of four words and a key of two (Salmon et al. 2011)."""
    mask = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    k0, k1 = np.uint64(k0), np.uint64(k1)
    c0, c1, c2, c3 = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ k0, p1 & mask, (p0 >> half) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & mask, (k1 + np.uint64(0xBB67AE85)) & mask
    return np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)


@njit("void(u4[::1], i8, u8, u8, u4, u4)", cache=True, error_model="numpy")
def _seed_lane(state, lane, key, replica, extra, block):
    half = np.uint64(32)
    mask = np.uint64(0xFFFFFFFF)
    a, b, c, d = philox(np.uint32(replica & mask), np.uint32(replica >> half), extra, block,
                        np.uint32(key & mask), np.uint32(key >> half))
    if a | b | c | d == np.uint32(0):  # the one state that xoshiro never leaves
        a = np.uint32(1)
    state[lane], state[LANES + lane], state[2 * LANES + lane], state[3 * LANES + lane] = a, b, c, d


@njit("void(u4[:, ::1], u8, u4, u8, b1)", cache=True, error_model="numpy")
def _seed_streams(states, key, extra, first, lane_is_replica):
    for n in range(states.shape[0]):
        for lane in range(LANES):
            if lane_is_replica:
                _seed_lane(states[n], lane, key, first + np.uint64(n * LANES + lane), extra, np.uint32(0))
            else:
                _seed_lane(states[n], lane, key, first + np.uint64(n), extra, np.uint32(lane))


def _open(seed, address, replicas, first_replica, rows, lane_is_replica) -> np.ndarray:
    bits = keys(seed, *address, replicas=replicas, first_replica=first_replica)
    states = np.empty((rows, WORDS), dtype=np.uint32)
    # 96 bits of the digest: 64 key the hash, 32 stand in its counter beside replica and lane
    _seed_streams(states, np.uint64(bits & (2**64 - 1)), np.uint32(bits >> 64 & 0xFFFFFFFF), np.uint64(first_replica),
                  lane_is_replica)
    return states


def open_streams(seed: int, *address, replicas: int, first_replica: int = 0) -> np.ndarray:
    """Streams of sixteen lanes for the replicas ``first_replica .. first_replica + replicas - 1``.

    Returns
    -------
    uint32 array (replicas, 64): the states that ``next_words`` and ``fill_normal`` advance, one row per replica.
    """
    return _open(seed, address, replicas, first_replica, replicas, False)


def open_lanes(seed: int, *address, replicas: int, first_replica: int = 0) -> np.ndarray:
    """Streams for kernels whose lanes are replicas: lane l of row n belongs to replica ``first_replica + 16 n + l``.

    Returns
    -------
    uint32 array (ceil(replicas / 16), 64). Rows are padded with the replicas that would follow.
    """
    return _open(seed, address, replicas, first_replica, -(-replicas // LANES), True)


@njit(cache=True, error_model="numpy", inline="always")
def _rotate(x, k):
    return x << k | x >> (32 - k)


@njit(cache=True, error_model="numpy")
def step(s0, s1, s2, s3):
    """One step of xoshiro128++ in every lane: the word and the next state."""
    word = _rotate(s0 + s3, 7) + s0
    t = s1 << 9
    s2 = s2 ^ s0
    s3 = s3 ^ s1
    s1 = s1 ^ s2
    s0 = s0 ^ s3
    s2 = s2 ^ t
    return word, s0, s1, s2, _rotate(s3, 11)


@njit(cache=True, error_model="numpy")
def next_words(state):
    """Sixteen random words; advances the stream."""
    word, s0, s1, s2, s3 = step(vec.load(state, 0), vec.load(state, 16), vec.load(state, 32), vec.load(state, 48))
    vec.store(state, 0, s0)
    vec.store(state, 16, s1)
    vec.store(state, 32, s2)
    vec.store(state, 48, s3)
    return word


@njit(cache=True, error_model="numpy")
def uniform_of(word):
    """Uniform float32 in (0, 1), never 0 or 1, from the upper 23 bits of a word."""
    return vec.fma(vec.from_signed(word >> 9), np.float32(2.0**-23), np.float32(2.0**-24))


@njit(cache=True, error_model="numpy")
def normals_of(a, b):
    """Two vectors of independent float32 Gaussians from two vectors of words (Box & Muller)."""
    # u in (0, 1]: rounding keeps 24 significant bits, so that small u keep theirs
    u = vec.fma(vec.from_unsigned(a), np.float32(2.0**-32), np.float32(2.0**-33))
    radius = vec.sqrt(vm.minus_two_log32(u))
    # half a turn from the upper bits; the last bit, which the conversion rounds away, chooses the other half
    sine, cosine = vm.sincos_half_turn32(vec.from_signed(b) * np.float32(2.0**-32))
    cosine = vec.float_of(vec.bits_of(cosine) ^ b << 31)
    return radius * cosine, radius * sine


@njit(cache=True, error_model="numpy")
def next_normals(state):
    """Two vectors of float32 Gaussians; advances the stream by two words per lane."""
    a = next_words(state)
    b = next_words(state)
    return normals_of(a, b)


# log(1 + t) - t + t**2/2 - t**3/3 = -t**4 (1/4 - t/5 + t**2/6 - ...)
_TAIL = tuple((-1.0)**k / (k + 4) for k in range(12))


@njit(cache=True, error_model="numpy")
def _gamma_trial(word, x, shape):
    """One trial of Marsaglia & Tsang (2000) per lane: which lanes accept, and d v = Gamma(shape) where accepted.

    With d = shape - 1/3, t = x / sqrt(9 d) and v = (1 + t)**3 their test log u < x**2/2 + d - d v + d log v is
    log u < 3 d [log(1 + t) - t + t**2/2 - t**3/3]: of order x**4 / d, and written so it loses no digits at large d.
    """
    d = np.float32(shape - np.float32(1 / 3))
    t = x * (np.float32(1) / np.sqrt(np.float32(9) * d))
    u = uniform_of(word)
    square = t * t
    fourth = square * square
    near = square < np.float32(0.0625)
    # inside |t| < 1/4 the bracket is above -0.32 t**4, and exp(g) >= 1 + g
    sure = u < vec.fma(vec.select(near, fourth, np.float32(1e30)), np.float32(-0.96) * d, np.float32(1))
    base = t + np.float32(1)
    if vec.every(sure):
        accept = sure
    else:
        series = -fourth * vec.polynomial(t, _TAIL)
        direct = vm.log32(vec.maximum(base, np.float32(1e-30)))
        direct = direct - t + square * vec.fma(t, np.float32(-1 / 3), np.float32(0.5))
        bracket = vec.select(near, series, direct)
        bracket = vec.select(base > np.float32(0), bracket, np.float32(-1e30))  # v <= 0: never
        accept = vm.log32(u) < bracket * (np.float32(3) * d)
    return accept, base * (base * base) * d


@njit(cache=True, error_model="numpy")
def next_chi(state, x, df):
    """A vector of chi variables with df >= 1 degrees of freedom, exact in law; advances the stream.

    `x` is a vector of fresh Gaussians, used for the first trial. Lanes that reject draw again from their own stream
    while the others wait, so that what a lane gets does not depend on its neighbours.
    """
    if df == 1:
        return vec.absolute(x)
    shape = np.float32(0.5) * np.float32(df)
    accept, gamma = _gamma_trial(next_words(state), x, shape)
    undecided = vec.select(accept, np.float32(0), np.float32(1))
    while vec.some(undecided > np.float32(0.5)):
        waits = undecided < np.float32(0.5)
        s0, s1, s2, s3 = vec.load(state, 0), vec.load(state, 16), vec.load(state, 32), vec.load(state, 48)
        x, _ = next_normals(state)
        accept, again = _gamma_trial(next_words(state), x, shape)
        vec.store(state, 0, vec.select(waits, s0, vec.load(state, 0)))
        vec.store(state, 16, vec.select(waits, s1, vec.load(state, 16)))
        vec.store(state, 32, vec.select(waits, s2, vec.load(state, 32)))
        vec.store(state, 48, vec.select(waits, s3, vec.load(state, 48)))
        gamma = vec.select(waits, gamma, again)
        undecided = vec.select(waits, undecided, vec.select(accept, np.float32(0), np.float32(1)))
    return vec.sqrt(gamma * np.float32(2))


@njit(cache=True, error_model="numpy")
def fill_chi(state, df, out):
    """Fill a flat float32 array with chi variables of df >= 1 degrees of freedom, sixteen at a time."""
    last = np.empty(LANES, np.float32)
    for i in range(0, out.size, LANES):
        x, _ = next_normals(state)
        chi = next_chi(state, x, df)
        if out.size - i >= LANES:
            vec.store(out, i, chi)
        else:
            vec.store(last, 0, chi)
            out[i:] = last[:out.size - i]


@njit(cache=True, error_model="numpy")
def fill_uniform(state, out):
    """Fill a flat float32 array with uniforms in (0, 1), sixteen at a time (unused values of the last draw are discarded)."""
    whole = out.size // LANES * LANES
    for i in range(0, whole, LANES):
        vec.store(out, i, uniform_of(next_words(state)))
    if whole < out.size:
        last = np.empty(LANES, np.float32)
        vec.store(last, 0, uniform_of(next_words(state)))
        out[whole:] = last[:out.size - whole]


@njit(cache=True, error_model="numpy")
def fill_normal_at(states, first, out, start, n):
    """As :func:`fill_normal` for ``out[start : start + n]``, n a multiple of 32, the state at ``states[first : first + 64]``.

    Offsets instead of slices: a slice is reference-counted, which inside a kernel costs more than the draw.
    """
    s0, s1 = vec.load(states, first), vec.load(states, first + 16)
    s2, s3 = vec.load(states, first + 32), vec.load(states, first + 48)
    for i in range(start, start + n, 32):
        a, s0, s1, s2, s3 = step(s0, s1, s2, s3)
        b, s0, s1, s2, s3 = step(s0, s1, s2, s3)
        x, y = normals_of(a, b)
        vec.store(out, i, x)
        vec.store(out, i + LANES, y)
    vec.store(states, first, s0)
    vec.store(states, first + 16, s1)
    vec.store(states, first + 32, s2)
    vec.store(states, first + 48, s3)


@njit(cache=True, error_model="numpy")
def fill_normal(state, out):
    """Fill a flat float32 array with standard Gaussians, 32 at a time (unused values of the last draw are discarded)."""
    whole = out.size // 32 * 32
    fill_normal_at(state, 0, out, 0, whole)
    if whole < out.size:
        last = np.empty(32, np.float32)
        fill_normal_at(state, 0, last, 0, 32)
        out[whole:] = last[:out.size - whole]


@njit(cache=True, error_model="numpy")
def fill_normal64(state, out):
    """Fill a flat float64 array with standard Gaussians, 32 at a time (unused values of the last draw are discarded)."""
    words = np.empty(WORDS, np.uint32)
    pair = np.empty(32)  # of draws: sixteen cosines, then sixteen sines
    for i in range(0, out.size, 32):
        for k in range(4):
            vec.store(words, k * LANES, next_words(state))
        for l in range(LANES):
            a = np.uint64(words[l]) << np.uint64(21) ^ np.uint64(words[LANES + l] >> np.uint32(11))
            u = (np.float64(a) + 0.5) * 2.0**-53
            b = np.uint64(words[2 * LANES + l]) << np.uint64(21) ^ np.uint64(words[3 * LANES + l] >> np.uint32(11))
            sine, cosine = vm.sincos_half_turn64(np.float64(b) * 2.0**-53 - 0.5)
            radius = np.sqrt(-2.0 * vm.log64(u))
            sign = 1.0 - 2.0 * np.float64(words[3 * LANES + l] & np.uint32(1))
            pair[l] = radius * cosine * sign
            pair[LANES + l] = radius * sine
        n = min(32, out.size - i)
        out[i:i + n] = pair[:n]
