"""Width sweeps of real networks: concatenated copies of every width against one wide network.

Each replica has its own wide network, its own second wide network as the baseline, and its own copies at every width. Built-in
data sets are split differently for each replica. There is one module per step from a setting to a claim:

``plan``      setting, widths and replicas -> the runs
(``train``)   a network, or a stack of copies: the stage of :mod:`empirical.studies.trained`
``compare``   the stage that compares the copies with the wide network: features, then measures
``table``     finished comparisons -> one row for each site and number of copies
``summary``   the table -> means and intervals over replicas, for each width
``evidence``  the table -> evidence for the claims of S0
``study``     the studies made of these steps; those of the report are declared in ``digits``, ``images`` and ``pairs``
``causes``    interventions that could refute explanations of differences between settings
"""
