"""Random streams: known answers, moments and laws, independence, and the same numbers whatever the batching."""

import hypothesis
import hypothesis.strategies
import numpy as np
import pytest
from numba import config
from scipy import stats

from lab import kernel_streams as streams
from lab.errors import InputError
from lab.streams import generator, key, normal, recorded

N = 200_000 if not config.DISABLE_JIT else 6_400


def draw(seed=0, *address, replica=0, n=N, dtype=np.float32):
    out = np.empty(n, dtype)
    (streams.fill_normal if dtype == np.float32 else streams.fill_normal64)(
        streams.open_streams(seed, *(address or ("data",)), replicas=1, first_replica=replica)[0], out)
    return out.astype(np.float64)


def test_philox_known_answers():
    """The reference vectors of Salmon et al.'s Random123."""
    zero = [np.uint32(0)] * 6
    pi = [np.uint32(w) for w in (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0)]
    assert [int(w) for w in streams.philox(*zero)] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert [int(w) for w in streams.philox(*pi)] == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


def test_xoshiro_matches_its_published_text():
    """Lane by lane against xoshiro128++ in plain Python integers."""
    state = streams.open_streams(3, "data", replicas=1)[0]
    lanes = [[int(state[w * 16 + lane]) for w in range(4)] for lane in range(16)]

    def rotate(x, k):
        return ((x << k) | (x >> (32 - k))) & 0xFFFFFFFF

    out = np.empty(16 * 5, np.float32)
    streams.fill_uniform(state, out)
    for lane, s in enumerate(lanes):
        for k in range(5):
            word = (rotate((s[0] + s[3]) & 0xFFFFFFFF, 7) + s[0]) & 0xFFFFFFFF
            t = (s[1] << 9) & 0xFFFFFFFF
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= t
            s[3] = rotate(s[3], 11)
            assert out[k * 16 + lane] == np.float32((word >> 9) * 2.0**-23 + 2.0**-24)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaussians_have_the_gaussian_law(dtype):
    x = draw(seed=11, dtype=dtype)
    assert stats.kstest(x, "norm").pvalue > 1e-3
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((x**power).mean() - mean) < 4 * np.sqrt(variance / N)


def test_uniforms_are_uniform_and_never_reach_the_ends():
    out = np.empty(N, np.float32)
    streams.fill_uniform(streams.open_streams(5, "order", replicas=1)[0], out)
    assert out.min() > 0 and out.max() < 1
    assert stats.kstest(out, "uniform").pvalue > 1e-3


def test_box_muller_pairs_are_independent():
    x = draw(seed=4, n=N // 32 * 32).reshape(-1, 2, 16)
    a, b = x[:, 0].ravel(), x[:, 1].ravel()
    for f in (lambda z: z, np.abs, np.square):
        assert abs(np.corrcoef(f(a), f(b))[0, 1]) < 4 / np.sqrt(a.size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_streams_differ_by_each_name_and_are_uncorrelated(dtype):
    base = draw(dtype=dtype)
    others = [draw(1, dtype=dtype), draw(2**32, dtype=dtype), draw(replica=1, dtype=dtype),
              draw(replica=2**32, dtype=dtype), draw(0, "noise", dtype=dtype),
              draw(0, "data", 0, dtype=dtype)]
    for i, x in enumerate([base, *others]):
        for y in others[i:]:
            assert abs(np.mean(x * y)) < 4.5 / np.sqrt(N)
            assert abs(np.mean((x**2 - 1) * (y**2 - 1))) < 9 / np.sqrt(N)


def test_lanes_of_a_stream_are_uncorrelated():
    x = draw(seed=8, n=N // 32 * 32).reshape(-1, 32)
    c = np.corrcoef(x.T) - np.eye(32)
    assert np.abs(c).max() < 5 / np.sqrt(x.shape[0])


def test_a_replica_has_its_stream_whatever_the_batch():
    whole = streams.open_streams(7, "data", replicas=9)
    part = streams.open_streams(7, "data", replicas=2, first_replica=5)
    assert np.array_equal(whole[5:7], part)
    lanes = streams.open_lanes(7, "data", replicas=33)
    assert lanes.shape == (3, 64)
    later = streams.open_lanes(7, "data", replicas=1, first_replica=17)
    assert np.array_equal(lanes[1].reshape(4, 16)[:, 1], later[0].reshape(4, 16)[:, 0])
    assert np.array_equal(lanes[0].reshape(4, 16)[:, 3], whole[3].reshape(4, 16)[:, 0])


@pytest.mark.parametrize("n", [*range(1, 18), 31, 32, 33, 64])
def test_any_length_is_filled_alike(n):
    long = draw(n=96)
    assert np.array_equal(draw(n=n), long[:n])
    assert np.array_equal(draw(n=n, dtype=np.float64), draw(n=96, dtype=np.float64)[:n])


def test_numpy_helpers():
    a = normal(1, "teacher", 2, shape=(3, 4))
    assert a.shape == (3, 4) and a.dtype == np.float64
    assert np.array_equal(a, normal(1, "teacher", 2, shape=(3, 4)))
    assert not np.any(a == normal(1, "teacher", 3, shape=(3, 4)))
    assert normal(1, "teacher", shape=5, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("wrong", [(-1, "a"), (2**64, "a"), (1.5, "a"), (True, "a"), ("3", "a"), (0,), (0, 1), (0, "a", -1),
                                   (0, "a", 2**64), (0, "a", 1.0), (0, "a", None), (0, "a", False)])
def test_what_is_no_address_is_refused(wrong):
    with pytest.raises(InputError):
        generator(*wrong)
    with pytest.raises(InputError):
        streams.open_streams(*wrong, replicas=1)


PARTS = hypothesis.strategies.one_of(
    hypothesis.strategies.text(max_size=4), hypothesis.strategies.integers(0, 30), hypothesis.strategies.fractions())


@hypothesis.given(hypothesis.strategies.lists(PARTS, max_size=4), hypothesis.strategies.lists(PARTS, max_size=4))
def test_addresses_are_alike_only_where_all_parts_are(a, b):
    """Strings that look like numbers, fractions, or several parts are told apart from them."""
    alike = [*map(type, a), *a] == [*map(type, b), *b]
    assert (key(0, "x", *a) == key(0, "x", *b)) == alike


def test_numpy_integers_are_whole_numbers():
    assert key(np.int64(3), "a", np.uint8(4)) == key(3, "a", 4)


def test_addresses_are_recorded():
    with recorded() as outer:
        generator(1, "a", 2)
        with recorded() as inner:
            streams.open_lanes(1, "b", replicas=2, first_replica=5)
        normal(1, "c", shape=1)
    assert inner == [(1, "b", 5), (1, "b", 6)] and outer == [(1, "a", 2), *inner, (1, "c")]


@pytest.mark.parametrize("df", [1, 2, 3, 4, 7, 60, 1000, 999_992])
def test_chi_has_its_law(df):
    """Against the exact distribution function; 2 and 3 degrees of freedom reject often, a million hardly ever."""
    n = 60_000 if not config.DISABLE_JIT else 1600
    out = np.empty(n, np.float32)
    streams.fill_chi(streams.open_streams(21, "radius", replicas=1)[0], df, out)
    assert stats.kstest(out.astype(float), "chi", args=(df,)).pvalue > 1e-3
    exact = stats.chi(df)
    assert abs(out.astype(float).mean() - exact.mean()) < 4 * exact.std() / np.sqrt(n)
    assert abs(out.astype(float).var() / exact.var() - 1) < 6 / np.sqrt(n)


def test_a_lane_of_chi_does_not_depend_on_its_neighbours():
    """Replica 3 alone (first lane) and among others (fourth lane): the same draws, rejections included."""
    a, b = np.empty(16 * 400, np.float32), np.empty(16 * 400, np.float32)
    streams.fill_chi(streams.open_lanes(2, "radius", replicas=16)[0], 2, a)
    streams.fill_chi(streams.open_lanes(2, "radius", replicas=16, first_replica=3)[0], 2, b)
    assert np.array_equal(a.reshape(-1, 16)[:, 3], b.reshape(-1, 16)[:, 0])
