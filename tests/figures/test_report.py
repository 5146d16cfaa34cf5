"""The ledger and the report, from tables made here."""

import json
import sys
import types

import pandas as pd
import pytest

from figures import catalogue, ledger
from figures.__main__ import COMMANDS
from figures.report import build
from figures.reproduction import reproduction
from figures.section import Section, picture
from figures.style import canvas, points, theory_line, unique_ids, width_axis
from lab.cli import main
from lab.estimate import Estimate, exact
from lab.study import Study
from lab.tables import Table, write_table
from tests.lab.experiments import Square
from theory.claims import Evidence

CLAIM = "s0.narrow-does-not-span-wide"


def test_rows_follow_from_evidence():
    evidence = [Evidence(CLAIM, "theory", "formula", exact(0.2)),
                Evidence(CLAIM, "toy", "toy", Estimate(0.2, 0.1, 0.3, 8))]
    row = next(r for r in ledger.rows(evidence) if r["id"] == CLAIM)
    assert row["verdict"] == "holds" and row["real"] is None
    assert row["toy"]["evidence"][0]["n"] == 8
    evidence.append(Evidence(CLAIM, "real", "digits", Estimate(-0.2, -0.3, -0.1, 3), ("a", "b")))
    row = next(r for r in ledger.rows(evidence) if r["id"] == CLAIM)
    assert row["verdict"] == "mixed" and row["real"]["verdict"] == "fails"
    assert row["real"]["evidence"][0]["runs"] == ["a", "b"]
    assert {"id", "source", "claim", "refuted_by", "rule", "theory", "toy", "real", "verdict"} <= set(row)


@pytest.mark.parametrize("evidence", [Evidence("s9.none", "toy", "", exact(0)),
                                      Evidence("s0.equal-strengths-differ", "real", "", exact(0))])
def test_evidence_that_no_claim_takes_is_refused(evidence):
    with pytest.raises(ValueError, match=evidence.claim):
        ledger.rows([evidence])


@pytest.fixture
def laboratory(monkeypatch, tmp_path):
    """A laboratory with one study and one section."""
    module = types.ModuleType("fake_study")
    module.STUDY = Study(
        "squares", "squares", "tests.lab.experiments:square",
        configs=lambda scale: [] if scale == "run" else [Square(1), Square(2)],
        tabulate=lambda finished: pd.DataFrame([{"alpha": 1 / c.x, "value": r["value"]} for c, r in finished]),
        evidence=lambda frame, runs: [Evidence(CLAIM, "toy", "squares", exact(float(frame.value.max())), runs)],
    )

    def draw(tables):
        for name, table in tables.items():
            with canvas(2) as (figure, (left, right)):
                theory_line(left, table.frame.alpha, table.frame.value, "theory")
                points(right, table.frame.alpha, table.frame.value, table.frame.value - 1, table.frame.value + 1)
                width_axis(right, table.frame.alpha)
                yield picture(figure, "Squares", "of whole numbers", name)

    module.SECTION = Section("squares", "Squares", "How large?", "By multiplication.", ("squares",), draw, ("s0.",),
                             frames=lambda tables: {n: t.frame for n, t in tables.items()})
    monkeypatch.setitem(sys.modules, "fake_study", module)
    monkeypatch.setattr(catalogue, "studies", lambda rooms=(): {"squares": "fake_study:STUDY"})
    monkeypatch.setattr(catalogue, "KEPT", tmp_path / "kept")
    monkeypatch.setattr("figures.report.sections", lambda: [module.SECTION])
    monkeypatch.setattr("figures.section.sections", lambda: [module.SECTION])
    monkeypatch.chdir(tmp_path)
    return module


def test_run_writes_a_report_and_a_ledger(laboratory, tmp_path, capsys):
    assert main("figures", COMMANDS, ["run", "--scale", "quick", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["computed"] == ["squares"]
    html = (tmp_path / "report" / "index.html").read_text()
    assert "<svg" in html and "Squares" in html and "http://www.w3.org" in html
    assert "src=" not in html, "the page loads something"
    rows = json.loads((tmp_path / "report" / "ledger.json").read_text())["rows"]
    assert next(r for r in rows if r["id"] == CLAIM)["toy"]["evidence"][0]["mean"] == 4


def test_a_long_study_shows_its_kept_table(laboratory, tmp_path, capsys):
    assert main("figures", COMMANDS, ["run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["kept"] == ["squares"] and said["missing"] == ["squares"]
    assert main("figures", COMMANDS, ["keep", "squares"]) == 1
    assert "compute it with" in capsys.readouterr().err
    assert main("figures", COMMANDS, ["run", "--scale", "full"]) == 0
    assert main("figures", COMMANDS, ["keep", "squares"]) == 0
    assert catalogue.best_table("squares", tmp_path / "nowhere").manifest["kept"]
    assert not catalogue.best_table("squares", tmp_path / "runs").manifest["kept"]
    assert main("figures", COMMANDS, ["gallery", "--to", "pictures"]) == 0
    assert (tmp_path / "pictures" / "squares-squares.svg").read_text().startswith("<?xml")
    capsys.readouterr()
    assert main("figures", COMMANDS, ["verify", "--only", CLAIM, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["verdict"] == "holds"


def test_bad_usage(laboratory, capsys):
    for argv in (["run", "--only", "cubes"], ["verify", "--only", "s9"], ["run", "--scale", "huge"]):
        assert main("figures", COMMANDS, argv) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_dry_run_computes_nothing(laboratory, tmp_path, capsys):
    assert main("figures", COMMANDS, ["run", "--scale", "full", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["studies"][0]
    assert (plan["done"], plan["missing"]) == (0, 2)
    assert not (tmp_path / "runs").exists()


def test_one_room_alone(capsys, tmp_path):
    argv = ["run", "--scale", "full", "--dry-run", "--json", "--out", str(tmp_path), "--room"]
    for rooms in (["toy"], ["empirical"], ["empirical", "toy"]):
        assert main("figures", COMMANDS, [*argv, *rooms]) == 0
        planned = [plan["experiment"] for plan in json.loads(capsys.readouterr().out)["studies"]]
        assert planned == list(catalogue.studies(rooms))
    assert set(catalogue.studies()) == set(planned) and not set(catalogue.studies(["toy"])) & set(
        catalogue.studies(["empirical"]))
    assert main("figures", COMMANDS, [*argv, "attic"]) == 2


def test_the_more_complete_table_is_shown(laboratory, tmp_path):
    for folder, scale, value in (("kept", "full", 1.0), ("runs/tables", "run", 2.0)):
        write_table(Table("squares", pd.DataFrame({"value": [value]}), {"scale": scale}), tmp_path / folder)
    assert catalogue.best_table("squares", tmp_path / "runs").frame.value[0] == 1.0


@pytest.mark.parametrize("value, same", [(2.0, 1), (-2.0, 0)])
def test_a_smaller_table_is_laid_beside_the_kept_one(laboratory, tmp_path, value, same):
    for folder, scale, squares in (("kept", "full", [4.0, 4.0]), ("runs/tables", "run", [value, value])):
        frame = pd.DataFrame({"alpha": [1.0, 0.5], "value": squares})
        write_table(Table("squares", frame, {"scale": scale, "runs": ["a"], "command": "", "environment": {
            "gpu": "", "processor": ""}}), tmp_path / folder)
    (row,) = reproduction(tmp_path / "runs")
    assert (row["study"], row["scale"], row["numbers"], row["same"]) == ("squares", "run", 1, same)
    assert [(d["here"]["mean"], d["kept"]["mean"]) for d in row["differ"]] == ([] if same else [(-2.0, 4.0)])
    assert "Computed again here" in (tmp_path / build(tmp_path / "runs", tmp_path / "report")["report"]).read_text()


def test_ids_of_two_pictures_do_not_collide():
    text = '<g id="a"><use xlink:href="#a"/></g><path clip-path="url(#a)"/>'
    assert unique_ids(text, "p") == '<g id="p-a"><use xlink:href="#p-a"/></g><path clip-path="url(#p-a)"/>'


def test_the_readme_says_what_the_kept_tables_say(capsys):
    readme = catalogue.KEPT.parents[1] / "README.md"
    assert main("figures", COMMANDS, ["readme", "--check", "--file", str(readme)]) == 0
    for line in readme.read_text().splitlines():
        if "](figures/" in line:
            assert (readme.parent / line.partition("](")[2].rstrip(")")).exists()


def test_a_readme_without_a_place_for_the_table(tmp_path, capsys):
    assert main("figures", COMMANDS, ["readme", "--file", str(tmp_path / "README.md")]) == 1
    assert "add them" in capsys.readouterr().err
