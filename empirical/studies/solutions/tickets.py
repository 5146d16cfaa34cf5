"""Tickets: networks pruned step by step, rewound and trained again, alone and with other weights around them.

After each training, a share of the smallest weights is removed; the remaining weights are the *ticket*. *Rewound*, they have
their values from the start of training, or from an early epoch. Each arm is trained for as long as the dense network, with the
same order of samples:

``round r``        the ticket alone after r rounds; the last is called "alone"
``redrawn rest``   all weights: those of the ticket rewound, the others drawn anew
``failed rest``    all weights: the others from the end of training the same network on random labels for the same images
``random mask``    equally many weights, chosen at random over all layers, with their initial values
``shuffled mask``  the same, with equally many weights in each layer
``fresh narrow``   a random mask and new initial weights: a fresh network of the ticket's size
``dense``, ``fresh wide``  all weights: the network that was pruned ("with its original rest"), and one with new initial weights

A network *wins* if it ends without an error on its training samples. A replica is a set of samples with :data:`COPIES` networks,
and contributes their share of wins. Every network is pruned, not only winners, so no arm wins by construction. In convolutional
networks, convolutions and readout are pruned; parameters of batch norms stay with the ticket.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.settings import Network
from empirical.studies.levels import levels
from empirical.studies.solutions.plan import about, network_name, of_width, seeds
from empirical.studies.trained import TRAIN, ready
from lab.combine import bounded
from lab.estimate import mean_interval
from lab.stages import Stage
from lab.study import Study
from theory.claims import Evidence

if TYPE_CHECKING:
    import pandas

    from empirical.models.layers import Stack

COPIES, WIDTH, ROUNDS, SHARE, EARLY = 8, 8, 3, 0.2, 5
BUDGET = {"data": "digits", "train_size": 300, "epochs": 60, "schedule": "constant", "warmup": 0.0}
REPLICAS = {"quick": 2, "full": 8}
# claim -> the arm that should win more often (or at most as often), and the other one
CLAIMS = {"s2.tickets-need-their-rest": ("fresh wide", "alone"),
          "s2.perturbed-rest-spoils-tickets": ("redrawn rest", "fresh wide"),
          "s2.adversarial-rest-spoils-tickets": ("failed rest", "fresh wide"),
          "s2.tickets-beat-fresh-starts": ("alone", "fresh narrow")}


@dataclass(frozen=True, kw_only=True)
class Tickets(Network):
    """A stack of networks that are pruned, and the training of their tickets.

    Attributes
    ----------
    rounds : int
        Number of prunings, each followed by training.
    share : float
        Share of the remaining weights that each removes.
    rewind : int
        Epoch to which the tickets are rewound; 0 for the start. With a later epoch, only the arms "round r" are trained.

    Examples
    --------
    >>> [(n.copy, n.label_noise) for n in of_width(Tickets, 8, 100, **BUDGET, rounds=3, stack=8).networks()]
    [(0, 0.0), (8, 0.0), (0, 1.0)]
    """

    rounds: int
    share: float = SHARE
    rewind: int = 0

    def networks(self) -> list[Network]:
        """The runs of dense networks: those to prune, fresh ones, and those on random labels; if tickets are rewound to an early
        epoch, those to prune and the same up to that epoch."""
        dense = Network(**self.shared(), copy=self.copy, stack=self.stack)
        own = dict(vars(dense))
        if self.rewind:
            return [dense, Network(**{**own, "epochs": self.rewind})]
        return [dense, Network(**{**own, "copy": self.copy + self.stack}), Network(**{**own, "label_noise": 1.0})]


def run(config: Tickets, folder: Path, *, device: str | None = None, data_dir: str | None = None) -> dict:
    """Prune, rewind, and train every arm.

    Parameters
    ----------
    config : Tickets
        Configuration of the run.
    folder : Path
        Of the run; each arm has a folder of its own in it.
    device : str, optional
        Device, as named by PyTorch; None for CUDA if available.
    data_dir : str, optional
        Folder with the data set; None for the one named by the environment.

    Returns
    -------
    dict
        ``arms``: name -> ``left`` (share of the weights that remain), loss and accuracy of every network in ``train`` and
        ``test``; and ``parameters``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> quick = of_width(Tickets, 2, 0, **{**BUDGET, "epochs": 1, "train_size": 60}, rounds=1, stack=1)
    >>> with TemporaryDirectory() as folder:
    ...     arms = run(quick, Path(folder) / "tickets" / "run", device="cpu")["arms"]
    >>> list(arms)[:4], round(arms["round 1"]["left"], 1)
    (['dense', 'round 1', 'fresh wide', 'redrawn rest'], 0.8)
    """
    import torch

    from empirical.evaluate import evaluate
    from empirical.models.initialise import initialise
    from empirical.networks import load_trained, prepare
    from empirical.pruning import hold, mixed, pruned, shuffled_masks, whole_masks
    from empirical.streams import stream
    from empirical.train import train

    folder, networks = Path(folder), config.networks()
    prepared = ready(config, networks, folder.parent, device=device, data_dir=data_dir)
    data, target, facts = prepared.data, prepared.device, prepared.results
    arms = {"dense": {"left": 1.0, **{split: facts[0][split] for split in ("train", "test")}}}

    def ends(network: Network) -> dict[str, torch.Tensor]:
        return load_trained(network, data, TRAIN.folder(prepared.experiment, network), target).state_dict()

    def begins(purpose: str) -> dict[str, torch.Tensor]:
        model = prepare(networks[0], data, torch.device("cpu"))
        initialise(model, [stream(*config.address(i, purpose)) for i in range(config.stack)], config.init, config.width)
        return model.to(target).state_dict()

    def arm(name: str, state: dict[str, torch.Tensor], masks: dict[str, torch.Tensor] | None = None) -> dict[str, torch.Tensor]:
        place = folder / name.replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)

        def begin(model: "Stack") -> None:
            model.load_state_dict(state)
            hold(model, masks or {})

        model, _ = train(config, data, place, device=target, begin=begin)
        left = sum(int(m.sum()) for m in masks.values()) / sum(m.numel() for m in masks.values()) if masks else 1.0
        arms[name] = {"left": left, **{split: evaluate(model, data, split) for split in ("train", "test")}}
        return model.state_dict()

    start = ends(networks[1]) if config.rewind else prepare(networks[0], data, target).state_dict()
    state, masks = ends(networks[0]), whole_masks(start, config.stack)
    for number in range(config.rounds):
        masks = pruned(state, masks, config.share)
        state = arm(f"round {number + 1}", start, masks)
    if not config.rewind:
        arms["fresh wide"] = {"left": 1.0, **{split: facts[1][split] for split in ("train", "test")}}
        redrawn, order = begins("redrawn rest"), stream(*config.address(0, "masks"))
        arm("redrawn rest", mixed(masks, start, redrawn))
        arm("failed rest", mixed(masks, start, ends(networks[2])))
        arm("shuffled mask", start, shuffled_masks(masks, order))
        random = shuffled_masks(masks, order, within_layers=False)
        arm("random mask", start, random)
        arm("fresh narrow", redrawn, random)
    return {"parameters": facts[0]["parameters"], "arms": arms,
            "manifest": prepared.manifest(config.threads)}


PRUNE = Stage("prune", "empirical.studies.solutions.tickets:run", Tickets, needs={"train": Tickets.networks})


def _configs(scale: str, n: int | None = None) -> list[Tickets]:
    """Tickets rewound to the start and to an early epoch."""
    if scale not in REPLICAS:
        return []
    few: dict[str, Any] = {"epochs": 3, "stack": 2, "rounds": 1} if scale == "quick" else {"stack": COPIES, "rounds": ROUNDS}
    return [of_width(Tickets, WIDTH, seed, **{**BUDGET, **few}, rewind=rewind) for seed in seeds(n or REPLICAS[scale])
            for rewind in ((0,) if scale == "quick" else (0, EARLY))]


def tabulate(finished: Sequence[tuple[Any, dict]]) -> "pandas.DataFrame":
    """The table: one row per replica and arm.

    Parameters
    ----------
    finished : sequence of (configuration, dict)
        Runs and their results.

    Returns
    -------
    pandas.DataFrame
        ``arm``, ``rewind``, share of the weights ``left``, ``wins`` (share of the copies), mean loss and error.

    Examples
    --------
    >>> tabulate([]).empty
    True
    """
    import pandas

    rows = []
    for config, result in PRUNE.results(finished):
        for arm, facts in result["arms"].items():
            name = "alone" if arm == f"round {config.rounds}" else arm
            rows.append({**about(config, {**result, **facts}, None), "arm": name, "rewind": config.rewind,
                         "left": facts["left"], "copies": config.stack,
                         "wins": float(np.mean([x == 1 for x in facts["train"]["accuracy"]]))})
    return pandas.DataFrame(rows)


def evidence(frame: "pandas.DataFrame", runs: tuple[str, ...], arch: str = "mlp") -> list[Evidence]:
    """Differences of shares of wins, replica by replica.

    Parameters
    ----------
    frame : pandas.DataFrame
        Table of :func:`tabulate`.
    runs : tuple of str
        Ids of the runs behind it.
    arch : str, default "mlp"
        Name of the architecture.

    Returns
    -------
    list of Evidence
        Pieces on tickets rewound to the start; for claims on tickets alone, also on tickets rewound to an early epoch. They are
        one cluster.

    Examples
    --------
    >>> import pandas
    >>> evidence(pandas.DataFrame(), ())
    []
    """
    if frame.empty:
        return []
    wins = frame.pivot(index="seed", columns=["rewind", "arm"], values="wins")
    left = frame[frame.arm == "alone"].left.iloc[0]
    pieces = []
    for rewind in sorted(set(frame.rewind)):
        for claim, pair in CLAIMS.items():
            more, less = ((rewind if arm == "alone" else 0, arm) for arm in pair)
            if {more, less} <= set(wins.columns) and (rewind == 0 or "alone" in pair):
                where = f"after epoch {rewind}" if rewind else "at the start"
                pieces.append(Evidence(claim, "real", f"{network_name(arch, int(frame.hidden.iloc[0]))}, {frame.data.iloc[0]}, "
                                       f"{int(frame.samples.iloc[0])} images, {left:.0%} of the weights as {where}",
                                       bounded(mean_interval((wins[more] - wins[less]).dropna()), -1, 1), runs, cluster="digits",
                                       piece="early" if rewind else "start", levels=levels(arch, "digits")))
    return pieces


TICKETS_DIGITS = Study("tickets-digits", "MLPs on digits: tickets rewound, alone and with other weights around them",
                       (TRAIN, PRUNE), _configs, tabulate, evidence, processes=True, extensible=True)
