"""stub"""
from theory.committee.dynamics import derivatives, generalisation_error, integrate, order_parameters
