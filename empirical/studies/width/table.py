"""The table of a width sweep."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from empirical.studies.width.compare import COMPARE

if TYPE_CHECKING:
    import pandas


def tabulate(finished: Sequence[tuple[object, dict]]) -> "pandas.DataFrame":
    """The table of a sweep.

    Parameters
    ----------
    finished : (configuration, result) of its runs; those of networks are skipped.

    Returns
    -------
    pandas.DataFrame
        One row per comparison, site and number of copies: the measures, and the results of training.
    """
    import pandas

    rows = []
    for config, result in COMPARE.results(finished):
        base = {"arch": config.arch, "data": result.get("data", config.data), "alpha": config.alpha,
                "reference": config.reference, "base_width": config.base_width, "seed": config.seed,
                "other_seed": config.other_seed, "all_copies": config.copies, "parameter_copies": config.narrow_copies,
                "start": config.start, "match": "train-loss" if config.target_loss else "epochs",
                "target_loss": config.target_loss, "mismatch": result.get("mismatch"), "parametrisation": config.parametrisation,
                "label_noise": config.label_noise, "train_size": config.train_size}
        trained = {f"{key}_{side}": value for side in ("narrow", "wide") for key, value in result[side].items()
                   if key != "curve"}
        curves = {f"curve_{side}": " ".join(f"{x:.4g}" for x in result[side]["curve"]) for side in ("narrow", "wide")}
        last = {"curve_narrow": "", "curve_wide": ""}
        for row in result["rows"]:
            main = row["site"] == "penultimate" and row["copies"] == config.copies
            rows.append({**base, **row, **trained, **(curves if main else last)})
    return pandas.DataFrame(rows)
