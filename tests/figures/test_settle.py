"""Settling what is open: what is planned, what is declared before it is looked at, and what becomes of it."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from figures import catalogue, ledger, settling
from figures.__main__ import COMMANDS
from figures.commands import settle
from lab.cli import main
from lab.estimate import mean_interval
from lab.store import RunStore
from lab.study import CONFIRMATORY, compute
from lab.tables import read_manifest
from tests.figures.conftest import CLAIM
from tests.lab.experiments import Square
from theory.claims import Evidence, claims
from theory.verdict.spending import further

DECLARED = 4
BOUND = claims()[CLAIM].rule.above


def noisy(frame: pd.DataFrame) -> np.ndarray:
    """An effect 1.3 standard deviations beyond the bound, one value per seed."""
    seeds = [round(1 / alpha) for alpha in frame.alpha]
    return np.array([BOUND + 0.013 + 0.01 * np.random.default_rng(seed).standard_normal() for seed in seeds])


@pytest.fixture
def study(laboratory, monkeypatch):
    """A study of four seeds that accepts more."""
    monkeypatch.setattr("theory.evidence.theory_evidence", lambda: [])
    laboratory.STUDY = replace(
        laboratory.STUDY, extensible=True,
        configs=lambda scale, replicas=None: [] if scale == "run" else [
            Square(CONFIRMATORY + i) for i in range(replicas or DECLARED)],
        evidence=lambda frame, runs: [Evidence(CLAIM, "toy", "squares", mean_interval(noisy(frame)), runs)])
    return laboratory


def said(capsys, *argv) -> tuple[int, dict, str]:
    code = main("figures", COMMANDS, ["settle", CLAIM, *argv, "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out or "{}"), err


def toy():
    """The toy column of the claim, and its only piece."""
    found = {v.claim.id: v for v in ledger.verdicts(ledger.gather(catalogue.tables("runs")))}[CLAIM].columns["toy"]
    return found.verdict, found.pieces[0].evidence


def test_a_pilot_is_computed_as_declared_first_and_then_looked_at_as_declared(study, write, tmp_path, capsys):
    write("kept", "full", [1.0, 4.0, 2.0], plan="00000000", wall_seconds=6.0)
    code, result, err = said(capsys, "--dry-run")
    (step,) = result["steps"]
    assert code == 0 and not (tmp_path / "runs").exists()
    assert (step["study"], step["replicas"], step["runs"], step["seconds"]) == ("squares", None, DECLARED, 12.0)
    assert "squares: as declared, 4 runs, about 12 s; chance to decide" in err and not result["stuck"]

    compute(study.STUDY, "full", store=RunStore("runs"))
    assert toy()[0] == "inconclusive" and toy()[1].level == 0.025
    code, result, _ = said(capsys, "--budget", "10m")
    assert code == 0 and 1 <= len(result["done"]) <= 2 and result["steps"] == []
    looks = json.loads((tmp_path / "runs" / settling.FILE).read_text())["squares"]
    assert looks["replicas"][0] == DECLARED and len(looks["replicas"]) == 3 and looks["replicas"][-1] <= 16
    assert looks["levels"] == pytest.approx(further(looks["replicas"]))
    facts = read_manifest("squares", tmp_path / "runs/tables")
    assert facts["looks"] == looks and facts["replicas"] in looks["replicas"] and not catalogue.set_aside("runs")
    verdict, piece = toy()
    assert verdict == "holds" and piece.estimate.n == facts["replicas"]
    assert piece.level == looks["levels"][looks["replicas"].index(facts["replicas"])] < 0.025


def test_what_was_declared_stands_if_the_work_is_stopped(study, monkeypatch, tmp_path, capsys):
    compute(study.STUDY, "full", store=RunStore("runs"))

    def stopped(config, folder):
        assert (tmp_path / "runs" / settling.FILE).exists()  # before the first run
        if config.x > CONFIRMATORY + 5:
            raise KeyboardInterrupt
        return {"value": float(config.x**2)}

    with monkeypatch.context() as patch:
        patch.setattr("tests.lab.experiments.square", stopped)
        assert said(capsys, "--budget", "10m")[0] == 1
    before = (tmp_path / "runs" / settling.FILE).read_text()
    finished = len(list((tmp_path / "runs/squares").glob("*/result.json")))
    assert finished == DECLARED + 2 and "replicas" not in read_manifest("squares", tmp_path / "runs/tables")
    assert said(capsys, "--budget", "10m")[0] == 0 and toy()[0] == "holds"
    assert (tmp_path / "runs" / settling.FILE).read_text() == before
    started = [len(path.read_text()) for path in (tmp_path / "runs/squares").glob("*/started")]
    assert set(started) == {1}  # no run was repeated


def test_a_look_that_was_not_declared_is_no_evidence(study, tmp_path):
    looks = {"replicas": [4, 9], "levels": further([4, 9]), "date": "2026-11-28"}
    compute(study.STUDY, "full", store=RunStore("runs"), replicas=7, looks=looks)
    (item,) = catalogue.set_aside("runs")
    assert "no look was declared" in item["reason"] and not catalogue.tables("runs")
    compute(study.STUDY, "full", store=RunStore("runs"), replicas=9, looks=looks)
    assert catalogue.tables("runs")["squares"].manifest["replicas"] == 9
    compute(study.STUDY, "full", store=RunStore("runs"))  # fewer replicas replace no more
    assert read_manifest("squares", tmp_path / "runs/tables")["replicas"] == 9


def test_what_cannot_be_settled_here_is_named_with_its_reason(study, tmp_path, capsys):
    compute(study.STUDY, "full", store=RunStore("runs"))
    study.STUDY = replace(study.STUDY, evidence=lambda frame, runs: [
        Evidence(CLAIM, "toy", "squares", mean_interval(noisy(frame) - 0.0105), runs)])
    code, result, _ = said(capsys, "--budget", "10m")
    assert code == 0 and not result["done"] and "too close to the bound" in result["stuck"][CLAIM]
    study.STUDY = replace(study.STUDY, extensible=False, configs=partial(study.STUDY.configs, replicas=DECLARED))
    assert "cannot take more replicas" in said(capsys)[1]["stuck"][CLAIM]


def test_nothing_beyond_the_budget_is_begun(study, write, tmp_path, capsys):
    write("kept", "full", [1.0, 4.0, 2.0], plan="00000000", wall_seconds=6.0)
    code, result, _ = said(capsys, "--budget", "5s")
    assert code == 0 and result["done"] == [] and len(result["steps"]) == 1 and not (tmp_path / "runs/squares").exists()


@pytest.mark.parametrize("text", ["[]", '{"squares": 1}', '{"squares": {"replicas": [4, 9], "levels": [0.025, 0.025]}}'])
def test_damaged_looks_are_one_line(study, tmp_path, capsys, text):
    compute(study.STUDY, "full", store=RunStore("runs"))
    (tmp_path / "runs" / settling.FILE).write_text(text)
    capsys.readouterr()
    code, _, err = said(capsys)
    (line,) = err.splitlines()
    assert code == 1 and "settle.json is truncated, damaged" in line and "restore it" in line


@pytest.mark.parametrize("text, seconds", [("90s", 90), ("45m", 2700), ("1.5h", 5400)])
def test_budgets(text, seconds):
    assert settle.budget(text) == seconds


@pytest.mark.parametrize("argv", [["s9.none"], [CLAIM, "--budget", "soon"], [CLAIM, "--budget", "45"],
                                  [CLAIM, "--quick", "--budget", "45m"]])
def test_bad_usage(laboratory, capsys, argv):
    assert main("figures", COMMANDS, ["settle", *argv]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
