"""Stop networks that are compared at the same training loss at that loss, each at its own time.

The matched quantity is the mean training loss in evaluation mode: without augmentation or dropout, with the running statistics of
batch norm, as in the pass that reads the features, on a fixed part of the training split (all of it up to :data:`ROWS` rows). It
is evaluated ("a look") after every epoch, and several times within an epoch that is expected to come close to the target. If a
member's loss falls to the target between two looks, its weights are interpolated linearly between them: the loss is continuous
along this line, so some point on it meets the target; it is found to within :data:`TOLERANCE`.

A checkpoint contains everything that resumed training needs: because an epoch ends with a look, the weights at the last look are
those of the network.
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

ROWS = 10_000  # maximum number of training rows to evaluate
NEAR = 1.05  # look within an epoch if the loss is expected to fall below this multiple of the target in it
TOLERANCE = 1e-3  # of the matched loss, relative to the target
TRIALS = 30  # maximum number of evaluations per crossing; four are common


class Matching:
    """Progress of the members of a stack towards the target loss.

    Parameters
    ----------
    config : Network
        Configuration with the target loss.
    data : Dataset
        Data on the device.
    model : Stack
        The stack in training, at the point given by ``state``.
    one : Stack
        A single network of the same kind, used to evaluate interpolated weights.
    state : State
        State of the training; ``looks``, ``snapshots``, ``losses`` and ``epochs`` are updated.
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
        """The members that have not stopped."""
        return [i for i in range(self.config.stack) if str(i) not in self.state["snapshots"]]

    @property
    def near(self) -> bool:
        """Whether a member could reach its target in the coming epoch, given the last decrease or if none is known yet."""
        looks = self.state["looks"]
        return len(looks) < 2 or any(looks[-1][i] * min(1.0, looks[-1][i] / looks[-2][i]) <= NEAR * self.config.target_loss
                                     for i in self._open())

    def look(self, epoch: float, *, ends: bool) -> None:
        """Evaluate the losses, and stop the members that have reached the target since the last look.

        Parameters
        ----------
        epoch : float
            Epochs trained so far.
        ends : bool
            Whether this is the end of an epoch.
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
        """The point between the last look and this one at which the loss meets the target: its share, weights and loss.

        False position on the logarithm of the loss, with the Illinois rule. If the loss was no higher at the last look, there is
        no crossing, and the weights of this look are used.
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
            if side == replaced:  # Illinois rule: the other end has stayed twice in a row, so its value is halved
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
