"""Real networks: VGG, ResNet, Transformer, MLP over a sweep of widths (PyTorch).

``dir(empirical)`` shows what a script may use; modules are loaded on first use:

    >>> import empirical
    >>> network = empirical.settings.Network(**empirical.settings.recipe("mlp", "digits"), alpha="1/2")
    >>> network.width
    Fraction(1, 2)

:func:`sweep` and :func:`from_module` do everything in one call, with the laboratory's networks or a user's own. For single steps,
``settings`` defines runs, ``data``, ``models`` and ``train`` give trained networks, ``features`` and ``compare`` compare their
features, ``ablation`` and ``units`` examine single units, ``hull`` examines the hull of the training set, and
``own`` takes any module.
"""

from importlib import import_module

from lab.discover import lazy

MODULES = ("ablation", "compare", "data", "evaluate", "features", "hull", "models", "own", "settings", "train", "units")
_function, __dir__, __all__ = lazy(__name__, {".own.module": ["from_module"], ".sweep": ["Sweep", "sweep"]})
__all__ += MODULES


def __getattr__(name: str) -> object:
    return import_module(f"{__name__}.{name}") if name in MODULES else _function(name)
