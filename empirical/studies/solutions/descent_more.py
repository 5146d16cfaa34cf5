"""Double descent by width in a convolutional network, and by epochs at fixed width; on digits.

The ResNet-18 has 1 to 16 channels in its stem; with one channel it has fewer parameters than samples times classes. MLPs are
evaluated after increasing numbers of epochs at a constant learning rate, so that shorter runs are the beginnings of longer ones.
"""

from typing import TYPE_CHECKING

from empirical.settings import Network
from empirical.studies.levels import levels
from empirical.studies.solutions import descent
from empirical.studies.solutions.plan import of_width, seeds
from empirical.studies.trained import TRAIN
from lab.estimate import mean_interval
from lab.study import Study
from theory.claims import Evidence
from theory.descent import second_fall

if TYPE_CHECKING:
    import pandas

CHANNELS = (1, 2, 3, 4, 6, 8, 12, 16)
RESNET = {"arch": "resnet18", "depth": 0, "data": "digits", "train_size": 900, "batch_size": 100, "epochs": 100}
ALONG = {"data": "digits", "train_size": 300, "schedule": "constant", "warmup": 0.0}
SETTINGS = ((512, 0.4), (512, 0.0), (40, 0.4))  # hidden units, share of wrong labels; 40: about one parameter per equation
LOOKS = tuple(2**i for i in range(11))
REPLICAS = {"quick": 2, "full": 6}


def _configs_resnet18(scale: str, n: int | None = None) -> list[Network]:
    """Eight widths, with and without wrong labels; replica by replica."""
    if scale not in REPLICAS:
        return []
    widths, few = (CHANNELS[:2], {"epochs": 2, "train_size": 300}) if scale == "quick" else (CHANNELS, {})
    return [of_width(Network, channels, seed, label_noise=noise, **{**RESNET, **few}) for seed in seeds(n or REPLICAS[scale])
            for noise in descent.NOISES for channels in reversed(widths)]


def evidence_resnet18(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """As :func:`empirical.studies.solutions.descent.evidence`, for ResNet-18.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`empirical.studies.solutions.descent.tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        Settings with and without wrong labels share their images: one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence_resnet18(pandas.DataFrame({"data": [], "label_noise": []}), ())
    []
    """
    return descent.evidence(frame, runs, "resnet18")


RESNET18_DESCENT = Study("descent-resnet18-digits", "double descent by width: ResNet-18 on digits", (TRAIN,), _configs_resnet18,
                         descent.tabulate, evidence_resnet18, processes=True, extensible=True, pilot_seconds=2600.0)


def _configs_epochs(scale: str, n: int | None = None) -> list[Network]:
    """Three settings, eleven numbers of epochs, for each replica."""
    if scale not in REPLICAS:
        return []
    looks, settings = (LOOKS[:3], SETTINGS[-1:]) if scale == "quick" else (LOOKS, SETTINGS)
    return [of_width(Network, hidden, seed, label_noise=noise, **ALONG, epochs=epochs)
            for seed in seeds(n or {**REPLICAS, "full": 8}[scale]) for hidden, noise in settings for epochs in looks]


def evidence_epochs(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Size of the second fall of the test error during training.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`empirical.studies.solutions.descent.tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        Settings share their images: one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence_epochs(pandas.DataFrame({"hidden": [], "label_noise": []}), ())
    []
    """
    pieces = []
    for (hidden, noise), rows in frame.groupby(["hidden", "label_noise"], sort=False):
        table = rows.pivot(index="epochs", columns="seed", values="test_error").dropna(axis=1).sort_index()
        if min(table.shape[0] - 2, table.shape[1] - 1) < 1:
            continue
        name = str(rows.data.iloc[0])
        pieces.append(Evidence("s2.second-descent-by-epochs", "real", f"MLP of {hidden} units, {name}, "
                               f"{int(rows.samples.iloc[0])} images, {noise:.0%} wrong labels, "
                               f"up to {table.index.max():,} epochs",
                               mean_interval(second_fall(table.to_numpy())), runs, piece=f"h{hidden}-noise{noise:g}",
                               cluster=name, levels={**levels("mlp", name), "noise": f"{noise:g}"}))
    return pieces


EPOCHS_DESCENT = Study("descent-epochs-digits", "double descent by epochs: MLPs on digits", (TRAIN,), _configs_epochs,
                       descent.tabulate, evidence_epochs, processes=True, extensible=True, pilot_seconds=450.0)
