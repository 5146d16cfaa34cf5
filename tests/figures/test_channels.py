"""Flat channels: which claims have evidence from students in one."""

import pandas as pd
import pytest

from figures.sections import channels
from lab.tables import Table
from theory.claims import Evidence


@pytest.fixture
def tables(monkeypatch):
    """Two widths of one teacher, looked at; a study of both and of a third, and one of other teachers."""
    frames = {"graded-channels": pd.DataFrame({"teacher": "graded", "width": [2, 4], "students": 40, "converged": [40, 30],
                                               "in_channel": [0.0, 0.1], "unfinished_in_channel": [0, 2]}),
              "graded-width": pd.DataFrame({"teacher": "graded", "width": [2, 2], "reference_width": [4, 32]}),
              "graded-copies": pd.DataFrame({"teacher": "graded", "width": [2, 3]}),
              "graded-phase": pd.DataFrame({"exponent": [0.5], "width": [2]})}
    monkeypatch.setattr(channels, "gather", lambda tables, _: [
        Evidence(f"s0.of-{name}", "toy", "", None) for name in tables])  # type: ignore[arg-type]
    return {name: Table(name, frame, {}) for name, frame in frames.items()}


def test_evidence_is_affected_by_teacher_and_width(tables):
    share, rows = channels.findings(tables)
    assert "3 of 70 converged students" in share and "graded teacher at width 4; so are 2 of 10 unfinished ones." in share
    assert "and their claims: graded-width (s0.of-graded-width): graded teacher at width 4." in rows
    assert "among the students of graded-copies (s0.of-graded-copies), not examined: graded teacher at width 3." in rows
    assert "The students of graded-phase (s0.of-graded-phase) have other teachers" in rows


def test_without_channels_no_evidence_is_affected(tables):
    tables["graded-channels"].frame["in_channel"] = 0.0
    share, rows = channels.findings(tables)
    assert share.startswith("<b>Students in channels.</b> 0 of 70")
    assert "No study of converged students has any in a channel." in rows and "graded-width" in rows
    assert list(channels.findings({})) == []
