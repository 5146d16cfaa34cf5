"""The CKA of independent normal features: a table in a pull request that corrects its bias."""

from functools import partial

from figures.published import Published
from lab.estimate import Estimate, student

UNITS = 8  # not stated there; for this number of units, the formula gives the first of their numbers, .198 at 32 rows
SEEDS = 20
ROWS = (32, 64, 128, 256)
BIASED, DEBIASED = (0.198, 0.114, 0.056, 0.029), (0.017, 0.009, 0.003, 0.001)


def _row(frame, rows: int):
    row = frame[(frame.rows == rows) & (frame.width == UNITS)]
    return None if row.empty else row.iloc[0]


def _ours(column: str, rows: int, frame) -> Estimate | None:
    row = _row(frame, rows)
    return None if row is None else Estimate(row[column], row[f"{column}_low"], row[f"{column}_high"], int(row[f"{column}_n"]))


def _theirs(column: str, value: float, rows: int, frame) -> Estimate:
    """A mean over their seeds, with the error of a mean over as many of our draws."""
    return student(value, _row(frame, rows)[f"{column}_sd"] / SEEDS**0.5, SEEDS)


PUBLISHED = tuple(
    Published(name=f"cka/{kind}-n{rows}", quantity=f"linear CKA, {kind}, of independent normal features on {rows} rows",
              value=value, digits=0.0005, tolerance=0.05, protocol="mean over 20 seeds; the number of units is not stated",
              source="Project-MONAI/MONAI, pull request 9129", read="its description", study="independent-features",
              ours=partial(_ours, column, rows), theirs=partial(_theirs, column, value, rows),
              why="8 units, by their first number; the other seven are tests" if (kind, rows) == ("biased", 32) else "")
    for kind, column, values in (("biased", "cka", BIASED), ("debiased", "debiased", DEBIASED))
    for rows, value in zip(ROWS, values))
