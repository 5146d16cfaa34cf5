"""Real networks: VGG, ResNet, Transformer, MLP over a sweep of widths (PyTorch).

``dir(empirical)`` shows what a script may use, and nothing is loaded before it is used:

    >>> import empirical
    >>> network = empirical.settings.Network(**empirical.settings.recipe("mlp", "digits"), alpha="1/2")
    >>> network.width
    Fraction(1, 2)

:func:`sweep` and :func:`from_module` do the whole of it, with the laboratory's networks or a user's own. Step by step,
``settings`` says what a run is, ``data``, ``models`` and ``train`` make trained networks, ``features`` and ``compare`` compare
their features, ``ablation`` and ``units`` look at single units, and ``hull`` at the hull of the training set; ``own`` takes any
module.
"""

from importlib import import_module

from lab.discover import lazy

MODULES = ("ablation", "compare", "data", "evaluate", "features", "hull", "models", "own", "settings", "train", "units")
_function, __dir__, __all__ = lazy(__name__, {".own.module": ["from_module"], ".sweep": ["Sweep", "sweep"]})
__all__ += MODULES


def __getattr__(name: str) -> object:
    return import_module(f"{__name__}.{name}") if name in MODULES else _function(name)
