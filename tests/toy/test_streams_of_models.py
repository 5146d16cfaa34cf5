"""No two draws of a toy model share a random stream: every address that a model opens, collected and looked at."""

from collections import Counter
from importlib import import_module

import numpy as np
import pytest

from lab.streams import recorded
from toy import (
    bumps,
    critical_points,
    double_descent,
    first_reach,
    graded_teacher,
    memorise,
    multi_view,
    polynomial,
    units,
)
from toy.graded_teacher.compare import compare
from toy.models import models
from toy.relu_landscape.model import initial_weights
from toy.relu_landscape.model import simulate as simulate_landscape
from toy.relu_landscape.tickets import perturb
from toy.teacher_student.model import simulate as simulate_teacher_student

GRADED = dict(strengths=(1.0, 0.5), direction_norm=1.0, dim=3, time_cap=1.0)
ONLINE = dict(dim=6, strengths=[1.0], learning_rate=0.5, noise=0.1, times=[0.0, 1.0], replicas=3)
FIT = dict(samples=20, epochs=2, replicas=2)

# model -> what it computes at several sizes; runs of one list belong to one table, so that all their draws must differ
RUNS = {
    "bumps": [lambda mode=mode, m=m: bumps.simulate(mode, bumps=m, replicas=3, times=(1.0,))
              for mode in ("slide", "cover") for m in (1, 3)],
    "critical-points": [lambda size=size, name=name: critical_points.simulate(name, size, 4, 2)
                        for name in ("relu", "field") for size in (2, 3)],
    "double-descent": [lambda: double_descent.simulate("network", features=(2, 3), samples=6, dim=3, replicas=2, epochs=2,
                                                       teacher_width=2)],
    "first-reach": [lambda w=w: first_reach.simulate(dim=4, width=w, copies=3, replicas=3, time_cap=1.0) for w in (1, 2)],
    "graded-teacher": [lambda w=w: graded_teacher.simulate(**GRADED, width=w, replicas=4) for w in (1, 2, 4)]
                      + [lambda: compare(**GRADED, width=1, copies=1, reference_width=4, replicas=3),
                         lambda: compare(**GRADED, width=2, copies=2, reference_width=2, replicas=2)],
    "memorise": [lambda: memorise.simulate(width=2, **FIT, looks=2)],
    "multi-view": [lambda w=w: multi_view.simulate(width=w, copies=3, replicas=3, time_cap=1.0) for w in (1, 2)],
    "polynomial": [lambda: polynomial.simulate((3, 4), samples=8), lambda: polynomial.simulate_networks(
        (2, 3), samples=8, replica=1, epochs=2)],
    "relu-landscape": [lambda n=n: simulate_landscape(2, n, 4, max_steps=3) for n in (2, 3)],
    "teacher-student": [lambda k=k: simulate_teacher_student(**ONLINE, width=k) for k in (1, 2, 20)]
                       + [lambda: simulate_teacher_student(**ONLINE, width=3, samples=5),
                          lambda: simulate_teacher_student(**ONLINE, width=2, method="span")],
    "units": [lambda: units.report(units.simulate(4, 30, 3, replicas=1, epochs=1, test_samples=16))],
}
for module in models():  # a model that is not listed is called with its defaults
    RUNS.setdefault(module.removeprefix("toy.").replace("_", "-"), [lambda module=module: import_module(module).simulate()])


@pytest.mark.parametrize("model", RUNS)
def test_no_two_draws_share_a_stream(model):
    with recorded() as addresses:
        for run in RUNS[model]:
            run()
    again = [address for address, times in Counter(addresses).items() if times > 1]
    assert addresses and not again
    assert {address[1] for address in addresses} == {model}  # no model can meet another's streams
    assert all(address[0] == 0 for address in addresses)


def test_replicas_and_seeds_are_numbers_of_the_address():
    with recorded() as addresses:
        multi_view.simulate(width=1, copies=2, replicas=2, seed=5, time_cap=1.0)
    assert sorted(a[-2:] for a in addresses) == [(0, 0), (0, 1), (1, 0), (1, 1)] and {a[0] for a in addresses} == {5}


def test_untrained_features_are_not_a_students_own_start():
    """With one copy both are as many: they must be other numbers (and so must the wide students' where widths agree)."""
    with recorded() as addresses:
        compare(**GRADED, width=2, copies=1, reference_width=2, replicas=2, seed=9)
    roles = Counter(address[4] for address in addresses)
    assert roles == {"narrow": 2, "wide": 4, "untrained": 2}


def test_a_narrow_start_is_no_part_of_a_wide_one():
    narrow, wide = initial_weights(2, 3, 4, 0), initial_weights(5, 3, 4, 0)
    assert not np.isin(narrow, wide).any()


def test_the_arms_of_a_ticket_draw_their_own():
    with recorded() as addresses:
        perturb(2, 3, 6)
    counts = Counter(addresses)
    rest = [a for a in counts if a[2] == "redrawn rest"]
    # the winners' starts are drawn again to be rewound, and nothing else is drawn twice
    assert all(times == 1 or a[2:4] == ("start", 3) for a, times in counts.items())
    assert all(a[2] in ("start", "redrawn rest") for a in counts) and len(rest) in (0, 6)
