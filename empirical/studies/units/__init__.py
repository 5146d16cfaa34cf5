"""Removable and repeated units of real networks against width, in sweeps of one hyperparameter at a time.

A run measures one network against its own start; the network is a run of its own, trained when it is missing, or one that a
width sweep has trained already. The table has one row for each network and place, ``site`` = "all" for all places together; the
claims are judged on those.

``plan``      a swept hyperparameter, widths and replicas -> the runs
``measure``   the stage that measures a network; networks are those of :mod:`empirical.studies.trained`
``table``     finished runs -> one row for each network and place
``evidence``  the table -> evidence for the claims of S1
``study``     the studies of the report, and what makes one
"""
