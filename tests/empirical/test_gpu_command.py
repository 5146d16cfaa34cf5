"""The study of one GPU against the clock, on a CPU and on digits: what fits is done, and a further call goes on."""

from dataclasses import replace
from fractions import Fraction

import pytest

from empirical import device_checks
from empirical.__main__ import COMMANDS
from empirical.commands import gpu as command
from empirical.settings import Comparison, Setting, recipe
from empirical.studies import gpu as study
from empirical.studies.width.plan import plan
from lab.cli import main
from lab.tables import read_table


@pytest.fixture
def small(monkeypatch):
    halves = (Fraction(1), Fraction(1, 2))
    monkeypatch.setattr(study, "TIERS", {"run": (range(1), halves), "published": (range(2), halves)})

    def declared(scale):
        setting = Setting(**{**recipe("mlp", "digits"), "base_width": 16, "epochs": 1})
        seeds, alphas = study.TIERS.get(scale, ((), ()))
        return plan(setting, alphas, seeds, sites="penultimate", second=1000) if seeds else []

    monkeypatch.setattr(study, "declared", declared)
    monkeypatch.setattr(study, "STUDY", replace(study.STUDY, declared=declared))


def call(*words):
    return main("empirical", COMMANDS, ["gpu", "--device", "cpu", "--steps", "2", "--jobs", "1", *map(str, words)])


def test_stops_in_time_and_goes_on(small, tmp_path, capsys):
    assert call("--out", tmp_path, "--minutes", "0.05", "--stages", "study") == 0  # no time for a replica
    assert "10 runs missing" in "".join(capsys.readouterr()) and not (tmp_path / "tables").exists()
    assert call("--out", tmp_path, "--minutes", "5", "--stages", "study") == 0
    table = read_table(study.NAME, tmp_path / "tables")
    assert table.manifest["scale"] == "published" and table.manifest["whole"] and not table.manifest["own"]
    assert {row["alpha"] for row in table.manifest["training"]} == {"1", "1/2"}
    assert set(table.frame.seed) == {0, 1}
    assert call("--dry-run", "--out", tmp_path) == 0 and "about" in "".join(capsys.readouterr())


def test_replicas_share_no_network():
    comparisons = [c for c in study.declared("published") if isinstance(c, Comparison)]
    networks = {seed: {n for c in comparisons if c.seed == seed for n in c.networks()} for seed in range(8)}
    assert all(not networks[a] & networks[b] for a in networks for b in networks if a < b)


def test_a_device_that_fails_is_told(monkeypatch, tmp_path, capsys):
    def broken(device):
        raise RuntimeError("no kernel image")
        yield

    monkeypatch.setattr(device_checks, "CHECKS", (broken, device_checks.no_waits))
    monkeypatch.setattr(device_checks, "WAYS", {})
    assert main("empirical", COMMANDS, ["gpu", "--device", "cpu", "--out", str(tmp_path), "--stages", "tests"]) == 1
    assert "no kernel image" in "".join(capsys.readouterr())
    assert command.STAGES == ("tests", "bench", "study")
