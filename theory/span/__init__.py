"""Theory of the graded teacher: the solutions of narrow students, when these are unique, and what their concatenation spans.

``closed_form``  loss, gradient, Hessian
``solutions``    critical points of narrow students, and their stability
``uniqueness``   where the best one is the only stable one
``coupons``      equal strengths: the law of the units that many copies find together
``outlook``      :func:`predict`: everything for one setting, with the simulator's argument names
``derive``, ``check``  derivations in SymPy and independent checks (loaded on demand)

The setting is this project's own (reference section 3); everything is derived here.
"""

from theory.span.coupons import cover_probability, equal_strength_span_error, missed_law
from theory.span.outlook import Outlook, escape_rates, first_plateau_time, growth_rate, plateaus, predict
from theory.span.solutions import Solution, competitors, solution
from theory.span.uniqueness import competitor_end, power_strengths, step_strengths, uniqueness_boundary

__all__ = ["Outlook", "Solution", "competitor_end", "competitors", "cover_probability", "equal_strength_span_error",
           "escape_rates", "first_plateau_time", "growth_rate", "missed_law", "plateaus", "power_strengths", "predict",
           "solution", "step_strengths", "uniqueness_boundary"]


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
