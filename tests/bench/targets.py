"""What the benchmarks have to reach: targets, and floors below which ``make bench`` fails.

A floor is the target or, where that has not been reached yet, guards what is there. Both are meant for an idle machine; on a
loaded one ratios move by a tenth and wall times by more.
"""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """One figure of a benchmark and its bound.

    Attributes
    ----------
    topic : str
        Name of the benchmark.
    what : str
        What is compared, in words.
    value : callable
        The figure, from the JSON object of the benchmark.
    target : float
        What it should reach.
    floor : float or None
        What it must reach; None for the target itself.
    at_least : bool
        Whether large figures are good.
    reason : str
        Why the floor is not the target.
    """

    topic: str
    what: str
    value: Callable[[Any], float]
    target: float
    floor: float | None = None
    at_least: bool = True
    reason: str = ""

    @property
    def bound(self) -> float:
        """The floor."""
        return self.target if self.floor is None else self.floor

    def holds(self, figure: float, bound: float) -> bool:
        """Whether a figure is within a bound."""
        return figure >= bound if self.at_least else figure <= bound


def _group(name: str, key: str) -> Callable[[Any], float]:
    return lambda found: found["summary"][name][key]


def _wide_batches(value: Callable[[Any], float]) -> Callable[[Any], float]:
    """Geometric mean of a figure over the rows of online SGD with batch 32 and width 64 and more."""
    return lambda found: statistics.geometric_mean(
        value(row) for row in found["rows"] if row["batch"] == 32 and row["width"] >= 64)


NOT_YET = "not reached yet; the floor guards what is there"
LARGE_KERNELS = ("hull-threshold", "teacher-student")

TARGETS = (
    Target("sgd", "online SGD, batch 1, width ≤ 16: fastest library over ours, geometric mean",
           _group("batch 1, width <= 16", "geometric_mean"), 12, 10),
    Target("sgd", "online SGD, batch 1, width ≥ 64", _group("batch 1, width >= 64", "geometric_mean"), 8),
    Target("sgd", "online SGD, batch 32", _group("batch 32", "geometric_mean"), 6),
    Target("sgd", "online SGD, batch 32, worst cell", _group("batch 32", "smallest"), 3.5, 3,
           reason="3.3 to 3.8 on a shared core, at 256 neurons and inputs: torch's products are as fast, and without any waiting "
                  "of ours 4.4 is the bound"),
    Target("sgd", "online SGD, batch 32, width ≥ 64: share of the fastest matrix product's rate",
           _wide_batches(lambda row: row["share_of_peak"]), .6, .5,
           reason="instructions allow .66 of the multiply units' rate: .45 and .50 at 16 inputs, where activation, sampling and "
                  "labels take as long as the products (--plot)"),
    Target("sgd", "online SGD, batch 32, width ≥ 64: share of the bound that its instructions set",
           _wide_batches(lambda row: row["share_of_units"] / row["bound"]), .75, .5,
           reason="a neighbour on the core takes half of the loads, and none of the multiplications from registers"),
    Target("sgd", "span law against the full simulator", _group("span law", "geometric_mean"), 25),
    Target("relu_landscape", "gradient of the ReLU landscape: best peer by hand over ours",
           lambda found: found["gradient"]["ratio_to_best"], 8, 6,
           reason="32,000 instructions on vectors of eight allow 9 to 11 at the core's rate; three quarters of it are reached on "
                  "one block of eight, and two thirds where weights come from the second-level cache"),
    Target("relu_landscape", "gradient of the ReLU landscape: share of the bound that its instructions set",
           lambda found: found["parts"]["bound"] / found["parts"]["whole"], .75, .6, reason="cores may be shared"),
    Target("relu_landscape", "1,000 runs k = n = 20 by minimisation, s", lambda found: found["runs"]["minimise"]["seconds"],
           .5, .9, at_least=False, reason="740 steps a run, of 1.1 µs on an idle core: 0.41 s on two; cores may be shared"),
    Target("relu_landscape", "1,000 runs k = n = 20 by flow, s", lambda found: found["runs"]["flow"]["seconds"], 3.5, 4.5,
           at_least=False, reason="up to a third longer on shared cores"),
    Target("relu_table", "table of Safran & Shamir, 45 cells of 1,000 runs, s", lambda found: found["seconds"], 90, 130,
           at_least=False, reason="most of it are the plain steps that choose the minimum; slow tails, which took 30 s at k = "
                                  "17, n = 18, are followed as flows; cores may be shared"),
    Target("graded_teacher", "gradient of the graded teacher: best peer by hand over ours, geometric mean",
           lambda found: found["geometric_mean_over_best_by_hand"], 8),
    Target("graded_teacher", "gradient of the graded teacher, worst case",
           lambda found: min(row["smallest_by_hand"] for row in found["cases"]), 8),
    Target("hull", "hull of 5,000 points, d = 64: nnls over ours", lambda found: found["hull"][0]["ratio"], 17),
    Target("hull", "hull of 5,000 points, d = 512", lambda found: found["hull"][1]["ratio"], 80),
    Target("moments", "pass over 50,000 × 1,024 float32 features, over the bare products",
           lambda found: found["pass"]["ratio_to_bare"]["moments"], 1.2, at_least=False),
    Target("moments", "pass over float64 features, over the bare float64 products",
           lambda found: found["pass"]["ratio_to_bare"]["moments_of_float64"], 1.2, at_least=False),
    Target("moments", "ten ridges: scikit-learn over ours", lambda found: found["ridge"]["sklearn_over_ours"], 5),
    Target("gaussian", "a million I4: NumPy over ours", lambda found: found["ratio_numpy"]["i4"], 5),
    Target("scaling", "memory of the SGD simulator over its weights, worst cell", lambda found: max(found["memory"].values()),
           1.2, at_least=False),
    Target("scaling", "two threads over one, worst case", lambda found: min((found["threads"] or {"one core": 2}).values()), 1.8),
    Target("compare", "two files of 50,000 × 1,024 features compared, with picture: s", lambda found: found["wall"], 60,
           at_least=False),
    Target("first_answer", "any toy command with an empty cache says something, s", lambda found: found["slowest_word"], 2,
           at_least=False),
    Target("first_answer", "a toy command with an empty cache, other than those with large kernels, has answered, s",
           lambda found: max(row["answer"] for row in found["commands"] if row["model"] not in LARGE_KERNELS), 8, 12,
           at_least=False, reason=NOT_YET),
    Target("first_answer", "any toy command with an empty cache has answered, s", lambda found: found["slowest_answer"], 8, 26,
           at_least=False, reason="one kernel of the hull, and one of the online simulator, take most of it: each on one core"),
)


def judged(results: dict[str, Any]) -> Iterator[tuple[Target, float]]:
    """Each target whose benchmark ran, with its figure."""
    for target in TARGETS:
        if target.topic in results:
            yield target, float(target.value(results[target.topic]))


def line(target: Target, figure: float) -> str:
    """A figure beside its target, in words: reached, above its floor, or broken."""
    sign = "≥" if target.at_least else "≤"
    if target.holds(figure, target.target):
        verdict = "reached"
    elif target.holds(figure, target.bound):
        verdict = f"above its floor {target.bound:g}: {target.reason}" if target.reason else f"above its floor {target.bound:g}"
    else:
        verdict = f"BROKEN: the floor is {target.bound:g}"
    return f"{figure:8.3g}  (target {sign} {target.target:g})  {target.what} – {verdict}"
