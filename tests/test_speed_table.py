"""The README's table of speeds against the figures that are kept, and the words that each figure needs."""

import json

import pytest

from tests.bench import kept
from tests.bench.targets import TARGETS


def test_every_target_says_what_it_is_compared_with():
    assert {target.topic for target in TARGETS} == set(kept.COMPARED)


def test_the_readme_has_the_figures_that_are_kept():
    text = kept.README.read_text()
    assert kept.read() and kept.with_table(text, kept.read()) == text


def test_figures_are_kept_with_machine_and_versions(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FILE", tmp_path / "measured.json")
    monkeypatch.setattr(kept, "README", tmp_path / "README.md")
    kept.README.write_text("above\n<!-- speed -->\nold\n<!-- end of speed -->\nbelow\n")
    kept.keep({"hull": {"hull": [{"ratio": 40.5}, {"ratio": 200.0}]}, "ablation": {}})
    kept.keep({"gaussian": {"ratio_numpy": {"i4": 6.25}}})  # the others stay
    entries, text = json.loads(kept.FILE.read_text()), kept.README.read_text()
    assert list(entries) == ["hull", "gaussian"] and entries["hull"]["environment"]["versions"]["numpy"]
    assert "| 40.5 | ≥ 17 | scipy.optimize.nnls |" in text and "| 6.25 | ≥ 5 |" in text and "old" not in text
    assert text.startswith("above\n") and text.endswith("below\n") and text.count("*Measured on") == 1


def test_a_readme_without_a_place_for_the_table():
    with pytest.raises(ValueError, match="no pair of lines"):
        kept.with_table("text", {})
