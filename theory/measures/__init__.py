"""Measures: pure functions of :class:`theory.moments.Moments` (and, where moments do not suffice, of rows)."""

from theory.measures.similarity import linear_cka
from theory.measures.span import (
    RIDGE,
    RIDGES,
    RidgeChoice,
    choose_ridge,
    one_hot,
    probe_error,
    ridge_map,
    span_error,
    span_gap,
)

__all__ = ["RIDGE", "RIDGES", "RidgeChoice", "choose_ridge", "linear_cka", "one_hot", "probe_error", "ridge_map",
           "span_error", "span_gap"]
