"""A user's own networks and data, for the same measures, sweeps and claims as those of the laboratory.

``names``     functions by their names, ``package.module:function``, and checksums of their sources
``network``   a module behind the interface of a stack (:mod:`empirical.models`)
``places``    the features in a module: sites, units, the readout
``data``      arrays, data sets and loaders as an :class:`empirical.data.Dataset`
``module``    features of any module on any loader, without a sweep
``families``  published checkpoints of several widths, read from a folder

An architecture is a function of the width multiplier that returns a module; a data set is a function that returns arrays, a data
set or loaders. :mod:`empirical.sweep` takes them by name in place of the laboratory's.
"""

from lab.discover import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {".module": ["ModuleFeatures", "from_module"]})
