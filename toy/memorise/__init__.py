"""Memorise or generalise: decision regions on a low-dimensional manifold along training (S2's discussion)."""

from toy.memorise.model import History, make_data, simulate
from toy.memorise.regions import Regions, follow, regions

__all__ = ["History", "Regions", "follow", "make_data", "regions", "simulate"]
