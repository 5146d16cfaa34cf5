"""Families of published networks: S0's protocol on checkpoints that others have trained.

Nothing is trained here. Wide and narrow members are read (:mod:`empirical.own.families`), their features are compared by the
measures of width sweeps, and the table has the same columns, except those on training.

``plan``     members of a family -> comparisons
``measure``  the stage that runs a comparison; ``texts`` for encoders
``table``    finished comparisons -> one row per site and number of copies
``study``    the studies of the report
"""
