"""One thread: the networks of these tests are too small for more, which would wait for each other on a busy machine."""

from functools import partial

import pytest
import torch

from theory.measures import mlp_span_error

torch.set_num_threads(1)


@pytest.fixture
def short_fits(monkeypatch):
    """Nonlinear measures whose networks are hardly fitted: for tests that look at something else."""
    monkeypatch.setattr("theory.compare.on_rows.mlp_span_error", partial(mlp_span_error, iterations=2))
