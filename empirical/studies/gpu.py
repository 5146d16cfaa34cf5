"""ResNet-18 at its published width on all of CIFAR-10, sized for minutes on one GPU.

Base width 64, all 50,000 training images (40,000 for training, 10,000 for probes), alpha = 1, 1/2, ..., 1/16. The number of
epochs is part of the setting. It was chosen so that eight replicas would fit into eight minutes, from the time per step on the
first GPU (an H200), before any network was trained there. Every replica has its own second wide network as the baseline (seed +
1000), so replicas share no network, and their gaps are independent given the data.

The scales grow towards the full study: four replicas at three widths, four at five widths, eight at five widths. Each gives a
complete table and reuses the runs of smaller scales.
"""

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from empirical.declared import data_folder
from empirical.settings import Setting, recipe
from empirical.studies.width.evidence import evidence
from empirical.studies.width.plan import plan
from empirical.studies.width.study import width_study
from lab.tables import SCALES
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

    from empirical.data import Dataset

ALPHAS = tuple(Fraction(1, 2**k) for k in range(5))
TIERS = {"run": (range(4), ALPHAS[::2]), "full": (range(4), ALPHAS), "published": (range(8), ALPHAS)}
SECOND = 1000
RECIPE = {"epochs": 8, "batch_size": 512, "learning_rate": 0.4, "warmup": 0.2}


def declared(scale: str) -> list[Setting]:
    """The runs of a scale, whether or not a GPU and the data are available."""
    if scale not in TIERS:
        return []
    seeds, alphas = TIERS[scale]
    setting = Setting(**{**recipe("resnet18", "cifar10"), **RECIPE}).check()
    return plan(setting, alphas, seeds, sites="penultimate", second=SECOND)


def on(data: "Dataset", scale: str) -> list[Setting]:
    """The runs of a scale on a loaded data set."""
    return [replace(config, checksum=data.checksum) for config in declared(scale)]


def _configs(scale: str) -> list[Setting]:
    """The runs that are possible here: none unless the environment names the data and there is a GPU."""
    if scale not in TIERS or not data_folder():
        return []
    import torch

    from empirical.data import dataset

    return on(dataset(declared(scale)[0]), scale) if torch.cuda.is_available() else []


def _evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Evidence of a pilot: its seeds are below the confirmatory ones."""
    return [replace(item, pilot=True) for item in evidence(frame, runs)]


STUDY = width_study("resnet18-cifar10-gpu", "ResNet-18 of base width 64 on CIFAR-10, eight epochs on a GPU", _configs,
                    "ResNet-18 of base width 64, CIFAR-10 (JPEG re-encoding)", declared=declared, scales=SCALES,
                    extensible=False, says=_evidence)
NAME = STUDY.name
