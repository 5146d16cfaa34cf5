"""The published setting of iterative magnitude pruning: an MLP of two hidden layers on MNIST, fifteen rounds.

As in open_lth's ``mnist_lenet_300_100`` (SGD at a rate of 0.1, batches of 128, 40 epochs, a fifth of the weights per round), but
with two layers of 200 units in place of 300 and 100, and on a part of the 55,000 images, because a replica on all of them would
take half an hour; several sizes show what the number of images does. The study is compared with published numbers, and is
evidence for no claim.
"""

from empirical.studies.solutions.plan import from_files, of_width, seeds
from empirical.studies.solutions.tickets import PRUNE, Tickets, tabulate
from empirical.studies.trained import TRAIN
from lab.study import Study

LENET = {"data": "mnist", "depth": 2, "epochs": 40, "batch_size": 128, "learning_rate": 0.1,
         "schedule": "constant", "warmup": 0.0}
UNITS, ROUNDS = 200, 15
REPLICAS = {2000: 5, 8000: 5, 30000: 3}  # by training images


def _declared(scale: str, n: int | None = None) -> list[Tickets]:
    """Replicas of minutes each, so only at full scale."""
    if scale != "full":
        return []
    return [of_width(Tickets, UNITS, seed, **LENET, train_size=images, rounds=ROUNDS)
            for images, replicas in REPLICAS.items() for seed in seeds(n or replicas)]


TICKETS_LENET = Study("tickets-lenet", "MLPs of two layers on MNIST: fifteen rounds of pruning, rewound to the start",
                      (TRAIN, PRUNE), from_files(_declared), tabulate, declared=_declared, processes=True, extensible=True,
                      pilot_seconds=4500.0)
