"""A copy of the laboratory with files added: for tests of how one adds to it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("lab", "theory", "toy", "empirical", "figures")
# formulas take seconds a process, and are tested in their room
NO_FORMULAS = {"theory/evidence.py": '"""No formula."""\n\n\ndef theory_evidence():\n    return ()\n'}


class Overlay:
    """A copy without kept tables, and Python at work in it.

    Parameters
    ----------
    folder : where to; empty.
    added : file, relative to the root -> its text; none of them is there already.
    tests : files of the laboratory's tests that are wanted too.
    formulas : whether the theory column is worked out.
    """

    def __init__(self, folder: Path, added: Mapping[str, str], tests: Iterable[str] = (), formulas: bool = False):
        self.folder = folder
        for room in ROOMS:
            shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "results"))
        for name in ("pyproject.toml", *tests):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        for name in added:
            assert not (folder / name).exists(), f"{name} is there already"
        for name, text in {**added, **({} if formulas else NO_FORMULAS)}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def python(self, *argv: str, fails: bool = False) -> str:
        """What Python prints with these arguments; where it ``fails``, as it then must, the errors."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))}
        done = subprocess.run([sys.executable, *argv], cwd=self.folder, env=environment, capture_output=True, text=True,
                              check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout
