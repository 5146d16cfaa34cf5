"""Exact and simulated toy models (NumPy and Numba), one package or file each: see ``dir(toy)``. Never loads torch."""

from importlib import import_module


def _names() -> list[str]:
    from toy.models import models

    return [module.rpartition(".")[2] for module in models()]


def __getattr__(name: str):
    if name.startswith("_") or name not in _names():
        raise AttributeError(f"module 'toy' has no attribute {name!r}")
    return import_module(f"toy.{name}")


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *_names()})
