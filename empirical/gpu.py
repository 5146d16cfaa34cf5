"""The study for one GPU with a time limit: it runs what fits, writes only complete tables, and reports what is missing.

The device trains networks and reads features, replica by replica, while processes on the CPU compute the measures, which need
only the stored moments. A run is started only if it is expected to end in time, given how long such runs have taken on this
device.
"""

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from empirical.data import Dataset
from empirical.features import Features, read_facts
from empirical.networks import steps_of
from empirical.settings import Comparison, Network
from empirical.steps import Way, seconds_per_step
from empirical.studies import gpu as study
from empirical.studies.trained import TRAIN
from empirical.studies.width.compare import COMPARE, read, store
from lab import manifest
from lab.cli import note, say
from lab.errors import InputError
from lab.files import read_object, reading
from lab.stages import stage_of
from lab.store import RunStore, read_result, write_atomically
from lab.study import compute
from lab.sweep import Workers, execute

CANDIDATES = {"grouped": Way(), "grouped, graph": Way(graph=True), "apart": Way(apart=True),
              "apart, graph": Way(apart=True, graph=True)}
COMPILED = {"apart, graph, compiled": Way(apart=True, graph=True, compile=True)}
WAYS = "ways.json"  # timings on this device, stored with the runs, so that a resumed study plans the same
TAIL = 40.0  # assumed seconds for the measures after the last replica, until they have been timed here
MARGIN = 1.15  # safety factor on the expected time of training


class Clock:
    """The time left, and the time taken by every stage."""

    def __init__(self, minutes: float):
        self.start = time.monotonic()
        self.end = self.start + 60 * minutes
        self.stages: dict[str, float] = {}

    @property
    def left(self) -> float:
        """Seconds left; negative after the end."""
        return self.end - time.monotonic()

    @contextmanager
    def stage(self, name: str):
        """Context that adds its duration to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages[name] = round(self.stages.get(name, 0.0) + time.perf_counter() - start, 2)


def read_ways(path: Path) -> dict:
    """Earlier timings, by device and network.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    remedy = "delete it, and the ways will be timed again"
    with reading(path, "a record of measured ways", remedy):
        timings = read_object(path, "a record of measured ways", remedy) or {}
        for entry in timings.values():
            Way(**entry["way"])
            float(entry["seconds"]), entry["alpha"], entry["stack"], entry["images_per_second"], entry["tried"]
    return timings


def measured_ways(configs: Sequence[Network], data: Dataset, device: torch.device, folder: Path, *, steps: int = 10,
                  candidates: dict[str, Way] | None = None) -> dict[str, dict]:
    """The fastest way to train each width's stack on this device, measured once and stored with the runs.

    Parameters
    ----------
    configs : sequence of Network
        One stack per width.
    data : Dataset
        Data on the device.
    device : torch.device
        Device to measure.
    folder : Path
        Folder of the run store.
    steps : int
        Number of steps to time.
    candidates : dict of str to Way, optional
        Name -> way; by default :data:`CANDIDATES`.

    Returns
    -------
    dict
        alpha -> ``way``, ``seconds`` per step of the whole stack, ``images_per_second`` (over all its members), and ``tried``,
        the seconds of every way.
    """
    path, name = Path(folder) / WAYS, manifest.environment().get("gpu", str(device))
    known = read_ways(path)
    for config in configs:
        key = f"{name}, {config.arch}, width {config.base_width} x {config.alpha}, batch {config.batch_size}"
        if key not in known:
            tried: dict[str, float] = {}
            ways: dict[str, Way] = {}
            for label, way in (candidates or CANDIDATES).items():
                way = way.on(device, config)
                if way in ways.values():
                    continue
                tried[label] = seconds_per_step(steps_of(config, data, device, way), steps)
                ways[label] = way
                torch.cuda.empty_cache() if device.type == "cuda" else None
            best = min(tried, key=lambda label: tried[label])
            known[key] = {"alpha": config.alpha, "stack": config.stack, "way": asdict(ways[best]), "seconds": tried[best],
                          "images_per_second": round(config.stack * config.batch_size / tried[best]), "tried": tried}
            write_atomically(path, json.dumps(known, indent=1) + "\n")
        best_known = known[key]
        say(f"alpha {config.alpha:>5} x{config.stack:<3} {1000 * best_known['seconds']:.2f} ms per step, "
            f"{best_known['images_per_second']:,} images per second ("
            + ", ".join(f"{label} {1000 * s:.2f}" for label, s in best_known["tried"].items()) + ")")
    return {entry["alpha"]: {**entry, "way": Way(**entry["way"])} for entry in known.values()}


def stacks(scale: str = "published") -> list[Network]:
    """One network, or stack of copies, per width of the study."""
    networks = {config.alpha: config for config in TRAIN.of(study.declared(scale))}
    return sorted(networks.values(), key=lambda network: -network.width)


def estimate(ways: dict[str, dict], data: Dataset) -> dict[str, float]:
    """Expected seconds for training a stack, by alpha: its steps, plus a tenth for evaluation and storage."""
    count = len(data.splits["train"])
    return {network.alpha: 1.1 * ways[network.alpha]["seconds"] * network.epochs * (count // network.batch_size)
            for network in stacks() if network.alpha in ways}


@dataclass
class Session:
    """The study in progress.

    Attributes
    ----------
    store : RunStore
        Store for runs and tables.
    data : Dataset
        Data on the device.
    data_dir : str or None
        Folder of the data.
    device : torch.device
        Device on which networks are trained and features read.
    ways : dict
        Result of :func:`measured_ways`.
    clock : Clock
        Time limit of the work.
    expected : dict of str to float
        Seconds of training by alpha: first estimated, then measured.
    failed : list of str
        Reasons of failed runs.
    written : list of str
        Scales whose tables have been written.
    tail : float
        Seconds of measures after the last replica.
    """

    store: RunStore
    data: Dataset
    data_dir: str | None
    device: torch.device
    ways: dict[str, dict]
    clock: Clock
    expected: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    tail: float = TAIL

    def __post_init__(self):
        self.experiment = self.store.root / study.NAME
        self.expected = self.expected or estimate(self.ways, self.data)
        self._pending: dict[Comparison, Future] = {}  # futures of the writer, whose results are the futures of the measures
        self._writer = ThreadPoolExecutor(1)  # stores features while the device goes on training

    def carry_out(self, workers: Workers) -> None:
        """Work tier by tier and replica by replica until all is done or the time is over; write tables when they are complete."""
        for scale, (seeds, _) in study.TIERS.items():
            for seed in seeds:
                if not self._replica(scale, seed, workers):
                    note(f"stopping: the {self.clock.left:.0f} s left are not enough for another replica")
                    return self._finish()
                self._write()
        self._finish()

    def _replica(self, scale: str, seed: int, workers: Workers) -> bool:
        """Train and read what is missing of one replica; returns False if the time is not sufficient."""
        comparisons = [c for c in COMPARE.of(study.on(self.data, scale)) if c.seed == seed
                       and not self.done(c) and c not in self._pending]
        networks = [n for n in dict.fromkeys(n for c in comparisons for n in c.networks()) if not self.done(n)]
        needed = MARGIN * sum(self.expected[n.alpha] for n in networks) + self.tail
        if comparisons and self.clock.left < needed:
            return False
        for network in networks:
            if not self._train(network):
                return True  # continue with the other replicas
        unread = [c for c in comparisons if read_facts(COMPARE.folder(self.experiment, c)) is None]
        features = None
        if unread:
            with self.clock.stage("features"):
                features = read(unread, self.experiment, self.data, self.device, apart=True).settled()
        for config in comparisons:
            self._pending[config] = self._writer.submit(self._measure, config, features if config in unread else None, workers)
        return True

    def _measure(self, config: Comparison, features: Features | None, workers: Workers) -> Future:
        """Store the features of a comparison, and submit its measures to a process."""
        if features is not None:
            store(features, [config], self.experiment, self.data, self.device)
        return workers.submit(execute, COMPARE.run, config, COMPARE.folder(self.experiment, config), COMPARE.schema,
                              {"device": "cpu", "data_dir": self.data_dir})

    def _train(self, network: Network) -> bool:
        start = time.perf_counter()
        with self.clock.stage(f"training, alpha {network.alpha}"):
            problem = execute(TRAIN.run, network, TRAIN.folder(self.experiment, network), TRAIN.schema, {
                "device": str(self.device), "data_dir": self.data_dir, "way": self.ways[network.alpha]["way"]})
        took = time.perf_counter() - start
        self.expected[network.alpha] = took
        if problem:
            self.failed.append(problem)
            note(f"failed: {problem}")
            return False
        result = TRAIN.obtain(network, self.experiment)["result"]
        accuracy = sum(result["test"]["accuracy"]) / network.stack
        say(f"seed {network.seed}, alpha {network.alpha}: {took:.1f} s, test accuracy {accuracy:.4f}; "
            f"{self.clock.left:.0f} s left")
        return True

    def _finish(self) -> None:
        """Wait for the measures while there is time, then write the complete tables."""
        with self.clock.stage("measures after the last training"):
            for future in self._pending.values():
                try:
                    problem = future.result(max(0.0, self.clock.left - 5)).result(max(0.0, self.clock.left - 5))
                except TimeoutError:
                    break
                except Exception as error:  # e.g. a killed worker or a full disk; the other measures are not affected
                    problem = f"{type(error).__name__}: {error}"
                if problem:
                    self.failed.append(problem)
        self._writer.shutdown(wait=False, cancel_futures=True)
        self._write()

    def _write(self) -> None:
        """Write the table of the largest complete tier, if it is new."""
        whole = [scale for scale in study.TIERS if all(self.done(c) for c in study.on(self.data, scale))]
        if whole and whole[-1] not in self.written:
            with self.clock.stage("tables"):
                compute(study.STUDY, whole[-1], store=self.store, configs=study.on(self.data, whole[-1]))
            self.written.append(whole[-1])
            say(f"the table of scale {whole[-1]!r} is complete: {self.store.root}/tables/{study.NAME}.csv")

    def done(self, config) -> bool:
        """Whether a run is finished."""
        stage = stage_of(study.STUDY.stages, config)
        return read_result(stage.folder(self.experiment, config)) is not None

    def missing(self) -> dict[str, int]:
        """The number of unfinished runs, by tier."""
        return {scale: sum(not self.done(c) for c in study.on(self.data, scale)) for scale in study.TIERS}


def bench_pass(data: Dataset, device: torch.device) -> dict:
    """Seconds for accumulating the moments of one replica's features and storing them, with random networks of every width."""
    import tempfile

    from empirical.features import extract
    from empirical.networks import start

    wide, *narrow = stacks()
    models = {name: start(replace(wide, seed=i), data, device, Way()).eval()
              for i, name in enumerate(("wide", "other", "untrained"))}
    models |= {f"{n.alpha} narrow0": start(n, data, device, Way(apart=True)).eval() for n in narrow}
    for turn in range(2):  # the first one is a warm-up
        begin = time.perf_counter()
        features = extract(models, data, ("penultimate",), shuffle="wide")
        read_seconds = time.perf_counter() - begin
        begin = time.perf_counter()
        for sites in features.moments.values():
            sites["penultimate"].variance("wide")
        settle_seconds = time.perf_counter() - begin
        if turn:
            begin = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                features.save(Path(folder))
            return {"read_seconds": read_seconds, "to_host_seconds": settle_seconds,
                    "store_seconds": time.perf_counter() - begin}
    raise InputError("nothing was timed")
