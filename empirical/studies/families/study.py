"""S0's protocol on language models that are published with many seeds.

Pythia 14M, 31M and 70M (Biderman et al. 2023, arXiv 2304.01373, and the seeds of van der Wal et al. 2025, arXiv 2503.09543) have
six layers each, residual streams of 128, 256 and 512, the same data, and ten seeds for initialisation and data order. Four copies
of 14M, or two of 31M, are compared with one 70M, with another 70M as the baseline. Weights are not downloaded: put the folders of
``EleutherAI/pythia-70m``, ``pythia-70m-seed1`` … ``seed9``, and so on, each with ``config.json``, ``model.safetensors`` and
``tokenizer.json``, into ``pythia`` in the folder named by the environment, next to SNLI. Until someone does, the rows are not yet
measured.
"""

from dataclasses import replace
from pathlib import Path

from empirical.declared import data_folder
from empirical.own.members import ENCODER, Member
from empirical.studies.families.measure import COMPARE, weights_of
from empirical.studies.families.plan import FamilyComparison, plan
from empirical.studies.families.table import tabulate
from empirical.studies.width.evidence import evidence
from lab.study import Study
from lab.tables import SCALES

WIDTHS = {"14m": 128, "31m": 256, "70m": 512}
SEEDS = 10
FOLDER = "pythia"


def _declared(scale: str) -> list[FamilyComparison]:
    """All comparisons that ten seeds of each size allow: five replicas of 31M, two of 14M."""
    if scale != "published":
        return []
    members = [Member(name=f"pythia-{size}" + (f"-seed{seed}" if seed else ""), kind=ENCODER, family="Pythia, 6 layers",
                      width=width) for size, width in WIDTHS.items() for seed in range(SEEDS)]
    return plan(members, data="snli", rows=6000)


def _configs(scale: str) -> list[FamilyComparison]:
    """The same, if the checkpoints are available."""
    base = Path(data_folder() or "") / FOLDER
    runs = _declared(scale) if data_folder() and base.is_dir() else []
    return [replace(run, weights=weights_of(run, base)) for run in runs]


PYTHIA = Study("pythia-width", "Pythia 14M, 31M and 70M: published language models of one depth", (COMPARE,), _configs, tabulate,
               evidence, declared=_declared, scales=SCALES)
