"""Fair coins: the share of heads among ``tosses``."""

from dataclasses import dataclass

from lab.arguments import positive_int
from lab.cli import say
from lab.estimate import mean_interval
from lab.study import Study
from theory.claims import Evidence
from toy.models import Model

MODEL = Model("toss a fair coin many times")


@dataclass(frozen=True)
class Tosses:
    """Some repetitions of some tosses."""

    tosses: int
    replicas: int = 20


@dataclass(frozen=True)
class Heads:
    """Shares of heads, (replicas,)."""

    share: tuple[float, ...]


@dataclass(frozen=True)
class Prediction:
    """The share of heads to expect."""

    share: float


def simulate(tosses: int = 100, replicas: int = 20, seed: int = 0) -> Heads:
    """Toss coins.

    Parameters
    ----------
    tosses : int ≥ 1, default 100
        Of a repetition.
    replicas : int ≥ 1, default 20
        Repetitions.
    seed : int ≥ 0, default 0
        Of all of them.
    """
    import numpy as np

    return Heads(tuple(np.random.default_rng(seed).binomial(tosses, 0.5, replicas) / tosses))


def predict(tosses: int = 100, replicas: int = 20, seed: int = 0) -> Prediction:
    """What to expect, whatever the arguments of :func:`simulate`."""
    return Prediction(0.5)


def add_arguments(parser):
    parser.add_argument("--tosses", type=positive_int, default=100, help="a repetition")


def run(args) -> dict:
    heads = mean_interval(simulate(args.tosses).share)
    say(f"heads: {heads.mean:.3f}")
    return {"heads": heads, "predicted": predict(args.tosses).share}


def run_study(config: Tosses, folder) -> dict:
    return {"heads": simulate(config.tosses, config.replicas).share}


def tabulate(finished):
    import pandas

    return pandas.DataFrame([{"tosses": c.tosses, "heads": h} for c, result in finished for h in result["heads"]])


def evidence(table, runs):
    return [Evidence("s0.coins-are-fair", "toy", "fair coins", mean_interval(table.heads), runs)]


STUDY = Study("coin", "fair coins", "toy.coin:run_study", lambda scale: [Tosses(10), Tosses(100)], tabulate, evidence)
