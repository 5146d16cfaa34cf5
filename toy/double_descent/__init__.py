"""Double descent: least squares, random ReLU features and a small trained network, by the number of parameters."""

from toy.double_descent.model import predict, simulate

__all__ = ["predict", "simulate"]
