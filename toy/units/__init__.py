"""Removable and repeated units of one-hidden-layer networks on synthetic data (S1), in closed form."""

from toy.units.closed_form import ablate, curves, smaller_network
from toy.units.measure import Report, report
from toy.units.model import Data, Trained, make_data, predict, simulate

__all__ = ["Data", "Report", "Trained", "ablate", "curves", "make_data", "predict", "report", "simulate", "smaller_network"]
