"""Hulls of real training sets: spaces, controls, directions, the command and its study."""

import json

import numpy as np
import pytest
import torch

from empirical.__main__ import COMMANDS
from empirical.data import Dataset, load
from empirical.hull import spaces
from empirical.hull.directions import PixelNetwork, adversarial_steps, directions
from empirical.hull.measure import errors_beyond_nearest, gaussian_like, measure, nearest, scales
from empirical.models import build
from empirical.settings import Network, recipe
from empirical.studies.hull.evidence import evidence
from empirical.studies.hull.plan import HullRun
from empirical.studies.hull.study import HULL_DIGITS, HULL_IMAGES
from empirical.studies.trained import trained
from lab.cli import main
from lab.errors import InputError
from lab.store import RunStore
from lab.study import compute
from lab.tables import read_table, write_table
from theory.claims import claims
from theory.hull import project


@pytest.fixture(scope="module")
def digits():
    return spaces.pixels(load("digits"))


def command(*argv, capsys):
    code = main("empirical", COMMANDS, ["hull", *map(str, argv)])
    out, err = capsys.readouterr()
    return code, out, err


def test_json_is_one_object_with_controls(tmp_path, capsys):
    argv = ("--data", "digits", "--space", "pixels", "--queries", 30, "--n", 300, "--out", tmp_path, "--json")
    code, out, err = command(*argv, capsys=capsys)
    assert code == 0 and out.count("\n") == 1
    found = json.loads(out)
    assert set(found["share_outside"]) == {"mean", "low", "high", "n"} and found["share_outside"]["n"] == 30
    assert found["distance"]["lower"] <= found["distance"]["upper"] <= found["distance"]["lower"] * (1 + 1e-5)
    assert {"training", "gaussian", "classes", "scales"} <= set(found["controls"])
    assert set(found["ratios"]) == {"over_nearest", "over_mean", "over_median_pair", "over_diameter"}
    assert found["seconds"]["test"] > 0 and found["unconverged"] == 0
    assert [r["n"] for r in found["runs"]] == [1600, 300]
    whole, few = (r["distance"]["upper"] for r in found["runs"])
    assert few > whole  # a smaller hull lies farther away
    assert "outside 1.000" in err
    again = json.loads(command(*argv, capsys=capsys)[1])
    assert again["runs"] == found["runs"]  # finished runs are read, not repeated


@pytest.mark.parametrize("argv, message", [
    (["--space", "features"], "--arch"),
    (["--space", "features", "--arch", "mlp", "--sites", "nowhere", "--quick"], "penultimate"),
    (["--queries", "1000"], "197"),
    (["--dim", "65"], "64 pixels"),
    (["--n", "5000"], "1600"),
    (["--tol", "0.5"], "0.1"),
    (["--directions", "5"], "--arch"),
    (["--wavelet", "nonsense", "--space", "wavelets"], "PyWavelets"),
    (["--data", "mnist"], "--data-dir"),
    (["--data", "mnist", "--data-dir", "/nowhere"], "MNIST"),
])
def test_bad_usage_says_what_to_do(argv, message, tmp_path, capsys):
    code, out, err = command(*argv, "--out", tmp_path, capsys=capsys)
    assert code in (1, 2) and message in err and "Traceback" not in err and not out


def test_features_and_directions_of_a_quick_network(tmp_path, capsys):
    code, out, _ = command("--space", "features", "--arch", "mlp", "--alphas", "1", "1/2", "--quick", "--queries", 40,
                           "--sites", "penultimate", "layer1", "--out", tmp_path, "--json", capsys=capsys)
    assert code == 0
    rows = json.loads(out)["runs"]
    assert [(r["alpha"], r["space"]) for r in rows] == [("1", "penultimate"), ("1", "layer1"), ("1/2", "penultimate"),
                                                        ("1/2", "layer1")]
    assert all(r["unconverged"] == 0 and r["errors"] for r in rows)
    code, out, _ = command("--arch", "mlp", "--quick", "--queries", 20, "--out", tmp_path, "--json", capsys=capsys)
    ways = json.loads(out)["directions"]
    assert 0 <= ways["changed_at_hull"]["mean"] <= ways["changed_on_the_way"]["mean"] <= 1
    assert 0 <= ways["cosine"]["mean"] <= 1


def test_networks_of_a_sweep_and_the_hull_of_their_own_rows(tmp_path, capsys):
    network = Network(**{**recipe("mlp", "digits"), "base_width": 8, "epochs": 1, "train_size": 150, "alpha": "1/2"}, stack=2)
    trained(network, tmp_path / "sweep")
    argv = ("--trained", "sweep", "--arch", "mlp", "--alphas", "1/2", "--queries", 20, "--out", tmp_path, "--json")
    for space, dim in (("features", 4), ("pixels", 64)):
        code, out, _ = command(*argv, "--space", space, capsys=capsys)
        (row,) = json.loads(out)["runs"]
        assert code == 0 and (row["n"], row["dim"], row["alpha"]) == (150, dim, "1/2") and row["errors"]
    code, _, err = command("--trained", "sweep", "--arch", "mlp", "--alphas", "1", "--out", tmp_path, capsys=capsys)
    assert code == 1 and "no finished mlp" in err
    assert command("--trained", "sweep", "--out", tmp_path, capsys=capsys)[0] == 2


def test_study_table_and_evidence(tmp_path):
    configs = [HullRun(data="digits", queries=40, gaussian=40), HullRun(data="digits", dim=4, queries=40),
               HullRun(data="digits", n=200, queries=40),
               HullRun(data="digits", space="features", arch="mlp", quick=True, queries=40)]
    table = compute(HULL_DIGITS, "quick", store=RunStore(tmp_path), configs=configs)
    write_table(table, tmp_path / "kept")
    frame = read_table(table.name, tmp_path / "kept").frame
    assert len(frame) == 4 and frame["test_unconverged"].eq(0).all()
    found = evidence(frame, table.runs)
    known = claims()
    for item in found:
        assert item.column in known[item.claim].columns
    by = {(e.claim, e.column): e.estimate for e in found}
    assert by["s3.test-points-outside", "real"].mean == 1 and by["s3.test-points-outside", "toy"].n == 40
    assert ("s3.low-dimension-inside", "real") in by and ("s3.features-outside", "real") in by
    assert sum(e.claim == "s3.test-points-outside" and e.column == "real" for e in found) == 1  # subsets are no evidence


def test_every_planned_run_is_possible():
    data, sizes = load("digits"), {}
    for study in (HULL_DIGITS, HULL_IMAGES):
        for scale in ("quick", "run", "full"):
            for config in study.configs(scale):
                config.check()
                if config.arch and not config.sweep:  # those of a sweep are known once it is finished
                    network = config.network()
                    model = build(network.arch, alpha=network.alpha, base_width=network.base_width, data=data)
                    assert config.site in model.sites
                    if config.dim:
                        key = network.arch, network.alpha, network.base_width, config.site
                        sizes[key] = sizes.get(key) or spaces.features(model.eval(), data, config.site).points.shape[1]
                        assert config.dim <= sizes[key]


def test_a_whole_orthonormal_transform_is_a_rotation(digits):
    whole = spaces.wavelets(digits, share=1)
    assert whole.points.shape == digits.points.shape
    a = project(digits.points[:300], digits.queries[:10]).upper
    b = project(whole.points[:300], whole.queries[:10]).upper
    np.testing.assert_allclose(a, b, rtol=1e-5)
    some = spaces.wavelets(digits)
    assert 5 < some.points.shape[1] < 64
    kept = some.points.var(axis=0).sum() / whole.points.var(axis=0).sum()
    assert 0.99 <= kept < 1


def test_principal_components_keep_the_largest_variances(digits):
    reduced = spaces.components(digits, 5)
    centred = digits.points - digits.points.mean(axis=0)
    values = np.linalg.svd(centred.astype(np.float64), compute_uv=False) ** 2
    np.testing.assert_allclose((reduced.points.astype(np.float64) ** 2).sum(axis=0), values[:5], rtol=1e-4)
    assert reduced.facts["variance_held"] == pytest.approx(values[:5].sum() / values.sum(), rel=1e-6)
    full = spaces.components(digits, 60)  # the digits have dead pixels: 60 components are nearly a rotation
    np.testing.assert_allclose(project(full.points, full.queries[:5]).upper,
                               project(digits.points, digits.queries[:5]).upper, rtol=0.05)


def test_nearest_and_scales_equal_brute_force():
    rng = np.random.default_rng(0)
    points, queries = rng.standard_normal((700, 5)).astype(np.float32), rng.standard_normal((13, 5)).astype(np.float32)
    gaps = np.linalg.norm(queries[:, None].astype(float) - points, axis=2)
    np.testing.assert_allclose(nearest(points, queries), gaps.min(axis=1), rtol=1e-6)
    rows = np.arange(13)
    own = np.linalg.norm(points[rows, None].astype(float) - points, axis=2)
    own[rows, rows] = np.inf
    np.testing.assert_allclose(nearest(points, points[rows], rows), own.min(axis=1), rtol=1e-6)
    pairs = np.linalg.norm(points[:, None].astype(float) - points, axis=2)
    found = scales(points, 0)
    assert found["median_pair"] == pytest.approx(np.median(pairs[np.triu_indices(700, 1)]), rel=0.02)
    assert 0.9 * pairs.max() <= found["diameter_at_least"] <= pairs.max() * (1 + 1e-6)


def test_gaussian_control_has_the_moments():
    rng = np.random.default_rng(1)
    points = (rng.standard_normal((4000, 3)) @ rng.standard_normal((3, 3)) + 5).astype(np.float32)
    fake, fresh = gaussian_like(points, 10, seed=3)
    assert fake.shape == points.shape and fresh.shape == (10, 3)
    np.testing.assert_allclose(fake.mean(axis=0), points.mean(axis=0), atol=0.2)
    np.testing.assert_allclose(np.cov(fake.T), np.cov(points.T), rtol=0.15, atol=0.15)


def test_test_and_training_points_of_one_law_are_equally_far():
    rng = np.random.default_rng(2)
    points, queries = rng.standard_normal((500, 20)), rng.standard_normal((500, 20))
    blank = np.zeros(500, int)
    found = measure(spaces.Space(points, queries, blank, blank, "Gaussian", {}))
    excess = found["test_over_training"]
    assert excess.low < 0 < excess.high
    moved = measure(spaces.Space(points, queries + 1, blank, blank, "Gaussian, moved", {}))
    assert moved["test_over_training"].low > 0.2
    with pytest.raises(InputError, match="501"):
        measure(spaces.Space(points, queries, blank, blank, "Gaussian", {}), queries=501)


def test_errors_beyond_the_nearest_neighbour():
    rng = np.random.default_rng(3)
    near, extra = rng.standard_normal((2, 2000))
    hull = near + extra
    known = errors_beyond_nearest(near + rng.standard_normal(2000) > 1, hull, near)
    assert known["alone"].low > 0 and abs(known["given_nearest"].mean) < 0.06
    beyond = errors_beyond_nearest(extra + rng.standard_normal(2000) > 1, hull, near)
    assert beyond["given_nearest"].low > 0.2
    assert errors_beyond_nearest(np.zeros(20, bool), hull[:20], near[:20])["alone"] is None


class Linear(torch.nn.Module):
    """Two classes split by the plane w . x = c: the minimal step is known."""

    copies, sites = 1, {}

    def __init__(self, w, c):
        super().__init__()
        self.w, self.c = torch.as_tensor(w, dtype=torch.float32), c

    def forward(self, x, taps=None):
        value = x.flatten(2)[0] @ self.w - self.c
        return torch.stack([value, -value], -1)[None]


def test_adversarial_step_of_a_linear_network_is_the_perpendicular():
    rng = np.random.default_rng(4)
    w = rng.standard_normal(16)
    data = Dataset("none", torch.zeros(1, 1, 4, 4), torch.zeros(1), {}, 2, "", mean=torch.zeros(1, 1, 1),
                   std=torch.full((1, 1, 1), 255.0))
    network = PixelNetwork(Linear(w, 0.3), data)
    queries = rng.standard_normal((9, 16))
    step = adversarial_steps(network, queries)
    expected = -((queries @ w - 0.3) / (w @ w))[:, None] * w
    np.testing.assert_allclose(step, expected, atol=1e-4)
    # straight across the boundary every class changes; a random step as long does not do that
    across = directions(network, queries, queries + 1.5 * expected)
    assert across["changed_at_hull"].mean == 1 and across["cosine"].mean == pytest.approx(1, abs=1e-3)
    assert across["cosine_random"].mean < 0.6 and across["changed_random"].mean < 0.6
    assert across["adversarial_over_hull"].mean == pytest.approx(1 / 1.5, rel=1e-3)
    never = adversarial_steps(PixelNetwork(Linear(0 * w, 0.3), data), queries)
    assert np.isnan(never).all()
    assert directions(network, queries, queries) == {}
