"""One training step of a stack, and the ways in which a device can run it.

All ways compute the same step up to rounding; which is fastest depends on the device. A step of a narrow network consists of
about two hundred kernels of a few microseconds each. Launched one by one from Python they leave a GPU idle most of the time, and
as grouped convolutions they do not use its matrix units. On CUDA, therefore, the members of a stack can be separate networks,
each on its own stream, so that their kernels run concurrently (``apart``), and a whole step, from gathering the batch to the
optimizer, can be captured as one CUDA graph that the host replays (``graph``).

In a captured step, everything that changes is stored on the device: the step number within the epoch, the rows and augmentation
draws of the epoch, and the learning rates. The host fills them once per epoch and waits only when it reads the loss.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace

import torch
import torch.nn.functional as F

from empirical.data import Dataset
from empirical.data.augment import augment, draw
from empirical.declared import architecture
from empirical.models.layers import Stack, Taps
from empirical.settings import Network
from empirical.streams import stream

WARM = 3  # steps before a capture, in which libraries create handles and choose algorithms


@dataclass(frozen=True)
class Way:
    """How a device runs training steps; it affects results only by rounding, and is recorded with them.

    Attributes
    ----------
    graph : bool
        Run whole steps as one CUDA graph (CUDA only).
    apart : bool
        Run members of a stack as separate networks on separate streams, instead of as grouped convolutions.
    compile : bool
        Run forward passes through ``torch.compile``.
    half : bool
        Use bfloat16 autocast (CUDA only); otherwise float32 without TF32.
    """

    graph: bool = False
    apart: bool = False
    compile: bool = False
    half: bool = True

    def on(self, device: torch.device, config: Network) -> "Way":
        """The options that are possible: graphs and bfloat16 need CUDA, a graph would replay the same dropout masks, and a user's
        own networks have no grouped form and may draw random numbers or wait for the device in a step."""
        cuda, own = device.type == "cuda", architecture(config.arch).own
        return replace(self, graph=self.graph and cuda and not (config.dropout or own),
                       apart=(self.apart or own) and config.stack > 1, half=self.half and cuda)

    def facts(self) -> dict[str, bool | str]:
        """The options as recorded in the manifest."""
        return {**asdict(self), "dtype": "bfloat16 autocast" if self.half else "float32"}


@contextmanager
def full_precision() -> Iterator[None]:
    """Context without TF32, in which CUDA multiplies float32 numbers in full precision; restored on exit."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    try:
        matmul.allow_tf32 = cudnn.allow_tf32 = False
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


class Draws:
    """Order and augmentation of one epoch for every member of a stack, drawn on the CPU."""

    def __init__(self, config: Network, data: Dataset, number: int):
        count, members = len(data.splits["train"]), range(config.stack)
        self.order = torch.stack([torch.randperm(count, generator=stream(*config.address(i, "order"), number))
                                  for i in members])
        self.augment: torch.Tensor | None = None
        if config.augment and (data.shift or data.flip):
            self.augment = torch.stack([draw(count, data.shift, data.flip, stream(*config.address(i, "augment"), number))
                                        for i in members])


class Epoch:
    """Batches of one epoch for every member of a stack, transferred to the device at once."""

    def __init__(self, config: Network, data: Dataset, device: torch.device, draws: Draws):
        rows = data.splits["train"]
        self.data, self.size = data, min(config.batch_size, len(rows))
        self.rows = rows[draws.order.to(device)]
        self.draws = None if draws.augment is None else draws.augment.to(device)

    def refill(self, draws: Draws) -> None:
        """Write the batches of another epoch into the same memory, from which a captured step reads."""
        self.rows.copy_(self.data.splits["train"][draws.order.to(self.rows.device)])
        if self.draws is not None and draws.augment is not None:
            self.draws.copy_(draws.augment)

    def batch(self, step: int | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs (copies, batch, ...) and labels (copies, batch) of a step, given as a number or as a scalar tensor on the
        device; rows that do not fill a batch are dropped."""
        rows = self._part(self.rows, step)
        inputs = self.data.batch(rows.flatten())
        if self.draws is not None:
            inputs = augment(inputs, self._part(self.draws, step).flatten(0, 1), self.data.shift)
        return inputs.unflatten(0, rows.shape), self.data.labels[rows]

    def _part(self, x: torch.Tensor, step: int | torch.Tensor) -> torch.Tensor:
        if isinstance(step, torch.Tensor):
            return x.index_select(1, torch.arange(self.size, device=x.device) + step * self.size)
        return x[:, step * self.size:(step + 1) * self.size]


def losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of each member: logits (copies, batch, classes), labels (copies, batch) -> (copies,)."""
    logits = logits.float() if logits.dtype in (torch.bfloat16, torch.float16) else logits
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape).mean(1)


class Members(Stack):
    """Separate networks with the interface of a stack.

    Parameters
    ----------
    networks : sequence of Stack
        Stacks of one network each.
    grouped : bool
        Whether the networks have a grouped form; their state is then stored in the layout of that stack.
    """

    def __init__(self, networks: Sequence[Stack], grouped: bool = True) -> None:
        super().__init__()
        self.grouped = grouped
        self.networks, self.copies, self.sites = torch.nn.ModuleList(networks), len(networks), networks[0].sites

    def forward(self, x: torch.Tensor, taps: Taps = None) -> torch.Tensor:
        parts: list[dict[str, torch.Tensor]] = [{} for _ in self.networks]
        logits = [network(x[i:i + 1] if len(x) > 1 else x, None if taps is None else part)
                  for i, (network, part) in enumerate(zip(self.networks, parts))]
        if taps is not None:
            taps.update({site: torch.cat([part[site] for part in parts]) for site in parts[0]})
        return torch.cat(logits)


def stacked_state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """State of a stack in its layout (copies along the first axis), also if its members are separate networks; members without a
    grouped form keep their own names, prefixed by their numbers."""
    if not isinstance(model, Members) or not model.grouped:
        return model.state_dict()
    states = [network.state_dict() for network in model.networks]
    return {name: torch.cat([s[name] for s in states]) if value.dim() else value for name, value in states[0].items()}


def member_state(model: torch.nn.Module, copies: int, member: int) -> dict[str, torch.Tensor]:
    """State of one member as a stack of one, sharing memory with the model."""
    if isinstance(model, Members):
        return model.networks[member].state_dict()
    return {name: value.chunk(copies)[member] if value.dim() else value for name, value in model.state_dict().items()}


class Steps:
    """The training steps of a stack, run in one of the ways.

    Parameters
    ----------
    config : Network
        Configuration to train.
    data : Dataset
        Data on the device.
    model : Stack
        Model on the device; changed in place.
    optimizer : torch.optim.Optimizer
        Optimizer of the model; changed in place.
    device : torch.device
        Device to train on.
    way : Way
        How to run a step.

    Attributes
    ----------
    window : torch.Tensor
        Sum of the losses over the steps since :meth:`begin` or the last :meth:`mean`, (copies,).
    """

    def __init__(self, config: Network, data: Dataset, model: Stack, optimizer: torch.optim.Optimizer,
                 device: torch.device, way: Way) -> None:
        self.config, self.data, self.model, self.optimizer, self.device = config, data, model, optimizer, device
        self.way = way.on(device, config)
        self.window = torch.zeros(config.stack, device=device)
        self._seen = 0
        self._epoch: Epoch
        self._factors: Sequence[float] = ()  # learning rates of the epoch's steps, relative to their peaks
        self._factors_there: torch.Tensor  # the same on the device, for captured steps
        self._replay: Callable[[], None] | None = None
        self._side = [torch.cuda.Stream(device) for _ in range(config.stack)] if self._streams else []
        self._forward = torch.compile(_call) if self.way.compile else _call

    @property
    def _streams(self) -> bool:
        return self.way.apart and self.device.type == "cuda"

    def begin(self, draws: Draws, factors: Sequence[float]) -> None:
        """Set the batches of an epoch, and its learning rates relative to their peaks, one per step."""
        self._factors = factors
        if not self.way.graph:
            self._epoch = Epoch(self.config, self.data, self.device, draws)
            return
        if self._replay is None:
            self._epoch = Epoch(self.config, self.data, self.device, draws)
            self._factors_there = torch.tensor(factors, device=self.device)
            self._step = torch.zeros((), dtype=torch.long, device=self.device)
            for group in self.optimizer.param_groups:
                group["lr"] = torch.tensor(float(group["initial_lr"]), device=self.device)
            self._capture()
        else:
            self._epoch.refill(draws)
            self._factors_there.copy_(torch.tensor(factors))
        self._step.zero_()

    def __call__(self, step: int) -> None:
        """Run one step; steps must be run in order."""
        if self._replay is not None:
            self._replay()
        else:
            for group in self.optimizer.param_groups:
                group["lr"] = group["initial_lr"] * self._factors[step]
            self._advance(step)
        self._seen += 1

    def mean(self) -> torch.Tensor:
        """Mean loss of each member since the last call, on the CPU; this waits for the device."""
        mean = (self.window / self._seen).cpu()
        self.window.zero_()
        self._seen = 0
        return mean

    def _advance(self, step: int | torch.Tensor) -> None:
        inputs, labels = self._epoch.batch(step)
        self.optimizer.zero_grad(set_to_none=True)
        if not (self._streams and isinstance(self.model, Members)):
            member = self._backward(self.model, inputs, labels)
        else:
            main, parts = torch.cuda.current_stream(self.device), []
            for i, (network, side) in enumerate(zip(self.model.networks, self._side)):
                side.wait_stream(main)
                with torch.cuda.stream(side):
                    parts.append(self._backward(network, inputs[i:i + 1], labels[i:i + 1]))
            for side in self._side:
                main.wait_stream(side)
            member = torch.cat(parts)
        self.optimizer.step()
        self.window += member

    def _backward(self, model: torch.nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        # every weight is cast only once per step, so a cache of casts would save nothing, and a capture must not keep one
        cast = torch.autocast("cuda", torch.bfloat16, cache_enabled=False) if self.way.half else nullcontext()
        with cast:
            member = losses(self._forward(model, inputs), labels)
        member.sum().backward()  # the sum over members gives each the gradient that it would get alone
        return member.detach()

    def _advance_on_device(self) -> None:
        factor = self._factors_there.index_select(0, self._step.view(1)).squeeze(0)
        for group in self.optimizer.param_groups:
            group["lr"].copy_(factor * group["initial_lr"])
        self._advance(self._step)
        self._step += 1
        self._step %= len(self._factors)

    def _capture(self) -> None:
        """Capture a step, and restore weights, statistics and the optimizer afterwards."""
        saved = [(x, x.clone()) for x in [*self.model.state_dict().values(), *self._optimizer_state(), self.window]]
        known = {id(x) for x, _ in saved}
        self._replay = captured(self._advance_on_device, self.device)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            for x, before in saved:
                x.copy_(before)
            for x in self._optimizer_state():  # state that was created by the captured steps starts at zero
                if id(x) not in known:
                    x.zero_()

    def _optimizer_state(self) -> list[torch.Tensor]:
        return [x for state in self.optimizer.state.values() for x in state.values() if isinstance(x, torch.Tensor)]


def _call(network: torch.nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return network(inputs)


def captured(function: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Capture a function as a CUDA graph and return what replays it; it must not wait for the device or read host memory.

    The function runs a few times before it is captured.
    """
    side = torch.cuda.Stream(device)
    side.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(side):
        for _ in range(WARM):
            function()
    torch.cuda.current_stream(device).wait_stream(side)
    torch.cuda.synchronize(device)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        function()
    return graph.replay


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished; without it, a clock would only measure how fast the host launches work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def seconds_per_step(steps: Steps, count: int) -> float:
    """Seconds per training step: the mean over many steps on an asynchronous device, else the median."""
    batches = max(1, len(steps.data.splits["train"]) // min(steps.config.batch_size, len(steps.data.splits["train"])))
    steps.begin(Draws(steps.config, steps.data, 0), [1e-3] * batches)
    for step in range(2):
        steps(step % batches)
    synchronize(steps.device)
    times, behind = [], steps.device.type != "cpu"
    for _ in range(3 if behind else count):
        each = count if behind else 1
        start = time.perf_counter()
        for step in range(each):
            steps((step + 2) % batches)
        synchronize(steps.device)
        times.append((time.perf_counter() - start) / each)
    return sorted(times)[len(times) // 2]
