"""Points in a hull: simulation against exact formulas."""

import numpy as np
import pytest

from toy.hull_threshold import predict, simulate


@pytest.mark.parametrize("law, points, dim", [("ball", 40, 2), ("gaussian", 30, 3)])
def test_simulation_against_theory(law, points, dim):
    found, theory = simulate(law, points, dim, fresh=40, replicas=30), predict(law, points, dim)
    for measured, expected in ((found.fresh, theory.fresh), (found.interior, theory.interior)):
        assert abs(measured.mean() - expected) < 4.5 * measured.std(ddof=1) / np.sqrt(30)


def test_few_points_are_vertices_and_hold_nothing():
    found = simulate(points=5, dim=9, fresh=20, replicas=2)
    assert not found.fresh.any() and not found.interior.any()
