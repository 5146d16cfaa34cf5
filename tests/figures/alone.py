"""``python -m figures`` in a process of its own, with a laboratory of one study: ``python -m tests.figures.alone settle ...``."""

import sys
import time
from pathlib import Path

import pandas as pd

from figures import catalogue
from figures.__main__ import COMMANDS
from lab.cli import main
from lab.estimate import mean_interval
from lab.study import CONFIRMATORY, Study
from tests.figures.conftest import CLAIM
from tests.figures.test_settle import DECLARED, noisy
from tests.lab.experiments import Square
from theory.claims import Evidence


def slow_square(config: Square, folder: Path) -> dict:
    """A square, long enough to be killed in; it leaves a mark for each time that it is started."""
    (folder / "started").open("a").write("x")
    time.sleep(0.3)
    return {"value": float(config.x**2)}


STUDY = Study("squares", "squares", "tests.figures.alone:slow_square",
              lambda scale, replicas=None: [] if scale == "run" else [
                  Square(CONFIRMATORY + i) for i in range(replicas or DECLARED)],
              lambda finished: pd.DataFrame([{"alpha": 1 / c.x, "value": r["value"]} for c, r in finished]),
              lambda frame, runs: [Evidence(CLAIM, "toy", "squares", mean_interval(noisy(frame)), runs)],
              processes=True, extensible=True)

if __name__ == "__main__":
    import theory.evidence

    theory.evidence.theory_evidence = lambda: []  # type: ignore[assignment]
    catalogue.studies = lambda rooms=(): {"squares": "tests.figures.alone:STUDY"}  # type: ignore[assignment]
    catalogue.KEPT = Path("kept")
    sys.exit(main("figures", COMMANDS, sys.argv[1:]))
