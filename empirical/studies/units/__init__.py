"""Removable and repeated units of real networks by width, in sweeps over one hyperparameter at a time.

A run compares one network with its own initialisation. The network is a separate run, which is trained if it is missing, or a
network of a width sweep. The table has one row per network and place, with ``site`` = "all" for all places together; the claims
are judged on the latter.

``plan``      a swept hyperparameter, widths and replicas -> the runs
``measure``   the stage that measures a network; networks are those of :mod:`empirical.studies.trained`
``table``     finished runs -> one row per network and place
``evidence``  the table -> evidence for the claims of S1
``study``     the studies of the report, and the function that makes them
"""
