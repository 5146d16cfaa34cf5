"""The stage that compares the copies of a width with the wide network.

A comparison has two parts: the features of its networks, which are read on the device and stored, and the measures, which need
only the stored moments and so can be computed by any process. :func:`read` does the first part of several comparisons at once;
:func:`run` does it if it has not been done.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.settings import Comparison, Network
from empirical.studies.trained import TRAIN, threads_of_record, trained
from lab.errors import InputError
from lab.stages import Stage

if TYPE_CHECKING:
    import torch

    from empirical.data import Dataset
    from empirical.features import Features

COMPARE = Stage("compare", "empirical.studies.width.compare:run", Comparison, needs={"train": Comparison.networks})


def run(config: Comparison, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """The measures of one comparison, from stored features or from features read now.

    Parameters
    ----------
    config : configuration of the comparison; its networks are runs of the stage ``train`` in the same experiment.
    folder : folder of the run.
    device : device on which features are read, as named by PyTorch; None for CUDA if available.
    data_dir : folder with the data set; None for the one named by the environment.

    Returns
    -------
    dict
        ``data`` (the data set's name), ``rows`` (the measures, one row per site and number of copies), ``wide`` and ``narrow``
        (the results of training), ``mismatch`` (largest relative distance of a network's loss from the target; None without a
        target), and the manifest.
    """
    from empirical.data import dataset
    from empirical.device import pick_device
    from empirical.features import read_facts, read_features

    results = {network: trained(network, folder.parent, device=device, data_dir=data_dir) for network in config.networks()}
    if (read_facts(folder) or {}).get("weights") != _weights(results):  # no features yet, or those of other weights
        target = pick_device(device)
        data = dataset(config, data_dir, str(target))
        store(read([config], folder.parent, data, target), [config], folder.parent, data, target)
    facts, features = read_facts(folder) or {}, read_features(folder)
    rows = measures(features, _narrow_blocks(config), config.copies, config.seed)
    return {"data": facts["data"]["name"], "rows": rows, "wide": _summary([results[config.wide()]]),
            "narrow": _summary([results[n] for n in config.narrow()]), "mismatch": _mismatch(results),
            "manifest": {**facts, "threads": threads_of_record(config.threads, *results.values())}}


def measures(features: "Features", blocks: Sequence[str], equal: int, seed: int) -> list[dict]:
    """The measures of copies against the wide network, one row for each site and number of copies.

    Parameters
    ----------
    features : features with the blocks "wide", "other" (the second wide network), "untrained", the shuffled one, and the copies.
    blocks : blocks of the copies.
    equal : number of copies that together have as many features as the wide network.
    seed : seed of everything that is drawn.
    """
    from empirical.compare import compare, on_kept_rows

    rows = compare(features, "wide", "other", blocks, untrained="untrained", equal=equal, seed=seed)
    main = next(row for row in rows if row["site"] == "penultimate" and row["copies"] == equal)
    main.update(on_kept_rows(features, "wide", "other", blocks[:equal], untrained="untrained", ridge=main["ridge"], seed=seed))
    return rows


def _weights(results: Mapping[Network, dict]) -> dict[str, str | None]:
    """Checksums of the weights from which features were read, by run."""
    return {TRAIN.id(network): result.get("weights") for network, result in results.items()}


def _mismatch(results: Mapping[Network, dict]) -> float | None:
    """The largest relative distance of a loss from the target over all networks of a comparison, including the second wide one;
    None without a target, or if an older run has not stored its losses."""
    reached = [(network.target_loss, result.get("losses") or []) for network, result in results.items()]
    if not all(target and losses for target, losses in reached):
        return None
    return max(abs(loss / target - 1) for target, losses in reached for loss in losses)


def _narrow_blocks(config: Comparison) -> list[str]:
    """Blocks of the copies in a comparison's features; at alpha = reference the copy is the other wide network."""
    if config.narrow() == [config.other()]:
        return ["other"]
    return [f"narrow{n.copy}" + (f".{i}" if n.stack > 1 else "") for n in config.narrow() for i in range(n.stack)]


def read(configs: Sequence[Comparison], experiment: Path, data: "Dataset", target: "torch.device", *,
         apart: bool = False) -> "Features":
    """Features of the networks of one replica's comparisons, in one pass; :func:`store` distributes them to the comparisons.

    Parameters
    ----------
    configs : comparisons with the same wide networks and sites, whose networks are trained.
    experiment : folder of the run store.
    data : data on the device ``target``.
    apart : whether to load stacks as separate networks (see ``steps.Way``).
    """
    from empirical.features import extract
    from empirical.networks import load_trained, prepare

    first = configs[0]

    def loaded(network):
        return load_trained(network, data, TRAIN.folder(experiment, network), target, apart=apart)

    models = {"wide": loaded(first.wide()), "other": loaded(first.other()),
              "untrained": prepare(first.other(), data, target).eval()}
    for config in configs:
        if (config.wide(), config.other(), config.sites) != (first.wide(), first.other(), first.sites):
            raise InputError("comparisons that are read together must share their wide networks and sites")
        models |= {f"{config.alpha} narrow{n.copy}": loaded(n) for n in config.narrow() if n != config.other()}
    return extract(models, data, ("penultimate",) if first.sites == "penultimate" else None, shuffle="wide")


def store(features: "Features", configs: Sequence[Comparison], experiment: Path, data: "Dataset",
          target: "torch.device") -> None:
    """Write each comparison's part of the features from :func:`read` into its folder.

    Parameters
    ----------
    features : features of all networks of the comparisons.
    configs, experiment, data, target : as for :func:`read`.
    """
    from empirical.features import SHUFFLED, TARGET

    common = {name: name for name in ("wide", "other", "untrained", SHUFFLED, TARGET)}
    for config in configs:
        own = {block: f"{config.alpha} {block}" for block in _narrow_blocks(config) if block != "other"}
        folder = COMPARE.folder(experiment, config)
        folder.mkdir(parents=True, exist_ok=True)
        results = {network: TRAIN.obtain(network, experiment)["result"] for network in config.networks()}
        features.select({**own, **common}).save(
            folder, {"data": data.facts, "device": str(target), "dtype": "float32", "weights": _weights(results)})


def _summary(results: Sequence[dict]) -> dict:
    """Means over networks of their training results, including the loss curve."""
    def mean(values):
        values = list(values)
        return sum(values) / len(values)

    curves = [list(column) for r in results for column in zip(*r["curve"])]
    return {**{f"{split}_{what}": mean(v for r in results for v in r[split][what])
               for split in ("train", "test") for what in ("loss", "accuracy")},
            "epochs": mean(e for r in results for e in r["epochs"]),
            "reached": mean(float(x) for r in results for x in r["reached"]) if results[0]["reached"] else None,
            "matched_loss": mean(x for r in results for x in r["losses"]) if results[0].get("losses") else None,
            "parameters": sum(r["parameters"] * len(r["epochs"]) for r in results),
            "curve": [mean(step) for step in zip(*curves)]}
