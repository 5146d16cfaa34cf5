"""A user's own networks and data, brought to the same measures, sweeps and claims as those of the laboratory.

``names``     functions by their names, ``package.module:function``, and what they are made of
``network``   a module behind the interface of a stack (:mod:`empirical.models`)
``places``    where a module's features are: sites, units, the readout
``data``      arrays, data sets and loaders as an :class:`empirical.data.Dataset`
``module``    features of any module on any loader, without a sweep
``families``  published checkpoints of several widths, read from a folder

An own architecture is a function of the width multiplier that returns a module, an own data set a function that returns
arrays, a data set or loaders; :mod:`empirical.sweep` takes them by name in place of the laboratory's.
"""

from lab.discover import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {".module": ["ModuleFeatures", "from_module"]})
