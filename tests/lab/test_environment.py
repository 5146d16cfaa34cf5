"""What a command inherits: an encoding without the signs it prints, a backend for pictures that is not there."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.cli import main
from theory.__main__ import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_signs_that_an_encoding_lacks_are_spelt_out(monkeypatch, encoding):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert main("theory", COMMANDS, ["derive", "erf-i3"]) == 0
    assert b"erf-i3" in written.getvalue()


def test_pictures_need_no_backend():
    code = ("from figures.style import canvas, colours, to_svg\n"
            "with canvas() as (figure, _): print(to_svg(figure)[:4], colours('viridis')(0))")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "MPLBACKEND": "module://nowhere.backend"})
    assert done.returncode == 0 and done.stdout.startswith("<svg"), done.stderr
