"""A toy model, a claim, a measure, an architecture and a section are added by one file each, and seen everywhere."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SWEEP = ("--arch", "single", "--alphas", "1", "1/2", "--seeds", "2", "--epochs", "1", "--train-size", "200", "--jobs", "1",
         "--sites", "penultimate", "--stack", "2")
COMPARE = """
import json
from fractions import Fraction
import numpy as np
import pandas
from empirical.compare import Site, compare_site
from empirical.features import SHUFFLED, TARGET
from empirical.settings import Setting, recipe
from empirical.studies.width.compare import COMPARE
from empirical.studies.width.plan import plan
from empirical.studies.width.summary import ON_ROWS, SITES, TRAINED, summarise
from theory import measures
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
REPORT = """
import json
from pathlib import Path
from figures import catalogue, ledger, report
report.theory_evidence = lambda: ()
catalogue.KEPT = Path("no tables")
print(json.dumps(report.build(Path("runs"), Path("report"))["rows"]))
"""


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    """A copy of the laboratory with the added files; returns what runs Python in it."""
    folder = tmp_path_factory.mktemp("copy")
    for room in ("lab", "theory", "toy", "empirical", "figures"):
        shutil.copytree(HERE.parent / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "results"))
    added = [path for path in (HERE / "additions").rglob("*.py") if "__pycache__" not in path.parts]
    for path in added:
        target = folder / path.relative_to(HERE / "additions")
        assert not target.exists()
        shutil.copy(path, target)

    def python(*argv, fails=False):
        done = subprocess.run([sys.executable, *argv], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    python.folder = folder
    return python


def test_the_model_has_a_command(laboratory):
    assert "coin             toss a fair coin many times" in laboratory("-m", "toy", "--help")
    out = json.loads(laboratory("-m", "toy", "coin", "--tosses", "50", "--json"))
    assert out["predicted"] == 0.5 and out["heads"]["n"] == 20


def test_the_architecture_is_in_the_sweep(laboratory):
    out = json.loads(laboratory("-m", "empirical", "sweep", *SWEEP, "--dry-run", "--json"))
    assert out["experiment"] == "single-digits" and out["missing"] == 8


def test_the_measure_is_in_the_table_and_the_summary(laboratory):
    out = json.loads(laboratory("-c", COMPARE).splitlines()[-1])
    assert {"variance_share", "baseline_variance_share", "null_variance_share", "untrained_variance_share"} <= set(out["columns"])
    assert 0 < out["summary"] < 1 and out["measures"] == ["variance_share"] and out["public"]


@pytest.mark.slow
def test_the_architecture_and_the_measure_in_a_sweep_that_is_carried_out(laboratory):
    out = json.loads(laboratory("-m", "empirical", "sweep", *SWEEP, "--json"))
    narrow = next(row for row in out["alphas"] if row["alpha"] == "1/2")
    assert 0 < narrow["variance_share"]["mean"] < 1 and narrow["untrained_variance_share"]["n"] == 2
    header = (laboratory.folder / out["table"]).read_text().partition("\n")[0].split(",")
    assert {"variance_share", "baseline_variance_share", "null_variance_share"} <= set(header)


def test_the_claim_is_in_the_ledger_and_the_report(laboratory):
    laboratory("-c", "from pathlib import Path\nfrom figures.catalogue import study\nfrom lab.store import RunStore\n"
               "from lab.study import compute\ncompute(study('coin'), 'run', store=RunStore('runs'))")
    row = next(row for row in json.loads(laboratory("-c", REPORT).splitlines()[-1]) if row["id"] == "s0.coins-are-fair")
    assert row["verdict"] == "holds" and row["toy"]["evidence"][0]["setting"] == "fair coins"
    page = (laboratory.folder / "report" / "index.html").read_text()
    assert all(text in page for text in ("Fair coins", "Heads against tosses", "A fair coin shows heads as often as tails."))


@pytest.mark.parametrize("path, right, wrong, message", [
    ("toy/coin.py", "MODEL = ", "MODLE = ", "toy.coin declares no MODEL"),
    ("empirical/models/single.py", "ARCHITECTURE = ", "ARCHITECTUR = ", "empirical.models.single declares no ARCHITECTURE"),
])
def test_a_misspelt_declaration_stops_the_command(laboratory, path, right, wrong, message):
    file = laboratory.folder / path
    text = file.read_text()
    try:
        file.write_text(text.replace(right, wrong))
        assert message in laboratory("-m", path.split("/")[0], "sweep" if "models" in path else "coin", "--help", fails=True)
    finally:
        file.write_text(text)
