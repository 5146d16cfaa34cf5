"""Figures of the benchmarks that are kept with the project, and the README's table of speeds, which is written from them.

``python -m tests.bench --keep [TOPIC ...]`` measures, replaces the entries of these benchmarks in ``measured.json`` and writes
the table. Each entry has its own machine, versions and revision, because benchmarks may be repeated one at a time.
"""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lab.manifest import environment
from lab.store import write_atomically
from tests.bench.targets import judged

FILE = Path(__file__).with_name("measured.json")
README = Path(__file__).parents[2] / "README.md"
MARKS = ("<!-- speed -->", "<!-- end of speed -->")
RATIO = "median process time of the fastest peer over ours, interleaved rounds"

# topic -> what was compared with, and the statistic
COMPARED = {
    "sgd": ("PyTorch, JAX, NumPy; our full simulator for the span law", f"{RATIO}; shares: our rate over that named"),
    "relu_landscape": ("PyTorch, JAX, NumPy and plain Numba by hand",
                       f"{RATIO}; share: bound over ours; seconds: wall time on two cores"),
    "relu_table": ("no peer", "wall time on two cores, compiled before"),
    "graded_teacher": ("PyTorch, JAX, NumPy by hand", RATIO),
    "hull": ("scipy.optimize.nnls", RATIO),
    "moments": ("the bare BLAS products; scikit-learn's Ridge", "ratio of median process times, interleaved rounds"),
    "gaussian": ("NumPy", RATIO),
    "scaling": ("itself at another size", "peak memory; median wall time"),
    "compare": ("no peer", "wall time of the command"),
    "first_answer": ("no peer", "wall time of the slowest command, empty kernel cache"),
}
PEERS = ("torch", "jax", "numpy", "numba", "scipy", "scikit-learn")


def measured(results: dict[str, Any]) -> dict[str, Any]:
    """Entries for the file: of each benchmark its figures, machine, versions and revision."""
    facts = environment()
    here = {"processor": facts["processor"], "cores": facts["cores"], "platform": facts["platform"], "python": facts["python"],
            "versions": {name: found for name in PEERS if (found := _version(name))}}
    entries: dict[str, Any] = {topic: {"code": facts["code"], "environment": here, "figures": []} for topic in results}
    for target, figure in judged(results):
        entries[target.topic]["figures"].append({"what": target.what, "figure": figure, "target": target.target,
                                                 "at_least": target.at_least})
    return {topic: entry for topic, entry in entries.items() if entry["figures"]}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def read() -> dict[str, Any]:
    """The kept entries by topic."""
    kept: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return kept


def table(entries: dict[str, Any]) -> str:
    """The table in Markdown, and below it the machines and versions."""
    lines = ["| speed | measured | target | compared with | statistic |", "|---|---|---|---|---|"]
    machines: dict[str, list[str]] = {}
    for topic in (topic for topic in COMPARED if topic in entries):
        entry = entries[topic]
        machines.setdefault(_machine(entry["environment"]), []).append(topic)
        peers, statistic = COMPARED[topic]
        for row in entry["figures"]:
            sign = "≥" if row["at_least"] else "≤"
            lines.append(f"| {row['what']} | {row['figure']:.3g} | {sign} {row['target']:g} | {peers} | {statistic} |")
    for machine, topics in machines.items():
        lines.append(f"\n*Measured on {machine}{'' if len(machines) == 1 else ': ' + ', '.join(topics)}.*")
    return "\n".join(lines)


def _machine(facts: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return f"{facts['cores']} cores of {facts['processor']}, Python {facts['python']}, {versions}"


def keep(results: dict[str, Any]) -> None:
    """Replace the entries of these benchmarks, and write the README's table."""
    entries = {**read(), **measured(results)}
    write_atomically(FILE, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
    write_atomically(README, with_table(README.read_text(), entries))


def with_table(text: str, entries: dict[str, Any]) -> str:
    """A text whose table between the marks is written anew."""
    before, mark, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not (mark and end):
        raise ValueError(f"README.md has no pair of lines {MARKS[0]} and {MARKS[1]}")
    return f"{before}{MARKS[0]}\n{table(entries)}\n{MARKS[1]}{after}"
