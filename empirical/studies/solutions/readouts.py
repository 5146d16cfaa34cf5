"""One wide network against several narrow ones with equally many units in total, by the training loss that each reaches.

:data:`GROUP` narrow networks are combined in four ways: the best of them; the mean of their probabilities; one network of all
their units, whose readout is the mean of theirs; and that network after only its readout has been trained for as many epochs
again. The first three are those of :mod:`.success`; the last takes twice as many steps as the wide network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from empirical.settings import Network, Setting
from empirical.studies.levels import levels
from empirical.studies.solutions.plan import about, of_width, seeds
from empirical.studies.solutions.success import BUDGET, TOGETHER, Starts
from empirical.studies.solutions.success import MEASURE as TOGETHER_STAGE
from empirical.studies.trained import TRAIN, ready, train_from
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

    from empirical.models.layers import Stack

NARROW, GROUP, GROUPS = 5, 4, 4
REPLICAS = {"quick": 2, "full": 8}
WAYS = (*TOGETHER, "retrained")


@dataclass(frozen=True, kw_only=True)
class Joined(Network):
    """Networks that have all units of several narrow ones, and of which only the readouts are trained.

    Attributes
    ----------
    group : int
        Number of narrow networks that are joined into one.

    Examples
    --------
    >>> joined = of_width(Joined, 20, 100, **BUDGET, stack=4, group=4)
    >>> [(network.alpha, network.stack) for network in joined.networks()]
    [('5/512', 16)]
    """

    group: int

    def networks(self) -> list[Network]:
        """The run that trains the narrow networks."""
        return [Network(**{**self.shared(), "alpha": str(self.width / self.group)}, stack=self.stack * self.group)]


def run(config: Joined, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Join narrow networks, freeze the hidden units, train the readouts.

    Parameters
    ----------
    config : Joined
        Configuration of the run.
    folder : Path
        Folder of the run.
    device : str, optional
        Device, as named by PyTorch; None for CUDA if available.
    data_dir : str, optional
        Folder with the data set; None for the one named by the environment.

    Returns
    -------
    dict
        As :func:`empirical.studies.trained.run`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Joined, 4, 0, **{**BUDGET, "epochs": 1, "train_size": 60}, stack=1, group=2)
    >>> with TemporaryDirectory() as folder:
    ...     place = Path(folder) / "readouts" / "run"
    ...     place.mkdir(parents=True)
    ...     run(quick, place, device="cpu")["parameters"]
    310
    """
    from empirical.networks import load_trained
    from empirical.widen import joined

    (network,) = config.networks()
    prepared = ready(config, [network], Path(folder).parent, device=device, data_dir=data_dir)
    narrow = load_trained(network, prepared.data, TRAIN.folder(prepared.experiment, network), prepared.device).state_dict()

    def begin(model: "Stack") -> None:
        model.load_state_dict(joined(narrow, config.group))
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith("readout"))

    return train_from(prepared, config, folder, begin, device=device, data_dir=data_dir)


RETRAIN = Stage("retrain", "empirical.studies.solutions.readouts:run", Joined, needs={"train": Joined.networks})


def _configs(scale: str, n: int | None = None) -> list[Setting]:
    """For each replica: narrow networks in groups, the same networks joined, and equally many wide networks."""
    if scale not in REPLICAS:
        return []
    budget, groups = ({**BUDGET, "epochs": 5}, 1) if scale == "quick" else (BUDGET, GROUPS)
    return [run for seed in seeds(n or REPLICAS[scale]) for run in (
        of_width(Starts, NARROW, seed, **budget, stack=groups * GROUP, group=GROUP),
        of_width(Joined, NARROW * GROUP, seed, **budget, stack=groups, group=GROUP),
        of_width(Network, NARROW * GROUP, seed, **budget, stack=groups))]


def tabulate(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per replica and way.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        ``way`` ("wide", or one of :data:`WAYS`), losses and errors as means over groups, total number of hidden ``units``.

    Examples
    --------
    >>> tabulate([]).empty
    True
    """
    import pandas

    rows = []
    for config, result in finished:
        if isinstance(config, Starts):
            own = about(config, result, None)
            rows += [{**own, "way": way, "units": NARROW * (1 if way == "best" else config.group),
                      **{f"{split}_{name}": result["together"][split][way][name] for split in ("train", "test")
                         for name in ("loss", "error")}} for way in TOGETHER]
        elif isinstance(config, Joined) or config.width == NARROW * GROUP / config.base_width:
            row = about(config, result, None)
            rows.append({**row, "way": "retrained" if isinstance(config, Joined) else "wide", "units": row["hidden"]})
    return pandas.DataFrame(rows)


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """Ratios of training losses, wide over several narrow ones, replica by replica.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate`.
    runs : tuple of str
        Ids of the runs behind it.

    Returns
    -------
    list of Evidence
        One piece for each way; all use the same networks: one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence(pandas.DataFrame(), ())
    []
    """
    if frame.empty:
        return []
    loss = frame.pivot(index="seed", columns="way", values="train_loss")
    first = frame.iloc[0]
    words = {"best": "the best of", "ensemble": "the ensemble of", "concatenated": "the concatenation of",
             "retrained": "the concatenation with a retrained readout of"}
    setting = f"MLP, {first.data}, {int(first.samples)} images, {NARROW * GROUP} units against"
    return [Evidence("s2.wide-fits-better-than-several", "real", f"{setting} {words[way]} {GROUP} of {NARROW}",
                     mean_interval(loss["wide"] / loss[way], log=True), runs, piece=way, cluster="digits",
                     levels=levels("mlp", "digits")) for way in WAYS]


READOUTS_DIGITS = Study("readouts-digits", "one wide MLP on digits against several narrow ones, combined in four ways",
                        (TRAIN, TOGETHER_STAGE, RETRAIN), _configs, tabulate, evidence, processes=True, extensible=True,
                        pilot_seconds=60.0)
