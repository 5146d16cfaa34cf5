"""Do test points lie outside the hull of the training set, and is that more than an effect of dimension? (S3)

One run is one space of one data set: pixels, wavelet coefficients, or features of a trained network at a site, each in full or
reduced to ``dim`` principal components. The measures and controls are those of :mod:`empirical.hull.measure`.

``plan``      definition and checks of a run
``measure``   the stage that measures a space; networks are those of :mod:`empirical.studies.trained`
``table``     finished runs -> one row per space
``evidence``  the table -> evidence for the claims of S3
``study``     the studies of the report
"""
