"""The table of a study of hulls."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from empirical.studies.hull.measure import MEASURE

if TYPE_CHECKING:
    import pandas

GROUPS = ("test", "training", "gaussian")
ESTIMATES = ("outside", "inside", "distance", "over_nearest", "over_mean", "over_median_pair", "over_diameter", "support")
SINGLE = {"test_over_training": "test_over_training", "outside_minus_training": "outside_minus_training",
          "error_alone": "errors.alone", "error_given_nearest": "errors.given_nearest",
          "own_class_over_whole": "classes.own_class_over_whole",
          "nearest_class_hull_is_right": "classes.nearest_class_hull_is_right",
          "changed_at_hull": "directions.changed_at_hull", "changed_on_the_way": "directions.changed_on_the_way",
          "changed_random": "directions.changed_random", "changed_excess": "directions.changed_excess",
          "cosine": "directions.cosine", "cosine_random": "directions.cosine_random",
          "adversarial_over_hull": "directions.adversarial_over_hull"}


def _columns(name: str, value) -> dict:
    """An estimate as four columns; empty if there is none."""
    if not value:
        return {}
    return {name: value["mean"], f"{name}_low": value["low"], f"{name}_high": value["high"], f"{name}_n": value["n"]}


def tabulate(finished: Sequence[tuple[object, dict]]) -> "pandas.DataFrame":
    """The table of a study: one row per measured space.

    Estimates are ``x, x_low, x_high, x_n``, with the group (test, training, gaussian) before ``x``.

    Parameters
    ----------
    finished : (configuration, result) of its runs; training runs are skipped.
    """
    import pandas

    from lab.cli import jsonable

    rows = []
    for config, result in MEASURE.results(finished):
        result = jsonable(result)
        row = {"data": result["data"], "space": config.space, "dim": result["dim"], "components": config.dim,
               "n": result["n"], "arch": config.arch, "alpha": config.alpha if config.arch else "",
               "site": config.site if config.space == "features" else "", "seed": config.seed, "name": result["space"],
               "network": result.get("network", ""),
               "image": int(np.prod(result["facts"].get("image_shape", [0]))), **result["scales"]}
        for group in GROUPS:
            part = result.get(group)
            if part:
                for key in ESTIMATES:
                    row |= _columns(f"{group}_{key}", part[key])
                row |= {f"{group}_{key}": part[key] for key in ("unconverged", "distance_lower", "distance_upper",
                                                                 "largest_gap", "pricings")}
        for name, path in SINGLE.items():
            value = result
            for key in path.split("."):
                value = (value or {}).get(key)
            row |= _columns(name, value)
        rows.append(row)
    return pandas.DataFrame(rows)
