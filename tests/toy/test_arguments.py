"""Every argument of every toy model and prediction refuses what is no count, seed, rate or choice, and says which it was."""

import inspect
import math
from fractions import Fraction
from importlib import import_module

import numpy as np
import pytest

import theory.span
from lab.errors import InputError
from toy import bumps, double_descent, first_reach, graded_teacher, memorise, multi_view, polynomial, relu_landscape
from toy.graded_teacher.compare import compare
from toy.models import models
from toy.relu_landscape.tickets import perturb
from toy.teacher_student import model as teacher_student
from toy.units import model as units

NAN, INF = math.nan, math.inf
NO_NUMBER = [NAN, True, np.True_, "1", 1j, np.ma.masked, np.ones(2)]
NO_COUNT = [*NO_NUMBER, 1.5, 8.0, np.float64(2), -1, INF, 10**12, Fraction(1, 2)]
BAD = {
    "count": [*NO_COUNT, 0],
    "whole": NO_COUNT,
    "seed": [*NO_NUMBER, 1.5, -1, INF, 2**64],
    "positive": [*NO_NUMBER, 0, -1, INF],
    "not negative": [*NO_NUMBER, -1, INF],
    "cap": [*NO_NUMBER, 0, -1],
    "share": [*NO_NUMBER, -0.1, 1.1],
    "counts": [[], [0], [1.5], [True], ["3"], "34", 3, np.array([1.5]), [NAN]],
    "numbers": [[], [NAN], [INF], ["1"], [1j], "12", [True, 1.0], np.ma.array([1.0, 2.0], mask=[0, 1]), [[1.0], [2.0]]],
    "choice": ["nonsense", 1, None, True, ["slide"]],
    "switch": [1, "no", None, 0.0],
}
KINDS = {
    **dict.fromkeys(("bumps", "replicas", "samples", "dim", "width", "copies", "epochs", "batch_size", "teacher_width",
                     "max_steps", "power", "looks", "waves", "harmonics", "test_samples", "degree", "reference_width",
                     "size", "starts", "rows", "other_width", "points", "fresh"), "count"),
    **dict.fromkeys(("replica", "first_replica"), "whole"),
    "seed": "seed",
    **dict.fromkeys(("half_line", "bump_width", "init_scale", "init_readout", "learning_rate", "learning_rate_decay",
                     "second_strength", "target_loss", "margin", "direction_norm", "tolerance", "rtol", "atol", "reach",
                     "above_floor"), "positive"),
    **dict.fromkeys(("noise", "noise_variance", "ridge", "weight_decay", "readout_learning_rate", "momentum", "gradient_tol"),
                    "not negative"),
    "time_cap": "cap", "threshold": "share", "spurious_at_teacher": "share", "label_noise": "share",
    **dict.fromkeys(("features", "degrees", "widths"), "counts"),
    **dict.fromkeys(("times", "strengths", "ridges"), "numbers"),
    **dict.fromkeys(("mode", "family", "method", "task", "init", "activation", "condition", "landscape", "law"), "choice"),
    **dict.fromkeys(("balanced", "same_data", "accelerate", "small_rate"), "switch"),
}
OTHER = {"progress", "start", "threads", "time_limit", "teacher_activation", "teacher_directions"}
ONLINE = {"samples": "whole", "learning_rate": "not negative", "init_scale": "not negative", "init_readout": None}

# function -> a valid call, and arguments of another kind here
CALLS = {
    bumps.simulate: ({}, {}),
    bumps.predict: ({}, {}),
    double_descent.simulate: ({"family": "network"}, {"teacher_width": "whole"}),
    double_descent.predict: ({}, {"teacher_width": "whole"}),
    first_reach.simulate: ({}, {}),
    first_reach.predict: ({}, {}),
    multi_view.simulate: ({}, {}),
    multi_view.predict: ({}, {}),
    memorise.simulate: ({}, {"target_loss": "not negative"}),
    memorise.predict: ({}, {"target_loss": "not negative"}),
    polynomial.simulate: ({}, {}),
    polynomial.simulate_networks: ({}, {}),
    relu_landscape.simulate: ({"teacher_width": 2, "width": 2},
                              {"dim": "dim or none", "max_steps": "steps", "target_loss": None}),
    relu_landscape.predict: ({"teacher_width": 2, "width": 2, "spurious_at_teacher": 0.5}, {"dim": "dim or none"}),
    perturb: ({"teacher_width": 2, "width": 3}, {"dim": "dim or none"}),
    graded_teacher.simulate: ({"strengths": (1.0, 0.5)}, {"times": "numbers or none", "target_loss": None}),
    compare: ({"strengths": (1.0, 0.5)}, {}),
    theory.span.predict: ({"strengths": (1.0, 0.5)}, {}),
    teacher_student.simulate: ({}, ONLINE),
    teacher_student.predict: ({}, ONLINE),
    units.simulate: ({}, {"epochs": "whole"}),
    units.predict: ({}, {"epochs": "whole"}),
}
for package in map(import_module, models()):  # a model that is not listed is called with its defaults
    for function in filter(None, (getattr(package, name, None) for name in ("simulate", "predict"))):
        CALLS.setdefault(function, ({}, {}))
BAD |= {"numbers or none": BAD["numbers"][1:], "dim or none": BAD["count"],
        "steps": [v for v in BAD["count"] if not isinstance(v, int) or v <= 1]}


def cases():
    for function, (call, special) in CALLS.items():
        for name in sorted(inspect.signature(function).parameters):
            kind = special.get(name, None if name in OTHER | set(special) else KINDS.get(name, "unknown"))
            if kind is not None:
                yield pytest.param(function, call, name, kind, id=f"{function.__module__}.{function.__name__}-{name}")


@pytest.mark.parametrize("function, call, name, kind", list(cases()))
def test_bad_values_are_refused_by_name(function, call, name, kind):
    assert kind in BAD, f"say in KINDS of what kind the argument {name} of {function.__module__} is"
    for value in BAD[kind]:
        with pytest.raises(InputError) as refusal:
            function(**{**call, name: value})
        assert name in str(refusal.value) and "\n" not in str(refusal.value)


def test_numpy_numbers_are_welcome():
    found = multi_view.predict(np.float32(0.5), np.int64(4), np.uint8(2), np.int32(3), np.uint64(1))
    assert found == multi_view.predict(0.5, 4, 2, 3, 1)


def test_more_than_the_memory_holds_is_refused_at_once():
    for call in (lambda: multi_view.simulate(width=10**6, copies=10**4, replicas=10**6),
                 lambda: bumps.simulate(bumps=10**6, replicas=10**6),
                 lambda: memorise.simulate(width=10**9),
                 lambda: teacher_student.simulate(dim=10**9, replicas=1000)):
        with pytest.raises(InputError, match=r"GB of memory"):
            call()
