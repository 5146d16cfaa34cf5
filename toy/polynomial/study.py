"""The study: agreement inside and outside the hull, by degree or width and by training regime."""

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from lab.estimate import mean_interval
from lab.study import Study
from theory.claims import Evidence
from toy.polynomial.model import simulate, simulate_networks


@dataclass(frozen=True)
class DataSet:
    """One truth and its data, all model classes."""

    replica: int
    degrees: tuple[int, ...] = (3, 4, 6, 8, 10)
    widths: tuple[int, ...] = (4, 16, 64, 256)
    samples: int = 40
    seed: int = 0


def run(config: DataSet, folder: Path) -> dict:
    """All classifiers on one data set."""
    common = dict(samples=config.samples, seed=config.seed, replica=config.replica)
    found = [*simulate(config.degrees, **common), *simulate_networks(config.widths, **common)]
    return {"rows": [asdict(row) for row in found]}


def configs(scale: str) -> list[DataSet]:
    """Independent data sets."""
    return [DataSet(replica) for replica in range({"quick": 2, "run": 6, "full": 16}[scale])]


def tabulate(finished) -> pd.DataFrame:
    """A row a data set and classifier."""
    return pd.DataFrame([{"data_set": config.replica, **row} for config, result in finished for row in result["rows"]])


def evidence(table: pd.DataFrame, runs: tuple[str, ...]) -> list[Evidence]:
    """Differences on the same data sets; the interval is over data sets."""
    found = []
    wide = table.pivot(index="data_set", columns=["regime", "size"])
    for family, kind in (("polynomial", "gradient"), ("network", "network")):
        regimes = (f"{kind}-small", f"{kind}-large")
        sizes = sorted(table[table.regime == regimes[0]]["size"].unique())
        first, last = sizes[0], sizes[-1]
        name = "degree" if family == "polynomial" else "width"
        for regime in regimes:
            pair = wide["pair_outside"][regime]
            found.append(Evidence("s3.overparameterization-controls-outside", "toy",
                                  f"{regime}, {name} {last} against {first}", mean_interval(pair[last] - pair[first]), runs))
        small, large = (wide["pair_outside"][regime][last] for regime in regimes)
        found.append(Evidence("s3.training-controls-outside", "toy", f"{family}, {name} {last}",
                              mean_interval(small - large), runs))
        inside, outside = (wide[f"truth_{side}"][regimes[0]][last] for side in ("inside", "outside"))
        found.append(Evidence("s3.outside-is-harder", "toy", f"{regimes[0]}, {name} {last}",
                              mean_interval(inside - outside), runs))
    return found


STUDY = Study("polynomial", "a boundary in the plane, inside and outside the hull of the data", "toy.polynomial.study:run",
              configs, tabulate, evidence, processes=True)
