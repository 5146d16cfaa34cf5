"""Which tables are evidence: whole ones of declared runs. All others are shown or named, and judge nothing."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from figures import catalogue, ledger
from figures.__main__ import COMMANDS
from figures.report import build
from lab.cli import main
from lab.store import RunStore
from lab.study import compute
from lab.tables import read_table
from tests.figures.conftest import CLAIM
from tests.lab.experiments import Square
from theory.claims import claims


def said(capsys, *argv) -> tuple[int, dict, str]:
    code = main("figures", COMMANDS, [*argv, "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out or "{}"), err


def toy_numbers(rows) -> list[float]:
    """Means of the toy column of the claim that the study speaks to."""
    column = next(row for row in rows if row["id"] == CLAIM)["toy"]
    return [] if column is None else [item["mean"] for item in column["evidence"]]


def test_runs_of_other_settings_judge_nothing_and_are_shown(laboratory, write, tmp_path, capsys):
    write("kept", "full", [1.0, 4.0])
    table = compute(laboratory.STUDY, "full", store=RunStore("runs"), configs=[Square(1), Square(3)])
    assert table.manifest["own"] and table.name != "squares" and not (tmp_path / "runs/tables/squares.csv").exists()
    code, result, _ = said(capsys, "verify", "--only", CLAIM)
    assert code == 0 and toy_numbers(result["rows"]) == [4]
    (own,) = result["own"]
    assert own["table"] == table.name and [n["mean"] for n in own["numbers"]] == [9] and "judgement" not in own["numbers"][0]
    html = (tmp_path / build(tmp_path / "runs", tmp_path / "report")["report"]).read_text()
    assert "Your own runs" in html and table.name in html
    beside = json.loads((tmp_path / "report" / "ledger.json").read_text())
    assert toy_numbers(beside["rows"]) == [4] and beside["own"][0]["table"] == table.name
    code, _, err = said(capsys, "keep", table.name)
    assert code == 1 and "no study declares" in err


def test_just_the_declared_runs_are_the_studys_own(laboratory, tmp_path):
    table = compute(laboratory.STUDY, "quick", store=RunStore("runs"), configs=[Square(2), Square(1)])
    assert (table.name, table.manifest["own"], table.manifest["scale"]) == ("squares", False, "full")
    assert not catalogue.best_table("squares", tmp_path / "runs").manifest["kept"]


def test_an_unfinished_table_replaces_no_whole_one(laboratory, monkeypatch, tmp_path, capsys):
    assert said(capsys, "run", "--scale", "full")[0] == 0
    whole = (tmp_path / "runs/tables/squares.csv").read_text()
    (tmp_path / "runs/squares" / sorted(p.name for p in (tmp_path / "runs/squares").iterdir())[0] / "result.json").unlink()
    monkeypatch.setattr("tests.lab.experiments.square", lambda *_: 1 / 0)
    code, result, _ = said(capsys, "run", "--scale", "full")
    assert code == 1 and (tmp_path / "runs/tables/squares.csv").read_text() == whole
    assert toy_numbers(json.loads((tmp_path / "report/ledger.json").read_text())["rows"]) == [4]
    assert [(a["table"], a["reason"]) for a in result["set_aside"]] == [("squares", "incomplete: 1 of 2 runs")]
    assert "incomplete: 1 of 2 runs" in (tmp_path / "report/index.html").read_text()
    assert "incomplete" in said(capsys, "verify", "--only", CLAIM)[2]
    monkeypatch.undo()


def test_an_unfinished_table_alone_is_no_evidence(laboratory, write, tmp_path, capsys):
    failure = {"whole": False, "runs": ["a"], "failed": [{"config": "", "reason": "killed"}]}
    path = write("runs/tables", "full", [4.0], **failure)
    assert path.name == "squares.partial.csv"
    write("kept", "full", [4.0], **failure)
    path.with_name("squares.partial.csv").rename(path.with_name("x"))  # whatever became of the rows
    _, result, _ = said(capsys, "verify", "--only", CLAIM)
    assert toy_numbers(result["rows"]) == [] and [a["kept"] for a in result["set_aside"]] == [False, True]
    assert said(capsys, "keep", "squares")[0] == 1
    write("runs/tables", "full", [1.0, 4.0])  # the whole one takes its place
    assert not list((tmp_path / "runs/tables").glob("*.partial*"))
    assert toy_numbers(said(capsys, "verify", "--only", CLAIM)[1]["rows"]) == [4]


@pytest.mark.parametrize("changes, reason", [
    ({"plan": "00000000"}, "settings other than"), ({"scale": "published", "plan": "0"}, "settings other than"),
    ({"name": "cubes"}, "does not exist")])
def test_tables_that_no_study_declares_are_set_aside(laboratory, write, tmp_path, changes, reason):
    write("runs/tables", **{"scale": "full", "values": [1.0, 9.0], **changes})
    assert not catalogue.tables(tmp_path / "runs")
    (item,) = ledger.unjudged(tmp_path / "runs")["set_aside"]
    assert reason in item["reason"]


def test_a_table_of_an_older_version_is_set_aside_and_a_kept_one_is_read(laboratory, write, tmp_path):
    for folder in ("runs/tables", "kept"):
        path = write(folder, "full", [1.0, 4.0]).with_name("squares.manifest.json")
        old = json.loads(path.read_text())
        path.write_text(json.dumps({key: old[key] for key in ("table", "scale", "command", "runs", "failed", "environment")}))
    assert catalogue.best_table("squares", tmp_path / "runs").manifest["kept"]
    (item,) = ledger.unjudged(tmp_path / "runs")["set_aside"]
    assert "older version" in item["reason"] and not item["kept"]


def test_a_kept_table_of_an_earlier_plan_is_marked(laboratory, write, tmp_path):
    write("kept", "full", [1.0, 4.0], plan="00000000")
    assert "earlier plan" in (tmp_path / build(tmp_path / "runs", tmp_path / "report")["report"]).read_text()


@pytest.mark.parametrize("command", [["verify"], ["report"], ["gallery"], ["keep", "squares"]])
def test_a_damaged_table_is_one_line_for_every_reader(laboratory, write, tmp_path, capsys, command):
    path = write("runs/tables", "full", [1.0, 4.0])
    path.write_bytes(b"\xff\xfe")
    assert main("figures", COMMANDS, [*command, "--out", "runs"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "squares.csv is damaged" in line and "compute the table again" in line


def test_every_kept_table_is_whole_and_its_manifests_own():
    kept = sorted(path.stem for path in catalogue.KEPT.glob("*.csv"))
    assert kept and pd.Series(kept).isin(catalogue.studies()).all()  # a study that was just declared has none yet
    for name in kept:
        facts = read_table(name, catalogue.KEPT).manifest  # digests among what is checked
        assert facts["whole"] and not facts["own"] and facts["planned"] == len(facts["runs"]) and facts["plan"]


def test_a_smaller_table_replaces_neither_a_larger_one_nor_a_kept_one(laboratory, write, tmp_path, capsys):
    configs = {"quick": [Square(2)], "full": [Square(1), Square(2)]}
    study = replace(laboratory.STUDY, configs=lambda scale: configs.get(scale, []))
    laboratory.STUDY, store = study, RunStore("runs")
    compute(study, "full", store=store)
    compute(study, "quick", store=store)
    assert read_table("squares", tmp_path / "runs/tables").manifest["scale"] == "full"
    write("kept", "full", [1.0, 4.0])
    write("other/tables", "quick", [4.0], planned=1, runs=["a"])
    kept = (tmp_path / "kept/squares.csv").read_text()
    code, _, err = said(capsys, "keep", "squares", "--out", "other")
    assert code == 1 and "--scale full" in err and (tmp_path / "kept/squares.csv").read_text() == kept
    configs["full"] = [Square(3)]  # the study has changed: what it declared before does not stand in the way
    compute(study, "quick", store=store)
    assert read_table("squares", tmp_path / "runs/tables").manifest["scale"] == "quick"


def test_claims_of_s2_and_its_discussion_are_measured_in_real_networks(tmp_path):
    """Each with an interval, from the kept tables of the claims' primary settings, or its scope says why not."""
    asked = ("success-grows-with-width", "wide-beats-multistart", "spurious-minima-become-saddles", "tickets-are-not-independent",
             "tickets-need-their-rest", "perturbed-rest-spoils-tickets", "adversarial-rest-spoils-tickets",
             "tickets-beat-fresh-starts", "memorising-needs-more-regions", "merged-regions-stay-merged", "wide-solutions-agree",
             "width-generalises", "minima-outnumber-saddles", "coin-flips", "index-falls-with-loss", "second-descent",
             "peak-at-interpolation", "width-is-tickets")
    register = {name: claims()[f"s2.{name}"] for name in asked}
    primary = {claim.id: claim.primary["real"] for claim in register.values() if "real" in claim.primary}
    tables = catalogue.tables(tmp_path, {key.partition("/")[0] for key in primary.values()})
    measured = {item.claim for item in ledger.gather(tables, ())
                if item.key == primary.get(item.claim) and item.column == "real" and item.estimate.has_interval}
    assert len(measured) >= 16 and measured == primary.keys()
    assert all("real networks" in claim.scope for claim in register.values() if claim.id not in measured)
