"""Double descent by width: MLPs trained until nothing improves, with true labels and with two in five labels wrong.

The real counterpart of the random features in :mod:`theory.regression`. A network with c classes fits c numbers per sample, so
its size is measured as parameters over samples times classes. The loss is cross-entropy, whose threshold need not be at one.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.settings import Network
from empirical.studies.levels import levels
from empirical.studies.solutions.plan import NAMES, SOURCES, about, from_files, of_width, seeds
from empirical.studies.trained import TRAIN
from lab.estimate import mean_interval
from lab.study import Study
from theory.claims import Evidence
from theory.descent import over_best_below, peak_place, rise_at_end

if TYPE_CHECKING:
    import pandas

CLASSES = 10
# the fifth width has about one parameter per equation
WIDTHS = {"digits": (4, 8, 16, 24, 40, 80, 160, 512), "mnist": (4, 8, 16, 32, 48, 96, 192, 512)}
NOISES = (0.4, 0.0)
REPLICAS = {"quick": 2, "full": 8}


def _configs(data: str, scale: str, n: int | None = None) -> list[Network]:
    """Eight widths, with and without wrong labels; replica by replica, so that successive runs share their data."""
    if scale not in REPLICAS or (scale == "quick" and data != "digits"):
        return []
    widths, changes = (WIDTHS[data][::3], {"epochs": 5}) if scale == "quick" else (WIDTHS[data], {})
    return [of_width(Network, hidden, seed, label_noise=noise, **{**SOURCES[data], **changes})
            for seed in seeds(n or REPLICAS[scale]) for noise in NOISES for hidden in reversed(widths)]


def tabulate(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per network.

    Parameters
    ----------
    finished : sequence of (Network, dict)
        Training runs and their results.

    Returns
    -------
    pandas.DataFrame
        Columns of :func:`empirical.studies.solutions.plan.about` and ``size``, parameters over samples times classes.

    Examples
    --------
    >>> tabulate([]).empty
    True
    """
    import pandas

    rows = [about(config, result) for config, result in TRAIN.results(finished)]
    return pandas.DataFrame([{**row, "size": row["parameters"] / (row["samples"] * CLASSES)} for row in rows])


def curves(frame: "pandas.DataFrame") -> tuple[np.ndarray, np.ndarray]:
    """Sizes and test errors of one setting.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of one data set and share of wrong labels.

    Returns
    -------
    sizes : (F,) array
        Parameters over equations, ascending.
    errors : (F, replicas) array
        Test errors, at least 1e-4, so that they have logarithms.

    Examples
    --------
    >>> import pandas
    >>> curves(pandas.DataFrame({"size": [2.0, 1.0], "seed": [100, 100], "test_error": [0.1, 0.2]}))[1].tolist()
    [[0.2], [0.1]]
    """
    table = frame.pivot(index="size", columns="seed", values="test_error").dropna(axis=1).sort_index()
    return table.index.to_numpy(), table.to_numpy().clip(min=1e-4)


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...], arch: str = "mlp") -> list[Evidence]:
    """The second descent, the location of the peak, and the rise of the test error at the largest widths.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate`.
    runs : tuple of str
        Ids of the runs behind it.
    arch : str, default "mlp"
        Name of the architecture.

    Returns
    -------
    list of Evidence
        Settings with and without wrong labels share their images: one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence(pandas.DataFrame({"data": [], "label_noise": []}), ())
    []
    """
    pieces = []
    for noise, rows in frame.groupby("label_noise", sort=False):
        sizes, errors = curves(rows)
        name = str(rows.data.iloc[0])
        common: dict[str, Any] = dict(column="real", runs=runs, piece=f"noise{noise:g}", cluster=name,
                      levels={**levels(arch, name), "family": arch, "noise": f"{noise:g}"},
                      setting=f"{NAMES[arch]}, {name}, {int(rows.samples.iloc[0]):,} images, {noise:.0%} wrong labels, up to "
                              f"{sizes[-1]:.3g} parameters per sample and class")
        if (last := over_best_below(errors, sizes)[-1]) is not None:
            pieces.append(Evidence("s2.second-descent", estimate=last, **common))
        if noise > 0:
            inner = slice(int(np.argmin(errors[sizes < 1].mean(axis=1))) if (sizes < 1).any() else 0, None)
            pieces += [Evidence("s2.peak-at-interpolation", estimate=mean_interval(
                           [peak_place(sizes[inner], column[inner]) for column in errors.T], log=True), **common),
                       Evidence("s2.final-ascent", estimate=mean_interval(rise_at_end(errors)), **common)]
    return pieces


_STAGES = (TRAIN,)
DIGITS_DESCENT = Study("descent-digits", "double descent by width: MLP on digits", _STAGES, partial(_configs, "digits"), tabulate,
                       evidence, processes=True, extensible=True)
MNIST_DESCENT = Study("descent-mnist", "double descent by width: MLP on MNIST", _STAGES,
                      from_files(partial(_configs, "mnist")), tabulate, evidence, processes=True, extensible=True,
                      declared=partial(_configs, "mnist"))
