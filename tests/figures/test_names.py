"""Names of studies and columns: old spellings are read, kept tables are renamed without touching a number."""

import json

import pandas as pd
import pytest

from figures import catalogue
from figures.rename_kept import COLUMNS, rename
from lab.tables import Table, read_table, stems, write_table
from tests.figures.test_evidence import CLAIM, said

FACTS = {"scale": "full", "own": False, "plan": "12345678", "planned": 1, "whole": True, "runs": ["a"], "failed": [],
         "environment": {}, "command": "python -m figures run --only relu_tickets units"}


def test_studies_are_named_in_one_style():
    assert not [name for name in catalogue.studies() if catalogue.spelt(name) != name]
    assert catalogue.study("graded_width") is catalogue.study("graded-width")
    assert set(COLUMNS) <= set(catalogue.studies())


def test_underscores_and_hyphens_read_alike(laboratory, write, monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "studies", lambda rooms=(): {"two-squares": "fake_study:STUDY"})
    write("runs/tables", "full", [1.0, 4.0], name="two-squares")
    assert said(capsys, "keep", "two_squares")[:2] == (0, {"kept": [str(catalogue.KEPT / "two-squares.csv")]})
    for name in ("two_squares", "two-squares"):
        code, result, _ = said(capsys, "run", "--only", name, "--dry-run")
        assert code == 0 and [plan["experiment"] for plan in result["studies"]] == ["two-squares"]
    assert [row["id"] for row in said(capsys, "verify", "--only", CLAIM.replace("-", "_"))[1]["rows"]] == [CLAIM]


def test_renaming_leaves_every_cell(tmp_path):
    frame = pd.DataFrame({"teacher": [8, 10], "arm": ["alone, 1", "teacher"], "win": [0.1, 1 / 3]})
    old = write_table(Table("relu_tickets", frame, FACTS), tmp_path)
    body = old.read_text().partition("\n")[2]
    assert rename(tmp_path) == ["relu-tickets"] and stems(tmp_path) == ["relu-tickets"] and not old.exists()
    new = read_table("relu-tickets", tmp_path)  # which looks at the digest, too
    assert (tmp_path / "relu-tickets.csv").read_text() == "teacher_width,arm,win\n" + body
    assert new.manifest["command"].endswith("--only relu-tickets units") and new.runs == ("a",)
    assert {**new.manifest, "command": ""}.items() >= {**FACTS, "command": ""}.items()
    assert rename(tmp_path) == []


def test_a_table_that_is_not_its_manifests_is_not_renamed(tmp_path):
    path = write_table(Table("relu_tickets", pd.DataFrame({"teacher": [8]}), FACTS), tmp_path)
    path.write_text("teacher\n9\n")
    with pytest.raises(ValueError, match="manifest"):
        rename(tmp_path)
    assert json.loads((tmp_path / "relu_tickets.manifest.json").read_text())["table"] == "relu_tickets"


def test_kept_tables_have_the_names_of_today():
    for stem in stems(catalogue.KEPT):
        assert stem == catalogue.spelt(stem)
        header = (catalogue.KEPT / f"{stem}.csv").read_text().partition("\n")[0].split(",")
        assert not set(header) & set(COLUMNS.get(stem, ()))
