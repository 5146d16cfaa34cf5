"""Features into moments and the measures on them, against scikit-learn on the same rows."""

import numpy as np
import pytest
import torch

from empirical.compare import compare, on_kept_rows
from empirical.data import load
from empirical.features import PARTS, SHUFFLED, TARGET, Features, extract, probe_parts, read_features
from empirical.models import build
from empirical.models.initialise import initialise
from empirical.streams import stream
from lab.errors import InputError
from theory.compare.sites import Site, compare_site, doublings
from theory.moments import Moments


@pytest.fixture(scope="module")
def data():
    return load("digits")


def network(data, copies=1, width="1", name=0):
    model = build("mlp", alpha=width, base_width=16, data=data, copies=copies)
    return initialise(model, [stream(0, "compare", name, i) for i in range(copies)]).eval()


@pytest.fixture(scope="module")
def networks(data):
    return {"wide": network(data), "other": network(data, name=1), "narrow": network(data, 2, "1/2", name=2)}


def test_one_pass_equals_features_computed_directly(data, networks, tmp_path):
    found = extract(networks, data, batch=77)
    parts = probe_parts(data)
    assert not set(torch.cat(list(parts.values())).tolist()) & set(data.splits["train"].tolist())
    for part, rows in parts.items():
        taps = {name: {} for name in networks}
        with torch.no_grad():
            for name, model in networks.items():
                model(data.batch(rows).unsqueeze(0), taps[name])
        for site in networks["wide"].sites:
            direct = Moments.from_samples({"wide": taps["wide"][site][0], "narrow.1": taps["narrow"][site][1]})
            kept = found.moments[part][site]
            assert np.allclose(kept.covariance("wide", "narrow.1"), direct.covariance("wide", "narrow.1"), atol=1e-6)
            assert np.allclose(kept.mean("wide"), direct.mean("wide"), atol=1e-6)
    assert found.rows["score"][TARGET].shape == (200, 10)
    found.save(tmp_path)
    again = read_features(tmp_path)
    assert set(again.moments) == set(PARTS) and compare(again, "wide", "other", ["narrow.0"]) == compare(
        found, "wide", "other", ["narrow.0"])
    assert np.array_equal(again.rows["fit"]["wide"], found.rows["fit"]["wide"])
    with pytest.raises(InputError, match="no moments"):
        read_features(tmp_path / "absent")
    for path, name in ((tmp_path / "moments" / "rows.npz", "rows"), (next((tmp_path / "moments").glob("fit-*.npz")), "fit-")):
        whole = path.read_bytes()
        for damaged in (whole[:len(whole) // 2], b"", None):
            path.write_bytes(damaged) if damaged is not None else path.unlink()
            if damaged is not None or name == "rows":  # moments that are not there are those of no site
                with pytest.raises(InputError, match=f"{name}.*(run|compute them) again"):
                    read_features(tmp_path)
        path.write_bytes(whole)
    np.savez(tmp_path / "moments" / "rows.npz", x=np.zeros(3))
    with pytest.raises(InputError, match="lacks rows"):
        read_features(tmp_path)


def test_span_error_and_probe_equal_ridge_regression_on_the_rows(data, networks):
    from sklearn.linear_model import Ridge

    found = extract(networks, data)
    site = Site(*(found.moments[part]["penultimate"] for part in PARTS))

    def rows_of(model, split):
        taps = {}
        with torch.no_grad():
            model(data.batch(data.splits[split]).unsqueeze(0), taps)
        return torch.cat(list(taps["penultimate"]), 1).double().numpy()

    x, x_score = (rows_of(networks["narrow"], split) for split in ("probe_fit", "probe_score"))
    y, y_score = (rows_of(networks["wide"], split) for split in ("probe_fit", "probe_score"))
    error, ridge = site.span(["narrow.0", "narrow.1"], "wide")
    penalty = ridge * ((x - x.mean(0)) ** 2).sum() / x.shape[1]
    model = Ridge(alpha=penalty).fit(x, y)
    direct = ((model.predict(x_score) - y_score) ** 2).sum() / ((y_score - y.mean(0)) ** 2).sum()
    assert error == pytest.approx(direct, rel=1e-5)


def test_a_network_spans_itself_and_shuffled_rows_do_not(data, networks):
    rng = np.random.default_rng(0)
    parts = {}
    for part, rows in probe_parts(data).items():
        taps = {}
        with torch.no_grad():
            networks["wide"](data.batch(rows).unsqueeze(0), taps)
        x = taps["penultimate"][0].numpy()
        rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 16)))[0]
        parts[part] = Moments.from_samples({
            "wide": x, "same": x[:, ::-1] * 3 @ rotation, "shuffled": x[rng.permutation(len(x))],
            TARGET: np.eye(10, dtype=np.float32)[data.labels[rows].numpy()]})
    site = Site(*(parts[p] for p in PARTS))
    (row,) = compare_site(site, "wide", "same", ["same"])
    assert row["span_error"] < 1e-6 and row["reverse_span_error"] < 1e-6 and row["cka"] == pytest.approx(1, abs=1e-6)
    assert row["probe_narrow"] == pytest.approx(row["probe_wide"], rel=1e-3) and row["gap"] == 0
    (null,) = compare_site(site, "wide", "same", ["shuffled"])
    assert null["span_error"] > 0.95 and null["cka"] < 0.2


def test_nan_features_are_an_error(data, networks):
    broken = network(data, name=3)
    broken.hidden[0].weight.data[0, 0, 0] = float("nan")
    with pytest.raises(InputError, match="not finite"):
        extract({"wide": networks["wide"], "narrow": broken}, data)


def test_doublings():
    assert [doublings(n) for n in (1, 2, 3, 8, 12)] == [[1], [1, 2], [1, 2, 3], [1, 2, 4, 8], [1, 2, 4, 8, 12]]


def test_dead_copies_span_nothing_and_do_not_stop_the_comparison(data, networks):
    dead = network(data, width="1/2", name=4)
    dead.hidden[-1].weight.data.zero_()
    dead.hidden[-1].bias.data.fill_(-1.0)
    found = extract({**networks, "dead": dead}, data, ("penultimate",))
    alone, beside = compare(found, "wide", "other", ["dead", "narrow.0"])
    assert alone["span_error"] == pytest.approx(1, abs=0.02) and alone["dead_narrow"] == 8
    assert np.isnan(alone["reverse_span_error"]) and np.isfinite(beside["cka"])
    assert all(np.isnan(compare(found, "wide", "other", ["dead"])[0][name]) for name in ("cka", "cca", "procrustes"))
    living = compare(found, "wide", "other", ["narrow.0"])[0]["dead_narrow"]
    assert beside["span_error"] < 1 and np.isfinite(beside["reverse_span_error"]) and beside["dead_narrow"] == 8 + living


def test_null_and_controls_of_the_copies(data, networks):
    from sklearn.linear_model import LinearRegression

    untrained = network(data, name=7)
    found = extract({**networks, "untrained": untrained}, data, shuffle="wide")
    rows = compare(found, "wide", "other", ["narrow.0", "narrow.1"], untrained="untrained")
    assert {row["site"] for row in rows} == set(networks["wide"].sites)
    row = next(r for r in rows if r["site"] == "penultimate" and r["copies"] == 2)
    assert row["null_span_error"] > 0.9 > row["span_error"] and row["null_reverse_span_error"] > 0.9
    for name in ("cka", "cca", "svcca", "procrustes"):
        assert row[f"null_{name}"] < row[name] < 1 and row[f"null_{name}"] < row[f"baseline_{name}"]
    # the residual is a linear function of the wide features: appended, it makes the span of both
    site = Site(*(found.moments[part]["penultimate"] for part in PARTS))
    assert row["probe_with_residual"] == pytest.approx(site.probe(["narrow.0", "narrow.1", "wide"]), abs=0.02)
    assert row["residual_gain"] == row["probe_with_untrained"] - row["probe_with_residual"]

    def features(names, split):
        taps = {name: {} for name in names}
        with torch.no_grad():
            for name in names:
                {**networks, "untrained": untrained}[name](data.batch(data.splits[split]).unsqueeze(0), taps[name])
        return np.hstack([np.hstack(list(taps[name]["penultimate"].double().numpy())) for name in names])

    eye = np.eye(10)
    labels, labels_score = (eye[data.labels[data.splits[s]].numpy()] for s in ("probe_fit", "probe_score"))
    model = LinearRegression().fit(features(["narrow", "untrained"], "probe_fit"), labels)
    left = ((model.predict(features(["narrow", "untrained"], "probe_score")) - labels_score) ** 2).sum()
    direct = left / ((labels_score - labels.mean(0)) ** 2).sum()
    assert row["probe_with_untrained"] == pytest.approx(direct, abs=0.02)  # the chosen ridge is small


@pytest.mark.parametrize("batch", [1, 199, 200])
def test_no_row_keeps_its_own_features_however_the_rows_are_cut(data, networks, batch):
    found = extract({"wide": networks["wide"]}, data, ("penultimate",), batch=batch, shuffle="wide")
    assert len(probe_parts(data)["score"]) == 200  # pieces of 1; a last one of 1; one piece
    taps = {}
    with torch.no_grad():
        networks["wide"](data.batch(probe_parts(data)["score"]).unsqueeze(0), taps)
    x = taps["penultimate"][0]
    moments, direct = found.moments["score"]["penultimate"], Moments.from_samples({"wide": x, SHUFFLED: x.roll(1, 0)})
    assert moments.count == 200
    assert np.allclose(moments.covariance("wide", SHUFFLED), direct.covariance("wide", SHUFFLED), atol=1e-6)


def test_shuffled_features_have_the_same_moments(data, networks):
    found = extract({"wide": networks["wide"]}, data, shuffle="wide", batch=100)
    for moments in found.moments["score"].values():
        assert np.allclose(moments.covariance("wide"), moments.covariance("shuffled"), rtol=1e-9)
        assert np.abs(moments.covariance("wide", "shuffled")).max() < 0.5 * np.abs(moments.covariance("wide")).max()


def test_measures_on_rows(data, networks):
    found = extract({**networks, "untrained": network(data, name=7)}, data)
    numbers = on_kept_rows(found, "wide", "other", ["narrow.0", "narrow.1"], untrained="untrained", ridge=1e-4)
    assert all(0 <= v <= 1.5 for k, v in numbers.items() if k != "nonlinear_gap") and len(numbers) == 11
    assert numbers["mlp_span_error"] <= numbers["linear_rows_span_error"] + 0.02
    assert numbers["accuracy_with_residual"] >= numbers["accuracy_narrow"] - 0.05
    assert numbers == on_kept_rows(found, "wide", "other", ["narrow.0", "narrow.1"], untrained="untrained", ridge=1e-4)
    dead = {part: {**blocks, "narrow.0": blocks["narrow.0"] * 0, "narrow.1": blocks["narrow.1"] * 0}
            for part, blocks in found.rows.items()}
    numbers = on_kept_rows(Features(found.moments, dead), "wide", "other", ["narrow.0", "narrow.1"], untrained="untrained",
                           ridge=1e-4)
    assert np.isnan(numbers["kernel_span_error"]) and np.isnan(numbers["nonlinear_gap"])
    assert numbers["accuracy_narrow"] < 0.2 < numbers["accuracy_with_untrained"]


def test_features_brought_as_arrays_give_the_numbers_of_the_sweep(data, networks):
    from theory.compare import compare as compare_features

    row = compare(extract(networks, data, ("penultimate",)), "wide", "other", ["narrow.0", "narrow.1"])[1]
    taps = {name: {} for name in networks}
    with torch.no_grad():
        for name, model in networks.items():
            model(data.batch(torch.arange(len(data.labels))).unsqueeze(0), taps[name])
    wide, other, narrow = (taps[name]["penultimate"] for name in ("wide", "other", "narrow"))
    own = compare_features(list(narrow), wide[0], baseline=other[0], labels=data.labels, subset=0,
                           split={part: rows.numpy() for part, rows in probe_parts(data).items()})
    for name, mine in {"span_error": own.span_error, "reverse_span_error": own.reverse_span_error, "gap": own.gap,
                       "baseline_span_error": own.baseline, "cka": own.cka, "svcca": own.svcca, "procrustes": own.procrustes,
                       "baseline_cca": own.baselines["cca"], "probe_narrow": own.probes["source"],
                       "probe_with_residual": own.probes["source_with_residual"], "dead_wide": own.dead_units["target"],
                       "rows_per_feature": own.n_over_d}.items():
        assert mine.mean == pytest.approx(row[name], rel=1e-5), name
