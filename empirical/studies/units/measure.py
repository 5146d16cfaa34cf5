"""The stage that measures the units of one network."""

from pathlib import Path

from empirical.settings import Network
from empirical.studies.trained import TRAIN, first_member, ready
from empirical.studies.units.plan import UnitsRun
from lab.stages import Stage

MEASURE = Stage("measure", "empirical.studies.units.measure:run", UnitsRun, needs={"train": UnitsRun.own_networks})
STAGES = (TRAIN, MEASURE)


def run(config: UnitsRun, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Measure the units of one network, which is trained first if it is missing.

    Parameters
    ----------
    config : configuration of the measurement.
    folder : folder of the run.
    device : device, as named by PyTorch; None for CUDA if available.
    data_dir : folder with the data set; None for the one named by the environment.

    Returns
    -------
    dict
        ``data`` (its name), ``sites`` (see :func:`empirical.units.measure`), loss and accuracy, and the manifest.
    """
    from empirical.networks import prepare
    from empirical.units import measure

    network = config.network()
    experiment = Path(folder).parent.parent / config.networks if config.networks else Path(folder).parent
    prepared = ready(config, [network], experiment, device=device, data_dir=data_dir)
    data, target, (facts,) = prepared.data, prepared.device, prepared.results
    model = first_member(network, experiment, data, target)
    start = prepare(Network(**config.shared()), data, target).eval()
    sites = measure(model, start, data, orders=config.orders, images=config.images, rows=config.rows,
                    seed=config.seed)
    first = {f"{split}_{what}": facts[split][what][0] for split in ("train", "test") for what in ("loss", "accuracy")}
    return {"data": data.name, "sites": sites, **first,
            "manifest": prepared.manifest(config.threads)}
