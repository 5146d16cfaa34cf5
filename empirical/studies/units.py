"""Removable and repeated units of real networks against width, in sweeps of one hyperparameter at a time.

A run trains one network (resumable like any other training) and measures it against its own start. The table has one row
a network and place, ``site`` = "all" for all places together; the claims are judged on those.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from empirical.settings import Network, Setting, recipe
from lab.errors import UsageError
from lab.estimate import mean_interval
from lab.study import Study
from theory.claims import Evidence
from theory.unit_evidence import case_evidence

RUN = "empirical.studies.units:run"


@dataclass(frozen=True, kw_only=True)
class Frivolous(Network):
    """One network with its measures.

    Attributes
    ----------
    case : the setting of the swept hyperparameter, for a person.
    orders, images : see ``empirical.units.measure``.
    version : raised when measures change.
    """

    case: str = ""
    orders: int = 3
    images: int = 500
    version: int = 1


# What the values of a swept hyperparameter change; rate and batch are changed together, as in the paper.
SWEEPS: dict[str, dict[str, dict]] = {
    "width": {"": {}},
    "init": {name: {"init": f"{name}-normal"} for name in ("he", "glorot", "lecun")},
    "regulariser": {"none": {}, "augmentation": {"augment": True}, "dropout": {"dropout": 0.5},
                    "weight decay": {"weight_decay": 5e-4},
                    "all regularisers": {"augment": True, "dropout": 0.5, "weight_decay": 5e-4}},
    "rate": {"rate and batch × 1/4": {"factor": 0.25}, "rate and batch × 1": {"factor": 1.0},
             "rate and batch × 4": {"factor": 4.0}},
    "optimizer": {"momentum": {}, "SGD": {"momentum": 0.0}, "AdamW": {"optimizer": "adamw", "lr": 1e-3}},
    "labels": {"true labels": {}, "random labels": {"label_noise": 1.0}},
}
# the paper's: momentum 0.9, rate 0.01 times 0.95 an epoch, batches of 128, nothing else
PLAIN = {"optimizer": "sgd", "momentum": 0.9, "lr": 0.01, "schedule": "exponential", "warmup": 0.0, "batch_size": 128,
         "weight_decay": 0.0, "augment": False, "init": "he-normal"}


def plan(setting: Setting, sweep: str, alphas: Sequence[Fraction], seeds: Sequence[int], *, values: Sequence[str] = (),
         orders: int = 3, images: int = 500) -> list[Frivolous]:
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
            fields["lr"] *= factor
            fields["batch_size"] = max(1, round(fields["batch_size"] * factor))
            for alpha in sorted(alphas):
                runs.append(Frivolous(**{**fields, "alpha": str(alpha), "seed": seed}, case=name, orders=orders,
                                      images=images).check())
    return runs


def run(config: Frivolous, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Train one network and measure its units."""
    from empirical.studies.width import dataset
    from empirical.train import evaluate, pick_device, prepare, train
    from empirical.units import FRACTIONS, measure

    target = pick_device(device)
    data = dataset(config, data_dir, str(target))
    model, facts = train(config, data, Path(folder), device=target)
    start = prepare(config, data, target).eval()
    found = measure(model, start, data, orders=config.orders, images=config.images, seed=config.seed)
    return {"sites": found, "fractions": FRACTIONS, "curve": facts["curve"],
            **{split: evaluate(model, data, split) for split in ("train", "test")},
            "manifest": {"data": data.facts, "device": str(target)}}


CURVES = ("unchanged", "accuracy")


def tabulate(finished):
    """A row a network and place; curves as text."""
    import pandas

    rows = []
    for config, result in finished:
        words = [config.arch, config.data, *([config.case] if config.case else [])]
        base = {"case": ", ".join(words), "arch": config.arch, "data": config.data, "value": config.case,
                "base_width": config.base_width, "alpha": config.alpha, "width": float(config.width), "replica": config.seed,
                "train_size": config.train_size, "image_size": config.image_size, "epochs": config.epochs,
                **{f"{split}_{what}": result[split][what][0] for split in ("train", "test") for what in ("loss", "accuracy")}}
        for site, numbers in result["sites"].items():
            text = {key: " ".join(f"{x:.4f}" for x in numbers[key]) for key in CURVES}
            rows.append({**base, "site": site, **{**numbers, **text}})
    return pandas.DataFrame(rows)


def evidence(frame, runs: tuple[str, ...]) -> list[Evidence]:
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
                common = [w for w in pair.columns.levels[0] if {(w, he), (w, glorot)} <= set(pair.columns)]
                if not common:
                    continue
                gap = (pair[max(common)][he] - pair[max(common)][glorot]).dropna()
                if len(gap):
                    found.append(Evidence(claim, "real", f"He against Glorot, {arch}, {data}, alpha {max(common):g}{notes[he]}",
                                          mean_interval(sign * gap), runs))
    return [Evidence(e.claim, e.column, e.setting + notes.get(e.setting, ""), e.estimate, e.runs) for e in found]


def _size(row) -> str:
    """What makes a run smaller than the published one."""
    small = [f"{int(row['train_size']):,} training images"] * bool(row["train_size"])
    small += [f"{int(row['image_size'])} pixels a side"] * bool(row["image_size"])
    return f" (reduced: base width {int(row['base_width'])}, {', '.join(small)})" if small else ""


def units_study(name: str, title: str, configs) -> Study:
    """A :class:`~lab.study.Study` of this kind."""
    return Study(name=name, title=title, run=RUN, configs=configs, tabulate=tabulate, evidence=evidence, processes=True)


ALPHAS = tuple(Fraction(2) ** k for k in range(-2, 2))
# sized for one core: the network a quarter as wide as the paper's, images of 16 pixels, few of them
REDUCED = {"base_width": 8, "image_size": 16, "train_size": 2000, "epochs": 20, "batch_size": 32}


def _starts(scale: str) -> list[Frivolous]:
    if scale == "run":
        return []
    if scale == "quick":
        setting = Setting(**{**recipe("alexnet", "digits"), **PLAIN, "base_width": 4, "epochs": 8})
        return plan(setting, "init", ALPHAS[:2], range(2), values=("he", "glorot"), orders=2, images=100)
    setting = Setting(**{**recipe("alexnet", "cifar10"), **PLAIN, **REDUCED})
    return plan(setting, "init", ALPHAS, range(3), values=("he", "glorot"), images=200)


def _mlp(scale: str) -> list[Frivolous]:
    """Small enough for every sweep at once: an MLP on digits."""
    small = scale != "full"
    setting = Setting(**{**recipe("mlp", "digits"), **PLAIN, "base_width": 64, "epochs": 20 if small else 60,
                         "batch_size": 32})
    return [run for sweep in ("init", "labels") for run in plan(
        setting, sweep, ALPHAS[::2] if small else ALPHAS, range(2 if small else 3), orders=2 if small else 3, images=197)]


STARTS = units_study("units-alexnet", "AlexNet without batch norm: He against Glorot", _starts)
MLP = units_study("units-mlp", "MLP on digits: removable and repeated units", _mlp)
