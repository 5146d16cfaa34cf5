"""Measures of features: pure functions of :class:`theory.moments.Moments`, or of rows where moments do not suffice.

``span`` span error, gap, probe by regression · ``similarity`` CKA, CCA, Procrustes · ``units`` effective rank, repeated
and predictable units · ``residual`` residual features and their controls · ``null`` permutation nulls · ``fitted`` what
fitted measures are scored on · ``nonlinear`` kernel span error and logistic probe (not imported here, nor scikit-learn
with it, until it is asked for by name).
"""

from theory.measures.fitted import IN_SAMPLE, FewRows
from theory.measures.null import permutation_null, shuffled_moments, shuffled_rows, subset_rows
from theory.measures.residual import with_noise, with_residual
from theory.measures.similarity import (
    canonical_correlations,
    debiased_cka,
    linear_cka,
    mean_squared_cca,
    procrustes_distance,
    procrustes_similarity,
    rows_per_unit,
    svcca,
)
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
from theory.measures.units import (
    Repeated,
    compressibility,
    correlations,
    effective_rank,
    predictability,
    repeated_units,
    spectrum,
)

__all__ = [
    "IN_SAMPLE", "RIDGE", "RIDGES", "FewRows", "Repeated", "RidgeChoice", "canonical_correlations", "choose_ridge",
    "compressibility", "correlations", "debiased_cka", "effective_rank", "linear_cka", "mean_squared_cca", "one_hot",
    "permutation_null", "predictability", "probe_error", "procrustes_distance", "procrustes_similarity",
    "repeated_units", "ridge_map", "rows_per_unit", "shuffled_moments", "shuffled_rows", "span_error", "span_gap",
    "spectrum", "subset_rows", "svcca", "with_noise", "with_residual",
]
