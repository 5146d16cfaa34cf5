"""One set of features against another: span errors, similarities, probes, with nulls and baselines beside them.

:func:`compare` takes features of any origin, :func:`compare_all` those of many models. Width sweeps of real networks come
through the same functions:

``sites`` the measures that moments give · ``on_rows`` those that need rows
``blocks``, ``files``, ``splits`` what a user brings, and which rows are held out
``pair``, ``rowwise``, ``resample`` the numbers of one pair, what each row adds to them, and intervals from that
``features`` the public functions · ``result``, ``matrix``, ``picture`` what they return
"""

from lab.discover import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {
    "theory.compare.features": ["compare", "compare_all", "compare_moments"],
    "theory.compare.result": ["FeatureComparison"],
    "theory.compare.matrix": ["FeatureMatrix"],
    "theory.compare.sites": ["Site", "compare_site"],
})
