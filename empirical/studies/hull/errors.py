"""Why does distance from the hull not predict which test points are misclassified? A test of one explanation.

The explanation is that of :mod:`empirical.hull.ambiguity`: errors lie between classes, where the hull of all classes together has
no boundary. Networks are trained on few images, so that they make enough errors to analyse; the number of images, the
architecture and the data are varied. A replica is a network with its own draw of training images.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.declared import data_folder
from empirical.settings import Network, Setting, recipe
from empirical.studies.levels import levels
from empirical.studies.trained import TRAIN, first_member, ready
from lab.combine import bounded
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import CONFIRMATORY, Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

REPLICAS = 5


@dataclass(frozen=True, kw_only=True)
class ErrorRun(Setting):
    """A run that measures what the errors of one network depend on.

    Attributes
    ----------
    queries, stepped : number of test points, and of those that are moved. They have no defaults, so that the run's id differs
        from that of its network.
    """

    queries: int
    stepped: int

    def network(self) -> Network:
        """The run that holds the network."""
        return Network(**self.shared())

    def own_networks(self) -> list[Network]:
        """The networks that are runs of the same experiment."""
        return [self.network()]


def run(config: ErrorRun, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Measure one network.

    Parameters
    ----------
    config : configuration of the measurement.
    folder : folder of the run.
    device, data_dir : as in :func:`empirical.studies.trained.run`.

    Returns
    -------
    dict
        ``data`` (its name), the result of :func:`empirical.hull.ambiguity.measure`, and the manifest.
    """
    from empirical.hull import spaces
    from empirical.hull.ambiguity import measure
    from empirical.hull.directions import PixelNetwork
    from empirical.studies.hull.measure import misclassified
    from lab.streams import generator

    network = config.network()
    prepared = ready(config, [network], Path(folder).parent, device=device, data_dir=data_dir)
    data = prepared.data
    model = first_member(network, prepared.experiment, data, prepared.device)
    space = spaces.pixels(data, own=True)
    chosen = generator(config.seed, "hull", "errors").permutation(len(space.queries))[:config.queries]
    numbers = measure(PixelNetwork(model, data), space.points, space.point_labels, space.queries[chosen],
                      misclassified(model, data)[chosen], stepped=config.stepped, seed=config.seed)
    return {"data": data.name, **numbers, "manifest": prepared.manifest(config.threads)}


MEASURE = Stage("measure", "empirical.studies.hull.errors:run", ErrorRun, needs={"train": ErrorRun.own_networks})


def _plan(scale: str, n: int | None = None) -> Iterator[ErrorRun]:
    """The settings: 1000 and 250 images of MNIST, with an MLP and a convolutional network, and digits."""
    if scale != "full":
        return
    for seed in range(CONFIRMATORY, CONFIRMATORY + (n or REPLICAS)):
        for arch, data, size, changes in (("mlp", "mnist", 1000, {"epochs": 30}), ("mlp", "mnist", 250, {"epochs": 60}),
                                          ("resnet18", "mnist", 1000, {"base_width": 8, "epochs": 10}),
                                          ("mlp", "digits", 150, {"epochs": 60})):
            own = {"batch_size": 32, "train_size": size, "seed": seed, "split": seed, "queries": 2000, "stepped": 500}
            yield ErrorRun(**recipe(arch, data) | changes | own)


def _configs(scale: str, n: int | None = None, *, declared: bool = False) -> list[ErrorRun]:
    """The same with the data's checksum, if the data are available."""
    from empirical.data import dataset, with_checksum

    planned = list(_plan(scale, n))
    if declared or not planned:
        return planned
    if not data_folder():
        return []
    first = {run.data: run for run in reversed(planned)}
    data = {name: dataset(run) for name, run in first.items()}  # checksums do not depend on how data are split
    return [with_checksum(run, data[run.data]) for run in planned]


def tabulate(finished: Sequence[tuple[object, dict]]) -> "pandas.DataFrame":
    """One row per network."""
    import pandas

    return pandas.DataFrame([
        {"data": result["data"], "arch": config.arch, "train_size": config.train_size, "seed": config.seed,
         **{key: value for key, value in result.items() if isinstance(value, float)}}
        for config, result in MEASURE.results(finished)])


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...]) -> list[Evidence]:
    """The three predictions, each over the networks of a setting."""
    pieces = []
    for (data, arch, size), rows in frame.groupby(["data", "arch", "train_size"], sort=False):
        for claim, values in (
                ("s3.errors-follow-ambiguity", rows["ambiguity_given_nearest"] - rows["hull_given_nearest"]),
                ("s3.ambiguity-leaves-hull-distance-nothing", rows["hull_given_both"]),
                ("s3.steps-away-keep-the-class", rows["changed_towards"] - rows["changed_away"])):
            if values.notna().all():
                pieces.append(Evidence(
                    claim, "real", f"{arch}, {data}, {size} training images", bounded(mean_interval(values), -2, 2), runs,
                    piece=f"{arch}-{data.split(' (')[0].lower()}-{size}",
                    levels={**levels(arch, data), "training images": str(size)}))
    return pieces


HULL_ERRORS = Study("hull-errors", "Why hull distance does not predict errors: networks on few images of MNIST and digits",
                    (TRAIN, MEASURE), _configs, tabulate, evidence, processes=True,
                    declared=partial(_configs, declared=True), extensible=True)
