"""What the table of a study of hulls says of the claims of S3."""

from typing import TYPE_CHECKING

from lab.estimate import Estimate
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas


def _estimate(row, name: str) -> Estimate | None:
    if name not in row or row[name] != row[name] or row[name] is None:
        return None
    low, high = (None if row[f"{name}_{end}"] != row[f"{name}_{end}"] else float(row[f"{name}_{end}"])
                 for end in ("low", "high"))
    return Estimate(float(row[name]), low, high, int(row[f"{name}_n"]))


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence from one study; the Gaussian control is the toy column's.

    Parameters
    ----------
    frame : table of one study, see :func:`empirical.studies.hull.table.tabulate`.
    runs : ids of the runs behind it.
    """
    found = []

    def add(claim, column, setting, estimate):
        if estimate is not None:
            found.append(Evidence(claim, column, setting, estimate, runs))

    for _, row in frame.iterrows():
        network = row.get("network")
        network = network if isinstance(network, str) and network else f"{row['arch']} alpha {row['alpha']}"
        where = f"{row['data']}, " + (f"{network}, " if row["space"] == "features" else "")
        where += f"{row['name']} (dimension {row['dim']}, {row['n']} points)"
        seen = where if row["space"] == "features" else f"{where}, {network}"
        whole = not row["components"]
        subset = row["n"] < frame.loc[(frame["data"] == row["data"]) & (frame["space"] == row["space"]), "n"].max()
        if row["space"] == "features":
            add("s3.features-outside" if whole else "s3.features-outside-at-equal-dimension", "real", where,
                _estimate(row, "test_outside"))
        elif whole and not subset and _estimate(row, "training_outside") is not None:  # one entry a space
            add("s3.test-points-outside", "real", where, _estimate(row, "test_outside"))
            add("s3.test-points-outside", "toy", f"Gaussian with the covariance of {where}",
                _estimate(row, "gaussian_outside"))
        if not whole and row["components"] <= 10:
            add("s3.low-dimension-inside", "real", where, _estimate(row, "test_inside"))
        if whole and not subset:
            add("s3.outside-beyond-dimension", "real", where, _estimate(row, "test_over_training"))
            add("s3.outside-share-beyond-training", "real", where, _estimate(row, "outside_minus_training"))
            add("s3.hull-distance-explains-errors", "real", seen, _estimate(row, "error_given_nearest"))
            add("s3.class-changes-towards-hull", "real", seen, _estimate(row, "changed_excess"))
    return found
