"""A network and data of one's own, for the example of a sweep: what a user keeps in a file beside the script."""

from sklearn.datasets import load_digits
from torch import nn


def make(alpha, classes=10):
    """The network whose width is ``alpha`` times the standard one's."""
    width = int(32 * alpha)
    return nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, classes))


def load():
    """Inputs and labels; a fifth of the rows is held out for testing."""
    digits = load_digits()
    return (digits.data / 16).astype("float32"), digits.target
