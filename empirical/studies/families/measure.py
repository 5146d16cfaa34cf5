"""The stage that compares published networks of two widths."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from empirical.declared import data_folder, source
from empirical.own.members import ENCODER
from empirical.studies.families.plan import FamilyComparison
from lab.errors import ArgumentError, InputError
from lab.stages import Stage

if TYPE_CHECKING:
    from empirical.data import Dataset

COMPARE = Stage("compare", "empirical.studies.families.measure:run", FamilyComparison)


def run(config: FamilyComparison, folder: Path, *, checkpoints: str | None = None, device: str | None = None,
        data_dir: str | None = None) -> dict:
    """The measures of one comparison.

    Parameters
    ----------
    config : configuration of the comparison.
    folder : folder of the run.
    checkpoints : folder with the networks; None for ``pythia`` in the folder named by the environment.
    device : device, as named by PyTorch; None for CUDA if available.
    data_dir : folder with the data set; None for the one named by the environment.

    Returns
    -------
    dict
        ``data`` (the data set's name), ``rows`` (the measures, one row per site and number of copies), and the manifest.

    Raises
    ------
    InputError
        If checkpoints or data have changed since the comparison was planned.
    """
    from empirical.device import pick_device
    from empirical.features import extract
    from empirical.own.families import published
    from empirical.studies.width.compare import measures

    base = Path(checkpoints or Path(data_folder() or ".") / "pythia")
    if config.weights and config.weights != weights_of(config, base):
        raise InputError(f"the checkpoints in {base} have changed since the comparison was planned: start it again")
    target = pick_device(device)
    data = data_of(config, base, data_dir)
    if config.checksum and config.checksum != data.checksum:
        raise InputError(f"the data {data.name} have changed since the comparison was planned: start it again")
    data = data.to(str(target))

    def network(name, trained=True):
        return published(base, config.member(name), trained=trained, seed=config.seed).to(target)

    blocks = ["other"] if config.narrow == (config.other,) else [f"narrow{i}" for i in range(config.copies)]
    models = {"wide": network(config.wide), "other": network(config.other), "untrained": network(config.other, False)}
    models |= {block: network(name) for block, name in zip(blocks, config.narrow) if block != "other"}
    features = extract(models, data, shuffle="wide", batch=64)
    return {"data": data.name, "rows": measures(features, blocks, config.copies, config.seed),
            "manifest": {"data": data.facts, "device": str(target), "dtype": "float32", "checkpoints": config.names(),
                         "weights": config.weights}}


def weights_of(config: FamilyComparison, base: Path) -> str:
    """Checksum of all checkpoints of a comparison."""
    import hashlib

    from empirical.own.checkpoints import checksum

    return hashlib.sha256("".join(_known(str(base / name), checksum) for name in config.names()).encode()).hexdigest()[:16]


_CHECKSUMS: dict[tuple[str, int], str] = {}


def _known(path: str, checksum) -> str:
    """The checksum of a checkpoint, cached until the checkpoint is rewritten."""
    files = [Path(path), *Path(path).glob("*")]
    key = path, max(file.stat().st_mtime_ns for file in files if file.exists()) if Path(path).exists() else 0
    if key not in _CHECKSUMS:
        _CHECKSUMS[key] = checksum(path)
    return _CHECKSUMS[key]


def data_of(config: FamilyComparison, base: Path, data_dir: str | None = None) -> "Dataset":
    """The data of a comparison: images, or sentence pairs as tokens of the networks.

    Parameters
    ----------
    config : configuration of the comparison.
    base : folder of the checkpoints, which contains the tokenizer of encoders.
    data_dir : folder with the data set.

    Raises
    ------
    ArgumentError
        If the networks take data of another kind.
    """
    from empirical.data import load
    folder, kind = data_dir or data_folder(), source(config.data).kind
    if config.kind == ENCODER:
        if kind == "images":
            raise ArgumentError(f"{config.family} needs sentence pairs, not {config.data}", "data")
        from empirical.studies.families.texts import tokenised

        data = tokenised(config.data, folder, base / config.wide, config.max_length)
    else:
        if kind == "sentence pairs":
            raise ArgumentError(f"{config.family} needs images, not {config.data}", "data")
        data = load(config.data, data_dir=folder, image_size=config.image_size)
        if data.inputs.dim() != 4:
            raise ArgumentError(f"{config.family} needs images (channels, size, size), not {tuple(data.inputs.shape[1:])}",
                                "data")
    if config.rows:
        data = replace(data, splits={name: part[:config.rows] if name.startswith("probe") else part
                                     for name, part in data.splits.items()})
    return data
