"""Studies of this kind: width sweeps whose table feeds the claims of S0."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from empirical.declared import data_folder
from empirical.settings import Setting, recipe
from empirical.studies.trained import TRAIN
from empirical.studies.width.compare import COMPARE
from empirical.studies.width.evidence import evidence
from empirical.studies.width.plan import equal_parameters, plan
from empirical.studies.width.table import tabulate
from lab.study import Study
from lab.tables import SCALES

STAGES = (TRAIN, COMPARE)
ALPHAS = tuple(Fraction(1, 2**k) for k in range(4))
# the labels of controls
SAME_LOSS, SLICES, PARAMETERS, WIDER = ("same training loss", "start as slices", "equal parameters",
                                        "copies of width 1\nagainst width 4")


def width_study(name: str, title: str, configs: Callable[[str], Sequence[Setting]], label: str = "", control_of: str = "",
                declared: Callable[[str], Sequence[Setting]] | None = None, scales: tuple[str, ...] = SCALES[:3]) -> Study:
    """A :class:`~lab.study.Study` of this kind; its fields are described there."""
    return Study(name=name, title=title, run=STAGES, configs=configs, tabulate=tabulate, evidence=evidence, processes=True,
                 declared=declared, scales=scales, family="width", label=label, control_of=control_of)


def embedded(arch: str, data: str, scale: str, scales: Sequence[str] = SCALES[:3], alphas: Sequence[Fraction] = ALPHAS,
             start: str = "own", parameters: bool = False, **changes) -> list[Setting]:
    """The runs of a sweep on data that are part of the laboratory; two replicas and two widths where the scale is "quick".

    Parameters
    ----------
    arch, data : names on the command line.
    scale : asked for; there is nothing at those that are not among ``scales``.
    alphas, start : see :func:`empirical.studies.width.plan.plan`.
    parameters : as many copies as have the wide network's parameters, in place of its features.
    changes : fields of :class:`~empirical.settings.Setting`, in the data set's recipe.
    """
    if scale not in scales:
        return []
    from empirical.data import dataset

    setting = replace(Setting(**recipe(arch, data, quick=scale == "quick")), **changes)
    narrow = equal_parameters(setting, dataset(setting), max(alphas)) if parameters else None
    return plan(setting, alphas[:2] if scale == "quick" else alphas, range(2 if scale == "quick" else 3), start=start,
                narrow=narrow)


def files_study(name: str, title: str, arch: str, data: str, published: dict, *, label: str, control_of: str = "",
                **changes) -> Study:
    """A width sweep on data that the user brings, in the folder that the environment names.

    Parameters
    ----------
    name, title, label, control_of : see :class:`lab.study.Study`.
    arch, data : names on the command line.
    published : what the network of published size changes in the data set's recipe, at the scale of that name.
    changes : what the reduced network changes in it, at full scale.
    """

    def declared(scale: str) -> list[Setting]:
        large = scale == "published"
        if not large and scale != "full":
            return []
        setting = replace(Setting(**recipe(arch, data)), **(published if large else changes))
        return plan(setting, tuple(Fraction(1, 2**k) for k in range(6)) if large else ALPHAS, range(3))

    def configs(scale: str) -> list[Setting]:
        from empirical.data import dataset

        found = declared(scale) if data_folder() else []
        return [replace(config, checksum=dataset(config).checksum) for config in found]

    return width_study(name, title, configs, label, control_of, declared=declared, scales=SCALES)
