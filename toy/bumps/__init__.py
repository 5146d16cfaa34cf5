"""Bumps on the line: slide one, or spawn many (see :mod:`theory.bumps`)."""

from toy.bumps.model import MODES, Bumps, predict, simulate

__all__ = ["MODES", "Bumps", "predict", "simulate"]
