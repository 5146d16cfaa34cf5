"""Studies of units: AlexNet, ResNets, an Inception, an MLP, and the networks of width sweeps.

Replicas have seeds from :data:`lab.study.CONFIRMATORY` on; earlier seeds were pilots. A replica on digits has its own split of
the data. On digits there are 8 replicas of the MLP and 3 of more expensive networks; of AlexNet there are 4 with He and Glorot
initialisation, which the paper's strongest claims compare.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial

from empirical.declared import data_folder
from empirical.settings import Setting, recipe
from empirical.studies.trained import TRAIN
from empirical.studies.units.evidence import evidence
from empirical.studies.units.measure import STAGES
from empirical.studies.units.plan import PLAIN, UnitsRun, plan, plan_trained, with_checksums
from empirical.studies.units.table import tabulate
from empirical.studies.width.compare import COMPARE
from lab.study import CONFIRMATORY, Study, load


def units_study(name: str, title: str, configs: Callable[..., Sequence[UnitsRun]], label: str = "",
                declared: Callable[..., Sequence[UnitsRun]] | None = None, after: tuple[str, ...] = ()) -> Study:
    """A :class:`~lab.study.Study` of this kind; its fields are described there."""
    return Study(name=name, title=title, run=STAGES, configs=configs, tabulate=tabulate, evidence=evidence, processes=True,
                 declared=declared, after=after, family="units", label=label, extensible=True)


def seeds(n: int) -> range:
    """The seeds of n replicas."""
    return range(CONFIRMATORY, CONFIRMATORY + n)


ALPHAS = tuple(Fraction(2) ** k for k in range(-2, 2))
SPARSE = (*ALPHAS[:3:2], ALPHAS[3])  # enough for a growth rate and its shape
# sized for one core: few images, of 16 pixels; alpha = 4 is the published AlexNet
REDUCED = {"base_width": 8, "image_size": 16, "train_size": 2000, "epochs": 24, "batch_size": 32}


def _starts(scale: str, n: int | None = None, sweep: str = "init", suffix: str = "") -> list[UnitsRun]:
    """The paper's AlexNet with He and Glorot initialisation, and LeCun at fewer widths and replicas; normal or uniform."""
    if scale != "full":
        return []
    setting = Setting(**{**recipe("alexnet", "cifar10"), **PLAIN, **REDUCED})
    return [*plan(setting, sweep, SPARSE, seeds(n or 4), values=(f"he{suffix}", f"glorot{suffix}"), images=150),
            *plan(setting, sweep, SPARSE[:2], seeds(n or 3), values=(f"lecun{suffix}",), images=150)]


_uniform_starts = partial(_starts, sweep="uniform-init", suffix=" uniform")


def _on_files(configs: Callable[..., list[UnitsRun]], scale: str, n: int | None = None) -> list[UnitsRun]:
    """The runs of a plan with the checksum of their data; none without the data."""
    return with_checksums(configs(scale, n)) if data_folder() else []


def _on_digits(arch: str, sweep: str, alphas, scale: str, n: int | None = None, **changes) -> list[UnitsRun]:
    """Networks with batch norm on digits, which take minutes and so run only at full scale."""
    if scale != "full":
        return []
    setting = Setting(**{**recipe(arch, "digits"), **PLAIN, "base_width": 8, "batch_size": 32, **changes})
    return plan(setting, sweep, alphas, seeds(n or 3), images=100, own_split=True)


# values of every hyperparameter; the other sweeps vary the setting "he"
MLP_VALUES = {"init": ("he", "glorot", "lecun"), "labels": ("random labels",),
              "regulariser": ("augmentation", "dropout", "weight decay", "all regularisers"),
              "learning-rate": ("rate and batch × 1/4", "rate and batch × 4"), "optimizer": ("SGD", "AdamW")}


def _mlp(scale: str, n: int | None = None) -> list[UnitsRun]:
    """An MLP on digits, small enough for every sweep."""
    setting = Setting(**{**recipe("mlp", "digits"), **PLAIN, "base_width": 64, "epochs": 20, "batch_size": 32})
    if scale == "quick":
        return plan(setting, "init", ALPHAS[:3:2], seeds(n or 2), values=("he", "glorot"), orders=2, images=50, own_split=True)
    small = scale == "run"
    return [run for sweep in (("init", "labels") if small else MLP_VALUES) for run in plan(
        setting, sweep, ALPHAS[:3:2] if small else SPARSE, seeds(n or (2 if small else 8)), values=MLP_VALUES[sweep],
        orders=2 if small else 3, images=197, own_split=True)]


def _of_sweep(name: str, scale: str, n: int | None = None, declared: bool = False) -> list[UnitsRun]:
    """The networks of a width sweep, measured after it, without the second wide networks of its replicas."""
    from empirical.studies import STUDIES

    sweep = load(STUDIES[name])
    configs = ((declared and sweep.declared) or sweep.configs)(scale, *([] if n is None else [n])) if scale == "full" else []
    replicas = {comparison.seed for comparison in COMPARE.of(configs)}
    return plan_trained([network for network in TRAIN.of(configs) if network.seed in replicas], name, orders=2, images=50,
                        rows=1000)


def trained_units_study(name: str, title: str, sweep: str, label: str) -> Study:
    """A study of the networks that a width sweep has trained.

    Parameters
    ----------
    name, title, label : as for :class:`lab.study.Study`; the title ends with ``title``.
    sweep : name of the width sweep, which runs first.
    """
    return units_study(name, f"removable and repeated units of {title}", partial(_of_sweep, sweep), label,
                       partial(_of_sweep, sweep, declared=True), after=(sweep,))


STARTS = units_study("units-alexnet", "AlexNet without batch norm: He against Glorot", partial(_on_files, _starts), "AlexNet",
                     _starts)
UNIFORM_STARTS = units_study("units-alexnet-uniform", "AlexNet without batch norm: He against Glorot, from uniform weights",
                             partial(_on_files, _uniform_starts), "AlexNet, uniform", _uniform_starts)
# few images, so that random labels can be learnt too
RESNET56 = units_study("units-resnet56", "ResNet-56 on 400 digits, true and random labels",
                       partial(_on_digits, "resnet56", "labels", ALPHAS[1::2], epochs=100, learning_rate=0.05, train_size=400),
                       "ResNet-56")
RESNET18_CIFAR10 = trained_units_study("units-resnet18-cifar10", "ResNet-18 on CIFAR-10", "resnet18-cifar10", "ResNet-18")
VGG16_CIFAR10 = trained_units_study("units-vgg16-cifar10", "VGG-16 on CIFAR-10", "vgg16-cifar10", "VGG-16")
INCEPTION = units_study("units-inception", "a small Inception on digits",
                        partial(_on_digits, "inception", "width", ALPHAS[:3], epochs=20), "Inception")
TRANSFORMER = trained_units_study("units-transformer-entailment", "the Transformer on generated entailment",
                                  "transformer-entailment", "Transformer")
MLP = units_study("units-mlp", "MLP on digits: removable and repeated units", _mlp, "MLP")
