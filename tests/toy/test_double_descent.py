"""Double descent: fits against scikit-learn, risks against theory."""

import json

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from lab.errors import InputError
from toy.__main__ import COMMANDS
from toy.double_descent import predict, simulate
from toy.double_descent.model import fit, teacher_output
from toy.double_descent.study import STUDY, Descent, over_best_below, peak_place, run


@pytest.mark.parametrize("n, p", [(1, 1), (5, 3), (7, 7), (4, 17), (13, 2)])
def test_fit(n, p):
    rng = np.random.default_rng([n, p])
    x, y = rng.standard_normal((2, n, p)), rng.standard_normal((2, n))
    least, ridged = fit(x, y, 0.0), fit(x, y, 0.3)
    for i in range(2):
        np.testing.assert_allclose(least[i], np.linalg.lstsq(x[i], y[i], rcond=None)[0], atol=1e-9)
        np.testing.assert_allclose(ridged[i], Ridge(alpha=0.3 * n, fit_intercept=False).fit(x[i], y[i]).coef_, atol=1e-9)


def test_least_squares_at_finite_size():
    features = (5, 15, 34, 60, 160)
    risks = simulate(features=features, samples=40, dim=160, noise_variance=0.3, replicas=800).risks
    theory = predict(features=features, samples=40, dim=160, noise_variance=0.3).risks
    # |beta_in|^2 is p/D in the mean, which the exact formula is linear in
    error = risks.std(axis=0, ddof=1) / np.sqrt(len(risks))
    assert np.all(np.abs(risks.mean(axis=0) - theory) < 4.5 * error)


def test_ridge_removes_the_peak_as_predicted():
    arguments = dict(features=(20, 40, 80, 200), samples=40, dim=200, noise_variance=0.3, ridge=0.3)
    risks, theory = simulate(replicas=300, **arguments).risks, predict(**arguments).risks
    np.testing.assert_allclose(risks.mean(axis=0), theory, rtol=0.04)  # asymptotic: an error of order 1/n remains
    assert simulate(replicas=300, **{**arguments, "ridge": 0.0}).risks.mean(axis=0)[1] > 3 * risks.mean(axis=0)[1]


def test_random_features_against_mei_and_montanari():
    arguments = dict(family="random-features", features=(40, 120, 480), samples=240, dim=80, noise_variance=0.2, ridge=0.01)
    risks, theory = simulate(replicas=12, **arguments).risks, predict(**arguments).risks
    np.testing.assert_allclose(risks.mean(axis=0), theory, rtol=0.06)  # asymptotic in d


def test_network_learns_and_has_no_theory():
    risks = simulate("network", features=(2, 32), samples=50, dim=5, noise_variance=0.0, replicas=3, epochs=800).risks
    assert predict("network", features=(2,)).risks is None
    assert risks[:, 1].mean() < 0.3


@pytest.mark.parametrize("units", [1, 5])
def test_teacher_of_relu_units(units):
    x = np.random.default_rng(0).standard_normal((50, 6))
    found, one = teacher_output(x, units, 3, 0), teacher_output(np.eye(6), units, 3, 0)
    np.testing.assert_allclose(teacher_output(2 * x, units, 3, 0), 2 * found, atol=1e-12)  # homogeneous
    assert not np.allclose(found, x @ one) and not np.allclose(found, teacher_output(x, units, 3, 1))
    x *= np.sqrt(6) / np.linalg.norm(x, axis=1, keepdims=True)
    second = np.mean([teacher_output(x, units, 3, r).var() for r in range(200)])
    assert 0.7 < second < 1.3


def test_a_wider_network_fits_the_teacher_that_a_narrow_one_cannot():
    narrow, wide = simulate("network", features=(1, 16), samples=200, dim=4, replicas=3, noise_variance=0.0, epochs=800,
                            teacher_width=6).risks.T
    assert wide.mean() < 0.5 * narrow.mean()


def test_replicas_keep_their_streams():
    few, many = (simulate(features=(3, 9), replicas=n).risks for n in (2, 5))
    np.testing.assert_array_equal(few, many[:2])
    np.testing.assert_array_equal(np.asarray(simulate(features=(3, 9), replicas=2)), few)


def test_study_finds_peak_and_second_descent(tmp_path):
    config = Descent("least-squares", 0.5, samples=20, dim=200, replicas=200)
    table = STUDY.tabulate([(config, run(config, tmp_path))])
    found = {e.claim: e.estimate for e in STUDY.evidence(table, ("run",))}
    assert abs(found["s2.peak-at-interpolation"].mean - 1) < 0.1
    assert found["s2.second-descent"].low > 0


def test_few_replicas_find_the_peak_as_well(tmp_path):
    """Fewer replicas than groups leave no group empty, whose peak would be anywhere."""
    config = Descent("least-squares", 0.5, samples=20, dim=200, replicas=3)
    table = STUDY.tabulate([(config, run(config, tmp_path))])
    assert len(table.peaks[0].split()) == 3 and all(abs(float(p) - 1) <= 0.5 for p in table.peaks[0].split())


def test_the_peak_lies_between_the_points_of_the_grid():
    ratios = np.array([0.5, 0.9, 1.0, 1.1, 2.0])
    assert peak_place(ratios, np.exp(-3 * np.log(ratios / 1.03) ** 2)) == pytest.approx(1.03)
    assert peak_place(ratios, 1 / ratios) == 0.5 and peak_place(ratios, ratios) == 2.0


def test_the_best_of_many_equal_widths_has_no_second_descent():
    """Chance makes one of them look best; on the other half of the replicas it is as good as the rest."""
    rng, ratios = np.random.default_rng(0), np.array([*np.linspace(0.1, 0.9, 12), 2.0])
    found = [over_best_below(np.exp(rng.normal(size=(13, 40))), ratios)[-1] for _ in range(300)]
    assert np.mean([e.low <= 1 <= e.high for e in found]) == pytest.approx(0.95, abs=0.04)
    assert np.mean([np.log(e.mean) for e in found]) == pytest.approx(0, abs=0.05)


def test_networks_have_a_grid_of_a_twentieth_around_the_threshold():
    config = next(c for c in STUDY.configs("full") if c.family == "network")
    ratios = np.array(config.features) * config.parameters / config.samples
    near = ratios[(ratios > 0.79) & (ratios < 1.21)]
    assert 1.0 in ratios and len(near) == 9 and np.allclose(np.diff(near), 0.05)


def test_bad_input():
    for wrong in (dict(family="none"), dict(features=()), dict(features=(0,)), dict(features=(500,)), dict(noise_variance=-1.0),
                  dict(samples=0), dict(teacher_width=3), dict(family="network", teacher_width=-1)):
        with pytest.raises(InputError):
            simulate(**wrong)


def test_command(capsys):
    from lab.cli import main

    assert main("toy", COMMANDS, ["double-descent", "--quick", "--json"]) == 0
    curve = json.loads(capsys.readouterr().out)["curve"]
    assert curve[4]["predicted"] is None and curve[4]["features"] == 40  # infinite at the threshold
    assert main("toy", COMMANDS, ["double-descent", "--noise-variance", "-1"]) == 2
