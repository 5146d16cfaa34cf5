"""Families of published networks: S0's protocol on checkpoints that others have trained.

Nothing is trained here: wide and narrow members are read (:mod:`empirical.own.families`), their features go through the measures
of width sweeps, and the table has the columns of theirs, but for those on training.

``plan``     members of a family -> comparisons
``measure``  the stage that carries one out; texts for encoders
``table``    finished comparisons -> one row for each site and number of copies
``study``    the studies of the report
"""
