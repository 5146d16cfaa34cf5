"""The stage that measures one space of one data set."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from empirical.declared import data_folder
from empirical.studies.hull.plan import HullRun
from empirical.studies.trained import TRAIN, first_member, threads_of_record, trained
from lab.stages import Stage
from lab.store import write_arrays

MEASURE = Stage("measure", "empirical.studies.hull.measure:run", HullRun, needs={"train": HullRun.own_networks})
STAGES = (TRAIN, MEASURE)


def run(config: HullRun, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Measure one space; the numbers of every query are stored in ``points.npz`` in the run's folder.

    Parameters
    ----------
    config : configuration of the space and its hull.
    folder : folder of the run.
    device : device, as named by PyTorch; None for CUDA if available.
    data_dir : folder with the data set; None for the one named by the environment.

    Returns
    -------
    dict
        ``data``, ``network`` (in words), the result of :func:`empirical.hull.measure.measure`, ``directions`` if requested, and
        the manifest.
    """
    from empirical.data import dataset, load, refuse_changed
    from empirical.device import pick_device
    from empirical.hull import spaces
    from empirical.hull.measure import measure

    config.check()
    folder = Path(folder)
    target, model, about, networks = pick_device(device), None, "", []
    if config.arch:
        store = folder.parent.parent
        network = config.network(store)
        experiment = store / config.sweep if config.sweep else folder.parent
        networks.append(trained(network, experiment, device=device, data_dir=data_dir))
        data = dataset(network, data_dir, str(target))
        model = first_member(network, experiment, data, target)
        about = f"{network.arch} alpha {network.alpha}, base width {network.base_width}"
    else:
        data = load(config.data, data_dir=data_dir or data_folder(), split=config.split)
        refuse_changed(config, data, data_dir or data_folder())
    if config.space == "features":
        assert model is not None  # check() refuses runs without a network
        space = spaces.features(model, data, config.site)
    else:
        space = spaces.pixels(data, own=bool(config.sweep))
        if model is not None:
            space = replace(space, wrong=misclassified(model, data))
        if config.space == "wavelets":
            space = spaces.wavelets(space, config.wavelet)
    if config.dim:
        space = spaces.components(space, config.dim)
    numbers = measure(space, queries=config.queries, leave_one_out=config.leave_one_out, n=config.n,
                      gaussian=config.gaussian, classes=config.classes, seed=config.seed, tol=config.tol)
    if config.directions:
        numbers["directions"] = _directions(config, model, data, space)
    write_arrays(folder / "points.npz", numbers.pop("arrays"), compressed=True)
    return {"data": data.name, "network": about, **numbers,
            "manifest": {"data": data.facts, "device": str(target), "dtype": "float32",
                         "threads": threads_of_record(config.threads, *networks)}}


def misclassified(model, data) -> np.ndarray:
    """Which test rows the network misclassifies."""
    from empirical.hull.spaces import features

    space = features(model, data, model_site(model))
    assert space.wrong is not None  # spaces of features have it
    return space.wrong


def model_site(model) -> str:
    """The site whose features enter the readout."""
    return next(reversed(dict.fromkeys(model.sites)))


def _directions(config: HullRun, model, data, space) -> dict:
    from empirical.hull.directions import PixelNetwork, directions
    from theory.hull import project

    queries = space.queries[:config.directions]
    weights = project(space.points, queries, config.tol, directions=False).weights
    return directions(PixelNetwork(model, data), queries, weights @ space.points, config.seed)
