"""Networks of the run store: those that a sweep has trained, and one network of a stack by itself."""

import json
from dataclasses import fields, replace
from pathlib import Path

from empirical.settings import Network
from lab.errors import InputError
from lab.store import read_result, run_id

RUN = "empirical.studies.width:run"  # what trains a network


def finished_networks(experiment: Path) -> list[Network]:
    """The first network, or stack of copies, of every setting, width and replica that is finished in an experiment.

    Parameters
    ----------
    experiment : folder of the run store, ``runs/<experiment>``.

    Returns
    -------
    By replica, then from narrow to wide.

    Raises
    ------
    InputError
        If there is none.
    """
    known = {field.name for field in fields(Network)}
    found = []
    for path in sorted(Path(experiment).glob("*/config.json")):
        stored = json.loads(path.read_text())
        config = stored["config"]
        if stored["function"] != RUN or "copy" not in config or not (path.parent / "result.json").exists():
            continue
        network = Network(**{key: value for key, value in config.items() if key in known})
        if network.copy == 0 and run_id(network) == path.parent.name:
            found.append(network)
    if not found:
        raise InputError(f"no trained network in {experiment}: train a width sweep first (python -m empirical sweep), and name "
                         "the folder of the run store with --out")
    return sorted(found, key=lambda network: (network.seed, network.width))


def trained(network: Network, experiment: Path, *, device: str | None = None, data_dir: str | None = None,
            again: bool = True) -> dict:
    """The result of a network's run; it is trained now if it is not there (another process that trains it is waited for).

    The result's ``threads`` are those that it was trained with, None where its run does not know (an older one).

    ``again``: whether a training that failed is tried once more, or its failure told.

    Raises
    ------
    InputError
        If the training failed.
    """
    from lab.sweep import execute

    folder = Path(experiment) / run_id(network)
    if read_result(folder) is None:
        failure = folder / "failure.txt"
        problem = failure.read_text().strip().splitlines()[-1] if failure.exists() and not again else None
        problem = problem or execute(RUN, network, folder, 1, {"device": device, "data_dir": data_dir})
        if problem:
            raise InputError(f"the network of alpha {network.alpha} failed: {problem}")
    stored = read_result(folder)
    return {**stored["result"], "threads": stored["manifest"].get("threads")}


def threads_of_record(own: int, *networks: dict) -> int | None:
    """Threads for the manifest of a run that measured networks (results of :func:`trained`): None if theirs are not known."""
    return own if all(network["threads"] for network in networks) else None


def first_member(network: Network, experiment: Path, data, target):
    """The first network of a trained stack as a stack of one, in evaluation mode, on the device ``target``."""
    from empirical.train import load_trained, prepare, read_member

    stack = load_trained(network, data, Path(experiment) / run_id(network), target)
    if network.stack == 1:
        return stack
    one = prepare(replace(network, stack=1), data, target)
    one.load_state_dict(read_member(stack, network.stack, 0))
    return one.eval()
