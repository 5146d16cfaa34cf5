"""The table of a study of units."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from empirical.studies.units.measure import MEASURE

if TYPE_CHECKING:
    import pandas

CURVES = ("unchanged", "accuracy", "unchanged_targeted", "unchanged_best")
TRAINED = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


def tabulate(finished: Sequence[tuple[object, dict]]) -> "pandas.DataFrame":
    """The table of a study: one row per measured network and place, with curves as text.

    Parameters
    ----------
    finished : (configuration, result) of its runs; training runs are skipped.
    """
    import pandas

    rows = []
    for config, result in MEASURE.results(finished):
        words = [config.arch, result["data"], *([config.case] if config.case else [])]
        base = {"case": ", ".join(words), "arch": config.arch, "data": result["data"], "value": config.case,
                "base_width": config.base_width, "alpha": config.alpha, "width": float(config.width), "replica": config.seed,
                "init": config.init, "train_size": config.train_size, "image_size": config.image_size, "epochs": config.epochs,
                **{key: result[key] for key in TRAINED}}
        for site, numbers in result["sites"].items():
            text = {key: " ".join(f"{x:.4f}" for x in numbers[key]) for key in CURVES if key in numbers}
            rows.append({**base, "site": site, **{**numbers, **text}})
    return pandas.DataFrame(rows)
