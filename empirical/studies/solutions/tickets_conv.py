"""Tickets of convolutional networks on digits: ResNet-18 and VGG-16 at reduced width, with the arms of :mod:`.tickets`.

Widths and epochs were chosen in pilot replicas (seeds 0 and 1), so that fresh networks win sometimes but not always: after 60
epochs five and three of eight ResNets had won, and one of eight VGGs, which therefore get twice as many epochs.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from empirical.studies.solutions import tickets
from empirical.studies.solutions.plan import of_width, seeds
from empirical.studies.solutions.tickets import BUDGET, PRUNE, Tickets
from empirical.studies.trained import TRAIN
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

COPIES, ROUNDS, SHARE, EARLY = 8, 3, 0.2, 5
CHANNELS, EPOCHS = {"resnet18": 2, "vgg16": 4}, {"resnet18": 60, "vgg16": 120}
REPLICAS = {"quick": 2, "full": 6}


def _configs(arch: str, scale: str, n: int | None = None) -> list[Tickets]:
    """Rewound to the start and to an early epoch."""
    if scale not in REPLICAS:
        return []
    few: dict[str, Any] = ({"epochs": 2, "train_size": 100, "stack": 2, "rounds": 1} if scale == "quick" else
                           {"epochs": EPOCHS[arch], "stack": COPIES, "rounds": ROUNDS, "share": SHARE})
    return [of_width(Tickets, CHANNELS[arch], seed, arch=arch, depth=0, **{**BUDGET, **few}, rewind=rewind)
            for seed in seeds(n or REPLICAS[scale]) for rewind in ((0,) if scale == "quick" else (0, EARLY))]


def evidence_resnet18(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """As :func:`empirical.studies.solutions.tickets.evidence`, for ResNet-18.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`empirical.studies.solutions.tickets.tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        One cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence_resnet18(pandas.DataFrame(), ())
    []
    """
    return tickets.evidence(frame, runs, "resnet18")


def evidence_vgg16(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """As :func:`empirical.studies.solutions.tickets.evidence`, for VGG-16.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`empirical.studies.solutions.tickets.tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        One cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence_vgg16(pandas.DataFrame(), ())
    []
    """
    return tickets.evidence(frame, runs, "vgg16")


_STAGES = (TRAIN, PRUNE)
TICKETS_RESNET18 = Study("tickets-resnet18-digits", "ResNet-18 on digits: tickets, alone and with other weights around them",
                         _STAGES, partial(_configs, "resnet18"), tickets.tabulate, evidence_resnet18, processes=True,
                         extensible=True, pilot_seconds=1000.0)
TICKETS_VGG16 = Study("tickets-vgg16-digits", "VGG-16 on digits: tickets, alone and with other weights around them", _STAGES,
                      partial(_configs, "vgg16"), tickets.tabulate, evidence_vgg16, processes=True, extensible=True,
                      pilot_seconds=2200.0)
