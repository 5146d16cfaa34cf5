"""A laboratory with one study and one section, and tables of it."""

import sys
import types

import pandas as pd
import pytest

from figures import catalogue
from figures.section import Section, picture
from figures.style import canvas, points, theory_line, width_axis
from lab.estimate import exact
from lab.study import Study
from lab.tables import Table, write_table
from tests.lab.experiments import Square
from theory.claims import Evidence

CLAIM = "s0.narrow-does-not-span-wide"


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
    for module_name in ("figures.ledger", "figures.report"):  # formulas are tested in their room, and take seconds
        monkeypatch.setattr(f"{module_name}.theory_evidence", lambda: [])
    monkeypatch.chdir(tmp_path)
    return module


@pytest.fixture
def write(laboratory, tmp_path):
    """Writes a table of the study into ``kept`` or ``runs/tables``; keywords change its manifest."""

    def write(folder, scale, values, **changes):
        facts = {"scale": scale, "own": False, "plan": laboratory.STUDY.plan(scale), "planned": 2, "whole": True,
                 "command": "python -m figures run", "runs": ["a", "b"], "failed": [], "environment": {"processor": "p"}}
        frame = pd.DataFrame({"alpha": [1 / (i + 1) for i in range(len(values))], "value": values})
        return write_table(Table(changes.pop("name", "squares"), frame, {**facts, **changes}), tmp_path / folder)

    return write
