"""Width sweeps of real networks: every width's copies, concatenated, against one wide network.

Replica s has its own wide network, a second one of its own as its baseline, and its own copies at every width. Data that are part
of the laboratory are split for each replica anew. One module for each step from a setting to a claim:

``plan``      setting, widths and replicas -> the runs
(``train``)   a network, or a stack of copies: the stage of :mod:`empirical.studies.trained`
``compare``   the stage that compares the copies with the wide network: features, then measures
``table``     finished comparisons -> one row for each site and number of copies
``summary``   the table -> means and intervals over replicas, for each width
``evidence``  the table -> evidence for the claims of S0
``study``     what makes a study of these; those of the report are declared in ``digits``, ``images`` and ``pairs``
``causes``    interventions that could refute what explains a difference between settings
"""
