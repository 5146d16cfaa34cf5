"""theory.hull: distances against independent solvers, certificates against their definition, and invariances."""

import sys
import warnings

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import InputError
from tests.naive_hull import clarabel_distance, nnls_distance, one_class_distance
from theory.hull import INSIDE, OUTSIDE, UNCONVERGED, leave_one_out, prepare, project

TOL = 1e-6


def check(points, queries, result, exclude=None):
    """Everything a projection claims, from its definition."""
    D, Q = np.asarray(points, dtype=np.float64), np.asarray(queries, dtype=np.float64)
    radius = np.linalg.norm(D - D.mean(axis=0), axis=1).max()
    allowed = TOL * np.maximum(result.upper, 1e-3 * radius)
    tiny = 1e-13 * (radius + np.abs(Q - D.mean(axis=0)).max(initial=0) + np.abs(D).max())
    weights = result.weights.toarray()
    assert weights.shape == (len(Q), len(D)) and weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal((weights > 0).sum(axis=1), result.support)
    reached = np.linalg.norm(Q - weights @ D, axis=1)
    assert np.all(np.abs(reached - result.upper) <= tiny + 1e-12 * reached)
    assert np.all(result.lower <= result.upper) and np.all(result.lower >= 0)
    assert np.all((result.upper - result.lower <= allowed)[result.status != UNCONVERGED])
    np.testing.assert_array_equal(result.outside, result.lower > 0)
    for i in np.flatnonzero(result.lower > 0):  # the direction proves the lower bound
        u = result.direction[i].astype(np.float64)
        assert abs(np.linalg.norm(u) - 1) < 1e-6
        kept = D if exclude is None or exclude[i] < 0 else np.delete(D, exclude[i], axis=0)
        proved = np.min((Q[i] - kept) @ u) / np.linalg.norm(u)
        rounding = 2e-7 * radius if result.direction.dtype == np.float32 else tiny
        assert proved >= result.lower[i] - rounding
        assert result.status[i] != INSIDE


def bracketed(result, reference, slack=0.0):
    assert np.all(result.lower <= reference * (1 + 1e-9) + slack)
    assert np.all(result.upper >= reference * (1 - 1e-9) - slack)


CASES = [(1, 1), (2, 1), (17, 1), (3, 2), (9, 2), (4, 3), (40, 3), (5, 17), (13, 13), (60, 7), (200, 16), (30, 60)]


@pytest.mark.parametrize("n, d", CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distances_equal_nnls_on_all_points(n, d, dtype):
    rng = np.random.default_rng(n + d)
    points = rng.standard_normal((n, d)).astype(dtype)
    queries = np.concatenate([rng.standard_normal((9, d)), 0.2 * rng.standard_normal((4, d))]).astype(dtype)
    result = project(points, queries)
    check(points, queries, result)
    reference = np.array([nnls_distance(points, q) for q in queries])
    np.testing.assert_allclose(result.upper, reference, rtol=1e-6, atol=1e-8)
    bracketed(result, reference, 1e-9)
    assert not np.any(result.status == UNCONVERGED)


def test_distances_equal_one_class_svm_and_clarabel():
    rng = np.random.default_rng(5)
    points, queries = rng.standard_normal((150, 8)), 1.5 * rng.standard_normal((6, 8))
    result = project(points, queries, tol=1e-9)
    np.testing.assert_allclose(result.upper, [clarabel_distance(points, q) for q in queries], rtol=1e-6)
    outside = result.outside
    assert outside.sum() >= 4
    np.testing.assert_allclose(result.upper[outside], [one_class_distance(points, q) for q in queries[outside]],
                               rtol=1e-6)


def test_unequal_scales_as_in_natural_images():
    rng = np.random.default_rng(2)
    spectrum = np.arange(1, 101) ** -1.5
    points, queries = rng.standard_normal((600, 100)) * spectrum, rng.standard_normal((8, 100)) * spectrum
    for dtype in (np.float32, np.float64):
        P, Q = points.astype(dtype), queries.astype(dtype)
        result = project(P, Q)
        check(P, Q, result)
        assert not np.any(result.status == UNCONVERGED)
        reference = [nnls_distance(P.astype(float), q.astype(float)) for q in Q]
        np.testing.assert_allclose(result.upper, reference, rtol=1e-6)
    steep = np.arange(1, 101) ** -3.0
    result = project(points * steep, queries * steep)
    check(points * steep, queries * steep, result)
    assert not np.any(result.status == UNCONVERGED)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_high_dimension_with_products_in_float32(dtype):
    """Beyond dimension 256 inner products of the working set are float32; the answer must not show it."""
    rng = np.random.default_rng(1)
    points = (rng.standard_normal((120, 400)) * np.arange(1, 401) ** -0.7).astype(dtype)
    points[60:] += points[:60]
    queries = (rng.standard_normal((5, 400)) * np.arange(1, 401) ** -0.7).astype(dtype)
    result = project(points, queries, tol=1e-9)
    np.testing.assert_allclose(result.upper, [nnls_distance(points.astype(float), q.astype(float)) for q in queries],
                               rtol=1e-8)
    assert np.all(result.upper - result.lower <= 1e-9 * result.upper)


@pytest.mark.parametrize("thickness", [0, 1e-15, 1e-13, 1e-10, 1e-7, 1e-5])
def test_hulls_that_are_nearly_flat(thickness):
    """Points near a line in the plane (narrow networks make such features): the bounds hold, and no number is lost."""
    rng = np.random.default_rng(14)
    line = np.concatenate([np.zeros(20), rng.exponential(size=80)])[:, None] * [0.7, 0.9, 0.0, 0.1]
    points = line + thickness * rng.standard_normal(line.shape)
    queries = line[20:45] * 1.01 + thickness * rng.standard_normal((25, 4))
    for dtype in (np.float32, np.float64):
        P, Q = points.astype(dtype), queries.astype(dtype)
        result = project(P, Q)
        check(P, Q, result)
        assert np.all(np.isfinite(result.weights.data)) and result.rounds.max() < 60
        undecided = result.status == UNCONVERGED
        assert np.all(result.upper[undecided] - result.lower[undecided] <= 1e-6 * result.radius)


clouds = st.tuples(st.integers(1, 17), st.integers(1, 6), st.integers(0, 10**6), st.booleans())


def cloud(n, d, seed, lattice):
    rng = np.random.default_rng(seed)
    draw = (lambda *s: rng.integers(-2, 3, s).astype(float)) if lattice else (lambda *s: rng.standard_normal(s))
    return draw(n, d), draw(4, d), rng


@settings(max_examples=60, deadline=None)
@given(clouds)
def test_bounds_hold_on_any_small_cloud(shape):
    points, queries, _ = cloud(*shape)
    result = project(points, queries)
    check(points, queries, result)
    assert not np.any(result.status == UNCONVERGED)
    bracketed(result, np.array([nnls_distance(points, q) for q in queries]), 1e-8)


@settings(max_examples=40, deadline=None)
@given(clouds, st.integers(-6, 6))
def test_invariances(shape, exponent):
    points, queries, rng = cloud(*shape)
    base = project(points, queries)
    radius = base.radius
    order = rng.permutation(len(points))
    rotation = np.linalg.qr(rng.standard_normal((points.shape[1],) * 2))[0]
    offset, scale = 100 * rng.standard_normal(points.shape[1]), 10.0**exponent
    for changed, asked, factor in ((points[order], queries, 1), (points @ rotation, queries @ rotation, 1),
                                   (points + offset, queries + offset, 1), (scale * points, scale * queries, scale),
                                   (np.concatenate([points, points[:3]]), queries, 1)):
        other = project(changed, asked)
        np.testing.assert_allclose(other.upper / factor, base.upper, rtol=2e-6, atol=2e-9 * radius + 1e-13)
        assert np.all(other.lower / factor <= base.upper * (1 + 1e-9) + 1e-12)


@settings(max_examples=40, deadline=None)
@given(clouds)
def test_members_are_inside(shape):
    points, _, rng = cloud(*shape)
    n = len(points)
    mixtures = rng.dirichlet(np.ones(n), 3) @ points
    members = np.concatenate([points, points.mean(axis=0)[None], (points[:1] + points[-1:]) / 2, mixtures])
    result = project(points, members)
    assert np.all(result.upper <= 1e-9 * max(result.radius, 1e-3))
    assert np.all(result.lower <= 1e-14 * (1 + np.abs(points).max()))


@pytest.mark.parametrize("d", [1, 2, 5, 30, 400])
def test_a_query_outside_by_1e_9_is_bracketed_and_separated(d):
    rng = np.random.default_rng(d)
    points = rng.standard_normal((3 * d + 5, d))
    points[:, 0] = -np.abs(points[:, 0])
    points[: d, 0] = 0  # a facet in the plane x_0 = 0
    middle = points[:d].mean(axis=0)
    shift = 1e-9 * np.eye(d)[0]
    result = project(points, np.stack([middle + shift, middle - shift]))
    assert result.status[0] == OUTSIDE
    assert 0.5e-9 < result.lower[0] <= 1e-9 * (1 + 1e-6)
    assert 1e-9 * (1 - 1e-6) <= result.upper[0] < 1.1e-9
    assert result.lower[1] == 0 and result.status[1] == INSIDE


def test_far_queries():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((50, 5))
    queries = 1e6 * rng.standard_normal((4, 5))
    result = project(points, queries)
    check(points, queries, result)
    assert np.all(result.status == OUTSIDE)
    tight = project(points, queries, tol=1e-12)
    nearest = np.linalg.norm(queries[:, None] - points, axis=2).min(axis=1)
    assert np.all(tight.upper <= nearest * (1 + 1e-12))


def test_collinear_points_and_one_dimension():
    line = np.linspace(-1, 1, 9)[:, None] * np.array([[1.0, 2.0, -1.0]])
    query = np.array([[0.3, 0.6, -0.3], [2.0, 4.0, -2.0], [0.0, 1.0, 2.0]])
    result = project(line, query)
    np.testing.assert_allclose(result.upper, [0, np.sqrt(6), np.sqrt(5)], atol=1e-9)
    np.testing.assert_array_equal(result.status, [INSIDE, OUTSIDE, OUTSIDE])
    result = project(np.array([[3.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [2.5], [3.0 + 1e-9]]))
    np.testing.assert_allclose(result.upper, [1, 0, 0, 1e-9], rtol=1e-6, atol=1e-12)
    np.testing.assert_array_equal(result.status, [OUTSIDE, INSIDE, INSIDE, OUTSIDE])


def test_one_point_and_copies_of_one_point():
    for count in (1, 4):
        points = np.tile([[1.0, 2.0]], (count, 1))
        result = project(points, np.array([[1.0, 2.0], [4.0, 6.0]]))
        np.testing.assert_allclose(result.upper, [0, 5])
        np.testing.assert_array_equal(result.status, [INSIDE, OUTSIDE])
        np.testing.assert_allclose(result.direction[1], [0.6, 0.8])
        check(points, np.array([[1.0, 2.0], [4.0, 6.0]]), result)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_extreme_units(scale):
    rng = np.random.default_rng(4)
    points, queries = rng.standard_normal((20, 3)), 3 * rng.standard_normal((5, 3))
    base = project(points, queries)
    for dtype in (np.float32, np.float64):
        result = project((scale * points).astype(dtype), (scale * queries).astype(dtype))
        np.testing.assert_allclose(result.upper / scale, base.upper, rtol=1e-5, atol=1e-10)
        assert not np.any(result.status == UNCONVERGED)


def test_large_offset_costs_no_digits():
    rng = np.random.default_rng(6)
    points, queries = rng.integers(-8, 9, (80, 6)), rng.integers(-20, 21, (6, 6))
    base = project(points.astype(float), queries.astype(float))
    for dtype, offset in ((np.float64, 2.0**40), (np.float32, 2.0**19)):
        moved = project((points + offset).astype(dtype), (queries + offset).astype(dtype))
        np.testing.assert_allclose(moved.upper, base.upper, rtol=1e-6, atol=1e-6)
        assert not np.any(moved.status == UNCONVERGED)


def test_leave_one_out_equals_deletion():
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.standard_normal((40, 4)), rng.standard_normal((1, 4)) * 0.01])
    points = np.concatenate([points, points[:1]])  # a duplicate stays inside
    rows = np.array([0, 5, 40, 41, 7])
    result = leave_one_out(points, rows)
    expected = [nnls_distance(np.delete(points, i, axis=0), points[i]) for i in rows]
    np.testing.assert_allclose(result.upper, expected, rtol=1e-6, atol=1e-9)
    check(points, points[rows], result, exclude=rows)
    assert not np.any(result.weights.toarray()[np.arange(len(rows)), rows])
    assert result.status[0] == result.status[3] == INSIDE
    two = leave_one_out(np.array([[0.0, 0.0], [3.0, 4.0]]))
    np.testing.assert_allclose(two.upper, [5, 5])


def test_supports_that_outgrow_their_slots():
    rng = np.random.default_rng(8)
    points, queries = rng.standard_normal((400, 40)).astype(np.float32), rng.standard_normal((7, 40)).astype(np.float32)
    small = project(points, queries, block=2, max_rounds=1000)
    plain = project(points, queries)
    assert small.support.max() > 8
    check(points, queries, small)
    np.testing.assert_allclose(small.upper, plain.upper, rtol=1e-6)
    one = project(points, queries, block=1, batch=2, max_rounds=1000)
    np.testing.assert_allclose(one.upper, plain.upper, rtol=1e-6)


def test_what_did_not_converge_says_so():
    rng = np.random.default_rng(9)
    points, queries = rng.standard_normal((3000, 30)), 0.9 * rng.standard_normal((6, 30))
    exact = project(points, queries)
    for rounds in (1, 2):
        result = project(points, queries, block=2, max_rounds=rounds)
        assert np.all(result.status == UNCONVERGED) and not result.converged.any()
        bracketed(result, exact.upper)
        assert np.all(result.upper > exact.upper)
    impossible = project(points, queries, tol=1e-16)  # beyond float64: bounds, and the admission
    assert np.all(impossible.status == UNCONVERGED)
    bracketed(impossible, exact.upper, 1e-12)


def test_tight_tolerance_is_priced_in_float64():
    rng = np.random.default_rng(10)
    points, queries = rng.standard_normal((500, 20)).astype(np.float32), rng.standard_normal((6, 20)).astype(np.float32)
    result = project(points, queries, tol=1e-11)
    assert np.all(result.status == OUTSIDE)
    assert np.all(result.upper - result.lower <= 1e-11 * np.maximum(result.upper, 1e-3 * result.radius))
    reference = [nnls_distance(points.astype(float), q.astype(float)) for q in queries]
    np.testing.assert_allclose(result.upper, reference, rtol=1e-10)


def test_same_numbers_for_any_number_of_threads():
    rng = np.random.default_rng(11)
    points, queries = rng.standard_normal((300, 12)), rng.standard_normal((40, 12))
    threads = numba.get_num_threads()
    answers = []
    for count in {1, threads}:
        numba.set_num_threads(count)
        answers.append(project(points, queries))
    numba.set_num_threads(threads)
    np.testing.assert_array_equal(answers[0].upper, answers[-1].upper)
    np.testing.assert_array_equal(answers[0].weights.toarray(), answers[-1].weights.toarray())


def test_tensors_and_their_device():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(12)
    for dtype in (np.float32, np.float64):
        points, queries = (7 + rng.standard_normal((n, 9)).astype(dtype) for n in (300, 12))
        queries[0] = points[3]
        base = project(points, queries)
        tensor = torch.as_tensor(points)
        for prepared in (tensor, prepare(tensor, on_device=True), prepare(points[:, ::-1][:, ::-1])):
            result = project(prepared, torch.as_tensor(queries))
            np.testing.assert_allclose(result.upper, base.upper, rtol=1e-6, atol=1e-9)
            np.testing.assert_array_equal(result.status, base.status)
            check(points, queries, result)
        loo = leave_one_out(prepare(tensor, on_device=True), np.arange(10))
        np.testing.assert_allclose(loo.upper, leave_one_out(points, np.arange(10)).upper, rtol=1e-6, atol=1e-9)
    half = project(tensor.half(), torch.as_tensor(queries).half())
    np.testing.assert_allclose(half.upper[1:], base.upper[1:], atol=0.05)


def test_does_not_import_torch():
    import subprocess

    code = "import theory.hull, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_no_queries_and_single_query():
    points = np.eye(3)
    assert len(project(points, np.zeros((0, 3)))) == 0
    result = project(points, np.zeros(3))
    np.testing.assert_allclose(result.upper, [1 / np.sqrt(3)])
    np.testing.assert_allclose(result.weights.toarray(), [[1 / 3] * 3])


@pytest.mark.parametrize("points, queries, options, message", [
    (np.full((3, 2), np.nan), np.zeros((1, 2)), {}, "NaN"),
    (np.array([[0.0, 0], [1, np.inf], [0, 1]]), np.zeros((1, 2)), {}, "row 1"),
    (np.zeros((3, 2)), np.array([[0.0, 0], [np.nan, 0]]), {}, "row 1"),
    (np.zeros((0, 2)), np.zeros((1, 2)), {}, "empty"),
    (np.zeros((3, 0)), np.zeros((1, 0)), {}, "shape"),
    (np.zeros(3), np.zeros((1, 3)), {}, "matrix"),
    (np.zeros((3, 2)), np.zeros((1, 3)), {}, "dimension 3"),
    (np.zeros((3, 2), complex), np.zeros((1, 2)), {}, "real"),
    (np.zeros((3, 2)), np.zeros((1, 2)), {"tol": 0}, "tol"),
    (np.zeros((3, 2)), np.zeros((1, 2)), {"tol": float("nan")}, "tol"),
    (np.zeros((3, 2)), np.zeros((1, 2)), {"block": 0}, "block"),
    (np.zeros((3, 2)), np.zeros((1, 2)), {"exclude": [3]}, "exclude"),
    (np.zeros((3, 2)), np.zeros((1, 2)), {"exclude": [0, 1]}, "exclude"),
    (np.zeros((1, 2)), np.zeros((1, 2)), {"exclude": [0]}, "two points"),
    ([[1.0, 2], [3]], np.zeros((1, 2)), {}, "different lengths"),
])
def test_bad_input_is_one_clear_line(points, queries, options, message):
    with warnings.catch_warnings(), pytest.raises(InputError, match=message):
        warnings.simplefilter("error")
        project(points, queries, **options)
    with pytest.raises(InputError):
        leave_one_out(np.zeros((3, 2)), [5])
