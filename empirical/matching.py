"""Networks that are compared at the same training loss are stopped at it, each at its own time.

What is matched is the mean training loss in evaluation: without augmentation or dropout, with batch norm's running statistics,
as the features that are compared are read, on a fixed part of the training split (all of it up to :data:`ROWS` rows). A
training looks at it after every epoch, and several times in an epoch in which it would come near the target at its pace.
Where a member's loss has fallen to the target between two looks, its weights are taken from the straight line between those at
the two: the loss is continuous along it, so the target is met there as closely as one likes, :data:`TOLERANCE`.

Everything that a resumed training needs of this is in its checkpoint: an epoch ends with a look, so the weights at the last
one are the network's.
"""

import math
from collections.abc import Mapping

import torch

from empirical.data import Dataset
from empirical.evaluate import evaluate
from empirical.settings import Network
from empirical.steps import full_precision, member_state

ROWS = 10_000  # training rows that are looked at, at most
NEAR = 1.05  # times the target: what a loss would be after the epoch to come for that to be looked at more often
TOLERANCE = 1e-3  # of a loss that is met, as a share of the target
TRIALS = 30  # evaluations for one crossing, at most; four are common


class Matching:
    """Where the members of a stack are on their way to the target loss.

    Parameters
    ----------
    config : with the target loss.
    data : on the device.
    model : the stack, at the state that ``state`` tells of.
    one : a network of the stack alone, for weights between two looks.
    state : of the training; ``looks`` (the losses at its start and after each epoch, (epochs + 1) x copies), ``snapshots``
        (member -> weights), ``losses`` (member -> loss there) and ``epochs`` are kept up to date.
    """

    def __init__(self, config: Network, data: Dataset, model: torch.nn.Module, one: torch.nn.Module, state: dict):
        self.config, self.data, self.model, self.one, self.state = config, data, model, one, state
        self.rows = data.splits["train"][:ROWS]
        if not state["looks"]:
            state["looks"].append(self._losses(model))
        self._remember(state["looks"][-1], float(state["epoch"]))

    def _remember(self, found: list[float], epoch: float) -> None:
        self.last, self.epoch = found, epoch
        self.weights = {i: _copy(member_state(self.model, self.config.stack, i)) for i in self._open()}

    def _open(self) -> list[int]:
        """Members that have not stopped."""
        return [i for i in range(self.config.stack) if str(i) not in self.state["snapshots"]]

    @property
    def near(self) -> bool:
        """Whether the epoch to come could bring a member to its target: at the pace of the last, or for all that is known."""
        looks = self.state["looks"]
        return len(looks) < 2 or any(looks[-1][i] * min(1.0, looks[-1][i] / looks[-2][i]) <= NEAR * self.config.target_loss
                                     for i in self._open())

    def look(self, epoch: float, *, ends: bool) -> None:
        """Look at the losses; stop the members that have come to their target since the last time.

        Parameters
        ----------
        epoch : where the training is.
        ends : whether an epoch ends here.
        """
        found = self._losses(self.model)
        for i in self._open():
            if found[i] <= self.config.target_loss:
                share, weights, loss = self._crossing(i, found[i])
                self.state["snapshots"][str(i)], self.state["losses"][str(i)] = weights, loss
                self.state["epochs"][i] = self.epoch + share * (epoch - self.epoch)
        if ends:
            self.state["looks"].append(found)
        self._remember(found, epoch)

    def _crossing(self, member: int, loss: float) -> tuple[float, dict, float]:
        """Share of the way from the last look to this one, weights and loss, where the loss is the target (false position);
        what is found at this look where there is no such way, because the loss was no higher before."""
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
            if side == replaced:  # an end that stays twice in a row counts half (Illinois)
                ends[not side] = ends[not side][0], ends[not side][1] / 2
            ends[side], replaced = (share, excess(loss)), side
        return share, weights, loss

    def _losses(self, model: torch.nn.Module) -> list[float]:
        training = model.training
        with full_precision():
            found = evaluate(model.eval(), self.data, self.rows)["loss"]
        model.train(training)
        return found


def _copy(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in tensors.items()}
