"""The ledger and the report, from tables made here."""

import json
from dataclasses import replace

import pytest

from figures import catalogue, ledger
from figures.__main__ import COMMANDS
from figures.commands.report import repetition
from figures.commands.run import Ahead
from figures.report import build
from figures.reproduction import reproduction
from figures.style import canvas, unique_ids
from lab.cli import main
from lab.estimate import Estimate, exact
from lab.store import RunStore
from tests.figures.conftest import CLAIM
from theory.claims import Evidence


def test_rows_follow_from_evidence():
    evidence = [Evidence(CLAIM, "theory", "formula", exact(0.2)),
                Evidence(CLAIM, "toy", "toy", Estimate(0.2, 0.1, 0.3, 8))]
    row = next(r for r in ledger.rows(evidence) if r["id"] == CLAIM)
    assert row["toy"]["verdict"] == "holds" and row["real"]["verdict"] == "not yet measured"
    assert row["toy"]["evidence"][0]["n"] == 8
    evidence.append(Evidence(CLAIM, "real", "digits", Estimate(-0.2, -0.3, -0.1, 3), ("a", "b")))
    row = next(r for r in ledger.rows(evidence) if r["id"] == CLAIM)
    assert row["verdict"] == "depends" and row["real"]["verdict"] == "contradicted"
    assert row["real"]["evidence"][0]["runs"] == ["a", "b"]
    assert {"id", "source", "claim", "refuted_by", "rule", "theory", "toy", "real", "verdict"} <= set(row)


@pytest.mark.parametrize("evidence", [Evidence("s9.none", "toy", "", exact(0)),
                                      Evidence("s0.equal-strengths-differ", "real", "", exact(0))])
def test_evidence_that_no_claim_takes_is_refused(evidence):
    with pytest.raises(ValueError, match=evidence.claim):
        ledger.rows([evidence])


def test_run_writes_a_report_and_a_ledger(laboratory, tmp_path, capsys):
    assert main("figures", COMMANDS, ["run", "--scale", "quick", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["computed"] == ["squares"]
    html = (tmp_path / "report" / "index.html").read_text()
    assert "<svg" in html and "Squares" in html and "http://www.w3.org" in html
    assert "src=" not in html, "the page loads something"
    rows = json.loads((tmp_path / "report" / "ledger.json").read_text())["rows"]
    assert next(r for r in rows if r["id"] == CLAIM)["toy"]["evidence"][0]["mean"] == 4


def test_the_report_is_named_before_anything_is_computed(write, tmp_path, capsys, monkeypatch):
    """First the report from the tables that there are, then how far the whole is, in the end the report again."""
    write("kept", "full", [-9.0, -9.0], wall_seconds=10.0)
    seen = []
    monkeypatch.setattr("tests.lab.experiments.square", lambda config, folder, **options: seen.append(
        (tmp_path / "report/index.html").exists()) or {"value": config.x**2.0})
    assert main("figures", COMMANDS, ["run", "--scale", "full", "--jobs", "1"]) == 0
    out, err = capsys.readouterr()
    assert seen == [True, True]
    first, *_, last = (line for line in out.splitlines() if "the report is" in line)
    assert "for now" in first and "for now" not in last
    assert "2 runs of 1 study" in out and "0 of 2 runs done; next: squares" in err
    assert main("figures", COMMANDS, ["run", "--scale", "full", "--jobs", "1"]) == 0
    assert "for now" not in capsys.readouterr().out, "nothing is left to compute"


def test_the_time_left_is_what_the_rest_cost_before_at_the_pace_of_today(laboratory, write, tmp_path, monkeypatch):
    write("kept", "full", [1.0, 4.0], wall_seconds=10.0)
    clock = [100.0]
    monkeypatch.setattr("figures.commands.run.time.monotonic", lambda: clock[0])
    ahead = Ahead([laboratory.STUDY, replace(laboratory.STUDY, name="cubes")], "full", RunStore(tmp_path / "runs"))
    assert ahead.missing == 4
    studies = iter(ahead)
    next(studies)
    clock[0] += 200  # for 10 seconds' worth of runs; as much is left
    assert ahead._left(10.0) == ", about 3 min left" and ahead._left(0.0) == ""


def test_what_differs_is_told_without_alarm():
    assert repetition([]) == []
    same = {"study": "squares", "numbers": 3, "same": 3, "differ": []}
    assert "all agree within chance" in repetition([same])[0]
    differ = [{"claim": f"c{i}", "setting": "s", "here": {"mean": 1.0}, "kept": {"mean": 2.0}} for i in range(7)]
    said = repetition([{**same, "numbers": 10, "differ": differ}])
    assert "10 numbers" in said[0] and "7 differ" in said[0] and len(said) == 1 + 5 + 1 + 1 and "2 more" in said[-2]
    assert not any(word in " ".join(said) for word in ("fail", "judged", "wrong"))


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
    assert json.loads(capsys.readouterr().out)["rows"][0]["toy"]["verdict"] == "holds"


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


def test_the_more_complete_table_is_shown(write, tmp_path):
    write("kept", "full", [1.0])
    write("runs/tables", "quick", [2.0])
    assert catalogue.best_table("squares", tmp_path / "runs").frame.value[0] == 1.0


@pytest.mark.parametrize("value, same", [(4.0, 1), (-2.0, 0)])
def test_a_smaller_table_is_laid_beside_the_kept_one(write, tmp_path, value, same):
    write("kept", "full", [4.0, 4.0])
    write("runs/tables", "quick", [value, value])
    (row,) = reproduction(tmp_path / "runs")
    assert (row["study"], row["scale"], row["numbers"], row["same"]) == ("squares", "quick", 1, same)
    assert [(d["here"]["mean"], d["kept"]["mean"]) for d in row["differ"]] == ([] if same else [(-2.0, 4.0)])
    assert "Recomputed here" in (tmp_path / build(tmp_path / "runs", tmp_path / "report")["report"]).read_text()


@pytest.mark.parametrize("threads, said", [({}, True), ({"threads": None}, True), ({"threads": 1}, False)])
def test_tables_made_before_threads_were_fixed_are_marked(write, tmp_path, capsys, threads, said):
    """Numbers of real networks whose runs do not know their threads say so in report, ledger and on the terminal."""
    write("kept", "full", [4.0, 4.0], **threads)
    page = (tmp_path / build(tmp_path / "runs", tmp_path / "report")["report"]).read_text()
    assert page.count(catalogue.UNFIXED) == 2 * said  # how it was measured, the ledger
    evidence = json.loads((tmp_path / "report" / "ledger.json").read_text())["rows"]
    notes = [e["note"] for row in evidence for column in ("theory", "toy", "real") for e in (row[column] or {"evidence": []})[
        "evidence"] if e["runs"]]
    assert notes == [catalogue.UNFIXED * said]
    capsys.readouterr()
    assert main("figures", COMMANDS, ["verify", "--claim", CLAIM, "--out", str(tmp_path / "runs")]) == 0
    captured = capsys.readouterr()
    assert (catalogue.UNFIXED in captured.err + captured.out) is said


def test_drawing_leaves_pyplot_alone():
    import matplotlib
    from matplotlib import pyplot

    before, figures = dict(matplotlib.rcParams), pyplot.get_fignums()
    with pytest.raises(ZeroDivisionError), canvas(2) as (figure, _):
        assert pyplot.get_fignums() == figures and figure is not None
        _ = 1 / 0
    assert dict(matplotlib.rcParams) == before and pyplot.get_fignums() == figures


def test_ids_of_two_pictures_do_not_collide():
    text = '<g id="a"><use xlink:href="#a"/></g><path clip-path="url(#a)"/>'
    assert unique_ids(text, "p") == '<g id="p-a"><use xlink:href="#p-a"/></g><path clip-path="url(#p-a)"/>'
