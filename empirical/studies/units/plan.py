"""The runs of a study of units."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from empirical.settings import Network, Setting
from lab.errors import ArgumentError


@dataclass(frozen=True, kw_only=True)
class UnitsRun(Setting):
    """A run that measures the units of one network.

    Attributes
    ----------
    case : str
        The value of the swept hyperparameter, in words.
    orders : int
        Number of random orders, see :func:`empirical.units.measure`.
    images : int
        Number of test inputs for ablation curves.
    rows : int
        Maximum number of inputs of each probe split for moments; 0 for all.
    networks : str
        Experiment in the run store with the trained network; empty for this one.
    stack : int
        Number of copies that were trained together with it (it is the first of them).
    version : int
        Raised when measures change, so that networks are kept and measured again.
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


# The changes for each value of a swept hyperparameter; learning rate and batch size change together, as in the paper.
SWEEPS: dict[str, dict[str, dict]] = {
    "width": {"": {}},
    "init": {name: {"init": f"{name}-normal"} for name in ("he", "glorot", "lecun")},
    "uniform-init": {f"{name} uniform": {"init": f"{name}-uniform"} for name in ("he", "glorot", "lecun")},
    "regulariser": {"none": {}, "augmentation": {"augment": True}, "dropout": {"dropout": 0.5},
                    "weight decay": {"weight_decay": 5e-4},
                    "all regularisers": {"augment": True, "dropout": 0.5, "weight_decay": 5e-4}},
    "learning-rate": {"rate and batch × 1/4": {"factor": 0.25}, "rate and batch × 1": {"factor": 1.0},
                      "rate and batch × 4": {"factor": 4.0}},
    "optimizer": {"momentum": {}, "SGD": {"momentum": 0.0}, "AdamW": {"optimizer": "adamw", "learning_rate": 1e-3}},
    "labels": {"true labels": {}, "random labels": {"label_noise": 1.0}},
}
OLD_SWEEPS = {"rate": "learning-rate"}  # earlier names, which the command still understands
# the paper's recipe: momentum 0.9, learning rate 0.01 multiplied by 0.95 per epoch, batches of 128, nothing else
PLAIN = {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.01, "schedule": "exponential", "warmup": 0.0, "batch_size": 128,
         "weight_decay": 0.0, "augment": False, "init": "he-normal"}


def plan(setting: Setting, sweep: str, alphas: Sequence[Fraction], seeds: Sequence[int], *, values: Sequence[str] = (),
         orders: int = 3, images: int = 500, own_split: bool = False) -> list[UnitsRun]:
    """The runs of a sweep, seed by seed, so that an interrupted sweep has all widths of its finished seeds.

    Parameters
    ----------
    setting : settings that all runs share.
    sweep : one of :data:`SWEEPS`.
    alphas : width multipliers.
    seeds : replicas.
    values : values of the sweep; empty for all.
    orders, images : see :func:`empirical.units.measure`.
    own_split : whether each replica has its own split of the data, by its seed; its networks share the split.

    Raises
    ------
    ArgumentError
        For an unknown sweep or value.
    """
    if sweep not in SWEEPS:
        raise ArgumentError(f"no sweep is called {sweep!r}: choose one of {', '.join(SWEEPS)}")
    unknown = [v for v in values if v not in SWEEPS[sweep]]
    if unknown:
        raise ArgumentError(f"the sweep {sweep} has no value {unknown[0]!r}: choose among {', '.join(SWEEPS[sweep])}")
    runs = []
    for seed in seeds:
        own = {"split": seed} if own_split else {}
        for name in values or SWEEPS[sweep]:
            changes = dict(SWEEPS[sweep][name])
            factor = changes.pop("factor", 1.0)
            fields = {**setting.shared(), **changes}
            fields["learning_rate"] *= factor
            fields["batch_size"] = max(1, round(fields["batch_size"] * factor))
            for alpha in sorted(alphas):
                runs.append(UnitsRun(**{**fields, "alpha": str(alpha), "seed": seed, **own}, case=name, orders=orders,
                                      images=images).check())
    return runs


def with_checksums(runs: Sequence[UnitsRun], data_dir: str | None = None) -> list[UnitsRun]:
    """The runs with the checksums of their data from files (including labels, which a run may corrupt).

    Parameters
    ----------
    runs : runs on any data.
    data_dir : folder with the data sets; None for the one named by the environment.
    """
    from empirical.data import dataset, with_checksum

    return [with_checksum(config, dataset(replace(config, checksum=""), data_dir)) for config in runs]


def plan_trained(networks: Sequence[Network], experiment: str, *, orders: int = 3, images: int = 500,
                 rows: int = 0) -> list[UnitsRun]:
    """The runs that measure trained networks of another experiment in the run store.

    Parameters
    ----------
    networks : networks whose first member is measured; stacks that do not begin with the first copy are left out.
    experiment : folder in the run store with these networks.
    orders, images, rows : see :func:`empirical.units.measure`.
    """
    return [UnitsRun(**n.shared(), networks=experiment, stack=n.stack, orders=orders, images=images, rows=rows).check()
            for n in sorted(networks, key=lambda n: (n.seed, n.width)) if n.copy == 0]
