"""Comparing two sets of features: span errors, similarities, probes, with their nulls and baselines.

:func:`compare` takes features of any origin, :func:`compare_all` those of many models. Width sweeps of real networks use the
same functions:

``sites`` the measures that follow from moments · ``on_rows`` those that need rows
``blocks``, ``files``, ``splits`` input of features and files, and which rows are held out
``pair``, ``rowwise``, ``resample`` the numbers of one pair, each row's contribution to them, and intervals from these
``features`` the public functions · ``result``, ``matrix``, ``picture`` what they return
"""

from lab.discover import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {
    "theory.compare.features": ["compare", "compare_all", "compare_moments"],
    "theory.compare.result": ["FeatureComparison"],
    "theory.compare.matrix": ["FeatureMatrix"],
    "theory.compare.sites": ["Site", "compare_site"],
})
