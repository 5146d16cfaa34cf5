"""A user's own network and data, for the example of a sweep: a file next to the script."""

from sklearn.datasets import load_digits
from torch import nn


def make(alpha, classes=10):
    """A network whose width is ``alpha`` times the standard width."""
    width = int(32 * alpha)
    return nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, classes))


def load():
    """Inputs and labels; a fifth of the rows is held out for testing."""
    digits = load_digits()
    return (digits.data / 16).astype("float32"), digits.target
