"""Studies of width sweeps, whose tables are evidence for the claims of S0."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from empirical.declared import data_folder
from empirical.settings import Setting, recipe
from empirical.studies.trained import TRAIN
from empirical.studies.width.compare import COMPARE
from empirical.studies.width.evidence import evidence
from empirical.studies.width.plan import equal_parameters, plan
from empirical.studies.width.table import tabulate
from lab.study import CONFIRMATORY, Study
from lab.tables import SCALES

STAGES = (TRAIN, COMPARE)
ALPHAS = tuple(Fraction(1, 2**k) for k in range(4))
SECOND = 10_000  # the second wide network of replica s has the seed s + SECOND
REPLICAS = {"quick": 2, "run": 3, "full": 8, "published": 3}  # on built-in data
FROM_FILES = {**REPLICAS, "full": 5}  # on data from files, where a replica takes at least a quarter of an hour
# the labels of controls
SAME_LOSS, SLICES, PARAMETERS, WIDER = ("same training loss", "start as slices", "equal parameters",
                                        "copies of width 1\nagainst width 4")


def width_study(name: str, title: str, configs: Callable[[str], Sequence[Setting]], label: str = "", control_of: str = "",
                declared: Callable[[str], Sequence[Setting]] | None = None, scales: tuple[str, ...] = SCALES[:3],
                extensible: bool = True, family: str = "width", says: Callable = evidence) -> Study:
    """A :class:`~lab.study.Study` of this kind; its fields are described there (``says`` is its ``evidence``)."""
    return Study(name=name, title=title, run=STAGES, configs=configs, tabulate=tabulate, evidence=says, processes=True,
                 declared=declared, scales=scales, extensible=extensible, family=family, label=label, control_of=control_of)


def seeds(scale: str, n: int | None, replicas: Mapping[str, int]) -> range:
    """The seeds of ``n`` replicas (None: as many as the scale has); smaller scales use the first seeds of larger ones."""
    return range(CONFIRMATORY, CONFIRMATORY + (n or replicas[scale]))


def embedded(arch: str, data: str, scale: str, n: int | None = None, *, scales: Sequence[str] = SCALES[:3],
             alphas: Sequence[Fraction] = ALPHAS, start: str = "own", parameters: Mapping[Fraction, int] | bool = False,
             **changes) -> list[Setting]:
    """The runs of a sweep on built-in data, which are split differently for each replica; two widths at the scale "quick".

    Parameters
    ----------
    arch, data : names on the command line.
    scale : requested scale; there are no runs at scales that are not among ``scales``.
    n : number of replicas; None for as many as the scale has.
    alphas, start : see :func:`empirical.studies.width.plan.plan`.
    parameters : train as many copies as match the wide network's parameters: their number at each width, or True to count.
    changes : changes to the data set's recipe, fields of :class:`~empirical.settings.Setting`.
    """
    if scale not in scales:
        return []
    setting, narrow = replace(Setting(**recipe(arch, data, quick=scale == "quick")), **changes), None
    if parameters is True:
        from empirical.data import dataset

        narrow = equal_parameters(setting, dataset(setting), max(alphas))
    elif parameters:
        narrow = parameters.__getitem__
    return plan(setting, alphas[:2] if scale == "quick" else alphas, seeds(scale, n, REPLICAS), start=start, narrow=narrow,
                second=SECOND, own_split=True)


def files_study(name: str, title: str, arch: str, data: str, *, reduced: Mapping[str, Any], published: Mapping[str, Any],
                label: str, control_of: str = "", alphas: Sequence[Fraction] = ALPHAS) -> Study:
    """A width sweep on data that the user provides, in the folder named by the environment.

    Parameters
    ----------
    name : str
        Name of the study; see :class:`lab.study.Study` for this, ``title``, ``label`` and ``control_of``.
    title : str
        Title of the study, one line.
    arch : str
        Name of an architecture.
    data : str
        Name of a data set.
    reduced : mapping
        Changes to the recipe of the data set for the reduced network, at full scale.
    published : mapping
        Changes to it for the network of published size, at the scale of that name.
    label : str
        Label in pictures.
    control_of : str
        Name of the study in which this one changes a single thing.
    alphas : sequence of Fraction
        Widths of the reduced network.
    """

    def declared(scale: str, n: int | None = None) -> list[Setting]:
        large = scale == "published"
        if not large and scale != "full":
            return []
        setting = replace(Setting(**recipe(arch, data)), **(published if large else reduced))
        return plan(setting, tuple(Fraction(1, 2**k) for k in range(6)) if large else alphas, seeds(scale, n, FROM_FILES),
                    second=SECOND)

    def configs(scale: str, n: int | None = None) -> list[Setting]:
        from empirical.data import dataset

        return [replace(config, checksum=dataset(config).checksum) for config in (declared(scale, n) if data_folder() else [])]

    return width_study(name, title, configs, label, control_of, declared=declared, scales=SCALES)
