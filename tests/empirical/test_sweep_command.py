"""``python -m empirical sweep`` from end to end with tiny networks."""

import argparse
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from empirical.__main__ import COMMANDS
from empirical.commands import sweep as sweep_command
from empirical.commands import units as units_command
from empirical.data import load
from empirical.models import build
from empirical.settings import Comparison, Setting, recipe
from empirical.studies import STUDIES, named
from empirical.studies.trained import TRAIN
from empirical.studies.width.compare import COMPARE
from empirical.studies.width.evidence import evidence
from empirical.studies.width.pairs import EQUAL_PARAMETERS
from empirical.studies.width.plan import equal_parameters, plan
from empirical.studies.width.study import width_study
from lab.cli import main
from lab.errors import ArgumentError
from lab.store import run_id
from lab.study import CONFIRMATORY, fingerprint
from lab.study import load as study_of
from lab.tables import read_table

TINY = ["sweep", "--arch", "mlp", "--base-width", "32", "--epochs", "2", "--train-size", "200", "--alphas", "1", "1/2", "1/4",
        "--jobs", "1", "--json"]


def call(capsys, *flags):
    code = main("empirical", COMMANDS, [*TINY, *flags])
    out, err = capsys.readouterr()
    return code, out, err


def table_of(result: dict):
    """The table that a command says it wrote."""
    path = Path(result["table"])
    return read_table(path.stem, path.parent)


def test_sweep_resumes_and_gives_the_same_table(tmp_path, capsys):
    folder = str(tmp_path / "runs")
    code, out, _ = call(capsys, "--seeds", "2", "--out", folder)
    result = json.loads(out)
    assert code == 0 and [row["alpha"] for row in result["alphas"]] == ["1", "1/2", "1/4"] and not result["failed"]
    row = result["alphas"][-1]
    assert row["copies"] == 4 and set(row["span_error_by_copies"]) == {"1", "2", "4"}
    for key in ("span_error", "reverse_span_error", "baseline_span_error", "gap", "probe_narrow", "cka",
                "train_accuracy_narrow", "test_accuracy_wide"):
        assert set(row[key]) == {"mean", "low", "high", "n"} and row[key]["n"] == 2
    assert set(row["sites"]) == {"layer1", "layer2", "penultimate"}
    assert result["alphas"][0]["gap"]["mean"] == 0  # at alpha = 1 the copy is the baseline
    table = table_of(result)
    assert table.manifest["own"] and table.name.startswith("mlp-digits-")
    assert table.manifest["data"]["checksum"] and {e.claim for e in evidence(table.frame, table.runs)} == {
        "s0.narrow-does-not-span-wide", "s0.wide-does-not-span-narrow", "s0.wide-performs-better",
        "s0.gap-grows-as-networks-narrow", "s0.copies-saturate", "s0.residual-features-perform", "s0.gap-is-not-linear",
        "s0.gap-beyond-null"}
    # what a killed sweep leaves: some runs without a result, one in the middle of being written
    runs = sorted(p.parent for p in (tmp_path / "runs" / "mlp-digits").glob("*/result.json"))
    for run in runs[::3]:
        (run / "result.json").unlink()
    shutil.rmtree(runs[1])
    before = {run: (run / "result.json").stat().st_mtime_ns for run in runs if (run / "result.json").exists()}
    _, plan_out, _ = call(capsys, "--seeds", "2", "--out", folder, "--dry-run")
    assert json.loads(plan_out)["done"] == len(before)
    code, again, _ = call(capsys, "--seeds", "2", "--out", folder)
    assert code == 0 and json.loads(again)["alphas"] == result["alphas"]
    assert before == {run: (run / "result.json").stat().st_mtime_ns for run in before}


def test_one_failed_width_leaves_the_rest(tmp_path, capsys, monkeypatch):
    from empirical.studies import trained

    real = trained.run

    def fails(config, *args, **options):
        if config.alpha == "1/4":
            raise RuntimeError("out of memory")
        return real(config, *args, **options)

    monkeypatch.setattr(trained, "run", fails)
    code, out, err = call(capsys, "--seeds", "1", "--out", str(tmp_path), "--match", "train-loss", "--target-loss", "2.2",
                          "--name", "mine")
    result = json.loads(out)
    assert code == 1 and [row["alpha"] for row in result["alphas"]] == ["1", "1/2"] and len(result["failed"]) == 2
    assert Path(result["table"]).name.startswith("mine-") and result["table"].endswith(".partial.csv")
    assert not table_of(result).manifest["whole"]
    assert "out of memory" in err and result["setting"]["target_loss"] == 2.2 and result["match"] == "train-loss"


def test_plan_shares_networks():
    setting = Setting(**recipe("mlp", "digits"))
    runs = plan(setting, [Fraction(1), Fraction(1, 2), Fraction(1, 8)], [0, 1, 2], stack=3)
    comparisons = [r for r in runs if isinstance(r, Comparison)]
    assert len(comparisons) == 9 and len(runs) == 9 + 3 + 3 + 3 * 3  # wide, a stack of 2, stacks of 3 + 3 + 2
    eighth = next(c for c in comparisons if c.alpha == "1/8")
    assert [n.stack for n in eighth.narrow()] == [3, 3, 2] and eighth.other_seed == 1
    assert len({n.address(0, "init") for r in runs if not isinstance(r, Comparison) for n in [r]}) == len(runs) - 9
    alone = plan(setting, [Fraction(1)], [4])
    assert [r.seed for r in alone] == [4, 5, 4] and alone[-1].narrow() == [alone[-1].other()]
    wider = plan(setting, [Fraction(1), Fraction(4)], [0])
    assert wider[-1].reference == "4" and wider[-1].copies == 4
    with pytest.raises(ArgumentError, match="not a multiple"):
        plan(setting, [Fraction(1), Fraction(2, 3)], [0])


def test_replicas_of_their_own():
    """A second wide network for each, and on embedded data a split that all its networks share; whole replicas come first."""
    runs = plan(Setting(**recipe("mlp", "digits")), [Fraction(1), Fraction(1, 2)], [100, 101], second=10_000, own_split=True)
    networks, comparisons = TRAIN.of(runs), COMPARE.of(runs)
    assert [c.seed for c in comparisons] == [100, 100, 101, 101]
    assert [n.seed % 10_000 for n in networks] == [100] * 3 + [101] * 3
    for c in comparisons:
        assert c.other_seed == c.seed + 10_000 and {n.split for n in c.networks()} == {c.seed}
        assert set(c.networks()) <= set(networks)
    assert {n.split for n in plan(Setting(**recipe("mlp", "digits")), [Fraction(1)], [100, 101])} == {0}


def test_confirmatory_replicas():
    """Those of a smaller scale are the first of a larger; none is a pilot's; embedded data are split for each anew."""
    for name, count in (("resnet18-digits", 8), ("transformer-entailment-wider", 8), ("resnet18-cifar10", 5),
                        ("transformer-mnli", 5)):
        study = study_of(STUDIES[name])
        runs = COMPARE.of((study.declared or study.configs)("full"))
        assert sorted({c.seed for c in runs}) == list(range(CONFIRMATORY, CONFIRMATORY + count))
        assert {c.split for c in runs} == ({0} if study.declared else {c.seed for c in runs})
    study = study_of(STUDIES["resnet18-digits"])
    assert set(study.at("run")) < set(study.at("full"))


@pytest.mark.parametrize("flags, name, claim", [
    (["--start", "slice"], "mlp-digits-slices", "s0.gap-survives-shared-start"),
    (["--copies", "parameters", "--base-width", "64", "--depth", "6"], "mlp-digits-parameters",
     "s0.gap-at-equal-parameters"),
    (["--alphas", "2", "1"], "mlp-digits-wider", "s0.gap-above-width-one"),
    (["--match", "train-loss", "--target-loss", "2.1", "--learning-rate", "0.05", "--epochs", "60"], "mlp-digits-loss",
     "s0.gap-survives-matched-training"),
])
def test_each_control_speaks_to_its_claim(tmp_path, capsys, flags, name, claim):
    code, out, _ = call(capsys, "--seeds", "1", "--alphas", "1", "1/2", "--out", str(tmp_path), *flags)
    assert code == 0 and json.loads(out)["name"] == name
    table = table_of(json.loads(out))
    assert {e.claim for e in evidence(table.frame, table.runs)} == {claim}
    if name.endswith("parameters"):
        most = table.frame[table.frame.alpha == "1/2"]
        assert set(most.copies) == {1, 2, most.parameter_copies.iloc[0]} and most.parameter_copies.iloc[0] > 2
        assert (most.parameters_narrow <= most.parameters_wide).all()


def test_as_many_copies_as_have_the_parameters():
    data, setting = load("digits"), Setting(**recipe("resnet18", "digits"))
    count = equal_parameters(setting, data, Fraction(1))
    sizes = {a: sum(p.numel() for p in build("resnet18", alpha=Fraction(1, a), base_width=16, data=data).parameters())
             for a in (1, 2, 4)}
    assert count(Fraction(1)) == 1 and count(Fraction(1, 4)) * sizes[4] <= sizes[1] < (count(Fraction(1, 4)) + 1) * sizes[4]
    runs = plan(setting, [Fraction(1), Fraction(1, 2)], [0], narrow=count)
    half = next(r for r in runs if isinstance(r, Comparison) and r.alpha == "1/2")
    assert half.narrow_copies == half.trained == count(Fraction(1, 2)) and half.copies == 2
    assert sum(n.stack for n in half.narrow()) == half.trained


@pytest.mark.slow
def test_declared_copies_have_the_wide_transformers_parameters():
    setting = Setting(**recipe("transformer", "entailment"))
    count = equal_parameters(setting, load("entailment", split=100), Fraction(1))
    assert {alpha: count(alpha) for alpha in EQUAL_PARAMETERS} == EQUAL_PARAMETERS


@pytest.mark.parametrize("flags, code, message", [
    (["--alphas", "1", "1/64"], 2, "smallest alpha is 1/32"),
    (["--alphas", "1", "1/0"], 2, "not a fraction"),
    (["--data", "cifar10", "--data-dir", "/nowhere"], 2, "no CIFAR-10 in /nowhere"),
    (["--arch", "transformer", "--data", "digits"], 2, "sentence pairs"),
    (["--device", "cuda:55"], 2, "is not available"),
    (["--frobnicate"], 2, "unrecognized"),
    (["--label-noise", "2"], 2, "[0, 1]"),
    (["--target-loss", "1"], 2, "--match train-loss"),
    (["--init", "glorot-normal", "--parametrisation", "mup"], 2, "muP"),
    (["--start", "slice", "--copies", "parameters"], 2, "slices"),
    (["--start", "slice", "--parametrisation", "mup"], 2, "slices"),
    (["--learning-rate", "1e20", "--seeds", "1"], 1, "diverged"),
])
def test_bad_usage_is_one_line(tmp_path, capsys, flags, code, message):
    found, out, err = call(capsys, "--out", str(tmp_path), *flags)
    last = err.strip().splitlines()[-1]
    assert found == code and out == "" and message in last and "Traceback" not in err


@pytest.mark.parametrize("command", [sweep_command, units_command])
def test_earlier_flags_are_understood(command):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert parser.parse_args(["--lr", "0.3"]).learning_rate == parser.parse_args(["--learning-rate", "0.3"]).learning_rate == 0.3
    assert "--lr " not in parser.format_help()
    if command is units_command:
        assert parser.parse_args(["--sweep", "rate"]).sweep == "learning-rate"


def test_what_a_study_declares_needs_no_data(monkeypatch):
    """The plan of a study on a user's data is known without them, and names no data."""
    monkeypatch.delenv("WIDTHLAB_DATA", raising=False)
    for name in ("resnet18-cifar10", "transformer-snli-loss", "units-alexnet", "units-resnet18-cifar10", "hull-resnet18-cifar10"):
        study = study_of(STUDIES[name])
        assert not study.at("full") and study.plan("full")
    study = study_of(STUDIES["resnet18-cifar10"])
    runs = [replace(config, checksum="ab12") for config in study.declared("published")]
    assert study.scale_of(runs) == "published" and study.scale_of(runs[1:]) is None
    assert {run.base_width for run in runs} == {64} and min(run.width for run in runs) == Fraction(1, 32)
    assert fingerprint(runs) != fingerprint(study.declared("published"))  # a user's own tables on other data are others


def test_studies_share_the_stage_that_trains_networks():
    for name, where in STUDIES.items():
        assert TRAIN in study_of(where).stages or name == "pythia-width"  # whose networks others have trained
    units, hull = (study_of(STUDIES[name]) for name in ("units-mlp", "hull-digits"))
    for study, config in ((units, units.at("quick")[0]), (hull, hull.at("quick")[0])):
        network = config.network()
        assert study.runs([config]) == [network, config]  # planned or not, it is trained first, as a run of its own
        assert study.schema_of(network) == TRAIN.schema and TRAIN.id(network) == run_id(network, TRAIN.schema)
    measured = study_of(STUDIES["units-transformer-entailment"])
    sweep = study_of(STUDIES["transformer-entailment"])
    configs = measured.at("full")
    assert measured.runs(configs) == configs  # their networks are those of the sweep
    assert {TRAIN.id(c.network()) for c in configs} <= {TRAIN.id(n) for n in TRAIN.of(sweep.at("full"))}


def test_a_name_does_not_make_a_study():
    own = width_study("units-mlp", "", lambda scale: [])
    assert named(own) is own and named(replace(own, name="mine")).name == "mine"
    study = named(replace(own, name="resnet18-digits"))
    assert study is study_of(STUDIES["resnet18-digits"])
    declared = study.at("full")
    assert study.scale_of(declared[::-1]) == "full"
    for other in (declared[:-1], [replace(config, epochs=1) for config in declared]):  # fewer runs, other settings
        assert study.scale_of(other) is None
