"""Evidence for the claims of S3 from the table of a study of hulls."""

from typing import TYPE_CHECKING

from empirical.hull.statistics import (
    correlation,
    correlation_over_replicas,
    excess,
    excess_over_replicas,
    share_gap_over_replicas,
    share_over_replicas,
)
from empirical.studies.levels import levels
from lab.combine import share_difference
from lab.estimate import Estimate, mean_interval, share_interval
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

SETTING = ["data", "space", "components", "n", "arch", "alpha", "site"]  # columns that define a setting; replicas differ in seed
FEW, EQUAL = 10, 8  # number of principal components that counts as few; number that every width keeps
# test points needed to show that two shares agree to one in a hundred if all points are outside (Newcombe)
LEAST_POINTS = 400


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence from one study; the Gaussian control belongs to the toy column.

    The unit is the replica: a network (on digits with its own split of the data) and the points drawn by its seed. For spaces
    without a network and with a single split of the data, it is the test point.

    Parameters
    ----------
    frame : table of one study, see :func:`empirical.studies.hull.table.tabulate`.
    runs : ids of the runs behind it.
    """
    whole = frame["n"] == frame.groupby(["data", "space"])["n"].transform("max")  # hulls of fewer points are nested in these
    return [item for _, rows in frame[whole].groupby(SETTING, sort=False, dropna=False)
            for item in _of_setting(rows.drop_duplicates("seed"), runs)]


def _of_setting(rows: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence of one space, from one row per replica."""
    first = rows.iloc[0]
    data, components = str(first["data"]), int(first["components"])
    arch, alpha = (first[name] if isinstance(first[name], str) else "" for name in ("arch", "alpha"))
    learnt, whole = first["space"] == "features", not components
    about = first["network"] if isinstance(first.get("network"), str) and first["network"] else f"{arch} alpha {alpha}"
    where = f"{data}, " + (f"{about}, " if learnt else "") + f"{first['name']} (dimension {first['dim']}, {first['n']} points)"
    short = data.split(" (")[0].lower()
    space = f"{arch}-{alpha}-{first['site']}" if learnt else f"{short}-{first['space']}"
    piece = space + (f"-{components}" if components else "")
    traits = {**levels(arch if learnt else "", data), "space": str(first["space"]), "dimension": _dimension(int(first["dim"]))}
    pieces: list[Evidence] = []

    def add(claim: str, estimate: Estimate | None, column: str = "real", network: bool = learnt) -> None:
        """``network``: whether networks are measured; replicas are then networks, and a single one has no interval."""
        if estimate is None:
            return
        if network and len(rows) == 1:
            estimate = Estimate(estimate.mean)
        toy = column == "toy"
        key = f"{piece}-{arch}-{alpha}" if network and not learnt else piece
        pieces.append(Evidence(
            claim, column, f"Gaussian with the covariance of {where}" if toy else f"{where}, {about}" if network and not learnt
            else where, estimate, runs, piece=f"gaussian-{piece}" if toy else key,
            cluster=f"Gaussian, {short}" if toy else f"{short}, {arch} {alpha}" if network else short, levels=traits))

    if learnt:
        if whole:
            add("s3.features-outside", _share(rows, "test_outside"))
        if first["dim"] == EQUAL and first["site"] == "penultimate":
            add("s3.features-outside-at-equal-dimension", _share(rows, "test_outside"))
    elif whole and _has(rows, "training_outside"):  # one entry per space
        add("s3.test-points-outside", _share(rows, "test_outside"))
        add("s3.test-points-outside", _share(rows, "gaussian_outside"), "toy")
    if components and components <= FEW:
        add("s3.low-dimension-inside", _share(rows, "test_inside"))
    if whole:
        add("s3.outside-beyond-dimension", _excess(rows))
        if first["test_outside_n"] >= LEAST_POINTS:
            add("s3.outside-share-beyond-training", _gap(rows))
        add("s3.hull-distance-explains-errors", _correlation(rows), network=True)
        add("s3.class-changes-towards-hull", _changed(rows), network=True)
    return pieces


def _dimension(dim: int) -> str:
    return next((f"up to {most}" for most in (6, 10, 16) if dim <= most), "more than 16")


def _has(rows, *names: str) -> bool:
    """Whether every replica has these numbers."""
    return all(name in rows and rows[name].notna().all() for name in names)


def _share(rows, name: str) -> Estimate | None:
    if not _has(rows, name):
        return None
    points = int(rows[f"{name}_n"].min())
    if len(rows) > 1:
        return share_over_replicas(rows[name], points)
    return share_interval(round(rows[name].iloc[0] * points), points)


def _gap(rows) -> Estimate | None:
    if not _has(rows, "test_outside", "training_outside"):
        return None
    counts = [(rows[name], int(rows[f"{name}_n"].min())) for name in ("test_outside", "training_outside")]
    if len(rows) > 1:
        return share_gap_over_replicas(*counts[0], *counts[1])
    return share_difference(*(x for shares, n in counts for x in (round(shares.iloc[0] * n), n)))


def _excess(rows) -> Estimate | None:
    """The excess of the mean distances; None if no left-out point lies outside."""
    if not _has(rows, "test_over_training"):
        return None
    if len(rows) > 1:
        return excess_over_replicas(rows["test_over_training"])

    def distance(group: str) -> Estimate:
        mean, low, high, n = (rows[f"{group}_distance{end}"].iloc[0] for end in ("", "_low", "_high", "_n"))
        return Estimate(float(mean), float(low), float(high), int(n))

    return excess(distance("test"), distance("training"))


def _correlation(rows) -> Estimate | None:
    if not _has(rows, "error_given_nearest"):
        return None
    if len(rows) > 1:
        return correlation_over_replicas(rows["error_given_nearest"])
    return correlation(float(rows["error_given_nearest"].iloc[0]), int(rows["error_given_nearest_n"].iloc[0]), given=1)


def _changed(rows) -> Estimate | None:
    """Share of classes that change at the projection minus those that change under a random step, over networks."""
    return mean_interval(rows["changed_excess"]) if _has(rows, "changed_excess") else None
