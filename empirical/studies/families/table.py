"""The table of a family: the columns of a width sweep, without those on training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from empirical.studies.families.measure import COMPARE

if TYPE_CHECKING:
    import pandas


def tabulate(finished: Sequence[tuple[object, dict]]) -> "pandas.DataFrame":
    """One row per comparison, site and number of copies.

    Parameters
    ----------
    finished : (configuration, result) of its runs.
    """
    import pandas

    rows = []
    for config, result in COMPARE.results(finished):
        base = {"arch": config.family, "data": result["data"], "alpha": config.alpha, "reference": "1",
                "base_width": config.width, "seed": config.seed, "all_copies": config.copies, "parameter_copies": 0,
                "start": "own", "match": "published", "target_loss": 0.0, "mismatch": None, "parametrisation": "published",
                "label_noise": 0.0, "wide": config.wide, "other": config.other, "narrow": " ".join(config.narrow)}
        rows += [{**base, **row} for row in result["rows"]]
    return pandas.DataFrame(rows)
