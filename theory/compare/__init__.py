"""One set of features against another: span errors, similarities, probes, with nulls and baselines beside them.

``sites`` the measures that moments give · ``on_rows`` those that need rows. Width sweeps of real networks come through both.
"""
