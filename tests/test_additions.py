"""A measure, an architecture and a data set are added by one file each, and seen everywhere (the rest: test_walkthrough)."""

import json

import pytest

from tests.overlay import Overlay
from tests.test_walkthrough import files

SWEEP = ("--arch", "single", "--alphas", "1", "1/2", "--seeds", "2", "--epochs", "1", "--train-size", "200", "--jobs", "1",
         "--sites", "penultimate", "--stack", "2")
COMPARE = """
import json
from fractions import Fraction
import numpy as np
import pandas
from empirical.features import SHUFFLED, TARGET
from empirical.settings import Setting, recipe
from empirical.studies.width.compare import COMPARE
from empirical.studies.width.plan import plan
from empirical.studies.width.summary import ON_ROWS, SITES, TRAINED, summarise
from theory import measures
from theory.compare.sites import Site, compare_site
from theory.moments import Moments

rng, names = np.random.default_rng(0), ["wide", "other", "narrow", "untrained", SHUFFLED, TARGET]
site = Site(*(Moments.from_samples({name: rng.normal(size=(60, 3)) for name in names}) for _ in range(3)))
(row,) = compare_site(site, "wide", "other", ["narrow"], untrained="untrained")
trained = {f"{key}_{side}": 1.0 for key in TRAINED for side in ("narrow", "wide")}
frame = pandas.DataFrame([{**dict.fromkeys((*SITES, *ON_ROWS), 0.0), **row, **trained, "alpha": "1/2", "all_copies": 1,
                           "site": "penultimate"}])
(config, *_) = COMPARE.of(plan(Setting(**recipe("single", "digits")), [Fraction(1)], [0]))
print(json.dumps({"columns": list(row), "summary": summarise(frame)[0]["variance_share"].mean,
                  "measures": config.measures, "public": "variance_share" in measures.__all__}))
"""


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    """A copy of the laboratory with the added files."""
    return Overlay(tmp_path_factory.mktemp("copy"), files("measure", "architecture", "data_set"))


def test_the_architecture_is_in_the_sweep(laboratory):
    out = json.loads(laboratory.python("-m", "empirical", "sweep", *SWEEP, "--dry-run", "--json"))
    assert out["experiment"] == "single-digits" and out["missing"] == 10


def test_the_measure_is_in_the_table_and_the_summary(laboratory):
    out = json.loads(laboratory.python("-c", COMPARE).splitlines()[-1])
    assert {"variance_share", "baseline_variance_share", "null_variance_share", "untrained_variance_share"} <= set(out["columns"])
    assert 0 < out["summary"] < 1 and out["measures"] == ["variance_share"] and out["public"]


@pytest.mark.slow
def test_the_data_set_in_a_sweep_that_is_carried_out(laboratory):
    out = json.loads(laboratory.python("-m", "empirical", "sweep", "--data", "rings", *SWEEP, "--json"))
    assert out["experiment"] == "single-rings" and len(out["alphas"]) == 2


@pytest.mark.slow
def test_the_architecture_and_the_measure_in_a_sweep_that_is_carried_out(laboratory):
    out = json.loads(laboratory.python("-m", "empirical", "sweep", *SWEEP, "--json"))
    narrow = next(row for row in out["alphas"] if row["alpha"] == "1/2")
    assert 0 < narrow["variance_share"]["mean"] < 1 and narrow["untrained_variance_share"]["n"] == 2
    header = (laboratory.folder / out["table"]).read_text().partition("\n")[0].split(",")
    assert {"variance_share", "baseline_variance_share", "null_variance_share"} <= set(header)


@pytest.mark.parametrize("path, right, wrong, command", [
    ("toy/bumps/__init__.py", "MODEL = ", "MODLE = ", ("toy", "bumps")),
    ("empirical/models/single.py", "ARCHITECTURE = ", "ARCHITECTUR = ", ("empirical", "sweep")),
])
def test_a_misspelt_declaration_stops_the_command(laboratory, path, right, wrong, command):
    file = laboratory.folder / path
    text = file.read_text()
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    try:
        file.write_text(text.replace(right, wrong))
        assert f"{module} declares no {right.split()[0]}" in laboratory.python("-m", *command, "--help", fails=True)
    finally:
        file.write_text(text)
