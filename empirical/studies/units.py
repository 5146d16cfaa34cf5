"""Removable and repeated units of real networks against width, in sweeps of one hyperparameter at a time.

A run measures one network against its own start; the network is a run of its own, trained when it is missing, or one that a
width sweep has trained already. The table has one row a network and place, ``site`` = "all" for all places together; the
claims are judged on those.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.declared import architectures, data_folder
from empirical.settings import Network, Setting, recipe
from empirical.studies.trained import TRAIN, first_member, threads_of_record, trained
from lab.errors import UsageError
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study, load
from theory.claims import Evidence
from theory.unit_evidence import case_evidence

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True)
class UnitsRun(Setting):
    """The units of one network.

    Attributes
    ----------
    case : the setting of the swept hyperparameter, for a person.
    orders, images, rows : see ``empirical.units.measure``.
    networks : experiment of the run store that holds the trained network; "" for this one.
    stack : copies that were trained together with it (it is the first of them).
    version : raised when measures change, so that networks are kept and measured anew.
    """

    case: str = ""
    orders: int = 3
    images: int = 500
    rows: int = 0
    networks: str = ""
    stack: int = 1
    version: int = 1

    def network(self) -> Network:
        """The run that holds the network."""
        return Network(**self.shared(), stack=self.stack)

    def own_networks(self) -> list[Network]:
        """The networks that are runs of the same experiment."""
        return [] if self.networks else [self.network()]


MEASURE = Stage("measure", "empirical.studies.units:run", UnitsRun, needs={"train": UnitsRun.own_networks})
STAGES = (TRAIN, MEASURE)


# What the values of a swept hyperparameter change; learning rate and batch size are changed together, as in the paper.
SWEEPS: dict[str, dict[str, dict]] = {
    "width": {"": {}},
    "init": {name: {"init": f"{name}-normal"} for name in ("he", "glorot", "lecun")},
    "regulariser": {"none": {}, "augmentation": {"augment": True}, "dropout": {"dropout": 0.5},
                    "weight decay": {"weight_decay": 5e-4},
                    "all regularisers": {"augment": True, "dropout": 0.5, "weight_decay": 5e-4}},
    "learning-rate": {"rate and batch × 1/4": {"factor": 0.25}, "rate and batch × 1": {"factor": 1.0},
                      "rate and batch × 4": {"factor": 4.0}},
    "optimizer": {"momentum": {}, "SGD": {"momentum": 0.0}, "AdamW": {"optimizer": "adamw", "learning_rate": 1e-3}},
    "labels": {"true labels": {}, "random labels": {"label_noise": 1.0}},
}
OLD_SWEEPS = {"rate": "learning-rate"}  # earlier names, which the command still takes
# the paper's: momentum 0.9, learning rate 0.01 times 0.95 an epoch, batches of 128, nothing else
PLAIN = {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.01, "schedule": "exponential", "warmup": 0.0, "batch_size": 128,
         "weight_decay": 0.0, "augment": False, "init": "he-normal"}


def plan(setting: Setting, sweep: str, alphas: Sequence[Fraction], seeds: Sequence[int], *, values: Sequence[str] = (),
         orders: int = 3, images: int = 500) -> list[UnitsRun]:
    """The runs of a sweep, seed by seed, so that one that is cut short has every width of the seeds it reached.

    Parameters
    ----------
    setting : what all runs share.
    sweep : one of :data:`SWEEPS`; ``values`` of it (default: all).

    Raises
    ------
    UsageError
        For an unknown sweep or value.
    """
    if sweep not in SWEEPS:
        raise UsageError(f"no sweep is called {sweep!r}: choose one of {', '.join(SWEEPS)}")
    unknown = [v for v in values if v not in SWEEPS[sweep]]
    if unknown:
        raise UsageError(f"the sweep {sweep} has no value {unknown[0]!r}: choose among {', '.join(SWEEPS[sweep])}")
    runs = []
    for seed in seeds:
        for name in values or SWEEPS[sweep]:
            changes = dict(SWEEPS[sweep][name])
            factor = changes.pop("factor", 1.0)
            fields = {**setting.shared(), **changes}
            fields["learning_rate"] *= factor
            fields["batch_size"] = max(1, round(fields["batch_size"] * factor))
            for alpha in sorted(alphas):
                runs.append(UnitsRun(**{**fields, "alpha": str(alpha), "seed": seed}, case=name, orders=orders,
                                      images=images).check())
    return runs


def with_checksums(runs: Sequence[UnitsRun], data_dir: str | None = None) -> list[UnitsRun]:
    """The runs with the checksums of their data (and labels, which a run may corrupt) where these come from files."""
    from empirical.data import dataset

    found = []
    for config in runs:
        data = dataset(replace(config, checksum=""), data_dir)
        found.append(config if "source" in data.facts else replace(config, checksum=data.checksum))
    return found


def plan_trained(networks: Sequence[Network], experiment: str, *, orders: int = 3, images: int = 500,
                 rows: int = 0) -> list[UnitsRun]:
    """The runs that measure trained networks (first members of stacks) of another experiment of the run store."""
    return [UnitsRun(**n.shared(), networks=experiment, stack=n.stack, orders=orders, images=images, rows=rows).check()
            for n in sorted(networks, key=lambda n: (n.seed, n.width)) if n.copy == 0]


def run(config: UnitsRun, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Measure one network's units; a network of another experiment is trained there if it is missing.

    Parameters
    ----------
    config : what is measured.
    folder : of the run.
    device : as for PyTorch; None for CUDA if there is one.
    data_dir : folder with the data set; None for the one that the environment names.

    Returns
    -------
    dict
        ``data`` (its name), ``sites`` (see :func:`empirical.units.measure`), loss and accuracy, and the manifest.
    """
    from empirical.data import dataset
    from empirical.train import pick_device, prepare
    from empirical.units import measure

    target, network = pick_device(device), config.network()
    experiment = Path(folder).parent.parent / config.networks if config.networks else Path(folder).parent
    facts = trained(network, experiment, device=device, data_dir=data_dir)
    data = dataset(config, data_dir, str(target))
    model = first_member(network, experiment, data, target)
    start = prepare(Network(**config.shared()), data, target).eval()
    found = measure(model, start, data, orders=config.orders, images=config.images, rows=config.rows,
                    seed=config.seed)
    first = {f"{split}_{what}": facts[split][what][0] for split in ("train", "test") for what in ("loss", "accuracy")}
    return {"data": data.name, "sites": found, **first,
            "manifest": {"data": data.facts, "device": str(target), "threads": threads_of_record(config.threads, facts)}}


CURVES = ("unchanged", "accuracy", "unchanged_targeted", "unchanged_best")
TRAINED = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


def tabulate(finished: Sequence[tuple[object, dict]]) -> "pandas.DataFrame":
    """The table of a study: one row for each measured network and place; curves as text.

    Parameters
    ----------
    finished : (configuration, result) of its runs; those that train are passed over.
    """
    import pandas

    rows = []
    for config, result in MEASURE.results(finished):
        words = [config.arch, result["data"], *([config.case] if config.case else [])]
        base = {"case": ", ".join(words), "arch": config.arch, "data": result["data"], "value": config.case,
                "base_width": config.base_width, "alpha": config.alpha, "width": float(config.width), "replica": config.seed,
                "train_size": config.train_size, "image_size": config.image_size, "epochs": config.epochs,
                **{key: result[key] for key in TRAINED}}
        for site, numbers in result["sites"].items():
            text = {key: " ".join(f"{x:.4f}" for x in numbers[key]) for key in CURVES if key in numbers}
            rows.append({**base, "site": site, **{**numbers, **text}})
    return pandas.DataFrame(rows)


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """The claims of S1 on all places together."""
    whole = frame[frame["site"] == "all"].copy()
    notes = {case: _size(rows.iloc[0]) for case, rows in whole.groupby("case")}
    found = case_evidence(whole, "real", runs)
    for arch, data in {(a, d) for a, d in zip(whole["arch"], whole["data"])}:
        he, glorot = (f"{arch}, {data}, {name}" for name in ("he", "glorot"))
        if arch == "alexnet" and {he, glorot} <= set(whole["case"]):
            for claim, column, sign in (("s1.he-repeats-where-glorot-is-removable", "pair_share", 1),
                                        ("s1.glorot-is-more-removable", "auc", -1)):
                pair = whole[whole["case"].isin([he, glorot])].pivot(index="replica", columns=["width", "case"], values=column)
                pair = pair.dropna(axis=1)  # widths that every replica has
                common = [w for w in pair.columns.levels[0] if {(w, he), (w, glorot)} <= set(pair.columns)]
                if not common:
                    continue
                gap = pair[max(common)][he] - pair[max(common)][glorot]
                found.append(Evidence(claim, "real", f"He against Glorot, {arch}, {data}, alpha {max(common):g}{notes[he]}",
                                      mean_interval(sign * gap), runs))
    return [Evidence(e.claim, e.column, e.setting + notes.get(e.setting, ""), e.estimate, e.runs) for e in found]


PUBLISHED = {name: found.published for name, (_, found) in architectures().items() if found.published}  # base widths


def _size(row) -> str:
    """What makes a network smaller than the published one, or its data fewer."""
    base, small = int(row["base_width"]), []
    if base < PUBLISHED.get(row["arch"], 0):
        small.append(f"base width {base} for {PUBLISHED[row['arch']]}")
    small += [f"{int(row['train_size']):,} training images"] * bool(row["train_size"])
    small += [f"{int(row['image_size'])} pixels a side"] * bool(row["image_size"])
    return f" (reduced: {', '.join(small)})" if small else ""


def units_study(name: str, title: str, configs: Callable[[str], Sequence[UnitsRun]], label: str = "",
                declared: Callable[[str], Sequence[UnitsRun]] | None = None, after: tuple[str, ...] = ()) -> Study:
    """A :class:`~lab.study.Study` of this kind; its fields are described there."""
    return Study(name=name, title=title, run=STAGES, configs=configs, tabulate=tabulate, evidence=evidence, processes=True,
                 declared=declared, after=after, family="units", label=label)


ALPHAS = tuple(Fraction(2) ** k for k in range(-2, 2))
# sized for one core: images of 16 pixels, few of them; alpha = 4 is the published AlexNet
REDUCED = {"base_width": 8, "image_size": 16, "train_size": 2000, "epochs": 24, "batch_size": 32}


def _starts(scale: str) -> list[UnitsRun]:
    """The paper's AlexNet: He against Glorot at every width; other starts and regularisers at fewer."""
    if scale != "full":
        return []
    setting = Setting(**{**recipe("alexnet", "cifar10"), **PLAIN, **REDUCED})
    return [*plan(setting, "init", ALPHAS, range(3), values=("he", "glorot"), images=150),
            *plan(setting, "init", ALPHAS[:3:2], range(2), values=("lecun",), images=150),
            *plan(replace(setting, epochs=120), "regulariser", ALPHAS[1::2], range(2),
                  values=("all regularisers",), images=150)]  # which slow it down


def _starts_on_files(scale: str) -> list[UnitsRun]:
    """The same where there are data."""
    return with_checksums(_starts(scale)) if data_folder() else []


def _on_digits(arch: str, sweep: str, alphas, seeds, scale: str, **changes) -> list[UnitsRun]:
    """Networks with batch norm on digits: minutes, so only at full scale."""
    if scale != "full":
        return []
    setting = Setting(**{**recipe(arch, "digits"), **PLAIN, "base_width": 8, "batch_size": 32, **changes})
    return plan(setting, sweep, alphas, seeds, images=100)


# every hyperparameter; "he" is what the other sweeps vary
MLP_VALUES = {"init": ("he", "glorot", "lecun"), "labels": ("random labels",),
              "regulariser": ("augmentation", "dropout", "weight decay", "all regularisers"),
              "learning-rate": ("rate and batch × 1/4", "rate and batch × 4"), "optimizer": ("SGD", "AdamW")}


def _mlp(scale: str) -> list[UnitsRun]:
    """Small enough for every sweep: an MLP on digits."""
    setting = Setting(**{**recipe("mlp", "digits"), **PLAIN, "base_width": 64, "epochs": 20, "batch_size": 32})
    if scale == "quick":
        return plan(setting, "init", ALPHAS[:3:2], range(2), values=("he", "glorot"), orders=2, images=50)
    small = scale == "run"
    return [run for sweep in (("init", "labels") if small else MLP_VALUES) for run in plan(
        setting, sweep, ALPHAS[:3:2] if small else (*ALPHAS[:3:2], ALPHAS[3]), range(2 if small else 3), values=MLP_VALUES[sweep],
        orders=2 if small else 3, images=197)]


def _of_sweep(name: str, scale: str, declared: bool = False) -> list[UnitsRun]:
    """The networks of a width sweep, measured after it."""
    from empirical.studies import STUDIES

    sweep = load(STUDIES[name])
    configs = ((declared and sweep.declared) or sweep.configs)(scale) if scale == "full" else []
    return plan_trained(TRAIN.of(configs), name, orders=2, images=50, rows=1000)


def trained_units_study(name: str, title: str, sweep: str, label: str) -> Study:
    """The same of the networks that a width sweep has trained."""
    return units_study(name, f"removable and repeated units of {title}", partial(_of_sweep, sweep), label,
                       partial(_of_sweep, sweep, declared=True), after=(sweep,))


STARTS = units_study("units-alexnet", "AlexNet without batch norm: He against Glorot", _starts_on_files, "AlexNet", _starts)
# few images, so that random labels are learnt too
RESNET56 = units_study("units-resnet56", "ResNet-56 on 400 digits, true and random labels",
                       partial(_on_digits, "resnet56", "labels", ALPHAS[1::2], range(2), epochs=100, learning_rate=0.05,
                               train_size=400),
                       "ResNet-56")
RESNET18_CIFAR10 = trained_units_study("units-resnet18-cifar10", "ResNet-18 on CIFAR-10", "resnet18-cifar10", "ResNet-18")
VGG16_CIFAR10 = trained_units_study("units-vgg16-cifar10", "VGG-16 on CIFAR-10", "vgg16-cifar10", "VGG-16")
INCEPTION = units_study("units-inception", "a small Inception on digits",
                        partial(_on_digits, "inception", "width", ALPHAS[:3], range(3), epochs=20), "Inception")
TRANSFORMER = trained_units_study("units-transformer-entailment", "the Transformer on generated entailment",
                                  "transformer-entailment", "Transformer")
MLP = units_study("units-mlp", "MLP on digits: removable and repeated units", _mlp, "MLP")
