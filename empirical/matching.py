"""Networks that are compared at the same training loss are stopped at it, each at its own time.

What is matched is the mean training loss in evaluation: without augmentation or dropout, with batch norm's running statistics,
as in the pass that reads the features, on a fixed part of the training split (all of it up to :data:`ROWS` rows). A
training looks at it after every epoch, and several times in an epoch in which it would come near the target at its pace.
Where a member's loss has fallen to the target between two looks, its weights are taken from the straight line between those at
the two: the loss is continuous along it, so some point there meets the target, and it is found to within :data:`TOLERANCE`.

A checkpoint holds everything that a resumed training needs: an epoch ends with a look, so the weights at the last look are the
network's.
"""

import math
from collections.abc import Mapping

import torch

from empirical.checkpoint import State
from empirical.data import Dataset
from empirical.evaluate import evaluate
from empirical.models import Stack
from empirical.settings import Network
from empirical.steps import full_precision, member_state

ROWS = 10_000  # training rows that are looked at, at most
NEAR = 1.05  # a loss that would fall below this multiple of the target in the coming epoch is looked at within it
TOLERANCE = 1e-3  # of the loss that is met, as a share of the target
TRIALS = 30  # evaluations for one crossing at most; four are common


class Matching:
    """How far the members of a stack are on their way to the target loss.

    Parameters
    ----------
    config : Network
        With the target loss.
    data : Dataset
        On the device.
    model : Stack
        Where ``state`` says that the training is.
    one : Stack
        One network of the stack, for weights between two looks.
    state : State
        Of the training; ``looks``, ``snapshots``, ``losses`` and ``epochs`` are kept up to date.
    """

    def __init__(self, config: Network, data: Dataset, model: Stack, one: Stack, state: State) -> None:
        self.config, self.data, self.model, self.one, self.state = config, data, model, one, state
        self.rows = data.splits["train"][:ROWS]
        if not state["looks"]:
            state["looks"].append(self._losses(model))
        self._remember(state["looks"][-1], float(state["epoch"]))

    def _remember(self, losses: list[float], epoch: float) -> None:
        self.last, self.epoch = losses, epoch
        self.weights = {i: _copy(member_state(self.model, self.config.stack, i)) for i in self._open()}

    def _open(self) -> list[int]:
        """Members that have not stopped."""
        return [i for i in range(self.config.stack) if str(i) not in self.state["snapshots"]]

    @property
    def near(self) -> bool:
        """Whether a member could reach its target in the coming epoch: at the pace of the last, or when no pace is known yet."""
        looks = self.state["looks"]
        return len(looks) < 2 or any(looks[-1][i] * min(1.0, looks[-1][i] / looks[-2][i]) <= NEAR * self.config.target_loss
                                     for i in self._open())

    def look(self, epoch: float, *, ends: bool) -> None:
        """Look at the losses; stop the members that have reached their target since the last look.

        Parameters
        ----------
        epoch : float
            How far the training is.
        ends : bool
            Whether an epoch ends here.
        """
        losses = self._losses(self.model)
        for i in self._open():
            if losses[i] <= self.config.target_loss:
                share, weights, loss = self._crossing(i, losses[i])
                self.state["snapshots"][str(i)], self.state["losses"][str(i)] = weights, loss
                self.state["epochs"][i] = self.epoch + share * (epoch - self.epoch)
        if ends:
            self.state["looks"].append(losses)
        self._remember(losses, epoch)

    def _crossing(self, member: int, loss: float) -> tuple[float, dict[str, torch.Tensor], float]:
        """Share of the way from the last look to this one, weights and loss, where the loss meets the target.

        False position on the logarithm of the loss, with the Illinois rule. If the loss was no higher at the last look there is
        nothing to cross, and the weights of this look are taken.
        """
        before, after = self.weights[member], _copy(member_state(self.model, self.config.stack, member))

        def excess(loss: float) -> float:
            return math.log(loss / self.config.target_loss)

        share, weights, ends = 1.0, after, {False: (1.0, excess(loss)), True: (0.0, excess(self.last[member]))}
        replaced = None
        for _ in range(TRIALS):
            (high, below), (low, above) = ends[False], ends[True]
            if above <= 0 or abs(excess(loss)) <= TOLERANCE:
                break
            share = low + (high - low) * above / (above - below)
            weights = {name: torch.lerp(x, after[name], share) if x.is_floating_point() else after[name]
                       for name, x in before.items()}
            self.one.load_state_dict(weights)
            (loss,) = self._losses(self.one)
            side = excess(loss) > 0
            if side == replaced:  # the other end has stayed twice in a row: it counts half, so that it moves
                ends[not side] = ends[not side][0], ends[not side][1] / 2
            ends[side], replaced = (share, excess(loss)), side
        return share, weights, loss

    def _losses(self, model: Stack) -> list[float]:
        training = model.training
        with full_precision():
            losses = evaluate(model.eval(), self.data, self.rows)["loss"]
        model.train(training)
        return losses


def _copy(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in tensors.items()}
